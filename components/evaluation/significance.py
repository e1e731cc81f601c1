"""Is a difference more than chance, after how many tests, and how small a one could have been found?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEVEL = 0.05
_POWER = 0.8
MIN_INFORMATIVE = 6
"""Clusters that have to differ before an exact two-sided test can be significant at 5 %: 2 / 2^6 is 0.03."""


def mcnemar_p(wins: int, losses: int) -> float:
    """Two-sided p-value of McNemar's exact test.

    Args:
        wins: Questions that only the one policy has right.
        losses: Questions that only the other has right.
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def bootstrap_p(resampled: "NDArray[np.float64]", informative: int) -> float:
    """Two-sided p-value of a mean difference of 0: the level at which the percentile interval just reaches 0.

    It agrees with the interval by construction (Davison and Hinkley 1997, section 4.4), which a permutation of signs
    does only nearly. A bootstrap of few clusters believes too much, though: two that both gained resample to nothing
    but gains. So the p-value is never below the smallest that the exact test, which flips signs, can give on so many
    clusters: with fewer than six that differ, nothing is significant at 5 %, as with McNemar's test.

    Args:
        resampled: Mean differences of the bootstrap's resamples.
        informative: Clusters on which the two policies differ.
    """
    extreme = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    p_value = 2 * (extreme + 1) / (len(resampled) + 1)
    return min(1.0, max(p_value, 2.0 ** (1 - informative)))


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Holm's step-down correction (1979): the k-th smallest of m, times m - k + 1, never below one before it.

    Args:
        p_values: By test; None where there was none, which counts for nothing.

    Returns:
        Adjusted p-values in the order given; the family-wise error stays below a level where those below it count.
    """
    tested = sorted((value, name) for name, value in p_values.items() if value is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    largest = 0.0
    for rank, (value, name) in enumerate(tested):
        largest = max(largest, min(1.0, value * (len(tested) - rank)))
        adjusted[name] = largest
    return adjusted


def detectable_difference(standard_error: float) -> float:
    """The smallest true difference that is found at the 5 % level, two-sided, with a power of 80 %.

    (1.960 + 0.842) standard errors, by the normal approximation.

    Args:
        standard_error: Of the paired mean difference, from its observed spread.
    """
    from scipy.stats import norm

    return float(norm.ppf(1 - _LEVEL / 2) + norm.ppf(_POWER)) * standard_error
