"""Image index: which images of a table are the same, and which are near.

What makes two images near is the business of an `ImageComparison`; here is what keeps the search linear.
"""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from components.curation.runs import WINDOW, combined_lists, distinct_pairs, pairs_between, pairs_within
from components.curation.sign_table import SignTable, pixel_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK_PAIRS = 200_000


class ImageComparison(Protocol):
    """How images are signed, and which signs are near."""

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        """Pixel digest and look of an encoded image, as in Signs; None where it is broken."""

    def bands(self, looks: "NDArray[np.uint8]") -> "NDArray[np.uint64]":
        """Keys, shape (M, B), of looks, shape (M, W): near looks share one in one column at least."""

    def near(self, left: "NDArray[np.uint8]", right: "NDArray[np.uint8]") -> "NDArray[np.bool_]":
        """Whether looks are near, pair by pair: shapes (P, W) and (P, W) to (P,)."""


class SamePixels:
    """No image is near another; equal pixels alone make them the same."""

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        """The digest of the upright RGB pixels, and no look."""
        from PIL import Image, ImageOps

        try:
            opened = ImageOps.exif_transpose(Image.open(io.BytesIO(image)))
            return pixel_digest(opened.convert("RGB")), b""
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None

    def bands(self, looks: "NDArray[np.uint8]") -> "NDArray[np.uint64]":
        """None: shape (M, 0)."""
        import numpy as np

        return np.empty((len(looks), 0), dtype=np.uint64)

    def near(self, left: "NDArray[np.uint8]", right: "NDArray[np.uint8]") -> "NDArray[np.bool_]":  # noqa: ARG002
        """Never."""
        import numpy as np

        return np.zeros(len(left), dtype=np.bool_)


@dataclass(frozen=True)
class ImageIndex:
    """The M images of a table's N rows, told apart.

    Args:
        table: The rows.
        comparison: Which images are near.
    """

    table: SignTable
    comparison: ImageComparison

    @cached_property
    def _distinct(self) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """First place of each distinct image, in order of these; and the number of each image's distinct one."""
        import numpy as np

        _, first, inverse = np.unique(self.table.pixels, return_index=True, return_inverse=True)
        ranks = np.empty(len(first), dtype=np.int64)
        ranks[np.argsort(first)] = np.arange(len(first))
        return np.sort(first), ranks[inverse]

    @property
    def first(self) -> "NDArray[np.int64]":
        """Where each of the U distinct images stands first among all; shape (U,), ascending."""
        return self._distinct[0]

    @property
    def ids(self) -> "NDArray[np.int64]":
        """Number of each image among the distinct ones; shape (M,)."""
        return self._distinct[1]

    @cached_property
    def owners(self) -> "NDArray[np.int64]":
        """Row of each image; shape (M,)."""
        import numpy as np

        return np.repeat(np.arange(len(self.table)), np.diff(self.table.starts))

    @cached_property
    def near_pairs(self) -> "NDArray[np.int64]":
        """Pairs of distinct images that are near; shape (P, 2)."""
        import numpy as np

        looks = self.table.looks[self.first]
        keys = self.comparison.bands(looks)
        found = [_verified(pairs_within(keys[:, band]), looks, looks, self.comparison) for band in range(keys.shape[1])]
        return distinct_pairs(np.sort(np.concatenate(found), axis=1)) if found else np.empty((0, 2), dtype=np.int64)

    @cached_property
    def families(self) -> "NDArray[np.int64]":
        """Number of each image's family: images that near ones connect; shape (M,)."""
        return components(self.near_pairs, len(self.first))[self.ids]

    @cached_property
    def same_images(self) -> "NDArray[np.uint64]":
        """Equal for rows with the same images in the same order; shape (N,)."""
        import numpy as np

        return combined_lists(self.ids.astype(np.uint64), self.table.starts)

    @cached_property
    def near_images(self) -> "NDArray[np.uint64]":
        """Equal for rows with images of the same families in the same order; shape (N,)."""
        import numpy as np

        return combined_lists(self.families.astype(np.uint64), self.table.starts)

    def are_near(self, pairs: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Of pairs of rows with as many images, whether each image is the other's, or near it; shape (P,)."""
        import numpy as np

        starts = self.table.starts
        counts = np.diff(starts)[pairs[:, 0]]
        near: NDArray[np.bool_] = counts == np.diff(starts)[pairs[:, 1]]
        for place in range(int(counts.max(initial=0))):
            chosen = np.flatnonzero(near & (counts > place))
            left, right = starts[pairs[chosen, 0]] + place, starts[pairs[chosen, 1]] + place
            near[chosen] = self._near(left, right)
        return near

    def _near(self, left: "NDArray[np.int64]", right: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        looks = self.table.looks
        same: NDArray[np.bool_] = self.ids[left] == self.ids[right]
        if looks.shape[1]:
            same |= self.comparison.near(looks[left], looks[right])
        return same

    def pairs_with(self, pixels: "NDArray[np.void]", looks: "NDArray[np.uint8]") -> "NDArray[np.int64]":
        """Pairs of a distinct image of the table and another image that is the same or near.

        Args:
            pixels: Digests of K other images, shape (K,).
            looks: Their looks, shape (K, W).

        Returns:
            Shape (P, 2): (distinct image, other image), in order.
        """
        import numpy as np

        known = np.concatenate([self.table.pixels[self.first], pixels])
        _, numbers = np.unique(known, return_inverse=True)
        split = len(self.first)
        found = [pairs_between(numbers[:split].astype(np.uint64), numbers[split:].astype(np.uint64))]
        own = self.table.looks[self.first]
        if own.shape[1] and looks.shape[1] == own.shape[1]:
            keys, others = self.comparison.bands(own), self.comparison.bands(looks)
            for band in range(keys.shape[1]):
                met = pairs_between(keys[:, band], others[:, band], WINDOW)
                found.append(_verified(met, own, looks, self.comparison))
        return distinct_pairs(np.concatenate(found))


def components(pairs: "NDArray[np.int64]", size: int) -> "NDArray[np.int64]":
    """Number of the connected part of each of `size` nodes, numbered by their first node; shape (size,)."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.arange(size)
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    numbers: NDArray[np.int64] = ranks[inverse]
    return numbers


def _verified(
    pairs: "NDArray[np.int64]", left: "NDArray[np.uint8]", right: "NDArray[np.uint8]", comparison: ImageComparison
) -> "NDArray[np.int64]":
    """The pairs whose looks are near, in pieces that a bounded memory holds."""
    import numpy as np

    pieces = [pairs[start : start + _CHUNK_PAIRS] for start in range(0, len(pairs), _CHUNK_PAIRS)]
    kept = [piece[comparison.near(left[piece[:, 0]], right[piece[:, 1]])] for piece in pieces]
    return np.concatenate(kept) if kept else np.empty((0, 2), dtype=np.int64)
