import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.statistics import (
    Difference,
    Estimate,
    mean_of_differences,
    mean_of_estimates,
    mean_score,
    paired_difference,
    percentile_interval,
)

_ARRAYS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 20)),
    min_size=2,
    max_size=60,
).map(lambda rows: np.array(rows))


def _units(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1]


def _mean(scores: object, units: object = None, resamples: int = 2000, seed: int = 0) -> Estimate:
    scores = np.asarray(scores, dtype=float)
    units = np.arange(len(scores)) if units is None else np.asarray(units)
    return mean_score(scores, units, resamples, np.random.default_rng(seed))


def _paired(new: object, old: object, units: object = None, resamples: int = 2000, seed: int = 0) -> Difference:
    new, old = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    units = np.arange(len(new)) if units is None else np.asarray(units)
    return paired_difference(new, old, units, resamples, np.random.default_rng(seed))


def _wilson(right: int, size: int) -> tuple[float, float]:
    """The closed form, z = 1.959964."""
    z, share = 1.959963984540054, right / size
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return centre - half, centre + half


@pytest.mark.parametrize(("right", "size"), [(8, 10), (0, 7), (7, 7), (1, 1), (507, 1000)])
def test_interval_of_zero_one_scores_is_wilsons(right: int, size: int) -> None:
    estimate = _mean([1.0] * right + [0.0] * (size - right))

    assert estimate.value == pytest.approx(right / size)
    assert estimate.ci95 == pytest.approx(_wilson(right, size), abs=1e-9)


def test_interval_of_zero_one_scores_that_share_images_is_wider_than_wilsons() -> None:
    # 100 images of 5 questions, all right or all wrong: 100 independent answers, not 500.
    scores = np.repeat([1.0] * 50 + [0.0] * 50, 5)

    low, high = _mean(scores, np.repeat(np.arange(100), 5)).ci95

    assert (low, high) == pytest.approx(_wilson(50, 100), abs=0.02)


def test_all_wrong_on_shared_images_is_not_certain() -> None:
    assert _mean([0.0] * 50, np.repeat(np.arange(10), 5)).ci95 == pytest.approx(_wilson(0, 10), abs=1e-9)


def test_interval_of_soft_scores_agrees_with_the_central_limit() -> None:
    scores = np.random.default_rng(1).uniform(0.2, 0.8, 400)

    low, high = _mean(scores, resamples=10_000).ci95

    assert (high - low) / 2 == pytest.approx(1.96 * scores.std(ddof=1) / 20, rel=0.05)
    assert (low + high) / 2 == pytest.approx(scores.mean(), abs=0.002)


def test_one_image_says_nothing_of_the_spread() -> None:
    mean = _mean([0.5, 0.25], [0, 0])
    gain = _paired([0.5, 0.25], [0.25, 0.25], [0, 0])

    assert mean.ci95 == (0.0, 1.0)
    assert (gain.estimate.ci95, gain.p_value, gain.minimal_detectable) == ((-1.0, 1.0), None, None)
    assert mean_of_estimates([mean, _mean([0.5, 0.3])], (0.0, 1.0)).ci95 == (0.0, 1.0)
    assert mean_of_differences([gain, _paired([0.5, 0.3], [0.2, 0.3])]).p_value is None


def test_percentile_interval_takes_whole_resamples() -> None:
    # Of 999 resamples the 25th from below and from above: 0.025 * 1000.
    resampled = np.random.default_rng(0).permutation(np.arange(1.0, 1000.0))

    assert percentile_interval(resampled) == (25.0, 975.0)


def test_p_value_of_zero_one_scores_is_mcnemars() -> None:
    # 10 wins and 2 losses: 2 * (1 + 12 + 66) / 2^12.
    new = [1.0] * 10 + [0.0] * 2 + [1.0] * 30
    old = [0.0] * 10 + [1.0] * 2 + [1.0] * 30

    gain = _paired(new, old)

    assert (gain.wins, gain.losses) == (10, 2)
    assert gain.p_value == pytest.approx(2 * 79 / 4096)


def test_zero_one_scores_on_shared_images_are_not_tested_as_if_independent() -> None:
    new, old = np.repeat([1.0] * 10 + [0.0] * 5, 4), np.repeat([0.0] * 10 + [1.0] * 5, 4)

    alone, shared = _paired(new, old), _paired(new, old, np.repeat(np.arange(15), 4))

    assert alone.p_value is not None
    assert shared.p_value is not None
    assert alone.p_value < 0.02
    # 10 images against 5: 0.30 by the exact test of 15 independent ones.
    assert 0.1 < shared.p_value < 0.5


@given(_ARRAYS)
def test_bootstrap_p_value_is_5_percent_or_less_exactly_where_the_interval_excludes_0(rows: np.ndarray) -> None:
    new, old, units = rows[:, 0] / 2 + 0.25, rows[:, 1] / 2 + 0.25, _units(rows[:, 2])

    gain = _paired(new, old, units, resamples=1000)

    low, high = gain.estimate.ci95
    if gain.p_value is not None:
        assert (gain.p_value <= 0.05) == (low > 0 or high < 0)


@given(_ARRAYS)
def test_swapping_the_policies_mirrors_the_counts_and_the_difference(rows: np.ndarray) -> None:
    new, old, units = rows[:, 0], rows[:, 1], _units(rows[:, 2])

    there, back = _paired(new, old, units), _paired(old, new, units)

    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert there.estimate.value == pytest.approx(-back.estimate.value)
    assert there.estimate.ci95[0] <= there.estimate.value <= there.estimate.ci95[1]


def test_rounding_is_no_win() -> None:
    gain = _paired([0.1 + 0.2, 0.5], [0.3, 0.5])

    assert (gain.wins, gain.losses, gain.estimate.ci95, gain.p_value) == (0, 0, (0.0, 0.0), 1.0)


def test_few_images_that_all_gained_are_not_significant() -> None:
    gain = _paired([0.9, 0.8, 0.7], [0.1, 0.2, 0.3])

    assert gain.p_value == pytest.approx(2 * 0.5**3)
    assert gain.estimate.ci95 == (0.0, pytest.approx(0.8, abs=1e-9))
    overall = mean_of_differences([gain, _paired([0.9, 0.8], [0.1, 0.2])])
    assert overall.p_value == pytest.approx(2 * 0.5**5)
    assert overall.estimate.ci95[0] == 0.0


@pytest.mark.parametrize(("wins", "excludes_0"), [(5, False), (6, True)])
def test_interval_excludes_0_only_where_an_exact_test_could(wins: int, excludes_0: bool) -> None:
    low, _ = _paired([1.0] * wins + [0.0] * 994, [0.0] * (wins + 994)).estimate.ci95

    assert (low > 0) == excludes_0


@pytest.mark.parametrize(
    ("size", "points"), [(304, 6.2), (900, 3.6), (1000, 3.4), (2500, 2.2), (5349, 1.5), (214_354, 0.2)]
)
def test_minimal_detectable_difference_of_15_percent_discordant_pairs(size: int, points: float) -> None:
    # Published sizes of benchmarks; 2.802 * sqrt(0.15 / n).
    discordant = int(0.15 * size)
    new, old = np.zeros(size), np.zeros(size)
    new[: discordant // 2] = old[discordant // 2 : discordant] = 1.0

    detectable = _paired(new, old, resamples=1000).minimal_detectable

    assert detectable is not None
    assert 100 * detectable == pytest.approx(points, abs=0.05)


def test_minimal_detectable_difference_is_found_with_a_power_of_80_percent() -> None:
    # Steps of half a point, 22 % discordant: a standard deviation of 0.2322, so 2.802 * 0.2322 / sqrt(400) = 0.0325,
    # which is the true gain of these shares.
    random, size = np.random.default_rng(0), 400
    kinds = [random.choice(3, size, p=[0.14253, 0.07747, 0.78]) for _ in range(600)]

    gains = [_paired((kind == 0) * 0.5, (kind == 1) * 0.5, resamples=1000) for kind in kinds]

    assert np.mean([gain.minimal_detectable for gain in gains]) == pytest.approx(0.0325, abs=0.0003)
    assert np.mean([gain.p_value <= 0.05 for gain in gains]) == pytest.approx(0.8, abs=0.05)


def test_mean_over_benchmarks_weighs_them_alike() -> None:
    large, small = _mean([1.0] * 50 + [0.5] * 50, seed=1), _mean([0.25, 0.0, 0.5], seed=2)

    mean = mean_of_estimates([large, small], (0.0, 1.0))

    assert mean.value == pytest.approx((0.75 + 0.25) / 2)
    assert large.standard_error is not None
    assert small.standard_error is not None
    assert mean.standard_error == pytest.approx(math.hypot(large.standard_error, small.standard_error) / 2)


def test_interval_of_a_mean_over_benchmarks_adds_their_variances() -> None:
    random = np.random.default_rng(0)
    pairs = [(random.random(size), random.random(size)) for size in (60, 200, 500)]
    gains = [_paired(new, old, resamples=10_000, seed=seed) for seed, (new, old) in enumerate(pairs)]

    overall = mean_of_differences(gains)

    low, high = overall.estimate.ci95
    error = math.sqrt(sum(np.var(new - old, ddof=1) / len(new) for new, old in pairs)) / 3
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.05)
    assert overall.wins == sum(gain.wins for gain in gains)


