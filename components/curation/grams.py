"""Grams: runs of tokens that rows share with benchmarks, templates told from questions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from components.curation.shingles import digest64, mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK_TEXTS = 5_000
_token_hash = lru_cache(maxsize=65_536)(digest64)


@dataclass(frozen=True)
class RunRule:
    """When a row and a prompt share too much."""

    length: int
    """Tokens of a run."""
    most_images: int
    """A run beside more images of rows than this, or in more prompts, is a template."""
    least_share: float
    """Share of the other runs that both have to hold (0..1), of the one that has fewer."""


@dataclass(frozen=True)
class Match:
    """A row and a prompt that share runs."""

    row: int
    question: int
    shared: int
    """Runs of both that are no template."""
    runs: int
    """Runs that are no template, of the one that has fewer."""


@dataclass(frozen=True)
class _Runs:
    """Runs of texts, each run of a text once."""

    owners: "NDArray[np.int64]"
    """Text of each run; shape (R,)."""
    hashes: "NDArray[np.uint64]"
    """Shape (R,)."""
    totals: "NDArray[np.int64]"
    """Different runs of each text; shape (N,)."""


def shared_runs(
    texts: Sequence[str], images: "NDArray[np.uint64]", prompts: Sequence[str], rule: RunRule
) -> list[Match]:
    """Rows and prompts that share too many runs of tokens.

    Args:
        texts: N comparable texts of rows.
        images: Equal for rows about the same images, shape (N,).
        prompts: Q comparable texts of benchmarks.
        rule: How many are too many.

    Returns:
        The matches, in order of the rows and then of the prompts.
    """
    import numpy as np

    known = _runs(prompts, rule.length, None)
    wanted = np.unique(known.hashes)
    found = _runs(texts, rule.length, wanted)
    here = _frequent(found.hashes, images[found.owners], rule.most_images)
    there = _frequent(known.hashes, known.owners.astype(np.uint64), rule.most_images)
    templates = np.union1d(here, there)
    known, found = _without(known, templates), _without(found, templates)
    return _matches(found, known, rule.least_share)


def _matches(found: _Runs, known: _Runs, least_share: float) -> list[Match]:
    import numpy as np

    order = np.argsort(known.hashes, kind="stable")
    owners, hashes = known.owners[order], known.hashes[order]
    begin, end = np.searchsorted(hashes, found.hashes, "left"), np.searchsorted(hashes, found.hashes, "right")
    both: Counter[tuple[int, int]] = Counter()
    for row, first, last in zip(found.owners.tolist(), begin.tolist(), end.tolist(), strict=True):
        both.update((row, question) for question in owners[first:last].tolist())
    matches = []
    for (row, question), shared in sorted(both.items()):
        runs = int(min(found.totals[row], known.totals[question]))
        if shared >= least_share * runs:
            matches.append(Match(row, question, shared, runs))
    return matches


def _runs(texts: Sequence[str], length: int, wanted: "NDArray[np.uint64] | None") -> _Runs:
    """The different runs of each text; only those of the wanted ones (sorted) are held, all are counted."""
    import numpy as np

    totals = np.zeros(len(texts), dtype=np.int64)
    owners, hashes = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.uint64)]
    for owner, run in grams(texts, length):
        pairs = np.unique(np.stack([owner.astype(np.uint64), run], axis=1), axis=0)
        np.add.at(totals, pairs[:, 0].astype(np.int64), 1)
        if wanted is not None:
            pairs = pairs[_is_among(pairs[:, 1], wanted)]
        owners.append(pairs[:, 0].astype(np.int64))
        hashes.append(pairs[:, 1])
    return _Runs(np.concatenate(owners), np.concatenate(hashes), totals)


def _is_among(values: "NDArray[np.uint64]", ranked: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    import numpy as np

    if not len(ranked):
        return np.zeros(len(values), dtype=np.bool_)
    return np.asarray(ranked[np.minimum(np.searchsorted(ranked, values), len(ranked) - 1)] == values)


def _frequent(runs: "NDArray[np.uint64]", beside: "NDArray[np.uint64]", most: int) -> "NDArray[np.uint64]":
    """Runs that stand beside more than so many different values; sorted."""
    import numpy as np

    pairs = np.unique(np.stack([runs, beside], axis=1), axis=0)
    values, counts = np.unique(pairs[:, 0], return_counts=True)
    return values[counts > most]


def _without(runs: _Runs, templates: "NDArray[np.uint64]") -> _Runs:
    import numpy as np

    is_template = _is_among(runs.hashes, templates)
    totals = runs.totals - np.bincount(runs.owners[is_template], minlength=len(runs.totals))
    return _Runs(runs.owners[~is_template], runs.hashes[~is_template], totals)


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
