"""Grams: runs of words that two texts share."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from components.curation.shingles import digest64, mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK_TEXTS = 5_000
_token_hash = lru_cache(maxsize=500_000)(digest64)


def grams(texts: Sequence[str], length: int) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.uint64]]]":
    """Hashes of all runs of tokens, some thousand texts at a time.

    Args:
        texts: N comparable texts; one of fewer tokens has no run.
        length: Tokens of a run.

    Yields:
        The place of the text that each run is of, ascending, and the run's hash; shapes (R,) and (R,).
    """
    for start in range(0, len(texts), _CHUNK_TEXTS):
        owners, hashes = _grams(texts[start : start + _CHUNK_TEXTS], length)
        yield owners + start, hashes


def _grams(texts: Sequence[str], length: int) -> "tuple[NDArray[np.int64], NDArray[np.uint64]]":
    import numpy as np

    tokens = [text.split() for text in texts]
    long = [place for place, words in enumerate(tokens) if len(words) >= length]
    flat = np.fromiter((_token_hash(word) for place in long for word in tokens[place]), dtype=np.uint64)
    counts = np.array([len(tokens[place]) - length + 1 for place in long], dtype=np.int64)
    owners = np.repeat(np.arange(len(long)), counts)
    starts = np.arange(len(owners)) + owners * (length - 1)
    hashes = np.zeros(len(starts), dtype=np.uint64)
    for step in range(length):
        hashes = mixed(hashes ^ flat[starts + step])
    return np.array(long, dtype=np.int64)[owners], hashes
