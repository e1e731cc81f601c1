import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.statistics import differences, macro_mean, mean_score


def test_interval_of_zero_one_scores_is_wilsons() -> None:
    # Wilson, 8 of 10, z = 1.96: centre (0.8 + z2/20)/(1 + z2/10), half width z*sqrt(0.016 + z2/400)/(1 + z2/10).
    estimate = mean_score([1.0] * 8 + [0.0] * 2, resamples=1000)

    assert estimate.value == pytest.approx(0.8)
    assert estimate.ci95 == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_bootstrap_interval_of_a_mean_agrees_with_the_central_limit() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 400).tolist()

    low, high = macro_mean({"": values}, resamples=10_000).ci95

    half = 1.96 * np.std(values, ddof=1) / math.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)
    assert (low + high) / 2 == pytest.approx(np.mean(values), abs=0.002)


def test_macro_mean_weighs_families_alike() -> None:
    assert macro_mean({"a": [1.0] * 99, "b": [0.0]}, 1000).value == pytest.approx(0.5)


def test_interval_of_a_constant_is_a_point() -> None:
    assert macro_mean({"a": [0.25, 0.25]}, 1000).ci95 == (0.25, 0.25)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_interval_lies_between_the_extremes_and_is_ordered(values: list[float]) -> None:
    low, high = macro_mean({"a": values}, 1000).ci95

    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_differences_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        differences([1.0], [1.0, 0.0])
