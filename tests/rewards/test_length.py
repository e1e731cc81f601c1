import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.config import LengthConfig
from components.rewards.length import length_penalties, length_reference


def close(values: list[float]) -> Any:
    return pytest.approx(values, abs=1e-12)


def test_length_penalties_linear_worked_by_hand() -> None:
    # L_ref = (100 + 140) / 2 = 120; shortfalls 0.5 and 1/12 of it; tau 1; p_max 0.3
    penalties = length_penalties([100, 140, 60, 110, 200], [True, True, False, False, False], LengthConfig())
    assert penalties == close([0, 0, -0.15, -0.025, 0])


def test_length_penalties_tau_is_the_shortfall_of_the_full_penalty() -> None:
    config = LengthConfig(p_max=0.4, tau=0.5)
    assert length_penalties([100, 75, 50, 10, 0], [True, *[False] * 4], config) == close([0, -0.2, -0.4, -0.4, -0.4])


def test_length_penalties_exponential_worked_by_hand() -> None:
    config = LengthConfig(p_max=0.5, tau=0.25, shape="exponential")
    # shortfall 0.5 of L_ref, s = 0.5 / 0.25 = 2, 1 - e^-2 = 0.8646647167633873
    assert length_penalties([200, 100], [True, False], config) == close([0, -0.43233235838169365])


@pytest.mark.parametrize(("reference", "tokens"), [("mean", 40.0), ("min", 10.0), ("median", 20.0)])
def test_length_reference_is_the_named_statistic_of_the_correct_ones(reference: str, tokens: float) -> None:
    config = LengthConfig.model_validate({"reference": reference})
    lengths, correct = [10, 20, 90, 1000], [True, True, True, False]
    assert length_reference(lengths, correct, config) == tokens


def test_length_penalties_apply_to_all_reaches_short_correct_ones() -> None:
    config = LengthConfig(applies_to="all")
    assert length_penalties([60, 140], [True, True], config) == close([-0.12, 0])


def test_length_penalties_group_without_correct_member_is_not_applicable() -> None:
    assert length_reference([5, 9], [False, False], LengthConfig()) is None
    assert length_penalties([5, 9], [False, False], LengthConfig()) == [0.0, 0.0]


def test_length_penalties_correct_ones_of_no_length_penalise_nobody() -> None:
    assert length_penalties([0, 0], [True, False], LengthConfig()) == [0.0, 0.0]


def test_length_penalties_empty_group_is_empty() -> None:
    assert length_penalties([], [], LengthConfig()) == []


def test_length_penalties_unequal_inputs_raise_with_both_counts() -> None:
    with pytest.raises(ValueError, match="2 lengths for 1 "):
        length_penalties([1, 2], [True], LengthConfig())


def test_length_penalties_negative_length_raises() -> None:
    with pytest.raises(ValueError, match="-3"):
        length_penalties([1, -3], [True, False], LengthConfig())


configs = st.builds(
    LengthConfig,
    p_max=st.floats(0, 1),
    tau=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    reference=st.sampled_from(["mean", "min", "median"]),
    applies_to=st.sampled_from(["incorrect", "all"]),
    shape=st.sampled_from(["linear", "exponential"]),
)
members = st.lists(st.tuples(st.integers(0, 100_000), st.booleans()), max_size=16)


@given(members, configs)
def test_length_penalties_stay_within_bounds(group: list[tuple[int, bool]], config: LengthConfig) -> None:
    penalties = length_penalties([length for length, _ in group], [right for _, right in group], config)
    assert len(penalties) == len(group)
    assert all(-config.p_max <= penalty <= 0 for penalty in penalties)
    assert not any(math.copysign(1, penalty) < 0 and penalty == 0 for penalty in penalties)


@given(members, st.integers(0, 100_000), st.integers(0, 100_000), configs)
def test_length_penalties_longer_wrong_one_never_loses_more(
    group: list[tuple[int, bool]], one: int, other: int, config: LengthConfig
) -> None:
    lengths = [length for length, _ in group] + sorted([one, other])
    correct = [right for _, right in group] + [False, False]
    shorter, longer = length_penalties(lengths, correct, config)[-2:]
    assert shorter <= longer


@given(members, configs)
def test_length_penalties_by_default_spare_the_correct(group: list[tuple[int, bool]], config: LengthConfig) -> None:
    config = config.model_copy(update={"applies_to": "incorrect"})
    penalties = length_penalties([length for length, _ in group], [right for _, right in group], config)
    assert all(penalty == 0 for penalty, (_, right) in zip(penalties, group, strict=True) if right)
