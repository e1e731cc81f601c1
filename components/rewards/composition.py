"""Composition: what each part of each completion counts for in its group, before the weights.

The paper's sum takes the parts as they are. Ours adds three things, none of which changes that sum where every part
has a value: what a part counts for that has none, normalisation inside the group, and a guard that keeps a wrong
answer below a right one where normalisation would let it climb.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from components.rewards.config import RewardsConfig

Abstention = Literal["group_mean", "mask", "zero"]

_SLACK = 1 + 1e-9  # rounding alone does not move a value


def credit(
    values: Mapping[str, Sequence[float | None]], verdicts: Sequence[bool | None], config: RewardsConfig
) -> dict[str, list[float]]:
    """What the parts of one group count for.

    Args:
        values: Value by part, None where it has none; `accuracy` is one of them; each of shape (G,).
        verdicts: What the rule verifier decided of each completion; shape (G,).
        config: Policies of abstention and normalisation, and weights.

    Returns:
        A finite value by part, each of shape (G,). Without normalisation and where every part has a value, they are
        the values.
    """
    floor = config.std_floor if config.normalise == "group" else None
    credited = {name: counted(of_part, config.abstention, floor) for name, of_part in values.items()}
    weights = {name: float(getattr(config.weights, name)) for name in values}
    return keep_order(credited, weights, verdicts, config.others_share)


def counted(values: Sequence[float | None], abstention: Abstention, floor: float | None = None) -> list[float]:
    """What one part counts for in one group.

    "zero" puts 0 in place of a missing value; "group_mean" the mean of those that there are, before normalisation, so
    that the divisor counts it like a measured one; "mask" leaves it out of normalisation and gives it the mean
    afterwards. Under both means, the part adds exactly nothing to the abstaining member's advantage over the group's
    mean and moves nobody else's; without normalisation they are the same.

    Args:
        values: Value of each member, None where there is none; shape (G,).
        abstention: The policy.
        floor: Smallest divisor of the normalisation, > 0; None for no normalisation.

    Returns:
        Finite values, shape (G,); all 0 where nobody has one.
    """
    present = list(values) if abstention == "mask" else list[float | None](_filled(values, abstention))
    return _filled(present if floor is None else _normalised(present, floor), abstention)


def keep_order(
    credited: Mapping[str, Sequence[float]], weights: Mapping[str, float], verdicts: Sequence[bool | None], share: float
) -> dict[str, list[float]]:
    """Keep every verified-right completion of a group above every verified-wrong one.

    Let gap be the smallest weighted difference in accuracy between a right and a wrong completion, and spread the
    largest by which the other parts together favour a wrong one over a right one. Where spread exceeds share * gap,
    the other parts are shrunk towards their group means by the factor share * gap / spread: the means stay, and with
    them what an abstaining member has. The plain sum stays within the share by the ranges of its parts.

    Args:
        credited: Value by part; `accuracy` is one of them; each of shape (G,).
        weights: Weight by part; with an accuracy weight of 0 nothing is done.
        verdicts: What the rule verifier decided of each completion; shape (G,).
        share: The most that the other parts may take of the gap; in [0, 1).

    Returns:
        Value by part, each of shape (G,).
    """
    kept = {name: list(of_part) for name, of_part in credited.items()}
    right = [index for index, verdict in enumerate(verdicts) if verdict is True]
    wrong = [index for index, verdict in enumerate(verdicts) if verdict is False]
    if not right or not wrong or not weights["accuracy"]:
        return kept
    accuracy = kept["accuracy"]
    gap = weights["accuracy"] * (min(accuracy[index] for index in right) - max(accuracy[index] for index in wrong))
    others = [name for name in kept if name != "accuracy"]
    sums = [math.fsum(weights[name] * kept[name][index] for name in others) for index in range(len(verdicts))]
    spread = max(sums[index] for index in wrong) - min(sums[index] for index in right)
    if spread <= share * gap * _SLACK:
        return kept
    return kept | {name: _shrunk(kept[name], share * gap / spread) for name in others}


def _filled(values: Sequence[float | None], abstention: Abstention) -> list[float]:
    present = [value for value in values if value is not None]
    stand_in = fmean(present) if present and abstention != "zero" else 0.0
    return [stand_in if value is None else value for value in values]


def _normalised(values: Sequence[float | None], floor: float) -> list[float | None]:
    present = [value for value in values if value is not None]
    if not present:
        return list(values)
    mean = fmean(present)
    freedom = max(len(present) - 1, 1)
    divisor = max(math.sqrt(math.fsum((value - mean) ** 2 for value in present) / freedom), floor)
    return [None if value is None else (value - mean) / divisor for value in values]


def _shrunk(values: Sequence[float], factor: float) -> list[float]:
    centre = fmean(values)
    return [centre + factor * (value - centre) for value in values]
