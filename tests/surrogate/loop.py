"""Small rows and a small scorer for the tests of the surrogate's loop."""

import random
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from components.core.errors import EmptyDatasetError
from components.rewards.estimate import Estimate
from components.surrogate.rows import AnswerRow

_WORDS = [f"{first}{second}" for first in ("ba", "ko", "ri", "tu", "me", "so") for second in ("la", "ne", "pi", "do")]


def row(answer: str, score: float | None = None, question: str = "q", group: str = "", kind: str = "") -> AnswerRow:
    """A row with the reference "a red house"."""
    return AnswerRow(question, ("a red house",), answer, score, group or question, kind)


def overlap(item: AnswerRow) -> list[float]:
    """Shares of the answer's words in the nearest reference and the other way round, and the answer's length."""
    words = set(item.answer.split())
    best = max(len(words & set(text.split())) / len(set(text.split())) for text in item.references)
    precise = max(len(words & set(text.split())) / max(1, len(words)) for text in item.references)
    return [best, precise, len(item.answer.split()) / 10]


def fit(rows: Sequence[AnswerRow]) -> "LogisticScores":
    """A logistic regression on `overlap`."""
    truth = [item.score is not None and item.score > 0.5 for item in rows]
    if len(set(truth)) < 2:
        raise EmptyDatasetError("rows", "all are right or all are wrong", "Give both")
    return LogisticScores(LogisticRegression(C=10.0).fit([overlap(item) for item in rows], truth))


class LogisticScores:
    """What `fit` gives: estimates of rows."""

    def __init__(self, model: LogisticRegression) -> None:
        self._model = model

    def __call__(self, rows: Sequence[AnswerRow]) -> list[Estimate]:
        scores = self._model.predict_proba(np.array([overlap(item) for item in rows]))[:, 1]
        return [Estimate(float(score), max(0.0, score - 0.1), min(1.0, score + 0.1), "") for score in scores]


def questions(count: int, seed: int, answers: int = 3, noise: float = 0.15) -> list[AnswerRow]:
    """Rows of questions with as many right as wrong answers, some of them labelled at random.

    A right answer has two or three of the reference's four words, a wrong one none to two: at two it is in doubt.
    """
    chosen = random.Random(seed)
    rows = []
    for number in range(count):
        reference = chosen.sample(_WORDS, 4)
        for right in [True, False] * answers:
            kept = chosen.sample(reference, chosen.choice([2, 3, 3] if right else [0, 1, 2]))
            others = chosen.sample([word for word in _WORDS if word not in reference], chosen.randint(1, 4))
            label = right if chosen.random() > noise else chosen.random() < 0.5
            text = " ".join([*kept, *others])
            name = f"question {seed}-{number}"
            rows.append(AnswerRow(name, (" ".join(reference),), text, float(label), name))
    return rows
