import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rewards.advantage import group_advantages
from components.rewards.composition import Abstention, counted, keep_order

RULE, MODEL = [1.0, 1.0, 0.0, 0.0], [0.8, None, 0.2, 0.3]


def advantages(abstention: Abstention) -> list[float]:
    totals = [rule + model for rule, model in zip(RULE, counted(MODEL, abstention), strict=True)]
    return group_advantages(totals, 4, scale="group")


def test_abstention_zero_is_the_usual_sum_and_costs_a_right_answer_its_advantage() -> None:
    # The second completion is as right as the first; that the model did not score it is not its fault.
    assert advantages("zero") == pytest.approx([1.32, 0.24, -0.84, -0.71], abs=0.006)


@pytest.mark.parametrize("abstention", ["group_mean", "mask"])
def test_abstention_group_mean_and_mask_leave_it_what_the_rule_gives(abstention: Abstention) -> None:
    assert advantages(abstention) == pytest.approx([1.08, 0.62, -0.91, -0.79], abs=0.006)
    totals = [rule + model for rule, model in zip(RULE, counted(MODEL, abstention), strict=True)]
    assert group_advantages(totals, 4)[1] == pytest.approx(group_advantages(RULE, 4)[1])


def test_counted_nobody_has_a_value_counts_nothing() -> None:
    for abstention in ("group_mean", "mask", "zero"):
        assert counted([None, None], abstention) == [0.0, 0.0]  # type: ignore[arg-type]
        assert counted([None, None], abstention, 0.05) == [0.0, 0.0]  # type: ignore[arg-type]


def test_counted_normalised_worked_by_hand() -> None:
    # mean 0.4, sample deviation sqrt((0.36 + 0.04 + 0.16) / 2) = sqrt(0.28)
    assert counted([1.0, 0.2, 0.0], "mask", 0.05) == pytest.approx(
        [0.6 / 0.28**0.5, -0.2 / 0.28**0.5, -0.4 / 0.28**0.5]
    )


def test_counted_mask_keeps_the_abstaining_member_out_of_the_divisor() -> None:
    masked, imputed = counted([1.0, 0.0, None], "mask", 0.05), counted([1.0, 0.0, None], "group_mean", 0.05)
    assert masked == pytest.approx([0.5**0.5, -(0.5**0.5), 0.0])  # deviation of 1, 0: sqrt(0.5)
    assert imputed == pytest.approx([1.0, -1.0, 0.0])  # deviation of 1, 0, 0.5: 0.5


def test_counted_floor_keeps_noise_of_a_model_small() -> None:
    noise = [0.800, 0.801, 0.802, 0.803]
    assert max(map(abs, counted(noise, "mask", 1e-6))) == pytest.approx(1.16, abs=0.01)
    assert counted(noise, "mask", 0.05) == pytest.approx([-0.03, -0.01, 0.01, 0.03])


def test_counted_group_of_one_normalises_to_zero() -> None:
    assert counted([0.7], "group_mean", 0.05) == [0.0]


values = st.lists(st.one_of(st.none(), st.floats(-1, 1)), min_size=1, max_size=10)
policies = st.sampled_from(["group_mean", "mask", "zero"])


@given(values, st.sampled_from(["group_mean", "mask"]), st.one_of(st.none(), st.floats(1e-3, 1)))
def test_counted_abstaining_member_has_no_advantage_from_the_part(
    found: list[float | None], abstention: Abstention, floor: float | None
) -> None:
    own = group_advantages(counted(found, abstention, floor), len(found))
    assert all(abs(advantage) < 1e-9 for advantage, value in zip(own, found, strict=True) if value is None)


@given(values, policies, st.floats(1e-6, 1))
def test_counted_normalised_values_are_bounded_by_the_group(
    found: list[float | None], abstention: Abstention, floor: float
) -> None:
    normalised = counted(found, abstention, floor)
    assert max(map(abs, normalised)) <= len(found) ** 0.5 + 1e-9


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8), policies)
def test_counted_values_that_are_there_are_left_alone(found: list[float], abstention: Abstention) -> None:
    assert counted(found, abstention) == found


def test_keep_order_shrinks_the_others_towards_their_means() -> None:
    credited = {"accuracy": [1.0, 0.0, 0.0], "length": [-2.0, 1.0, 1.0], "format": [0.0, 0.5, -0.5]}
    weights = {"accuracy": 1.0, "length": 1.0, "format": 2.0}
    # The second leads the first by 3 + 1 = 4 in the other parts; it may lead by 0.5 of the gap 1: factor 1/8.
    kept = keep_order(credited, weights, [True, False, None], 0.5)
    assert kept == {
        "accuracy": [1.0, 0.0, 0.0],
        "length": [-0.25, 0.125, 0.125],
        "format": [0.0, 0.0625, -0.0625],
    }


@pytest.mark.parametrize("verdicts", [[True, True, None], [False, None, False], [None] * 3])
def test_keep_order_has_nothing_to_do_without_both_verdicts(verdicts: list[bool | None]) -> None:
    credited = {"accuracy": [1.0, 0.0, 0.0], "length": [-2.0, 1.0, 1.0]}
    assert keep_order(credited, {"accuracy": 1.0, "length": 1.0}, verdicts, 0.5) == credited


def test_keep_order_leaves_the_control_alone() -> None:
    credited = {"accuracy": [1.0, 0.0], "length": [-2.0, 1.0]}
    assert keep_order(credited, {"accuracy": 0.0, "length": 1.0}, [True, False], 0.5) == credited
