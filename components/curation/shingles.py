"""Shingles: signatures by which texts that share most of their wording are found without comparing all with all.

One-permutation MinHash (Li, Owen and Zhang, NeurIPS 2012): every shingle of five bytes falls into one of 64 bins, a
bin keeps its least hash, an empty bin takes that of the first filled bin in an order of its own (after Shrivastava,
ICML 2017). Shingles are salted with the text's numbers and formulas: texts that differ in one of them share none.

The hashes are integer arithmetic modulo 2**64 and BLAKE2b: the same on every machine and with every version of NumPy.
`SCHEME` names the way; signatures of two schemes must not be mixed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from components.curation.comparable import hard_tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEME = "one-permutation minhash, 64 bins, 5 bytes, salted; 1"
BINS = 64
"""Numbers in a signature."""
BANDS = 16
"""Bands of a signature: at a Jaccard similarity of 0.8 two texts share one with a chance of 0.9998, at 0.5 of 0.64."""
_WIDTH = 5  # bytes of a shingle
_EMPTY = 0xFFFFFFFF
_CHUNK_BYTES = 60_000  # the arrays of a chunk stay in the cache of a processor
_CHUNK_TEXTS = 2048  # 8 MB where empty bins look for filled ones
_MULTIPLIER = 0x9E3779B97F4A7C15


def signatures(texts: Sequence[str]) -> "NDArray[np.uint32]":
    """Signatures of texts.

    Args:
        texts: N comparable texts (`comparable`), of any length.

    Returns:
        Shape (N, 64); an entry of two texts is equal with a chance of their shingles' Jaccard similarity.
    """
    import numpy as np

    if not texts:
        return np.empty((0, BINS), dtype=np.uint32)
    return np.concatenate([_filled(_least(chunk)) for chunk in _chunks(texts)])


def shingle_set(text: str) -> frozenset[bytes]:
    """The shingles of a comparable text, as bytes that hold its numbers and formulas: what a signature samples."""
    padded = _padded(text)
    salt = _salt(text)
    return frozenset(salt + padded[start : start + _WIDTH] for start in range(len(padded) - _WIDTH + 1))


def bands(signed: "NDArray[np.uint32]") -> "Iterator[NDArray[np.uint64]]":
    """Keys by which similar texts meet: two that share one are worth comparing.

    Args:
        signed: Signatures, shape (N, 64).

    Yields:
        The keys of one band after another, shape (N,).
    """
    import numpy as np

    width = BINS // BANDS
    for band in range(BANDS):
        key = np.full(len(signed), band, dtype=np.uint64)
        for column in range(band * width, (band + 1) * width):
            key = mixed(key ^ signed[:, column])
        yield key


def mixed(values: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Every bit of a number spread over all 64 (the finaliser of SplitMix64)."""
    import numpy as np

    values = values + np.uint64(_MULTIPLIER)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def digest64(text: str) -> int:
    """A 64-bit hash of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """A few hundred texts together."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size >= _CHUNK_BYTES or len(chunk) == _CHUNK_TEXTS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _padded(text: str) -> bytes:
    return f" {text} ".encode("utf-8", "surrogatepass").ljust(_WIDTH)


def _salt(text: str) -> bytes:
    return hashlib.blake2b(hard_tokens(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _least(texts: Sequence[str]) -> "NDArray[np.uint32]":
    """The least hash in every bin; shape (N, 64)."""
    import numpy as np

    padded = [_padded(text) for text in texts]
    salts = np.frombuffer(b"".join(map(_salt, texts)), dtype="<u8")
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    starts, owners = _windows(lengths)
    hashes = mixed(_polynomial(np.frombuffer(b"".join(padded), dtype=np.uint8))[starts] ^ salts[owners])
    least = np.full(len(texts) * BINS, _EMPTY, dtype=np.uint32)
    bins = owners * BINS + (hashes >> np.uint64(58)).astype(np.int64)
    np.minimum.at(least, bins, np.minimum(hashes & np.uint64(_EMPTY), np.uint64(_EMPTY - 1)).astype(np.uint32))
    return least.reshape(len(texts), BINS)


def _windows(lengths: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Where shingles begin in the texts laid end to end, and whose they are."""
    import numpy as np

    counts = lengths - _WIDTH + 1
    owners = np.repeat(np.arange(len(lengths)), counts)
    skipped = np.arange(len(lengths)) * (_WIDTH - 1)
    return np.arange(len(owners)) + skipped[owners], owners


def _polynomial(data: "NDArray[np.uint8]") -> "NDArray[np.uint64]":
    """Of the five bytes from each place on."""
    import numpy as np

    size = len(data) - _WIDTH + 1
    value = np.zeros(size, dtype=np.uint64)
    for place in range(_WIDTH):
        value = (value << np.uint64(8)) | data[place : place + size]
    return value


def _filled(least: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
    """Every empty bin takes the value of the first filled bin in its own order."""
    import numpy as np

    flat, filled, orders = least.ravel(), (least != _EMPTY).ravel(), _orders()
    empty = np.flatnonzero(~filled)
    for rank in range(1, BINS):
        if not len(empty):
            break
        found = (empty & -BINS) + orders[empty & (BINS - 1), rank]
        taken = filled[found]
        flat[empty[taken]] = flat[found[taken]]
        empty = empty[~taken]
    return least


@cache
def _orders() -> "NDArray[np.int64]":
    """For every bin, itself and then all others in an order of its own; shape (64, 64)."""
    import numpy as np

    ranks = mixed(np.arange(BINS * BINS, dtype=np.uint64)).reshape(BINS, BINS)
    np.fill_diagonal(ranks, 0)
    return np.argsort(ranks, axis=1, kind="stable")