def test_mean_over_one_benchmark_is_that_benchmark() -> None:
    gain, mean = _paired([1.0, 0.0, 1.0], [0.0, 0.0, 1.0]), _mean([1.0, 0.0, 1.0])

    assert mean_of_estimates([mean], (0.0, 1.0)) is mean

    assert mean_of_differences([gain]) is gain


def _clustered(random: np.random.Generator, images: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Soft scores of two policies on images with 1 to 6 questions, alike within an image."""
    counts = random.integers(1, 7, images)
    units = np.repeat(np.arange(images), counts)
    ease = random.normal(0, 0.2, images)[units]
    old = np.clip(np.round(0.5 + ease + random.normal(0, 0.15, len(units)), 1), 0, 1)
    taste = random.normal(shift, 0.1, images)[units]
    return np.clip(np.round(old + taste + random.normal(0, 0.1, len(units)), 1), 0, 1), old, units


def test_95_percent_intervals_cover_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(11)
    truths = _clustered(np.random.default_rng(12), 400_000, 0.05)
    mean, gain = truths[1].mean(), (truths[0] - truths[1]).mean()
    covered, rounds = np.zeros(3), 1000
    for seed in range(rounds):
        new, old, units = _clustered(random, 120, 0.05)
        estimates = (
            _mean(old, units, 1000, seed),
            _paired(new, old, units, 1000, seed).estimate,
            _paired(new, old, None, 1000, seed).estimate,
        )
        for place, (estimate, truth) in enumerate(zip(estimates, (mean, gain, gain), strict=True)):
            covered[place] += estimate.ci95[0] <= truth <= estimate.ci95[1]

    share = covered / rounds
    # 1,000 rounds know 0.95 to 0.007; intervals that overlook the images cover clearly less.
    assert share[0] == pytest.approx(0.945, abs=0.025)
    assert share[1] == pytest.approx(0.945, abs=0.025)
    assert share[2] < 0.88


def test_tests_of_no_difference_are_significant_about_5_times_in_100() -> None:
    random, rounds = np.random.default_rng(4), 1500
    clustered = binary = 0
    for seed in range(rounds):
        _, old, units = _clustered(random, 80, 0.0)
        other = np.clip(np.round(old + random.normal(0, 0.2, len(old)), 1), 0, 1)
        flip = random.random(80)[units] < 0.5  # which policy is which, image by image: no difference in truth
        p_value = _paired(np.where(flip, old, other), np.where(flip, other, old), units, 1000, seed).p_value
        clustered += p_value is not None and p_value <= 0.05
        p_value = _paired(random.random(80) < 0.5, random.random(80) < 0.5, None, 1000, seed).p_value
        binary += p_value is not None and p_value <= 0.05

    assert clustered / rounds == pytest.approx(0.055, abs=0.02)
    assert 0.01 < binary / rounds < 0.06  # the exact test is conservative
