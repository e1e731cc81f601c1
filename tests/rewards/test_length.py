import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.config import LengthConfig
from components.rewards.length import length_parts, length_penalties, length_reference


def close(values: float | list[float]) -> Any:
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


GROUP = LengthConfig()
OVERLONG = LengthConfig(kind="overlong", max_length=100, cache=40)
COSINE = LengthConfig(kind="cosine", max_length=100)


def test_length_parts_of_the_group_rule_are_its_penalties() -> None:
    lengths, correct = [100, 140, 60, 110, 200], [True, True, False, False, False]
    assert length_parts(lengths, correct, [False] * 5, GROUP) == length_penalties(lengths, correct, GROUP)


def test_length_parts_unknown_length_has_no_part_and_is_no_reference() -> None:
    parts = length_parts([None, 100, 50, None], [True, True, False, False], [False] * 4, GROUP)
    assert parts == ["the length is not known", 0.0, pytest.approx(-0.15), "the length is not known"]


def test_length_parts_truncated_completion_is_no_reference_and_not_penalised() -> None:
    parts = length_parts([400, 100, 50, 50], [True, True, False, False], [True, False, False, True], GROUP)
    assert parts == [0.0, 0.0, pytest.approx(-0.15), 0.0]


def test_length_parts_truncated_completion_is_not_penalised_where_all_are() -> None:
    config = LengthConfig(applies_to="all")
    assert length_parts([100, 50, 50], [True, True, True], [False, True, False], config) == [0.0, 0.0, close(-0.1)]


@pytest.mark.parametrize(("lengths", "truncated"), [([None, 50], [False, False]), ([90, 50], [True, False])])
def test_length_parts_correct_ones_without_a_length_leave_no_reference(
    lengths: list[int | None], truncated: list[bool]
) -> None:
    parts = length_parts(lengths, [True, False], truncated, GROUP)
    assert parts == ["no correct completion of the group has a known length"] * 2


def test_length_parts_group_without_correct_member_says_so() -> None:
    assert length_parts([5, 9], [False, None], [False] * 2, GROUP) == ["no completion of the group is correct"] * 2


@pytest.mark.parametrize("correct", [True, False, None])
def test_length_parts_one_member_is_never_penalised(correct: bool | None) -> None:
    (part,) = length_parts([7], [correct], [False], GROUP)
    assert part == (0.0 if correct else "no completion of the group is correct")


def test_length_parts_equal_lengths_penalise_nobody() -> None:
    assert length_parts([70] * 3, [True, False, False], [False] * 3, GROUP) == [0.0] * 3


def test_length_parts_undecided_one_is_held_against_the_reference_only_where_all_are() -> None:
    applied = LengthConfig(applies_to="all")
    assert length_parts([100, 50], [True, None], [False] * 2, GROUP)[1] == "the verifier could not decide"
    assert length_parts([100, 50], [True, None], [False] * 2, applied)[1] == close(-0.15)


def test_length_parts_kind_none_has_no_part() -> None:
    config = LengthConfig(kind="none")
    assert length_parts([10, None], [True, False], [False] * 2, config) == ["there is no length penalty"] * 2


def test_length_parts_overlong_worked_by_hand() -> None:
    # 0 to 60 tokens, then 1/40 of p_max a token, full at 100
    lengths = [0, 60, 70, 90, 100, 400, None]
    parts = length_parts(lengths, [None] * 7, [False] * 6 + [True], OVERLONG)
    assert parts == [0, 0, close(-0.075), close(-0.225), close(-0.3), close(-0.3), "the length is not known"]


def test_length_parts_overlong_is_the_published_formula() -> None:
    config = LengthConfig(kind="overlong", p_max=1.0, max_length=20480, cache=4096)
    lengths = [100, 16384, 18432, 20480, 20481]
    assert length_parts(lengths, [True] * 5, [False] * 5, config) == close([0, 0, -0.5, -1, -1])


def test_length_parts_cosine_worked_by_hand() -> None:
    # (1 - cos(pi / 3)) / 2 = 0.25 at a third of max_length
    config = LengthConfig(kind="cosine", p_max=0.4, max_length=300)
    right = length_parts([0, 100, 150, 300, 900], [True] * 5, [False] * 5, config)
    wrong = length_parts([0, 100, 150, 299, 300], [False] * 5, [False] * 5, config)
    assert right == close([0, -0.1, -0.2, -0.4, -0.4])
    assert wrong == close([-0.4, -0.3, -0.2, wrong[3], -0.4])
    assert wrong[3] == pytest.approx(0, abs=1e-4)


def test_length_parts_cosine_truncated_wrong_one_loses_nothing_for_brevity() -> None:
    assert length_parts([30, 100], [False, False], [True, True], COSINE) == [0.0, -0.3]


def test_length_parts_cosine_undecided_one_has_no_part() -> None:
    assert length_parts([30], [None], [False], COSINE) == ["the verifier could not decide"]


@pytest.mark.parametrize("config", [GROUP, OVERLONG, COSINE, LengthConfig(kind="none")])
def test_length_parts_negative_length_raises(config: LengthConfig) -> None:
    with pytest.raises(ValueError, match="-3"):
        length_parts([-3, None], [True, True], [False, True], config)


any_config = st.one_of(
    configs,
    st.builds(LengthConfig, kind=st.just("cosine"), p_max=st.floats(0, 1), max_length=st.integers(1, 10_000)),
    st.integers(1, 10_000).flatmap(
        lambda most: st.builds(
            LengthConfig,
            kind=st.just("overlong"),
            p_max=st.floats(0, 1),
            max_length=st.just(most),
            cache=st.integers(1, most),
        )
    ),
)
lengths_or_none = st.one_of(st.none(), st.integers(0, 100_000))
rows = st.lists(st.tuples(lengths_or_none, st.sampled_from([True, False, None]), st.booleans()), max_size=12)


@given(rows, any_config)
def test_length_parts_stay_within_bounds(
    group: list[tuple[int | None, bool | None, bool]], config: LengthConfig
) -> None:
    lengths, correct, truncated = ([row[column] for row in group] for column in range(3))
    parts = length_parts(lengths, correct, truncated, config)  # type: ignore[arg-type]
    assert len(parts) == len(group)
    assert all(isinstance(part, str) or -config.p_max <= part <= 0 for part in parts)


@given(any_config, st.integers(0, 20_000), st.integers(0, 20_000))
def test_length_parts_absolute_rules_are_monotone(config: LengthConfig, one: int, other: int) -> None:
    lengths = sorted([one, other])
    shorter, longer = length_parts(lengths, [True, True], [False] * 2, config)
    if config.kind != "group":
        assert shorter >= longer  # type: ignore[operator]
    if config.kind == "cosine" and lengths[1] < config.max_length:
        shorter, longer = length_parts(lengths, [False, False], [False] * 2, config)
        assert shorter <= longer  # type: ignore[operator]
