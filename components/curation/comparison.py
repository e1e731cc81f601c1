"""Comparison of images by the signs that the pictures step gives them, as the reduce steps ask for it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from components.curation.candidate import Rejection
from components.curation.looks import LookTable
from components.curation.pictures import PictureStep
from components.curation.shingles import mixed

Compare = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]

_BANDS, _BITS = 24, 16
_FAR = 20  # bits of 64 in which difference hashes of alike pictures do not differ: told before the dearer comparison


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
    """Looks, with the keys by which those that may be alike are found, and the dear comparisons made rarely."""

    def __init__(self, looks: Sequence[bytes]) -> None:
        self._table = LookTable(looks)

    def bands(self) -> NDArray[np.uint64]:
        """Twenty-four draws of sixteen bits of the difference hash; shape (U, 24)."""
        draws = mixed(np.arange(_BANDS * 64, dtype=np.uint64)).reshape(_BANDS, 64).argsort(axis=1)[:, :_BITS]
        keys = np.zeros((len(self._table), _BANDS), dtype=np.uint64)
        for place in range(_BITS):
            bits = (self._table.outlines[:, None] >> draws[None, :, place].astype(np.uint64)) & np.uint64(1)
            keys = keys << np.uint64(1) | bits
        return keys

    def near(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether pairs are the same picture, saved differently; shape (P,)."""
        return self._compared(ones, others, self._table.near)

    def alike(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether pairs have the same composition; shape (P,)."""
        return self._compared(ones, others, self._table.alike)

    def _compared(self, ones: NDArray[np.int64], others: NDArray[np.int64], compare: Compare) -> NDArray[np.bool_]:
        found = self._table.is_same(ones, others)
        outlines = self._table.outlines
        able = ~found & (np.bitwise_count(outlines[ones] ^ outlines[others]) <= _FAR)
        found[able] = compare(ones[able], others[able])
        return found
