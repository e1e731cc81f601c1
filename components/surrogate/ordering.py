"""Ordering: which better answers a scorer puts above which worse ones, question by question.

What the loop's stages compare scorers by: an annotation budget, a teacher, a champion and its challenger.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from components.rewards.estimate import Estimate
from components.rewards.picture import Picture, wants_images
from components.surrogate.check import question_of
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


class ImageEstimator(Protocol):
    """A surrogate that looks at pictures."""

    def estimate(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        neighbours: int = 0,
        images: Sequence[Picture | None] | None = None,
    ) -> Sequence[Estimate]:
        """What the surrogate says of each answer beside its picture."""
        ...


def scores_of(estimator: Estimator, neighbours: int = 0) -> Scores:
    """A surrogate as a scorer of rows."""
    return lambda rows: estimates_of(estimator, rows, neighbours)


def estimates_of(estimator: Estimator, rows: Sequence[AnswerRow], neighbours: int = 0) -> Sequence[Estimate]:
    """What a surrogate says of rows, which it sees with their pictures if it looks at any."""
    texts = [row.question for row in rows], [row.answer for row in rows], [row.references for row in rows]
    if wants_images(estimator):
        return cast("ImageEstimator", estimator).estimate(*texts, neighbours, images=[row.image for row in rows])
    return estimator.estimate(*texts, neighbours)


RIGHT = 0.5
"""An answer is right where its score is above this."""


@dataclass(frozen=True)
class Ordered:
    """The pairs of answers to one question of which one is better than the other, counted."""

    group: str
    """Of the rows."""
    won: float
    """Pairs whose better answer scored higher; a tie counts one half."""
    pairs: int
    """At least one."""


def ordered_pairs(rows: Sequence[AnswerRow], scores: Sequence[float]) -> list[Ordered]:
    """Count the pairs that are ordered rightly, by question.

    Args:
        rows: N answers with their true scores; rows without one are left out.
        scores: N scores to judge.

    Returns:
        One entry for each question that has answers of several true scores, in the order of the rows. A question is a
        text within a group, which may hold several; its references may differ from row to row.
    """
    questions: dict[tuple[str, str, str], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for row, score in zip(rows, scores, strict=True):
        if row.score is not None:
            truths, own = questions[question_of(row)]
            truths.append(row.score)
            own.append(score)
    counted = {key: _count(*values) for key, values in questions.items()}
    return [Ordered(group, won, pairs) for (group, _, _), (won, pairs) in counted.items() if pairs]


def pairwise_accuracy(rows: Sequence[AnswerRow], scores: Sequence[float]) -> float | None:
    """Share of pairs of a better and a worse answer to one question that are ordered rightly; a tie counts one half.

    Args:
        rows: N answers with their true scores.
        scores: N scores to judge.

    Returns:
        In [0, 1]; None where no question has answers of several true scores.
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


def _count(truths: Sequence[float], scores: Sequence[float]) -> tuple[float, int]:
    """Pairs won and pairs, of the answers to one question."""
    import numpy as np

    truth, score = np.asarray(truths, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    won, pairs = 0.0, 0
    for level in np.unique(truth)[1:]:
        better, worse = score[truth == level], np.sort(score[truth < level])
        below, up_to = (np.searchsorted(worse, better, side) for side in ("left", "right"))
        won += float((below + up_to).sum() / 2)
        pairs += len(better) * len(worse)
    return won, pairs
