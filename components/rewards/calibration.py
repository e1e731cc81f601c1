"""From a head's raw score to a probability with an interval."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """A rising curve, and how far the truth lay from it out of fold."""

    raw: "NDArray[np.float64]"
    """Log odds of the head, strictly rising, shape (K,)."""
    share: "NDArray[np.float64]"
    """Share of right answers there, strictly rising, shape (K,)."""
    edges: "NDArray[np.float64]"
    """Where the bins of the interval begin, rising from 0, shape (B,)."""
    radius: "NDArray[np.float64]"
    """How far the truth lies from the score in the stated share of the cases, by bin, shape (B,)."""

    def scores(self, raw: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """Calibrated scores in [0, 1], in the order of the raw ones.

        Args:
            raw: Log odds, shape (N,).
        """
        import numpy as np

        return np.clip(np.interp(raw, self.raw, self.share), 0.0, 1.0)

    def intervals(self, scores: "NDArray[np.float64]") -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
        """Low and high ends of the scores' intervals, in [0, 1], each of shape (N,)."""
        import numpy as np

        bins = np.clip(np.searchsorted(self.edges, scores, side="right") - 1, 0, len(self.edges) - 1)
        radius = self.radius[bins]
        return np.clip(scores - radius, 0, 1), np.clip(scores + radius, 0, 1)
