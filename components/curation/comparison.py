"""Comparison of images by the signs that the pictures step gives them, as the reduce steps ask for it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.curation.candidate import Rejection
from components.curation.looks import LookTable
from components.curation.pictures import PictureStep

_ALL = np.uint64(64)
_STARTS = np.arange(0, 64, 8, dtype=np.uint64)
_BAND = np.uint64(0xFFFF)  # eight bands of sixteen bits, each overlapping its neighbours by half


class PictureComparison:
    """Images of benchmarks, which no candidate may leak, are signed as the candidates' were.

    Args:
        step: Signs images.
    """

    def __init__(self, step: PictureStep) -> None:
        self._step = step

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        """Pixel digest and look of an encoded image; None where it is not fit to be looked at."""
        try:
            prepared = self._step.prepare([image])
        except Rejection:
            return None
        return prepared.pixels[0], prepared.looks[0]

    def columns(self, looks: Sequence[bytes]) -> "_Columns":
        """Looks made ready to be compared."""
        return _Columns(looks)


class _Columns:
    """Looks, with the keys by which those that may be alike are found."""

    def __init__(self, looks: Sequence[bytes]) -> None:
        self._table = LookTable(looks)
        self.near, self.alike = self._table.near, self._table.alike

    def bands(self) -> NDArray[np.uint64]:
        """Sixteen bits of the difference hash, from every eighth one on, around its end; shape (U, 8)."""
        outlines = self._table.outlines[:, None]
        wrapped = np.where(_STARTS > 0, outlines << ((_ALL - _STARTS) % _ALL), np.uint64(0))
        return np.asarray(((outlines >> _STARTS) | wrapped) & _BAND, dtype=np.uint64)
