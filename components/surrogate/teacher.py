"""Teacher: the scores of a large reward model over a sample of rows become rows to fit on.

A teacher is a judge behind an endpoint (`judge`) or a reward model's weights (`reward_model`). What it cannot score is
a problem with a reason; how far it agrees with the scores that the rows have already is reported beside its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Protocol

from components.core.example import Example
from components.surrogate.budget import nested_order
from components.surrogate.ordering import auc, pairwise_accuracy
from components.surrogate.rows import AnswerRow

KIND = "teacher"


@dataclass(frozen=True)
class Refusal:
    """Why a teacher has no score for a row."""

    reason: str


class Teacher(Protocol):
    """A large reward model."""

    def score(self, rows: Sequence[AnswerRow]) -> Sequence[float | Refusal]:
        """A score in [0, 1] for each of N rows, or why there is none."""
        ...

    def identity(self) -> dict[str, Any]:
        """What decides its scores, as JSON values."""
        ...


Images = Callable[[AnswerRow], Sequence[bytes]]
"""The encoded images that a row's question is about; none for a question about no image."""


@dataclass(frozen=True)
class Agreement:
    """How far a teacher's scores agree with those that the rows had."""

    rows: int
    """Rows with both."""
    spearman: float | None
    """Rank correlation, -1..1; None where all scores of a side are equal or fewer than two rows have both."""
    pairwise: float | None
    """Share of pairs of a better and a worse answer to one question that the teacher orders rightly; None without."""
    auc: float | None
    """Of the teacher's scores, right against wrong (right: above 0.5); None where all are right or all are wrong."""
    mean_difference: float | None
    """Mean absolute difference, 0..1; None without rows."""


@dataclass(frozen=True)
class Distilled:
    """What a teacher made of a sample: rows + problems = rows given."""

    rows: list[AnswerRow]
    """With the teacher's scores, of kind "teacher", in the order given."""
    problems: list[str]
    """Why a row has no score, with its number in the sample from 1."""
    agreement: Agreement


def distil(rows: Sequence[AnswerRow], teacher: Teacher) -> Distilled:
    """Let a teacher score rows.

    Args:
        rows: A sample; scores that they have are what agreement is measured against, and are not shown to the teacher.
        teacher: Scores them.

    Raises:
        ValueError: The teacher gives a score outside [0, 1], or not one entry a row.
    """
    found = list(zip(rows, teacher.score(rows), strict=True))
    outside = [score for _, score in found if not isinstance(score, Refusal) and not 0 <= score <= 1]
    if outside:
        raise ValueError(f"the teacher scored {outside[0]}, outside 0 to 1")
    scored = [(row, score) for row, score in found if not isinstance(score, Refusal)]
    return Distilled(
        rows=[replace(row, score=score, kind=KIND) for row, score in scored],
        problems=[
            f"row {number}: {score.reason}" for number, (_, score) in enumerate(found, 1) if isinstance(score, Refusal)
        ],
        agreement=agreement([row for row, _ in scored], [score for _, score in scored]),
    )


def agreement(rows: Sequence[AnswerRow], scores: Sequence[float]) -> Agreement:
    """Hold a teacher's scores against those that rows have.

    Args:
        rows: N rows; those without a score are left out.
        scores: The teacher's, one a row.
    """
    both = [(row, row.score, score) for row, score in zip(rows, scores, strict=True) if row.score is not None]
    judged, given, taught = [row for row, _, _ in both], [own for _, own, _ in both], [score for _, _, score in both]
    return Agreement(
        rows=len(both),
        spearman=_spearman(given, taught),
        pairwise=pairwise_accuracy(judged, taught),
        auc=auc(judged, taught),
        mean_difference=fmean(abs(own - score) for _, own, score in both) if both else None,
    )


def sample(rows: Sequence[AnswerRow], count: int, seed: int) -> list[AnswerRow]:
    """Rows for a teacher: whole groups at random, the last cut where the count is reached.

    Whole groups, so that a question comes with several answers, which is what pairs are made of. A smaller sample is
    the beginning of a larger one of the same seed, so that more can be asked later and nothing twice.
    """
    return nested_order(rows, seed)[:count]


def images_of(examples: Sequence[Example]) -> Images:
    """Find the images of rows that were made of a dataset's examples.

    A row belongs to the example whose question and references it has; where several have them, to the one of these
    whose id or group is the row's group.

    Args:
        examples: Of the dataset.

    Returns:
        A function that raises LookupError where the row's example cannot be told.
    """
    by_text: dict[tuple[str, tuple[str, ...]], list[Example]] = {}
    for example in examples:
        by_text.setdefault((example.question, example.references), []).append(example)

    def images(row: AnswerRow) -> Sequence[bytes]:
        candidates = by_text.get((row.question, row.references), [])
        if len({example.images for example in candidates}) > 1:
            candidates = [example for example in candidates if row.group in (example.id, example.group)]
        if len({example.images for example in candidates}) != 1:
            problem = "several examples have" if candidates else "no example has"
            raise LookupError(f"{problem} its question, references and group, so its image is not known")
        return candidates[0].images

    return images


def _spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    from scipy.stats import spearmanr

    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(spearmanr(first, second).statistic)
