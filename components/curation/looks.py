"""Comparisons of looks: which pictures are near, that is the same picture saved differently, and which merely alike.

    alike   the same composition, at any size and brightness. Misses hardly a copy; but diagrams of one template are
            alike whatever is printed in them, and so are scenes that were rendered before one background. Right where
            a false alarm is cheap: groups that no split may cut, suspected leaks.
    near    photographs that are alike and differ nowhere by more than copying explains. Drawings are near only if
            their pixels are equal: in diagrams of 512 pixels another digit moves no cell of 16x16 pixels by more than
            1 to 3 grey levels, and JPEG by 6, so nothing of a hash's size can tell a copy from another exercise.
            Right where a false alarm costs a row: duplicates.

A pair of photographs needs one large one: the other may be a small copy. Crops and turned copies are not found.

Thresholds come from 23 photographs (five of them, such as the moon and a scanned text, count as drawings), each against
its JPEG of quality 30, half size, and brightness +25 % and -20 %. At 512 pixels all are alike and 16 or 17 of 18 near,
at 256 pixels 15 or 16. Two views of one scene differ by 0.5, different photographs by 0.83 and more. Of 19,900 pairs of
rendered scenes (balls of five colours on noisy grey) 3,129 are alike, and 6 near.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.curation.picture_signs import CELLS, HEAD, LOOK_BYTES, PHOTOGRAPH

MAX_DIFFERENCE = 0.35
"""Of alike pictures: root mean square of the cells' differences of luminance, in units of the picture's contrast."""
MAX_DEVIATION = 64
"""Of alike pictures: largest difference of two cells' luminance, in grey levels."""
MAX_UNEXPLAINED = 18
"""Of near pictures: largest difference of two cells in a colour, in levels."""
MAX_CUT = 40
"""The same where the brighter picture's highlights may have been cut off at white."""
_MIN_CONTRAST = 4.0  # grey levels; below, contrast is noise
_MIN_GAIN, _MAX_GAIN = 1.03, 1.6  # of brightness: what highlights are cut off by, and what is fitted at most
_LIGHT = 120  # mean of a cell that may hold highlights
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_BLOCK = 64  # pairs compared at a time, so that the arrays stay in a processor's cache

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
        cells: Means of the parts in red, green and blue, uint8, shape (N, 768).
    """

    def __init__(self, looks: Sequence[bytes]) -> None:
        table = np.frombuffer(b"".join(looks), np.uint8).reshape(len(looks), LOOK_BYTES)
        heads = np.ascontiguousarray(table[:, : HEAD.size])
        columns = heads.view(np.dtype("<u1, <u2, <u2, <u8, <u8"))[:, 0]
        self._kinds = columns["f0"]
        self._pixels = columns["f3"]
        self.outlines: NDArray[np.uint64] = columns["f4"].astype(np.uint64)
        self.cells: NDArray[np.uint8] = table[:, HEAD.size :]

    def __len__(self) -> int:
        return len(self.cells)

    def near(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs are near; shape (P,), the same either way round.

        Args:
            ones: Places of the first of each pair; shape (P,).
            others: Places of the second; shape (P,).
        """
        found = self.is_same(ones, others)
        first, second = self._kinds[ones], self._kinds[others]
        has_photograph = (first == PHOTOGRAPH) | (second == PHOTOGRAPH)
        undecided = np.flatnonzero(~found & has_photograph)
        gaps = self.gaps(ones[undecided], others[undecided])
        found[undecided] = gaps.is_alike & (gaps.unexplained <= MAX_UNEXPLAINED) & (gaps.cut <= MAX_CUT)
        return found

    def alike(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs are alike; shape (P,), the same either way round."""
        return self.is_same(ones, others) | self.gaps(ones, others).is_alike

    def gaps(self, ones: Pairs, others: Pairs) -> "Gaps":
        """How far pairs are apart once their brightness is made equal.

        Args:
            ones: Places of the first of each pair; shape (P,).
            others: Places of the second; shape (P,).
        """
        found = np.empty((4, len(ones)), np.float32)
        for start in range(0, len(ones), _BLOCK):
            block = slice(start, start + _BLOCK)
            first, second = self.cells[ones[block]], self.cells[others[block]]
            found[:, block] = _gaps(first.astype(np.float32), second.astype(np.float32))
        return Gaps(*found)

    def is_same(self, ones: Pairs, others: Pairs) -> NDArray[np.bool_]:
        """Whether pairs have equal pixels; shape (P,)."""
        same: NDArray[np.bool_] = self._pixels[ones] == self._pixels[others]
        return same


@dataclass(frozen=True)
class Gaps:
    """How far pairs of pictures are apart; shape (P,) each."""

    difference: NDArray[np.float32]
    """Root mean square difference of luminance in units of the larger contrast, 0 for equal cells."""
    deviation: NDArray[np.float32]
    """Largest difference of a cell's luminance, in levels (0..255)."""
    unexplained: NDArray[np.float32]
    """Largest difference of a cell in a colour, in levels, where highlights cannot be the cause."""
    cut: NDArray[np.float32]
    """The same where they can."""

    @property
    def is_alike(self) -> NDArray[np.bool_]:
        """Whether the composition is the same."""
        found: NDArray[np.bool_] = (self.difference <= MAX_DIFFERENCE) & (self.deviation <= MAX_DEVIATION)
        return found


def _gaps(first: NDArray[np.float32], second: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """The fields of Gaps, for pairs of cells of shapes (P, 768)."""
    is_brighter = first.sum(axis=1) > second.sum(axis=1)
    dark = np.where(is_brighter[:, None], second, first)
    bright = np.where(is_brighter[:, None], first, second)
    gains = _gains(dark, bright)
    gaps = np.minimum(dark * gains[:, None], 255) - bright
    is_cut = (gaps > 0) & (bright > _LIGHT) & (gains > _MIN_GAIN)[:, None]
    grey = gaps.reshape(len(gaps), -1, 3) @ _LUMINANCE
    contrast = np.maximum(_contrast(dark), _contrast(bright))
    magnitudes = np.abs(gaps)
    return (
        np.sqrt(np.square(grey).mean(axis=1)) / contrast,
        np.abs(grey).max(axis=1),
        np.where(is_cut, 0, magnitudes).max(axis=1),
        np.where(is_cut, magnitudes, 0).max(axis=1),
    )


def _contrast(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation of luminance, in grey levels; shape (P,)."""
    spread: NDArray[np.float32] = (cells.reshape(len(cells), -1, 3) @ _LUMINANCE).std(axis=1)
    return np.maximum(spread, np.float32(_MIN_CONTRAST))


def _gains(dark: NDArray[np.float32], bright: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factor of brightness, by least squares over the cells that are neither black nor white in either; shape (P,)."""
    is_fit = (dark > 6) & (bright < 249)
    product = np.where(is_fit, dark * bright, 0).sum(axis=1)
    square = np.where(is_fit, dark * dark, 0).sum(axis=1)
    is_enough = (is_fit.sum(axis=1) >= CELLS // 10) & (dark.sum(axis=1) < bright.sum(axis=1))
    gains = np.divide(product, square, out=np.ones_like(product), where=is_enough & (square > 0))
    clipped: NDArray[np.float32] = np.clip(gains, 1, _MAX_GAIN)
    return clipped
