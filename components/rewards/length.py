r"""Length: how much a completion loses for being too short beside the correct ones of its group.

The paper's, as far as it could be read: a penalty with the parameters P_max and tau that works on a sampled group,
needs at least one correct member and guards against brevity as a reward hack. Our reading, not the paper's equation:
with L_ref the mean length of the correct members and s = (L_ref - |y|) / (tau * L_ref), a shorter completion loses
P_max * min(1, s); only incorrect ones lose. Other references, targets and a shape P_max * (1 - exp(-s)) are switches,
and so are the rules of other authors (overlong.py).

A truncated completion's length is a lower bound of what it would have been: it is no reference for others, even where
it is right, and it is never penalised for brevity.
"""

import math
import statistics
from collections.abc import Callable, Sequence

from components.rewards.config import LengthConfig
from components.rewards.overlong import cosine_penalty, overlong_penalty

_UNDECIDED = "the verifier could not decide"
_UNKNOWN = "the length is not known"
_NO_CORRECT = "no completion of the group is correct"
_NO_LENGTH = "no correct completion of the group has a known length"

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
    _check(lengths)
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


def length_parts(
    lengths: Sequence[int | None], correct: Sequence[bool | None], truncated: Sequence[bool], config: LengthConfig
) -> list[float | str]:
    """The length part of one group by the rule that the configuration names.

    Args:
        lengths: Length of each completion, in tokens, >= 0; None where it is not known; shape (G,).
        correct: Whether each completion is correct; None where that is not known; shape (G,).
        truncated: Whether generation was cut off; shape (G,).
        config: Which rule, and its settings.

    Returns:
        For each completion a reward in [-p_max, 0], or the reason why the part does not apply; shape (G,).

    Raises:
        ValueError: The sequences differ in length, or a length is negative.
    """
    _check([length for length in lengths if length is not None])
    if config.kind == "none":
        return ["there is no length penalty"] * len(lengths)
    rows = list(zip(lengths, correct, truncated, strict=True))
    if config.kind == "group":
        whole = [(length, bool(right)) for length, right, cut in rows if length is not None and not cut]
        reference = length_reference([length for length, _ in whole], [right for _, right in whole], config)
        if reference is None:
            return [_NO_LENGTH if any(correct) else _NO_CORRECT] * len(lengths)
        return [_against(reference, *row, config) for row in rows]
    return [_alone(*row, config) for row in rows]


def _against(
    reference: float, length: int | None, correct: bool | None, truncated: bool, config: LengthConfig
) -> float | str:
    if length is None:
        return _UNKNOWN
    if config.applies_to == "incorrect" and correct is None:
        return _UNDECIDED
    if truncated or (config.applies_to == "incorrect" and correct):
        return 0.0
    return _penalty(length, reference, config)


def _alone(length: int | None, correct: bool | None, truncated: bool, config: LengthConfig) -> float | str:
    if length is None:
        return _UNKNOWN
    if config.kind == "overlong":
        return overlong_penalty(length, config)
    return _UNDECIDED if correct is None else cosine_penalty(length, correct, truncated, config)


def _penalty(length: int, reference: float, config: LengthConfig) -> float:
    if length >= reference:
        return 0.0
    shortfall = (1 - length / reference) / config.tau
    share = min(1.0, shortfall) if config.shape == "linear" else 1 - math.exp(-shortfall)
    return 0.0 - config.p_max * share


def _check(lengths: Sequence[int]) -> None:
    if any(length < 0 for length in lengths):
        raise ValueError(f"lengths hold {min(lengths)}: a length is a number of tokens, 0 or more")
