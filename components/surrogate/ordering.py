"""Ordering: which right answers a scorer puts above which wrong ones, question by question.

What the loop's stages compare scorers by: an annotation budget, a teacher, a champion and its challenger. An answer is
right where its score is above 0.5.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from components.rewards.estimate import Estimate
from components.surrogate.rows import AnswerRow

Scores = Callable[[Sequence[AnswerRow]], Sequence[Estimate]]
"""A scorer at work: an estimate for each of N rows, whose own scores it does not look at."""
Fit = Callable[[Sequence[AnswerRow]], Scores]
"""Fits a scorer on rows that have scores; HarmoError where they do not suffice."""


class Estimator(Protocol):
    """A surrogate, such as components.rewards.surrogate.SurrogateScorer."""

    def estimate(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        neighbours: int = 0,
    ) -> Sequence[Estimate]:
        """What the surrogate says of each answer, with its nearest scored answers."""
        ...


def scores_of(estimator: Estimator, neighbours: int = 0) -> Scores:
    """A surrogate as a scorer of rows."""
    return lambda rows: estimator.estimate(
        [row.question for row in rows], [row.answer for row in rows], [row.references for row in rows], neighbours
    )


RIGHT = 0.5
"""An answer is right where its score is above this."""


@dataclass(frozen=True)
class Ordered:
    """The (right, wrong) pairs of one question, counted."""

    group: str
    """Of the rows."""
    won: float
    """Pairs whose right answer scored higher; a tie counts one half."""
    pairs: int
    """At least one."""


def ordered_pairs(rows: Sequence[AnswerRow], scores: Sequence[float]) -> list[Ordered]:
    """Count the pairs that are ordered rightly, by question.

    Args:
        rows: N answers with their true scores; rows without one are left out.
        scores: N scores to judge.

    Returns:
        One entry for each question with both a right and a wrong answer, in the order of the rows. Where the rows of
        one question are of several groups, the entry has the first one's.
    """
    questions: dict[tuple[str, tuple[str, ...]], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    groups: dict[tuple[str, tuple[str, ...]], str] = {}
    for row, score in zip(rows, scores, strict=True):
        if row.score is not None:
            key = (row.question, row.references)
            groups.setdefault(key, row.group)
            questions[key][row.score > RIGHT].append(score)
    return [
        Ordered(groups[key], _won(rights, wrongs), len(rights) * len(wrongs))
        for key, (wrongs, rights) in questions.items()
        if rights and wrongs
    ]


def pairwise_accuracy(rows: Sequence[AnswerRow], scores: Sequence[float]) -> float | None:
    """Share of (right, wrong) pairs of one question that are ordered rightly; a tie counts one half.

    Args:
        rows: N answers with their true scores.
        scores: N scores to judge.

    Returns:
        In [0, 1]; None where no question has both a right and a wrong answer.
    """
    ordered = ordered_pairs(rows, scores)
    total = sum(item.pairs for item in ordered)
    return sum(item.won for item in ordered) / total if total else None


def auc(rows: Sequence[AnswerRow], scores: Sequence[float]) -> float | None:
    """Area under the ROC curve of right against wrong answers of all questions.

    Args:
        rows: N answers with their true scores; rows without one are left out.
        scores: N scores to judge.

    Returns:
        In [0, 1]; None where all are right or all are wrong.
    """
    from sklearn.metrics import roc_auc_score

    judged = [(row.score > RIGHT, score) for row, score in zip(rows, scores, strict=True) if row.score is not None]
    if len({truth for truth, _ in judged}) < 2:
        return None
    return float(roc_auc_score([truth for truth, _ in judged], [score for _, score in judged]))


def _won(rights: Sequence[float], wrongs: Sequence[float]) -> float:
    import numpy as np

    ordered = np.sort(np.asarray(wrongs, dtype=np.float64))
    below = np.searchsorted(ordered, rights, side="left")
    up_to = np.searchsorted(ordered, rights, side="right")
    return float((below + up_to).sum() / 2)
