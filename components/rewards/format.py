"""Format: does a completion keep to the template `<think>…</think><answer>…</answer>`?

That a format reward is part of the sum is the paper's; the template (R1's) and its strictness are our choice: each
tag once, in order, nothing but whitespace outside the two blocks, and something visible inside both, because paying
for empty blocks teaches a policy to emit them.
"""

from components.rewards.config import FormatConfig

TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def adheres(completion: str) -> bool:
    """Whether a completion is one thinking block and then one answer block, both with visible content.

    Args:
        completion: The decoded completion, without the prompt. Whitespace around and between the blocks is allowed.
    """
    text = completion.strip()
    if any(text.count(tag) != 1 for tag in TAGS) or not (text.startswith("<think>") and text.endswith("</answer>")):
        return False
    thinking, _, rest = text.removeprefix("<think>").removesuffix("</answer>").partition("</think>")
    between, _, answer = rest.partition("<answer>")
    return not between.strip() and _is_visible(thinking) and _is_visible(answer)


def format_reward(completion: str, config: FormatConfig) -> float:
    """The format part: `config.reward` for a completion that keeps to the template, else 0.

    Args:
        completion: The decoded completion, without the prompt.
        config: The size of the reward.
    """
    return config.reward if adheres(completion) else 0.0


def _is_visible(text: str) -> bool:
    return any(character.isprintable() and not character.isspace() for character in text)
