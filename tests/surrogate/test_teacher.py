from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.surrogate.teacher import KIND, Refusal, agreement, distil, sample
from tests.surrogate.loop import questions, row


class FixedTeacher:
    """Gives what it was made with."""

    def __init__(self, *scores: float | Refusal) -> None:
        self._scores = scores

    def score(self, _rows: Sequence[Any]) -> Sequence[float | Refusal]:
        return self._scores

    def identity(self) -> dict[str, Any]:
        return {}


def test_agreement_worked_by_hand() -> None:
    """Question a: right 0.9 over wrong 0.2 and under wrong 0.95; question b: a tie. Over both, rights 0.9 and 0.6 win
    three of six pairs with wrongs 0.2, 0.95 and 0.6, and tie one.
    """
    rows = [
        row("1", 1.0, "a"), row("2", 0.0, "a"), row("3", 0.0, "a"), row("4", 1.0, "b"), row("5", 0.0, "b"),
        row("6", None, "b"),
    ]  # fmt: skip

    found = agreement(rows, [0.9, 0.2, 0.95, 0.6, 0.6, 0.0])

    assert found.rows == 5
    assert found.pairwise == pytest.approx((1 + 0 + 0.5) / 3)
    assert found.auc == pytest.approx((1 + 0 + 1 + 1 + 0 + 0.5) / 6)
    assert found.mean_difference == pytest.approx((0.1 + 0.2 + 0.95 + 0.4 + 0.6) / 5)


def test_spearman_by_the_formula_of_squared_rank_differences() -> None:
    rows = [row(str(place), score) for place, score in enumerate([0.1, 0.4, 0.2, 0.9])]
    ranks, taught = [1, 3, 2, 4], [2, 1, 3, 4]
    squares = sum((first - second) ** 2 for first, second in zip(ranks, taught, strict=True))

    found = agreement(rows, [0.2, 0.1, 0.5, 0.8])

    assert found.spearman == pytest.approx(1 - 6 * squares / (4 * (16 - 1)))


def test_agreement_that_cannot_be_told_is_none_and_not_zero() -> None:
    found = agreement([row("a"), row("b", 1.0)], [0.1, 0.2])

    assert (found.rows, found.spearman, found.pairwise, found.auc) == (1, None, None, None)
    assert agreement([], []).mean_difference is None


def test_rows_and_problems_account_for_every_row_and_agreement_is_over_the_scored_ones() -> None:
    rows = [row("a", 1.0, kind="negation"), row("b", 0.0), row("c")]

    found = distil(rows, FixedTeacher(0.75, Refusal("too long"), 0.5))

    assert found.rows == [replace(rows[0], score=0.75, kind=KIND), replace(rows[2], score=0.5, kind=KIND)]
    assert found.problems == ["row 2: too long"]
    assert found.agreement.rows == 1
    assert found.agreement.mean_difference == pytest.approx(0.25)


@pytest.mark.parametrize("score", [float("nan"), 1.5, -0.1])
def test_teacher_that_leaves_the_unit_interval_is_a_fault(score: float) -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        distil([row("a")], FixedTeacher(score))


def test_larger_sample_begins_with_the_smaller_and_keeps_questions_whole() -> None:
    rows = questions(10, seed=0)

    small, large = sample(rows, 12, seed=3), sample(rows, 30, seed=3)

    assert large[:12] == small
    assert len({item.group for item in small}) == 2
    assert sample(list(reversed(rows)), 30, seed=3) == large
    assert sample(rows, 30, seed=4) != large
