"""Ordering: which better answers a scorer puts above which worse ones, question by question.

What the loop's stages compare scorers by: an annotation budget, a teacher, a champion and its challenger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from components.rewards.estimate import Estimate
from components.rewards.picture import Picture, wants_images
from components.surrogate import figures
from components.surrogate.check import question_of
from components.surrogate.rows import AnswerRow

if TYPE_CHECKING:
    from components.surrogate.figures import Floats

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
    import numpy as np

    judged, own = _judged(rows, scores)
    names = [question_of(row) for row in judged]
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    questions = np.array([number[name] for name in names], dtype=np.int64)
    pairs = figures.Pairs.of(own, _truths(judged), questions, questions)
    return [
        Ordered(group, float(won), int(count))
        for (group, *_), won, count in zip(number, pairs.won, pairs.count, strict=True)
        if count
    ]


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
    judged, own = _judged(rows, scores)
    return figures.plain_auc(own, _truths(judged) > RIGHT)


def _judged(rows: Sequence[AnswerRow], scores: Sequence[float]) -> "tuple[list[AnswerRow], Floats]":
    """The rows that have a true score, and the scores to judge of these."""
    import numpy as np

    both = [(row, score) for row, score in zip(rows, scores, strict=True) if row.score is not None]
    return [row for row, _ in both], np.array([score for _, score in both], dtype=np.float64)


def _truths(rows: Sequence[AnswerRow]) -> "Floats":
    import numpy as np

    return np.array([row.score for row in rows], dtype=np.float64)
