"""Runs: rows that share a key, and the pairs of them, without comparing all with all."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 64
"""A row is paired with so many next rows of its key at most, which keeps a crowd's work linear."""


def pairs_within(keys: "NDArray[np.uint64]", window: int = WINDOW) -> "NDArray[np.int64]":
    """Pairs of places with equal keys.

    Args:
        keys: Shape (N,).
        window: Of more than so many equal keys, every place is paired with the next window - 1 of them only.

    Returns:
        Pairs (earlier, later), shape (P, 2).
    """
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    found = []
    places = np.arange(len(order))
    for step in range(1, window):
        places = places[places + step < len(order)]
        places = places[ranked[places] == ranked[places + step]]
        if not len(places):
            break
        found.append(np.stack([order[places], order[places + step]], axis=1))
    return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)


def crowded(keys: "NDArray[np.uint64]", window: int = WINDOW) -> "NDArray[np.int64]":
    """Places whose key more than so many others have, ascending."""
    import numpy as np

    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[inverse] > window)


def pairs_between(left: "NDArray[np.uint64]", right: "NDArray[np.uint64]", window: int = 0) -> "NDArray[np.int64]":
    """Pairs of a place on the left and one on the right with equal keys.

    Args:
        left: Shape (N,).
        right: Shape (M,).
        window: Most pairs of one place on the left; 0 sets no limit.

    Returns:
        Pairs (left, right) in order, shape (P, 2).
    """
    import numpy as np

    order = np.argsort(right, kind="stable")
    ranked = right[order]
    begin = np.searchsorted(ranked, left, side="left")
    counts = np.searchsorted(ranked, left, side="right") - begin
    counts = np.minimum(counts, window) if window else counts
    owners = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([owners, order[begin[owners] + within]], axis=1)


def distinct_pairs(pairs: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Every pair once, in order of the first and then of the second."""
    import numpy as np

    return np.unique(pairs, axis=0) if len(pairs) else pairs.reshape(0, 2)


def runs(keys: "NDArray[np.uint64]") -> "list[NDArray[np.int64]]":
    """Places of keys that occur more than once, a run of ascending places each, ordered by their first place."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    bounds = np.flatnonzero(np.diff(keys[order])) + 1
    found = [run for run in np.split(order, bounds) if len(run) > 1]
    return sorted(found, key=lambda run: int(run[0]))


def combined(*keys: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """One key of several: equal where all of them are."""
    import numpy as np

    from components.curation.shingles import mixed

    total = np.zeros(len(keys[0]), dtype=np.uint64)
    for key in keys:
        total = mixed(total ^ key)
    return total


def combined_lists(values: "NDArray[np.uint64]", starts: "NDArray[np.int64]") -> "NDArray[np.uint64]":
    """One key of each list: equal for equal values in equal order.

    Args:
        values: The lists' values end to end, shape (M,).
        starts: Where each list begins, and M; shape (N + 1,).
    """
    import numpy as np

    from components.curation.shingles import mixed

    lengths = np.diff(starts)
    places = np.arange(len(values)) - np.repeat(starts[:-1], lengths)
    spread = mixed(values + mixed(places.astype(np.uint64)))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(spread, dtype=np.uint64)])
    return combined(sums[starts[1:]] - sums[starts[:-1]], lengths.astype(np.uint64))
