"""Figures: how well scores order and match the truth, for many weightings of the rows at once.

A bootstrap over groups draws whole groups; a row's weight is how often its group was drawn. Every figure here takes
weights of shape (R, N), R resamples of N rows, and equals the figure of the rows repeated so often, so that the figure
itself (all weights 1) and its resamples come out of the same lines. `plain_auc` and `pairwise` are the same for rows as
they are: what heads are chosen by, a budget, a teacher and a challenger are measured by.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

BINS = 15
"""Of the calibration, of equal width over 0..1: a tie never crosses a bin, and every resample has the same bins."""


def auc(scores: "Floats", right: "NDArray[np.bool_]", weights: "Floats") -> "Floats":
    """The probability that a right answer scores above a wrong one, ties half.

    Args:
        scores: Shape (N,).
        right: Which answers are right, shape (N,).
        weights: Shape (R, N).

    Returns:
        Shape (R,); NaN where a resample has no right or no wrong answer, and everywhere where a score is NaN.
    """
    import numpy as np

    if not len(scores) or np.isnan(scores).any():
        return np.full(len(weights), np.nan)
    order, starts = _runs(scores)
    sorted_weights, sorted_right = weights[:, order], right[order]
    rights = np.add.reduceat(sorted_weights * sorted_right, starts, axis=1)
    wrongs = np.add.reduceat(sorted_weights * ~sorted_right, starts, axis=1)
    below = np.cumsum(wrongs, axis=1) - wrongs
    return _ratio((rights * (below + wrongs / 2)).sum(axis=1), rights.sum(axis=1) * wrongs.sum(axis=1))


def plain_auc(scores: "Floats", right: "NDArray[np.bool_]") -> float | None:
    """The area under the ROC curve of rows that count once each, as `auc`.

    Args:
        scores: Shape (N,).
        right: Shape (N,).

    Returns:
        In 0..1; None where no answer is right or none is wrong.

    Raises:
        ValueError: A score is NaN, which has no place in an order.
    """
    import numpy as np

    _refuse_nan(scores)
    area = float(auc(scores, right, np.ones((1, len(scores))))[0])
    return None if np.isnan(area) else area


def pairwise(scores: "Floats", truth: "Floats", questions: "Numbers") -> float | None:
    """Share of the pairs of a better and a worse answer to one question that are ordered rightly, ties half.

    Args:
        scores: Shape (N,).
        truth: Shape (N,).
        questions: The number of each row's question, shape (N,).

    Returns:
        In 0..1; None where no question has answers of several truths.

    Raises:
        ValueError: A score is NaN.
    """
    import numpy as np

    if not len(scores):
        return None
    pairs = Pairs.of(scores, truth, questions, np.zeros_like(questions))
    return float(pairs.won[0] / pairs.count[0]) if pairs.count[0] else None


def spearman(first: "Floats", second: "Floats", weights: "Floats") -> "Floats":
    """Rank correlation, ties at their middle rank.

    Args:
        first: Shape (N,).
        second: Shape (N,).
        weights: Shape (R, N).

    Returns:
        Shape (R,), in -1..1; NaN where either does not vary.
    """
    import numpy as np

    total = weights.sum(axis=1, keepdims=True)
    one, other = _centred(first, weights, total), _centred(second, weights, total)
    spread = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
    return _ratio((weights * one * other).sum(axis=1), np.sqrt(spread))


@dataclass(frozen=True)
class Pairs:
    """Pairs of answers to one question of which one is better than the other, counted by group."""

    won: "Floats"
    """Pairs that the scores order as the truth does, ties half; shape (G,)."""
    count: "Floats"
    """All such pairs, shape (G,)."""

    @classmethod
    def of(cls, scores: "Floats", truth: "Floats", questions: "Numbers", groups: "Numbers") -> "Pairs":
        """Count.

        Args:
            scores: Shape (N,).
            truth: Shape (N,).
            questions: The number of each row's question, from 0, shape (N,).
            groups: The number of its group, from 0, shape (N,); a group holds all of a question's rows.

        Raises:
            ValueError: A score is NaN, which has no place in an order.
        """
        import numpy as np

        _refuse_nan(scores)
        won, count = np.zeros((2, int(groups.max()) + 1 if len(groups) else 0))
        levels = _levels(truth, questions)
        values, ranks = np.unique(scores, return_inverse=True)
        keys = questions * len(values) + ranks  # by question, then by score
        order = np.argsort(keys)
        sorted_keys, sorted_levels = keys[order], levels[order]
        for level in range(1, int(levels.max(initial=0)) + 1):
            worse, better = sorted_keys[sorted_levels < level], np.flatnonzero(levels == level)
            first = questions[better] * len(values)
            start, end = (np.searchsorted(worse, bound) for bound in (first, first + len(values)))
            below, up_to = (np.searchsorted(worse, keys[better], side) for side in ("left", "right"))
            won += np.bincount(groups[better], (below + up_to) / 2 - start, len(won))
            count += np.bincount(groups[better], end - start, len(won))
        return cls(won, count)

    def accuracy(self, drawn: "Floats") -> "Floats":
        """Share of the pairs that are ordered rightly.

        Args:
            drawn: How often each group was drawn, shape (R, G).

        Returns:
            Shape (R,); NaN where a resample has no pair.
        """
        return _ratio(drawn @ self.won, drawn @ self.count)


def brier(scores: "Floats", truth: "Floats", weights: "Floats") -> "Floats":
    """Mean squared distance of score and truth, shape (R,); 0 is best."""
    return _ratio(weights @ (scores - truth) ** 2, weights.sum(axis=1))


def ece(scores: "Floats", truth: "Floats", weights: "Floats") -> "Floats":
    """Expected calibration error, shape (R,): the mean distance of a bin's mean score to its mean truth.

    Guo et al. 2017, arXiv 1706.04599, over BINS bins of equal width, each weighed by its rows.
    """
    import numpy as np

    distances = np.zeros((len(scores), BINS))
    distances[np.arange(len(scores)), bin_numbers(scores)] = scores - truth
    return _ratio(np.abs(weights @ distances).sum(axis=1), weights.sum(axis=1))


def bin_numbers(scores: "Floats") -> "Numbers":
    """The bin of each score in 0..1, from 0 to BINS - 1; a score of 1 is in the last."""
    import numpy as np

    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def accuracy_at(coverages: "Floats", confidence: "Floats", is_hit: "NDArray[np.bool_]", weights: "Floats") -> "Floats":
    """Accuracy over the share of the rows that the scores are surest of.

    Args:
        coverages: Shares in (0, 1], shape (C,).
        confidence: Shape (N,).
        is_hit: Whether the score says what is true, shape (N,).
        weights: Shape (R, N).

    Returns:
        Shape (R, C). Where rows of equal confidence are only in part within a share, it is what a random choice among
        them gives on average, so that the order of the rows is no matter.
    """
    import numpy as np

    order, starts = _runs(-confidence)
    sorted_weights = weights[:, order]
    rows = np.cumsum(np.add.reduceat(sorted_weights, starts, axis=1), axis=1)
    hits = np.cumsum(np.add.reduceat(sorted_weights * is_hit[order], starts, axis=1), axis=1)
    found = [
        np.interp(coverages * of[-1], np.concatenate([[0.0], of]), np.concatenate([[0.0], hit])) / (coverages * of[-1])
        for of, hit in zip(rows, hits, strict=True)
    ]
    return np.array(found)


def _runs(values: "Floats") -> "tuple[Numbers, Numbers]":
    """An order that sorts the values, and where in it each run of equal ones starts."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values[order])) + 1])
    return order, starts


