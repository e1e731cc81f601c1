r"""Length: how much a completion loses for being too short beside the correct ones of its group.

The paper's, as far as it could be read: a penalty with the parameters P_max and tau that works on a sampled group,
needs at least one correct member and guards against brevity as a reward hack. Our reading, not the paper's equation:
with L_ref the mean length of the correct members and s = (L_ref - |y|) / (tau * L_ref), a shorter completion loses
P_max * min(1, s); only incorrect ones lose. Other references, targets and a shape P_max * (1 - exp(-s)) are switches.
"""

import math
import statistics
from collections.abc import Callable, Sequence

from components.rewards.config import LengthConfig

_STATISTICS: dict[str, Callable[[Sequence[int]], float]] = {
    "mean": statistics.fmean,
    "min": min,
    "median": statistics.median,
}


def length_reference(lengths: Sequence[int], correct: Sequence[bool], config: LengthConfig) -> float | None:
    """L_ref, the length that the members of a group are held against.

    Args:
        lengths: Length of each completion of one group, in tokens, >= 0; shape (G,).
        correct: Whether each completion is correct; shape (G,).
        config: Which statistic of the correct lengths to take.

    Returns:
        Tokens, or None where the group has no correct member: the penalty is then not applicable.

    Raises:
        ValueError: The two sequences differ in length, or a length is negative.
    """
    if len(lengths) != len(correct):
        raise ValueError(f"{len(lengths)} lengths for {len(correct)} correctness flags: give one of each a completion")
    if any(length < 0 for length in lengths):
        raise ValueError(f"lengths hold {min(lengths)}: a length is a number of tokens, 0 or more")
    of_correct = [length for length, is_correct in zip(lengths, correct, strict=True) if is_correct]
    return float(_STATISTICS[config.reference](of_correct)) if of_correct else None


def length_penalties(lengths: Sequence[int], correct: Sequence[bool], config: LengthConfig) -> list[float]:
    """The length part of one group.

    Args:
        lengths: Length of each completion, in tokens, >= 0; shape (G,).
        correct: Whether each completion is correct; shape (G,).
        config: Size, scale, reference, target and shape of the penalty.

    Returns:
        A reward in [-p_max, 0] for each completion, shape (G,); all 0 where no member is correct.

    Raises:
        ValueError: The two sequences differ in length, or a length is negative.
    """
    reference = length_reference(lengths, correct, config)
    if reference is None:
        return [0.0] * len(lengths)
    return [
        0.0 if is_correct and config.applies_to == "incorrect" else _penalty(length, reference, config)
        for length, is_correct in zip(lengths, correct, strict=True)
    ]


def _penalty(length: int, reference: float, config: LengthConfig) -> float:
    if length >= reference:
        return 0.0
    shortfall = (1 - length / reference) / config.tau
    share = min(1.0, shortfall) if config.shape == "linear" else 1 - math.exp(-shortfall)
    return 0.0 - config.p_max * share
