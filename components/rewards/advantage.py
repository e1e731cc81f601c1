"""Advantage: how much better a completion did than its group.

The paper's: A_i = R_i - mean(R) over the group, without GRPO's division by the standard deviation, which would
weigh easy and hard questions differently (Dr. GRPO, arXiv 2503.20783). GRPO's division (arXiv 2402.03300) and the
leave-one-out baseline of RLOO (arXiv 2402.14740) are kept as switches.
"""

import math
import statistics
from collections.abc import Sequence
from typing import Literal

Scale = Literal["none", "group", "leave_one_out"]

_EPSILON = 1e-4  # GRPO's guard against groups in which all rewards are equal


def group_advantages(rewards: Sequence[float], group_size: int, scale: Scale = "none") -> list[float]:
    """The advantage of each completion over its group.

    Args:
        rewards: Total rewards, finite; flat, shape (B * G,), consecutive `group_size` entries are one group.
        group_size: G, completions a prompt, >= 1.
        scale: "none" is the paper's; "group" divides by the group's sample standard deviation + 1e-4, as GRPO does;
            "leave_one_out" compares with the mean of the other members, which is G / (G - 1) times the first.

    Returns:
        Advantages in the order of the rewards, in their units ("group": in deviations), shape (B * G,). Each group's
        sum to 0 up to rounding under every scale; a group of one has the advantage 0.

    Raises:
        ValueError: The rewards do not fill whole groups, or one is not finite.
    """
    if group_size < 1 or len(rewards) % group_size:
        raise ValueError(f"{len(rewards)} rewards do not fill groups of {group_size}: pass whole groups")
    for index, reward in enumerate(rewards):
        if not math.isfinite(reward):
            raise ValueError(f"reward {index} is {reward}: rewards must be finite")
    groups = (rewards[start : start + group_size] for start in range(0, len(rewards), group_size))
    return [advantage for group in groups for advantage in _advantages(group, scale)]


def _advantages(group: Sequence[float], scale: Scale) -> list[float]:
    mean = statistics.fmean(group)
    centred = [reward - mean for reward in group]
    if scale == "none" or len(group) == 1:
        return centred
    factor = len(group) / (len(group) - 1) if scale == "leave_one_out" else 1 / (statistics.stdev(group) + _EPSILON)
    return [difference * factor for difference in centred]