def _centred(values: "Floats", weights: "Floats", total: "Floats") -> "Floats":
    """Middle ranks less their mean, shape (R, N)."""
    import numpy as np

    order, starts = _runs(values)
    runs = np.add.reduceat(weights[:, order], starts, axis=1)
    middles = np.cumsum(runs, axis=1) - runs / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = np.repeat(middles, np.diff([*starts, len(values)]), axis=1)
    # Of a constant this is exactly 0, so that it has no spread that rounding made.
    centred: Floats = np.subtract(ranks, total / 2)
    return centred


def _levels(truth: "Floats", questions: "Numbers") -> "Numbers":
    """The rank of each row's truth among those of its question, from 0, equal ones equal; shape (N,)."""
    import numpy as np

    order = np.lexsort((truth, questions))
    is_other = np.diff(questions[order], prepend=-1) != 0
    rises = np.cumsum((np.diff(truth[order], prepend=0) != 0) & ~is_other)
    levels = np.empty(len(truth), dtype=np.int64)
    levels[order] = rises - np.maximum.accumulate(np.where(is_other, rises, 0))
    return levels


def _refuse_nan(scores: "Floats") -> None:
    import numpy as np

    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN")


def _ratio(above: "Floats", below: "Floats") -> "Floats":
    import numpy as np

    ratio: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio
