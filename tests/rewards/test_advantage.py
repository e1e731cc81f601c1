import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.advantage import Scale, group_advantages


def test_group_advantages_subtract_the_mean_of_each_group() -> None:
    assert group_advantages([1, 0, 0, 3, 5, 4], 3) == pytest.approx([2 / 3, -1 / 3, -1 / 3, -1, 1, 0])


def test_group_advantages_without_scale_keep_the_size_of_the_reward() -> None:
    assert group_advantages([10, 0], 2) == [5, -5]


def test_group_advantages_group_scale_divides_by_the_sample_deviation() -> None:
    # deviation of 1, 0 from their mean 0.5: sqrt((0.25 + 0.25) / 1) = sqrt(0.5)
    expected = 0.5 / (math.sqrt(0.5) + 1e-4)
    assert group_advantages([1, 0], 2, scale="group") == pytest.approx([expected, -expected])


def test_group_advantages_leave_one_out_compares_with_the_mean_of_the_others() -> None:
    assert group_advantages([1, 0, 5], 3, scale="leave_one_out") == pytest.approx([1 - 2.5, 0 - 3, 5 - 0.5])


scales = pytest.mark.parametrize("scale", get_args(Scale))


@scales
def test_group_advantages_equal_rewards_are_zero(scale: Scale) -> None:
    assert group_advantages([0.3] * 4, 4, scale) == [0] * 4


@scales
def test_group_advantages_group_of_one_is_zero(scale: Scale) -> None:
    assert group_advantages([2, 7], 1, scale) == [0, 0]


@scales
def test_group_advantages_of_a_batch_are_those_of_its_groups(scale: Scale) -> None:
    rewards = [0.3, 1.2, -0.2, 0.0, 0.7, 0.7]
    apart = group_advantages(rewards[:3], 3, scale) + group_advantages(rewards[3:], 3, scale)
    assert group_advantages(rewards, 3, scale) == apart


@pytest.mark.parametrize("size", [0, -1, 2, 4])
def test_group_advantages_unfilled_group_raises_with_the_numbers(size: int) -> None:
    with pytest.raises(ValueError, match=f"3 rewards do not fill groups of {size}"):
        group_advantages([1, 2, 3], size)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_group_advantages_reward_that_is_not_finite_raises_with_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match="reward 1 is"):
        group_advantages([0.0, bad], 2)


@given(st.integers(1, 8), st.integers(0, 5), st.sampled_from(get_args(Scale)), st.data())
def test_group_advantages_of_a_group_sum_to_zero(size: int, groups: int, scale: Scale, data: st.DataObject) -> None:
    count = size * groups
    rewards = data.draw(st.lists(st.floats(-10, 10), min_size=count, max_size=count))
    advantages = group_advantages(rewards, size, scale)
    assert len(advantages) == count
    for start in range(0, count, size):
        assert math.fsum(advantages[start : start + size]) == pytest.approx(0, abs=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.floats(-5, 5))
def test_group_advantages_do_not_see_a_constant(rewards: list[float], constant: float) -> None:
    shifted = [reward + constant for reward in rewards]
    assert group_advantages(shifted, len(rewards)) == pytest.approx(group_advantages(rewards, len(rewards)), abs=1e-9)
