from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import EmptyDatasetError, SourceError
from components.rewards.estimate import Estimate
from components.surrogate.budget import BudgetPoint, budget_curve, doubling, enough, hold_out, nested_order
from components.surrogate.ordering import Scores, auc, ordered_pairs, pairwise_accuracy
from components.surrogate.rows import AnswerRow
from tests.surrogate.loop import LogisticScores, fit, questions, row


def memorise(rows: Sequence[AnswerRow]) -> Scores:
    """Gives answers that it has seen their scores, and one half to all others."""
    known = {item.answer: item.score for item in rows}

    def scores(asked: Sequence[AnswerRow]) -> list[Estimate]:
        return [Estimate(known.get(item.answer) or 0.5 * (item.answer not in known), 0.0, 1.0, "") for item in asked]

    return scores


def test_curve_of_a_scorer_that_memorises_is_as_derived() -> None:
    """Of 40 right and 40 wrong words, n rows show n/2 each. A pair of a right and a wrong word ties where neither was
    seen, and is won otherwise: the share of pairs is 1 - (1 - n/80)^2 / 2, whatever the seed.
    """
    rows = [row(f"{score}-{place}", score, group=str(place)) for place in range(40) for score in (0.0, 1.0)]
    heldout = [replace(item, group="held out") for item in rows]

    curve = budget_curve(rows, heldout, memorise, [10, 20, 40, 80, 160], seeds=range(4))

    assert [point.rows for point in curve] == [10, 20, 40, 80]
    for point in curve:
        expected = 1 - (1 - point.rows / 80) ** 2 / 2
        assert point.pairwise == pytest.approx([expected] * 4)
        assert point.auc == pytest.approx([expected] * 4)
        assert (point.mean, point.spread) == pytest.approx((expected, 0))
    assert enough(curve, 0.03) == 80
    assert enough(curve, 0.2) == 40


def test_spread_is_between_seeds_and_shrinks_with_the_budget() -> None:
    curve = budget_curve(questions(60, seed=0, noise=0.4), questions(60, seed=1, noise=0.0), fit, [6, 48], range(6))

    spreads = [point.to_json()["spread"] for point in curve]
    assert spreads[0] == pytest.approx(stdev(curve[0].pairwise))
    assert spreads[1] < spreads[0] / 2


def test_samples_of_one_seed_are_nested_and_of_the_size_asked_for() -> None:
    seen: list[Sequence[AnswerRow]] = []

    def watched(rows: Sequence[AnswerRow]) -> LogisticScores:
        seen.append(rows)
        return fit(rows)

    budget_curve(questions(20, seed=0), questions(5, seed=1), watched, [10, 40, 120, 500], seeds=[7])

    assert [len(rows) for rows in seen] == [10, 40, 120]
    assert seen[1][:10] == seen[0]
    assert seen[2][:40] == seen[1]


def test_sample_that_cannot_be_fitted_is_a_failure_of_its_point_with_the_reason() -> None:
    one_class = [row(f"a house {place}", 1.0, group=str(place)) for place in range(10)]

    curve = budget_curve(one_class, questions(5, seed=1), fit, [5], seeds=[0, 1])

    assert curve[0].pairwise == ()
    assert curve[0].mean is None
    assert curve[0].failures == ("rows: all are right or all are wrong. Give both.",) * 2
    assert enough(curve) is None


def test_order_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = questions(8, seed=0)

    assert nested_order(rows, 1) == nested_order(rows[::-1], 1)
    assert nested_order(rows, 1) != nested_order(rows, 2)
    assert sorted(map(repr, nested_order(rows, 1))) == sorted(map(repr, rows))


def test_budgets_double_up_to_all_rows() -> None:
    assert doubling(500) == [50, 100, 200, 400, 500]
    assert doubling(50) == [50]
    assert doubling(20) == [20]


