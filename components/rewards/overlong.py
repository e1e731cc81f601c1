"""Absolute rules of length: penalties that look at one completion alone, as peers of the group rule.

Both come from public work on long chains of thought, not from the paper. Both are scaled into our range of
[-p_max, 0], so that the order of right and wrong answers does not depend on the rule that was chosen.
"""

import math

from components.rewards.config import LengthConfig


def overlong_penalty(length: int, config: LengthConfig) -> float:
    """DAPO's soft overlong punishment (arXiv 2503.14476), times p_max.

    0 up to max_length - cache, from there in a line to -p_max at max_length, and -p_max beyond. A truncated completion
    is taken at the length it has: a lower bound, so it is punished no more than its whole would be.

    Args:
        length: Tokens of the completion, >= 0.
        config: max_length and cache, in tokens, and p_max.

    Returns:
        A reward in [-p_max, 0]; never larger for a longer completion.
    """
    share = (length - (config.max_length - config.cache)) / config.cache
    return 0.0 - config.p_max * min(1.0, max(0.0, share))


def cosine_penalty(length: int, correct: bool, truncated: bool, config: LengthConfig) -> float:
    """The cosine length reward (arXiv 2502.03373, "Demystifying Long Chain-of-Thought Reasoning"), as a penalty.

    With c = (1 - cos(pi * length / max_length)) / 2, which rises from 0 to 1: a right completion loses p_max * c, a
    wrong one p_max * (1 - c), and both lose p_max from max_length on.

    Three departures from the source, whose rewards are 2 to 1 for right, -10 to 0 for wrong and -10 for overlong
    ones: what separates right from wrong is left to the accuracy part, both halves have the same width (as in TRL's
    version), and no completion earns more than 0.

    Args:
        length: Tokens of the completion, >= 0.
        correct: Whether it is right.
        truncated: Whether generation was cut off. The length is then a lower bound, so a wrong completion below
            max_length loses nothing for brevity.
        config: max_length, in tokens, and p_max.

    Returns:
        A reward in [-p_max, 0].
    """
    if length >= config.max_length:
        return 0.0 - config.p_max
    if truncated and not correct:
        return 0.0
    risen = (1 - math.cos(math.pi * length / config.max_length)) / 2
    return 0.0 - config.p_max * (risen if correct else 1 - risen)
