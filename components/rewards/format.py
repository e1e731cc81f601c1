"""Format: does a completion keep to the template `<think>…</think><answer>…</answer>`?

That a format reward is part of the sum is the paper's; the template (R1's) and its strictness are our choice: each
tag once, in order, nothing but whitespace outside the blocks, and something visible inside each, because paying for
empty blocks teaches a policy to emit them. A look-alike of a tag (other case, attributes, spaces, invisible or
full-width characters) counts as a tag that the template does not have, wherever it stands.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from components.rewards.config import FormatConfig

TAG_NAMES = ("think", "answer")
TAGS = ("<think>", "</think>", "<answer>", "</answer>")

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols by category, drawn as nothing
_GRAPHIC = frozenset("LNPS")  # first letters of the categories of letters, numbers, punctuation and symbols


def adheres(completion: str, tags: Sequence[str] = TAG_NAMES) -> bool:
    """Whether a completion is the template's blocks, one after the other, each with visible content.

    Args:
        completion: The decoded completion, without the prompt. Whitespace around and between the blocks is allowed.
        tags: Names of the blocks, in order.
    """
    return all(_conditions(completion, tuple(tags)))


def format_reward(completion: str, config: FormatConfig) -> float:
    """The format part: `config.reward` for a completion that keeps to the template, else 0 or a share of it.

    The graded share counts, of 2 * tags + 2 conditions, those that hold: each block opens and closes exactly once
    (with no look-alike beside it), each such block has visible content, the blocks stand in order, and nothing
    stands outside them; the last two hold only where every block is there, so that text without tags earns nothing.

    Args:
        completion: The decoded completion, without the prompt.
        config: Template, grading and size of the reward.

    Returns:
        A reward in [0, config.reward]; the whole only where `adheres` holds.
    """
    conditions = _conditions(completion, config.tags)
    if config.grading == "exact":
        return config.reward if all(conditions) else 0.0
    return config.reward * (sum(conditions) / len(conditions))


def _conditions(completion: str, tags: tuple[str, ...]) -> list[bool]:
    """What the template asks for, one flag a condition: shape (2 * tags + 2,)."""
    looks = completion if completion.isascii() else _plain(completion)
    blocks = [_block(completion, looks, tag) for tag in tags]
    once = [block is not None for block in blocks]
    visible = [block is not None and _is_visible(completion[block]) for block in blocks]
    gaps = _gaps(completion, tags, [block for block in blocks if block is not None]) if all(once) else None
    ordered = gaps is not None and all(gap.start <= gap.stop for gap in gaps)
    alone = gaps is not None and ordered and not any(completion[gap].strip() for gap in gaps)
    return [*once, *visible, ordered, alone]


def _gaps(completion: str, tags: Sequence[str], blocks: Sequence[slice]) -> list[slice]:
    """What lies before, between and after the blocks; a gap runs backwards where they are not in order."""
    starts = [block.start - len(f"<{tag}>") for tag, block in zip(tags, blocks, strict=True)]
    ends = [block.stop + len(f"</{tag}>") for tag, block in zip(tags, blocks, strict=True)]
    return [slice(end, start) for end, start in zip([0, *ends], [*starts, len(completion)], strict=True)]


def _block(completion: str, looks: str, tag: str) -> slice | None:
    """Where the content of the only block of a tag is; None if there is none, or more than one.

    Args:
        completion: The completion as it is.
        looks: The completion as it looks, in which there must not be another tag either.
        tag: The name of the block.
    """
    for text in dict.fromkeys((completion, looks)):
        if [match.group() for match in _alike(tag).finditer(text)] != [f"<{tag}>", f"</{tag}>"]:
            return None
    return slice(completion.index(f"<{tag}>") + len(f"<{tag}>"), completion.index(f"</{tag}>"))


@lru_cache(maxsize=64)
def _alike(tag: str) -> re.Pattern[str]:
    """Everything that a reader could take for an opening or closing tag."""
    # The spaces are bounded, so that a run of them is not searched again from each of its places.
    return re.compile(rf"<\s{{0,9}}/?\s{{0,9}}{tag}\s{{0,9}}/?\s{{0,9}}>|</?{tag}\s[^<>]*>", re.IGNORECASE)


def _plain(text: str) -> str:
    """The text as it looks: compatibility forms folded, invisible characters left out."""
    folded = unicodedata.normalize("NFKC", text)
    invisible = [character for character in set(folded) if not character.isspace() and not _is_visible(character)]
    return folded.translate(dict.fromkeys(map(ord, invisible)))


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] in _GRAPHIC and character not in _BLANK for character in text)
