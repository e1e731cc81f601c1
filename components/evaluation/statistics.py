"""Intervals for means and for paired differences.

A mean of 0/1 scores gets the Wilson interval, any other mean and every difference a percentile bootstrap
over examples. The mean over families weighs each family alike; its bootstrap draws within families.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interval = tuple[float, float]
_SEED = 0


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % confidence interval."""

    value: float
    ci95: Interval


def mean_score(scores: Sequence[float], resamples: int) -> Estimate:
    """The mean of scores.

    Args:
        scores: One a example, in [0, 1]; at least one.
        resamples: Bootstrap resamples, where the scores are not all 0 or 1.
    """
    from scipy.stats import binomtest

    mean = sum(scores) / len(scores)
    if set(scores) <= {0.0, 1.0}:
        interval = binomtest(round(sum(scores)), len(scores)).proportion_ci(method="wilson")
        return Estimate(mean, (float(interval.low), float(interval.high)))
    return macro_mean({"": scores}, resamples)


def differences(candidate: Sequence[float], baseline: Sequence[float]) -> list[float]:
    """Candidate minus baseline, example by example; both must be of one length."""
    return [new - old for new, old in zip(candidate, baseline, strict=True)]


def macro_mean(values: Mapping[str, Sequence[float]], resamples: int) -> Estimate:
    """The unweighted mean over families of each family's mean.

    Args:
        values: Values by family; no family empty.
        resamples: Bootstrap resamples, drawn within each family.
    """
    import numpy as np

    random = np.random.default_rng(_SEED)
    means = [_resampled_means(np.asarray(family, dtype=float), resamples, random) for family in values.values()]
    low, high = np.quantile(np.mean(means, axis=0), [0.025, 0.975])
    value = float(np.mean([np.mean(family) for family in values.values()]))
    return Estimate(value, (float(low), float(high)))


def _resampled_means(
    values: "NDArray[np.float64]", resamples: int, random: "np.random.Generator"
) -> "NDArray[np.float64]":
    """Means of bootstrap samples, by how often each distinct value was drawn: fast whatever the number of examples."""
    import numpy as np

    distinct, counts = np.unique(values, return_counts=True)
    drawn = random.multinomial(len(values), counts / len(values), size=resamples)
    return np.asarray(drawn @ distinct / len(values))
