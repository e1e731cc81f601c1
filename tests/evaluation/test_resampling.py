import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from components.evaluation.resampling import Clusters, unit_numbers
from components.evaluation.statistics import percentile_interval

_RESAMPLES = 10_000


def _clusters(sums: list[float] | np.ndarray, counts: list[float] | np.ndarray) -> Clusters:
    return Clusters(np.asarray(sums, dtype=float), np.asarray(counts, dtype=float))


def _interval(clusters: Clusters, seed: int = 1) -> tuple[float, float]:
    return percentile_interval(clusters.resampled_means(_RESAMPLES, np.random.default_rng(seed)))


def _scipy_interval(clusters: Clusters) -> tuple[float, float]:
    """SciPy's bootstrap of the ratio of sums, over clusters."""
    found = bootstrap(
        (clusters.sums, clusters.counts),
        lambda sums, counts, axis: sums.sum(axis=axis) / counts.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        method="percentile",
        batch=500,
        random_state=np.random.default_rng(5),
    )
    return found.confidence_interval


def _sizes(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 9, size).astype(float)


_RANDOM = np.random.default_rng(3)
_FEW = _sizes(1, 40)
_MANY = _sizes(2, 5000)
_WORKLOADS = {
    "clusters drawn one by one": _clusters(_FEW * _RANDOM.random(40), _FEW),
    "few kinds of many clusters": _clusters(_RANDOM.binomial(_MANY.astype(int), 0.3), _MANY),
    "many kinds, merged": _clusters(_MANY * _RANDOM.random(5000), _MANY),
    "many kinds with outliers, merged": _clusters(_MANY * _RANDOM.lognormal(0, 2, 5000), _MANY),
    "single questions": _clusters(_RANDOM.random(30), np.ones(30)),
}


@pytest.mark.parametrize("clusters", _WORKLOADS.values(), ids=_WORKLOADS.keys())
def test_interval_is_that_of_scipys_bootstrap(clusters: Clusters) -> None:
    low, high = _interval(clusters)
    expected = _scipy_interval(clusters)

    # Either end is known to about 0.027 standard errors with 10,000 resamples; the difference of two to 0.038.
    assert clusters.standard_error is not None
    assert (low, high) == pytest.approx(tuple(expected), abs=4.5 * 0.038 * clusters.standard_error)


@pytest.mark.parametrize("clusters", _WORKLOADS.values(), ids=_WORKLOADS.keys())
def test_resamples_spread_as_the_standard_error_says(clusters: Clusters) -> None:
    means = clusters.resampled_means(_RESAMPLES, np.random.default_rng(0))

    # The standard error divides by one less than the clusters; both are exact to some hundredths.
    assert means.std() == pytest.approx(clusters.standard_error, rel=0.06)
    assert means.mean() == pytest.approx(clusters.mean, abs=5 * means.std() / np.sqrt(_RESAMPLES) + 2e-2 * means.std())


def test_standard_error_without_shared_clusters_is_that_of_a_mean() -> None:
    values = np.random.default_rng(0).random(50)

    error = Clusters.of(values, np.arange(50)).standard_error

    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(50))


def test_standard_error_of_equal_clusters_is_that_of_their_means() -> None:
    values = np.random.default_rng(0).random((20, 5))

    error = Clusters.of(values.ravel(), np.repeat(np.arange(20), 5)).standard_error

    assert error == pytest.approx(values.mean(axis=1).std(ddof=1) / np.sqrt(20))


def test_questions_of_one_image_count_once() -> None:
    values = np.random.default_rng(0).random(200)
    repeated = Clusters.of(np.repeat(values, 6), np.repeat(np.arange(200), 6))
    single = Clusters.of(values, np.arange(200))

    assert repeated.standard_error == pytest.approx(single.standard_error)
    assert _interval(repeated) == pytest.approx(_interval(single), abs=0.01)


def test_resamples_are_the_same_every_time() -> None:
    for clusters in _WORKLOADS.values():
        assert _interval(clusters, seed=9) == _interval(clusters, seed=9)


def test_single_cluster_has_no_standard_error() -> None:
    assert Clusters.of(np.array([0.0, 1.0]), np.array([0, 0])).standard_error is None


def test_clusters_of_very_different_sizes_and_equal_scores_have_no_spread() -> None:
    counts = np.arange(1.0, 6001.0)  # more kinds than are drawn as they are

    assert _interval(_clusters(counts, counts)) == pytest.approx((1.0, 1.0))


def test_clusters_are_numbered_in_the_order_in_which_they_come() -> None:
    assert unit_numbers(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0]), st.integers(0, 9)), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_resampled_means_lie_between_the_smallest_and_the_largest_score(
    rows: list[tuple[float, int]], seed: int
) -> None:
    scores = np.array([score for score, _ in rows])
    clusters = Clusters.of(scores, unit_numbers([str(label) for _, label in rows]))

    means = clusters.resampled_means(1000, np.random.default_rng(seed))

    assert means.shape == (1000,)
    assert scores.min() - 1e-9 <= means.min()
    assert means.max() <= scores.max() + 1e-9
    assert clusters.mean == pytest.approx(scores.mean())
