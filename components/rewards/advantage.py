"""Advantage: how much better a completion did than its group.

The paper's: A_i = R_i - mean(R) over the group, without GRPO's division by the standard deviation, which would
weigh easy and hard questions differently. GRPO's division is kept as a switch.
"""

import math
import statistics
from collections.abc import Sequence
from typing import Literal

_EPSILON = 1e-4  # GRPO's guard against groups in which all rewards are equal


def group_advantages(
    rewards: Sequence[float], group_size: int, scale: Literal["none", "group"] = "none"
) -> list[float]:
    """The advantage of each completion over the mean of its group.

    Args:
        rewards: Total rewards, finite; flat, shape (B * G,), consecutive `group_size` entries are one group.
        group_size: G, completions a prompt, >= 1.
        scale: "none" is the paper's; "group" divides by the group's sample standard deviation + 1e-4, as GRPO does.

    Returns:
        Advantages in the order of the rewards, shape (B * G,); each group's sum to 0.

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


def _advantages(group: Sequence[float], scale: Literal["none", "group"]) -> list[float]:
    mean = statistics.fmean(group)
    centred = [reward - mean for reward in group]
    if scale == "none" or len(group) == 1:
        return centred
    divisor = statistics.stdev(group) + _EPSILON
    return [difference / divisor for difference in centred]
