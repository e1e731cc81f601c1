"""How sure is a mean, and how sure is a difference of two means on the same questions?

Intervals are at 95 %. Where scores are 0 or 1 and no two questions share a cluster, a mean has Wilson's; every other
mean, and every difference, has the percentile interval of the bootstrap over clusters. A mean over benchmarks weighs
each benchmark alike; its resamples are the means of the benchmarks' own, which are drawn independently.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from components.core.comparison import Interval
from components.evaluation.resampling import Clusters
from components.evaluation.significance import MIN_INFORMATIVE, bootstrap_p, detectable_difference, mcnemar_p

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TAIL = 0.025
_EQUAL = 1e-9
"""Scores (0..1) that differ by less are the same: a mean over ten people's answers is not exact in binary."""


@dataclass(frozen=True)
class Estimate:
    """A mean, and how it would vary."""

    value: float
    ci95: Interval
    resampled: "NDArray[np.float64]"
    """Means of the bootstrap's resamples."""
    standard_error: float | None
    """None where it rests on a single cluster somewhere: the interval is then all that is possible."""


@dataclass(frozen=True)
class Difference:
    """New minus old on the same questions."""

    estimate: Estimate
    wins: int
    """Questions on which the new one scored higher."""
    losses: int
    informative: int
    """Clusters whose sum of differences is not 0."""
    p_value: float | None
    """Two-sided, of no difference; None where there is no standard error."""

    @property
    def minimal_detectable(self) -> float | None:
        """See `significance.detectable_difference`; None where nothing is known of the spread."""
        error = self.estimate.standard_error
        return detectable_difference(error) if error else None


def mean_score(
    scores: "NDArray[np.float64]", units: "NDArray[np.int64]", resamples: int, random: "np.random.Generator"
) -> Estimate:
    """The mean of scores.

    Args:
        scores: One a question, in 0..1; at least one.
        units: The number of each question's cluster, see `resampling.unit_numbers`.
        resamples: Bootstrap resamples.
        random: Where they are drawn from.
    """
    clusters = Clusters.of(scores, units)
    estimate = _estimate(clusters, (0.0, 1.0), resamples, random)
    # Scores that are all 0, or all 1, tell a bootstrap of nothing else; each cluster then counts as one question.
    is_alike = bool(scores.min() == scores.max())
    if _are_binary(scores) and (len(clusters) == len(scores) or is_alike):
        return replace(estimate, ci95=_wilson(estimate.value, len(clusters)))
    return estimate


def paired_difference(
    new: "NDArray[np.float64]",
    old: "NDArray[np.float64]",
    units: "NDArray[np.int64]",
    resamples: int,
    random: "np.random.Generator",
) -> Difference:
    """New minus old.

    The p-value is McNemar's exact one where all scores are 0 or 1 and no two questions share a cluster, and else that
    of the bootstrap, which is 0.05 or less exactly where the interval excludes 0. The interval includes 0 where fewer
    than six clusters differ, since no exact test calls so few significant: resamples of five gains are all but certain
    to gain.

    Args:
        new: Scores in 0..1, one a question.
        old: Those of the other policy on the same questions.
        units: The number of each question's cluster.
        resamples: Bootstrap resamples.
        random: Where they are drawn from.
    """
    import numpy as np

    steps = new - old
    steps[np.abs(steps) < _EQUAL] = 0.0
    clusters = Clusters.of(steps, units)
    wins, losses = int((steps > 0).sum()), int((steps < 0).sum())
    informative = int((np.abs(clusters.sums) > _EQUAL).sum())
    estimate = _widened(_estimate(clusters, (-1.0, 1.0), resamples, random), informative)
    is_mcnemar = _are_binary(new) and _are_binary(old) and len(clusters) == len(steps)
    p_value = mcnemar_p(wins, losses) if is_mcnemar else bootstrap_p(estimate.resampled, informative)
    known = estimate.standard_error is not None
    return Difference(estimate, wins, losses, informative, p_value if known else None)


def mean_of_estimates(parts: Sequence[Estimate], bounds: Interval) -> Estimate:
    """The unweighted mean of the means of benchmarks, at least one; that of a single one is its own estimate.

    Args:
        parts: Estimates with independent resamples, as many each.
        bounds: What is possible.
    """
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    resampled = np.mean([part.resampled for part in parts], axis=0)
    errors = [part.standard_error for part in parts if part.standard_error is not None]
    known = len(errors) == len(parts)
    return Estimate(
        value=sum(part.value for part in parts) / len(parts),
        ci95=percentile_interval(resampled) if known else bounds,
        resampled=resampled,
        standard_error=float(np.sqrt(np.square(errors).sum())) / len(parts) if known else None,
    )


def mean_of_differences(parts: Sequence[Difference]) -> Difference:
    """The unweighted mean of the differences of benchmarks, at least one; wins and losses are added up."""
    if len(parts) == 1:
        return parts[0]
    informative = sum(part.informative for part in parts)
    estimate = _widened(mean_of_estimates([part.estimate for part in parts], (-1.0, 1.0)), informative)
    return Difference(
        estimate=estimate,
        wins=sum(part.wins for part in parts),
        losses=sum(part.losses for part in parts),
        informative=informative,
        p_value=None if estimate.standard_error is None else bootstrap_p(estimate.resampled, informative),
    )


def percentile_interval(resampled: "NDArray[np.float64]") -> Interval:
    """The 95 % percentile interval: of B resamples the 0.025 (B + 1)-th, counted from below and from above.

    Whole resamples, nothing between two of them, so that the p-value of `bootstrap_p` agrees with it exactly.
    """
    import numpy as np

    place = int(_TAIL * (len(resampled) + 1))
    ordered = np.partition(resampled, (place - 1, len(resampled) - place))
    return float(ordered[place - 1]), float(ordered[-place])


def _estimate(clusters: Clusters, bounds: Interval, resamples: int, random: "np.random.Generator") -> Estimate:
    resampled, error = clusters.resampled_means(resamples, random), clusters.standard_error
    interval = bounds if error is None else percentile_interval(resampled)
    return Estimate(clusters.mean, interval, resampled, error)


def _widened(difference: Estimate, informative: int) -> Estimate:
    """The estimate of a difference, its interval stretched to 0 where too few clusters differ to be significant."""
    if informative >= MIN_INFORMATIVE:
        return difference
    low, high = difference.ci95
    return replace(difference, ci95=(min(low, 0.0), max(high, 0.0)))


def _wilson(share: float, size: int) -> Interval:
    from scipy.stats import binomtest

    interval = binomtest(round(share * size), size).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _are_binary(scores: "NDArray[np.float64]") -> bool:
    return bool(((scores == 0.0) | (scores == 1.0)).all())