def test_enough_is_where_the_curve_has_levelled_off_for_good() -> None:
    points = [
        BudgetPoint(size, (mean,), (mean,), ()) for size, mean in [(50, 0.9), (100, 0.7), (200, 0.895), (400, 0.9)]
    ]

    assert enough(points, 0.01) == 200
    assert enough(points, 0.3) == 50


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.floats(0.05, 0.9), st.integers(0, 3))
def test_held_out_groups_are_whole_and_no_more_than_are_needed(names: list[int], share: float, seed: int) -> None:
    rows = [row(f"answer {place}", 1.0, group=str(name)) for place, name in enumerate(names)]
    if len(set(names)) < 2:
        with pytest.raises(SourceError, match="all of one group"):
            hold_out(rows, share, seed)
        return

    kept, held = hold_out(rows, share, seed)

    assert sorted(item.answer for item in [*kept, *held]) == sorted(item.answer for item in rows)
    assert {item.group for item in kept}.isdisjoint({item.group for item in held})
    assert kept
    largest = max(sum(item.group == name for item in held) for name in {item.group for item in held})
    assert len(held) - largest < share * len(rows)
    assert len(held) >= share * len(rows) or len({item.group for item in kept}) == 1
    assert hold_out(rows[::-1], share, seed) == (kept, held)


def test_another_seed_holds_out_other_groups() -> None:
    rows = questions(20, seed=0)

    assert hold_out(rows, 0.25, seed=0)[1] != hold_out(rows, 0.25, seed=1)[1]


def test_group_on_both_sides_is_refused() -> None:
    with pytest.raises(SourceError, match="5 groups are both fitted and held out"):
        budget_curve(questions(5, seed=0), questions(5, seed=0), fit)


def test_rows_without_scores_and_a_heldout_set_that_orders_nothing_are_refused() -> None:
    with pytest.raises(SourceError, match="1 rows have no score"):
        budget_curve([row("a")], questions(5, seed=0), fit)
    with pytest.raises(EmptyDatasetError, match="all right or all wrong, or no question"):
        budget_curve(questions(5, seed=0), [row("a", 1.0)], fit)


_ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([0.0, 0.5, 0.6, 1.0]), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    max_size=12,
)


@given(_ROWS)
def test_pairs_and_auc_are_as_counted_one_by_one(items: list[tuple[str, float, float]]) -> None:
    rows = [row(str(place), truth, question) for place, (question, truth, _) in enumerate(items)]
    scores = [score for _, _, score in items]

    def share(pairs: list[tuple[float, float]]) -> float | None:
        won = [1.0 if better > worse else 0.5 if better == worse else 0.0 for better, worse in pairs]
        return sum(won) / len(won) if won else None

    def better_and_worse(chosen: str) -> list[tuple[float, float]]:
        own = [(truth, score) for question, truth, score in items if question == chosen]
        return [(first, second) for (high, first), (low, second) in product(own, own) if high > low]

    right_and_wrong = [(a, b) for (_, high, a), (_, low, b) in product(items, items) if high > 0.5 >= low]
    assert pairwise_accuracy(rows, scores) == pytest.approx(share(better_and_worse("a") + better_and_worse("b")))
    assert auc(rows, scores) == pytest.approx(share(right_and_wrong))
    assert sum(item.pairs for item in ordered_pairs(rows, scores)) == sum(len(better_and_worse(name)) for name in "ab")


def test_question_is_a_text_within_its_group_whatever_references_a_row_has() -> None:
    rows = [
        AnswerRow("q", ("one",), "a", 1.0, "first"), AnswerRow("q", ("one", "two"), "b", 0.0, "first"),
        AnswerRow("q", ("one",), "c", 0.0, "second"), AnswerRow("other", ("one",), "d", 0.0, "first"),
    ]  # fmt: skip

    assert [(item.group, item.won, item.pairs) for item in ordered_pairs(rows, [0.5, 0.2, 0.1, 0.9])] == [
        ("first", 1.0, 1)
    ]
