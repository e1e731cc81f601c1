import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.breakdown import RewardBreakdown

_FINITE = st.floats(-10, 10)


@given(a=_FINITE, b=_FINITE, weight=st.floats(0, 5))
def test_total_is_the_weighted_sum(a: float, b: float, weight: float) -> None:
    breakdown = RewardBreakdown.weighted({"a": a, "b": b}, {"a": weight, "b": 1.0}, {})

    assert math.isclose(breakdown.total, weight * a + b, abs_tol=1e-9)


def test_part_that_does_not_apply_adds_nothing_and_keeps_its_reason() -> None:
    breakdown = RewardBreakdown.weighted({"a": 0.5}, {"a": 1.0, "b": 1.0}, {"b": "no group"})

    assert (breakdown.total, breakdown.not_applicable) == (0.5, {"b": "no group"})


@given(a=_FINITE, b=_FINITE, weight=st.floats(0, 5))
def test_total_is_the_weighted_sum_of_what_is_credited(a: float, b: float, weight: float) -> None:
    breakdown = RewardBreakdown.weighted({"a": a}, {"a": weight, "b": 1.0}, {"b": "no group"}, {"a": -a, "b": b})

    assert breakdown.total == math.fsum([weight * -a, b])
    assert (breakdown.parts, breakdown.credited) == ({"a": a}, {"a": -a, "b": b})


def test_part_without_value_is_credited_nothing_unless_said_otherwise() -> None:
    assert RewardBreakdown.weighted({"a": 0.5}, {"a": 1.0, "b": 1.0}, {}).credited == {"a": 0.5, "b": 0.0}


@pytest.mark.parametrize(
    ("credited", "message"),
    [
        ({"a": math.inf, "b": 0.0}, "'a' is inf"),
        ({"a": 1.0}, r"\['a'\] are credited, \['a', 'b'\] have weights"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, r"\['a', 'b', 'c'\] are credited"),
    ],
)
def test_impossible_credits_are_refused(credited: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RewardBreakdown.weighted({"a": 1.0}, {"a": 1.0, "b": 1.0}, {"b": "why"}, credited)


@pytest.mark.parametrize(
    ("parts", "reasons", "message"),
    [
        ({"a": math.nan}, {}, "'a' is nan"),
        ({"c": 1.0}, {}, r"\['c'\] have no weight"),
        ({"a": 1.0}, {"a": "why"}, "'a' has the value 1.0 and a reason"),
    ],
)
def test_impossible_parts_are_refused(parts: dict, reasons: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RewardBreakdown.weighted(parts, {"a": 1.0}, reasons)
