"""How would a mean vary, had other questions been drawn? A bootstrap over clusters, fast whatever their number.

Questions that share an image are not independent, so whole clusters are drawn (Field and Welsh 2007; Miller 2024,
"Adding Error Bars to Evals"): a resample is as many clusters as there are, drawn with replacement, and its mean is the
sum of their values divided by the number of their questions.

Only a cluster's sum and count matter, so clusters that are alike in both are one kind, and a resample is one
multinomial draw of how often each kind comes: exact, and its cost does not grow with the number of clusters. Where
there are too many kinds for that to pay, few clusters are drawn one by one, and for many the kinds are first made
fewer, see `_merged`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NOISE = 1e-12
"""What adding up floats leaves where the sum is 0."""
_DECIMALS = 9
"""Sums that agree to so many decimals are equal: 0.3 + 0.6 and 0.6 + 0.3."""
_KIND_COST = 25
"""Drawing how often one kind comes takes about as long as drawing so many clusters (100 ns and 4 ns with NumPy 2)."""
_MAX_KINDS = 256
_MAX_DRAWN = 4000
"""Clusters that are drawn one by one at most."""
_BINS = 128
_CHUNK = 2**16
"""Clusters drawn at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class Clusters:
    """Values of questions, added up by cluster."""

    sums: "NDArray[np.float64]"
    """Sum of a cluster's values."""
    counts: "NDArray[np.float64]"
    """Questions of a cluster, at least one."""

    @classmethod
    def of(cls, values: "NDArray[np.float64]", units: "NDArray[np.int64]") -> "Clusters":
        """Add up.

        Args:
            values: One a question; at least one.
            units: The number of each question's cluster, from 0 without gaps, see `unit_numbers`.
        """
        import numpy as np

        sums, counts = np.bincount(units, weights=values), np.bincount(units)
        return cls(sums.astype(np.float64), counts.astype(np.float64))

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def mean(self) -> float:
        """Mean over questions."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def standard_error(self) -> float | None:
        """Of the mean, by the linearised ratio of sums; None for a single cluster, which tells nothing of the spread.

        Where no two questions share a cluster, this is the standard deviation divided by the root of their number.
        """
        import numpy as np

        size = len(self)
        if size < 2:
            return None
        spread = np.square(self.sums - self.mean * self.counts).sum() * size / (size - 1)
        return float(np.sqrt(spread) / self.counts.sum())

    def resampled_means(self, resamples: int, random: "np.random.Generator") -> "NDArray[np.float64]":
        """Means of bootstrap resamples, shape (resamples,)."""
        import numpy as np

        kinds = _kinds(self)
        drawn = len(self) <= min(_MAX_DRAWN, _KIND_COST * len(kinds.sums))
        means = _by_cluster(self, resamples, random) if drawn else _by_kind(kinds, resamples, random)
        return np.where(np.abs(means) < _NOISE, 0.0, means)


def unit_numbers(labels: Sequence[str]) -> "NDArray[np.int64]":
    """Number clusters from 0 in the order in which they first come.

    Args:
        labels: The label of each question's cluster; equal labels are one cluster.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)


@dataclass(frozen=True)
class _Kinds:
    """Clusters that are alike, counted."""

    sums: "NDArray[np.float64]"
    counts: "NDArray[np.float64]"
    times: "NDArray[np.int64]"
    """How many clusters are of each kind."""


def _kinds(clusters: Clusters) -> _Kinds:
    import numpy as np

    # Complex numbers sort by real, then by imaginary part: pairs, at the speed of numbers.
    pairs, times = np.unique(np.round(clusters.sums, _DECIMALS) + 1j * clusters.counts, return_counts=True)
    return _Kinds(pairs.real, pairs.imag, times)


def _by_kind(kinds: _Kinds, resamples: int, random: "np.random.Generator") -> "NDArray[np.float64]":
    import numpy as np

    if len(kinds.times) > _MAX_KINDS:
        kinds = _merged(kinds)
    size = int(kinds.times.sum())
    drawn = random.multinomial(size, kinds.times / size, size=resamples)
    return np.asarray((drawn @ kinds.sums) / (drawn @ kinds.counts))


def _by_cluster(clusters: Clusters, resamples: int, random: "np.random.Generator") -> "NDArray[np.float64]":
    import numpy as np

    size = len(clusters)
    pairs = clusters.sums + 1j * clusters.counts
    rows = max(1, _CHUNK // size)
    totals = [
        pairs[random.integers(size, size=(min(rows, resamples - start), size))].sum(axis=1)
        for start in range(0, resamples, rows)
    ]
    total = np.concatenate(totals)
    return np.asarray(total.real / total.imag)


def _merged(kinds: _Kinds) -> _Kinds:
    """At most _BINS + 1 kinds that resample as the given ones do.

    What moves a resample's mean is a cluster's deviation, its sum less what its questions have on average. Kinds whose
    deviations are close are replaced by their mean. Bins are of equal width in arcsinh(deviation / its root mean
    square), so narrow where clusters are dense and never wide beside the deviation itself. The mean stays as it was,
    and less than a hundredth of the variance is lost up to a million clusters, whatever their distribution (a deviation
    is at most the root of the number of clusters times the root mean square, so a bin is at most 0.12 wide and takes at
    most 0.12^2 / 4 (1 + deviation^2) of a cluster's square); usually it is some ten-thousandths. That is less than
    10,000 resamples can tell: they know the half width of an interval to some hundredths.
    """
    import numpy as np

    mean = (kinds.sums * kinds.times).sum() / (kinds.counts * kinds.times).sum()
    deviations = kinds.sums - mean * kinds.counts
    scale = np.sqrt(np.average(np.square(deviations), weights=kinds.times)) or 1.0
    place = np.arcsinh(deviations / scale)
    width = np.ptp(place) / _BINS or 1.0
    _, bins = np.unique(np.floor((place - place.min()) / width), return_inverse=True)
    times = np.bincount(bins, weights=kinds.times)
    sums = np.bincount(bins, weights=kinds.sums * kinds.times) / times
    counts = np.bincount(bins, weights=kinds.counts * kinds.times) / times
    return _Kinds(sums, counts, times.astype(np.int64))
