import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.advantage import group_advantages


def test_group_advantages_subtract_the_mean_of_each_group() -> None:
    assert group_advantages([1, 0, 0, 3, 5, 4], 3) == pytest.approx([2 / 3, -1 / 3, -1 / 3, -1, 1, 0])


def test_group_advantages_without_scale_keep_the_size_of_the_reward() -> None:
    assert group_advantages([10, 0], 2) == [5, -5]


def test_group_advantages_group_scale_divides_by_the_sample_deviation() -> None:
    # deviation of 1, 0 from their mean 0.5: sqrt((0.25 + 0.25) / 1) = sqrt(0.5)
    expected = 0.5 / (math.sqrt(0.5) + 1e-4)
    assert group_advantages([1, 0], 2, scale="group") == pytest.approx([expected, -expected])


def test_group_advantages_equal_rewards_are_zero_under_both_scales() -> None:
    assert group_advantages([0.3] * 4, 4) == [0] * 4
    assert group_advantages([0.3] * 4, 4, scale="group") == [0] * 4


def test_group_advantages_group_of_one_is_zero() -> None:
    assert group_advantages([2, 7], 1, scale="group") == [0, 0]


@pytest.mark.parametrize("size", [0, -1, 2, 4])
def test_group_advantages_unfilled_group_raises_with_the_numbers(size: int) -> None:
    with pytest.raises(ValueError, match=f"3 rewards do not fill groups of {size}"):
        group_advantages([1, 2, 3], size)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_group_advantages_reward_that_is_not_finite_raises_with_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match="reward 1 is"):
        group_advantages([0.0, bad], 2)


@given(st.integers(1, 8), st.integers(0, 5), st.sampled_from(["none", "group"]), st.data())
def test_group_advantages_of_a_group_sum_to_zero(size: int, groups: int, scale: str, data: st.DataObject) -> None:
    count = size * groups
    rewards = data.draw(st.lists(st.floats(-10, 10), min_size=count, max_size=count))
    advantages = group_advantages(rewards, size, scale)  # type: ignore[arg-type]
    assert len(advantages) == count
    for start in range(0, count, size):
        assert math.fsum(advantages[start : start + size]) == pytest.approx(0, abs=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8), st.floats(-5, 5))
def test_group_advantages_do_not_see_a_constant(rewards: list[float], constant: float) -> None:
    shifted = [reward + constant for reward in rewards]
    assert group_advantages(shifted, len(rewards)) == pytest.approx(group_advantages(rewards, len(rewards)), abs=1e-9)
