import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from components.evaluation.significance import bootstrap_p, detectable_difference, holm, mcnemar_p

_P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (5, 0), (10, 2), (2, 10), (7, 7)])
def test_mcnemars_p_value_is_the_sum_of_binomial_terms(wins: int, losses: int) -> None:
    discordant = wins + losses
    tail = sum(math.comb(discordant, count) for count in range(min(wins, losses) + 1)) / 2**discordant

    assert mcnemar_p(wins, losses) == pytest.approx(min(1.0, 2 * tail))


def test_bootstrap_p_value_counts_the_rarer_side_twice() -> None:
    resampled = np.array([-1.0] * 30 + [0.0] * 9 + [1.0] * 960)

    assert bootstrap_p(resampled, informative=100) == pytest.approx(2 * 40 / 1000)
    assert bootstrap_p(-resampled, informative=100) == pytest.approx(2 * 40 / 1000)


def test_bootstrap_p_value_is_never_below_what_flipping_signs_can_give() -> None:
    gains = np.ones(9999)

    assert bootstrap_p(gains, informative=5) == pytest.approx(0.0625)
    assert bootstrap_p(gains, informative=6) == pytest.approx(0.03125)
    assert bootstrap_p(gains, informative=1000) == pytest.approx(2 / 10_000)
    assert bootstrap_p(np.zeros(9999), informative=0) == 1.0


def test_holms_correction_of_a_case_worked_by_hand() -> None:
    # Sorted: 0.005 * 4 = 0.02, 0.01 * 3 = 0.03, 0.03 * 2 = 0.06, 0.04 * 1 = 0.04, raised to 0.06.
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})

    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]


def test_benchmark_without_a_p_value_does_not_make_the_others_pay() -> None:
    assert holm({"a": 0.02, "b": None, "c": 0.5}) == {"a": 0.04, "b": None, "c": 0.5}


def _closed_testing(p_values: list[float]) -> list[float]:
    """Holm's procedure is the closed test with Bonferroni's rule: the worst over all sets that hold the hypothesis."""
    size = len(p_values)
    sets = [[place for place in range(size) if mask >> place & 1] for mask in range(1, 2**size)]
    local = [(members, min(1.0, len(members) * min(p_values[place] for place in members))) for members in sets]
    return [max(value for members, value in local if place in members) for place in range(size)]


@given(_P_VALUES)
def test_holms_correction_is_the_closed_bonferroni_test(p_values: list[float]) -> None:
    adjusted = holm({str(place): value for place, value in enumerate(p_values)})

    assert list(adjusted.values()) == pytest.approx(_closed_testing(p_values))


@given(_P_VALUES)
def test_holm_is_never_milder_than_the_false_discovery_rate(p_values: list[float]) -> None:
    adjusted = np.array(list(holm({str(place): value for place, value in enumerate(p_values)}).values()), dtype=float)

    assert (adjusted >= false_discovery_control(p_values) - 1e-12).all()
    assert (adjusted >= np.array(p_values) - 1e-12).all()


def test_detectable_difference_is_2_8_standard_errors() -> None:
    # z(0.975) + z(0.8) = 1.95996 + 0.84162.
    assert detectable_difference(0.01) == pytest.approx(0.0280158, abs=1e-7)
