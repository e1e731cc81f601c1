"""Comparisons of looks: which pictures are near, that is the same picture saved differently, and which merely alike.

    alike   the same composition, at any size and brightness. Misses hardly a copy; but diagrams of one template are
            alike whatever is printed in them. Right where a false alarm is cheap: groups that no split may cut,
            suspected leaks.
    near    alike, and photographs. Drawings are near only if their pixels are equal: in diagrams of 512 pixels another
            digit moves no cell by more than 1 to 3 grey levels, and JPEG by 6, whatever the size of a hash; so nothing
            of a hash's size can tell a copy from another exercise. Right where a false alarm costs a row: duplicates.

A pair of photographs needs one large one: the other may be a small copy. Crops and turned copies are not found.

Thresholds come from 23 photographs of 512 to 128 pixels (JPEG quality 30, half size, brightness +25 % and -20 %:
difference at most 0.31, deviation at most 32; all three at once at 256 pixels 0.20 and 37; two views of one scene
0.53, different photographs from 0.83).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.curation.picture_signs import CELLS, DRAWING, HEAD, LOOK_BYTES, PHOTOGRAPH

MAX_DIFFERENCE = 0.35
"""Root mean square of the cells' differences, in units of the picture's own contrast."""
MAX_DEVIATION = 64
"""Largest difference of two cells, in grey levels."""
_MIN_CONTRAST = 4.0  # grey levels; below, contrast is noise
_MAX_GAIN = 1.6  # of brightness
_BLOCK = 4096  # pairs compared at a time, 4 MiB an array

Pairs = NDArray[np.int64]
"""Shape (P,): places in a table."""


def near(one: bytes, other: bytes) -> bool:
    """Whether two looks are of the same picture, saved differently."""
    return bool(LookTable([one, other]).near(np.array([0]), np.array([1]))[0])


def alike(one: bytes, other: bytes) -> bool:
    """Whether two looks are of the same composition; every near pair is alike."""
    return bool(LookTable([one, other]).alike(np.array([0]), np.array([1]))[0])


class LookTable:
    """Looks as columns, to compare many pairs at once.

    Args:
        looks: By `picture_signs.look_of`; shape (N,).

    Attributes:
        outlines: Difference hashes, uint64, shape (N,); a few of the 64 bits differ between alike pictures.
        cells: Mean luminances, uint8, shape (N, 256).
    """

    def __init__(self, looks: Sequence[bytes]) -> None:
        prefixes = np.frombuffer(b"".join(looks), np.uint8).reshape(len(looks), LOOK_BYTES)
        heads = np.ascontiguousarray(prefixes[:, : HEAD.size])
        columns = heads.view(np.dtype("<u1, <u2, <u2, <u8, <u8"))[:, 0]
        self._kinds = columns["f0"]
        self._pixels = columns["f3"]
        self.outlines: NDArray[np.uint64] = columns["f4"].astype(np.uint64)
        self.cells: NDArray[np.uint8] = prefixes[:, HEAD.size :]

    def __len__(self) -> int:
        return len(self.cells)

    def near(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs are near; shape (P,), the same either way round.

        Args:
            ones: Places of the first of each pair; shape (P,).
            others: Places of the second; shape (P,).
        """
        first, second = self._kinds[ones], self._kinds[others]
        has_photograph = (first == PHOTOGRAPH) | (second == PHOTOGRAPH)
        has_drawing = (first == DRAWING) | (second == DRAWING)
        found: NDArray[np.bool_] = has_photograph & ~has_drawing & self.alike(ones, others)
        return self.is_same(ones, others) | found

    def alike(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs are alike; shape (P,), the same either way round."""
        difference, deviation = self.distances(ones, others)
        return self.is_same(ones, others) | ((difference <= MAX_DIFFERENCE) & (deviation <= MAX_DEVIATION))

    def distances(self, ones: Pairs, others: Pairs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How far pairs are apart once their brightness is made equal.

        Args:
            ones: Places of the first of each pair; shape (P,).
            others: Places of the second; shape (P,).

        Returns:
            Root mean square difference in units of the contrast, and largest difference of a cell in grey levels
            (0..255); shape (P,) each.
        """
        difference, deviation = np.empty(len(ones), np.float32), np.empty(len(ones), np.float32)
        for start in range(0, len(ones), _BLOCK):
            block = slice(start, start + _BLOCK)
            first, second = self.cells[ones[block]], self.cells[others[block]]
            difference[block], deviation[block] = _distances(first.astype(np.float32), second.astype(np.float32))
        return difference, deviation

    def is_same(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs have equal pixels; shape (P,)."""
        same: NDArray[np.bool_] = self._pixels[ones] == self._pixels[others]
        return same


def _distances(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distances of pairs of cells; shapes (P, 256)."""
    is_brighter = first.sum(axis=1) > second.sum(axis=1)
    dark = np.where(is_brighter[:, None], second, first)
    bright = np.where(is_brighter[:, None], first, second)
    lit = np.minimum(dark * _gains(dark, bright)[:, None], 255)
    gaps = np.abs(lit - bright)
    contrast = np.maximum(np.maximum(first.std(axis=1), second.std(axis=1)), _MIN_CONTRAST)
    return np.sqrt(np.square(gaps).mean(axis=1)) / contrast, gaps.max(axis=1)


def _gains(dark: NDArray[np.float32], bright: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of brightness, by least squares over the cells that are neither black nor white in either; shape (P,)."""
    is_fit = (dark > 6) & (bright < 249)
    product = np.where(is_fit, dark * bright, 0).sum(axis=1)
    square = np.where(is_fit, dark * dark, 0).sum(axis=1)
    is_enough = (is_fit.sum(axis=1) >= CELLS // 10) & (dark.sum(axis=1) < bright.sum(axis=1))
    gains = np.divide(product, square, out=np.ones_like(product), where=is_enough & (square > 0))
    clipped: NDArray[np.float32] = np.clip(gains, 1, _MAX_GAIN)
    return clipped
