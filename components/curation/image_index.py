"""Image index: which images of a table and of benchmarks are the same, near, or alike.

What makes two images near is the business of an `ImageComparison`; here is what keeps the search linear.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from components.curation.runs import (
    combined,
    combined_lists,
    crowded,
    distinct_pairs,
    pairs_between,
    pairs_within,
)
from components.curation.sign_table import SignTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK_PAIRS = 200_000
_MEETINGS = 16  # with which each image of a crowd is compared
_BANDS_OF_CROWDS = 4
Closeness = Literal["near", "alike"]
"""near: the same picture, saved differently; alike: near, or another picture of the same composition."""


class LookColumns(Protocol):
    """The looks of U images, to compare many pairs at once."""

    def bands(self) -> "NDArray[np.uint64]":
        """Keys of the looks, shape (U, B): alike ones share one in one column at least, with a high chance."""

    def near(self, ones: "NDArray[np.int64]", others: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether pairs of places are near; shape (P,)."""

    def alike(self, ones: "NDArray[np.int64]", others: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether pairs of places are alike; every near pair is; shape (P,)."""


class ImageComparison(Protocol):
    """How images are signed, and how their looks are compared."""

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        """Pixel digest and look of an encoded image, as in Signs; None where it is broken."""

    def columns(self, looks: Sequence[bytes]) -> LookColumns:
        """Looks made ready to be compared."""


class ImageIndex:
    """The M images of a table's N rows and K other ones, told apart.

    Args:
        table: The rows.
        comparison: Which images are near.
        other_pixels: Digests of the other images, shape (K,); None for none.
        other_looks: Their looks.
    """

    def __init__(
        self,
        table: SignTable,
        comparison: ImageComparison,
        other_pixels: "NDArray[np.void] | None" = None,
        other_looks: Sequence[bytes] = (),
    ) -> None:
        import numpy as np

        self.table, self._comparison, self._other_looks = table, comparison, other_looks
        pixels = table.pixels if other_pixels is None else np.concatenate([table.pixels, other_pixels])
        self._first, numbers = _numbered(pixels)
        split = len(table.pixels)
        self.ids: NDArray[np.int64] = numbers[:split]
        """Number of each image of a row among the distinct ones; shape (M,)."""
        self.other_ids: NDArray[np.int64] = numbers[split:]
        """That of each other image; shape (K,)."""
        self.num_distinct = int(np.count_nonzero(self._first < split))
        """Distinct images of rows, U; they have the numbers 0 to U - 1."""
        self.owners: NDArray[np.int64] = np.repeat(np.arange(len(table)), np.diff(table.starts))
        """Row of each image; shape (M,)."""

    @cached_property
    def _columns(self) -> LookColumns:
        split = len(self.table.pixels)
        looks = self.table.looks(self._first[: self.num_distinct])
        return self._comparison.columns(
            [*looks, *(self._other_looks[place - split] for place in self._first[self.num_distinct :].tolist())]
        )

    @cached_property
    def _keys(self) -> "NDArray[np.uint64]":
        return self._columns.bands()

    @cached_property
    def near_pairs(self) -> "NDArray[np.int64]":
        """Pairs of distinct images of rows that are near; shape (P, 2)."""
        return self.pairs("near")

    def pairs(self, closeness: Closeness) -> "NDArray[np.int64]":
        """Pairs of distinct images of rows that are near or alike, each once; shape (P, 2)."""
        import numpy as np

        found = [self._verified(pairs, closeness) for pairs in _meeting(self._keys[: self.num_distinct])]
        return distinct_pairs(np.sort(np.concatenate(found), axis=1)) if found else np.empty((0, 2), dtype=np.int64)

    @cached_property
    def same_images(self) -> "NDArray[np.uint64]":
        """Equal for rows with the same images in the same order; shape (N,)."""
        import numpy as np

        return combined_lists(self.ids.astype(np.uint64), self.table.starts)

    @cached_property
    def near_images(self) -> "NDArray[np.uint64]":
        """Equal for rows whose images, in order, are connected by near ones; shape (N,)."""
        import numpy as np

        families = components(self.near_pairs, self.num_distinct)[self.ids]
        return combined_lists(families.astype(np.uint64), self.table.starts)

    def are_near(self, pairs: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Of pairs of rows, whether they have as many images and each is the other's, or near it; shape (P,)."""
        import numpy as np

        starts = self.table.starts
        counts = np.diff(starts)[pairs[:, 0]]
        near: NDArray[np.bool_] = counts == np.diff(starts)[pairs[:, 1]]
        for place in range(int(counts.max(initial=0))):
            chosen = np.flatnonzero(near & (counts > place))
            left, right = (self.ids[starts[pairs[chosen, side]] + place] for side in (0, 1))
            same = left == right
            same[~same] = self._columns.near(left[~same], right[~same])
            near[chosen] = same
        return near

    def pairs_with_others(self) -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
        """Pairs of a distinct image of rows and one of the other images that is alike.

        Returns:
            Pairs (distinct image, other image), shape (P, 2); and which of them are near, or the same, shape (P,).
        """
        import numpy as np

        distinct = np.unique(self.other_ids)
        known = distinct[distinct < self.num_distinct]
        found = [np.stack([known, known], axis=1)]
        for met in _meeting_others(self._keys[: self.num_distinct], self._keys[distinct]):
            pairs = np.stack([met[:, 0], distinct[met[:, 1]]], axis=1)
            found.append(self._verified(pairs[pairs[:, 0] != pairs[:, 1]], "alike"))
        images = distinct_pairs(np.concatenate(found))
        near: NDArray[np.bool_] = images[:, 0] == images[:, 1]
        near[~near] = self._columns.near(*images[~near].T)
        places = pairs_between(images[:, 1].astype(np.uint64), self.other_ids.astype(np.uint64))
        return np.stack([images[places[:, 0], 0], places[:, 1]], axis=1), near[places[:, 0]]

    def _verified(self, pairs: "NDArray[np.int64]", closeness: Closeness) -> "NDArray[np.int64]":
        """The pairs that are near or alike, in pieces that a bounded memory holds."""
        import numpy as np

        compare = self._columns.near if closeness == "near" else self._columns.alike
        pieces = [pairs[start : start + _CHUNK_PAIRS] for start in range(0, len(pairs), _CHUNK_PAIRS)]
        kept = [piece[compare(piece[:, 0], piece[:, 1])] for piece in pieces]
        return np.concatenate(kept) if kept else np.empty((0, 2), dtype=np.int64)


def _meeting(keys: "NDArray[np.uint64]") -> "Iterator[NDArray[np.int64]]":
    """Pairs of images that share a band; of a crowd that shares it, those that share the bands behind it as well.

    Copies of a picture agree in most bands and a crowd in few. A crowd that shares four bands in a row is compared with
    its next members only, which keeps the work linear.
    """
    import numpy as np

    size = keys.shape[1]
    last = min(_BANDS_OF_CROWDS, size)
    for band in range(size):
        images, key = np.arange(len(keys)), keys[:, band]
        for step in range(1, last + 1):
            crowd = crowded(key, _MEETINGS) if step < last else np.empty(0, dtype=np.int64)
            alone = np.setdiff1d(np.arange(len(images)), crowd)
            yield images[alone][pairs_within(key[alone], _MEETINGS)]
            if not len(crowd):
                break
            images, key = images[crowd], combined(key[crowd], keys[images[crowd], (band + step) % size])


def _meeting_others(keys: "NDArray[np.uint64]", others: "NDArray[np.uint64]") -> "Iterator[NDArray[np.int64]]":
    """Pairs of images and other ones that share a band; where a crowd of others shares it, the bands behind it as well.

    Args:
        keys: Bands of the images, shape (U, B).
        others: Bands of the others, shape (V, B).
    """
    import numpy as np

    size = keys.shape[1]
    last = min(_BANDS_OF_CROWDS, size)
    for band in range(size):
        places, other_places = np.arange(len(keys)), np.arange(len(others))
        key, other_key = keys[:, band], others[:, band]
        for step in range(1, last + 1):
            crowd = crowded(other_key, _MEETINGS) if step < last else np.empty(0, dtype=np.int64)
            alone = np.setdiff1d(np.arange(len(other_key)), crowd)
            met = pairs_between(key, other_key[alone], _MEETINGS)
            yield np.stack([places[met[:, 0]], other_places[alone][met[:, 1]]], axis=1)
            if not len(crowd):
                break
            meeting = np.flatnonzero(np.isin(key, other_key[crowd]))
            places, other_places = places[meeting], other_places[crowd]
            behind = (band + step) % size
            key = combined(key[meeting], keys[places, behind])
            other_key = combined(other_key[crowd], others[other_places, behind])


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
    return _numbered(labels)[1]


def _numbered(values: "NDArray[np.generic]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """First place of each distinct value, ascending; and the number of each value's, in that order."""
    import numpy as np

    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return np.sort(first), ranks[inverse]
