import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from components.surrogate import figures as f

_GRID = st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.7, 1.0])  # few values, so that there are ties


@st.composite
def weighted(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Scores, truths and whole weights of some rows."""
    size = draw(st.integers(2, 30))
    lists = (draw(st.lists(of, min_size=size, max_size=size)) for of in (_GRID, _GRID, st.integers(0, 3)))
    scores, truth, weights = (np.array(values, dtype=np.float64) for values in lists)
    return scores, truth, weights


@given(weighted())
def test_auc_is_that_of_the_repeated_rows(drawn: tuple[NDArray[Any], ...]) -> None:
    scores, truth, weights = drawn
    times = weights.astype(int)
    right = np.repeat(truth > 0.5, times)
    assume(right.any() and not right.all())
    assert f.auc(scores, truth > 0.5, weights[None])[0] == pytest.approx(roc_auc_score(right, np.repeat(scores, times)))


@given(weighted())
def test_spearman_is_that_of_the_repeated_rows(drawn: tuple[NDArray[Any], ...]) -> None:
    scores, truth, weights = drawn
    one, other = (np.repeat(values, weights.astype(int)) for values in (scores, truth))
    assume(len(set(one)) > 1 and len(set(other)) > 1)
    assert f.spearman(scores, truth, weights[None])[0] == pytest.approx(spearmanr(one, other).statistic)


@pytest.mark.parametrize("figure", [f.auc, f.spearman])
def test_what_the_rows_do_not_define_is_nan(figure: Any) -> None:
    scores, same, ones = np.array([0.1, 0.2, 0.9]), np.array([1.0, 1.0, 1.0]), np.ones((1, 3))
    assert np.isnan(figure(scores, same > 0.5 if figure is f.auc else same, ones)).all()


@given(weighted())
def test_pairs_are_those_that_a_loop_counts(drawn: tuple[NDArray[Any], ...]) -> None:
    scores, truth, weights = drawn
    questions = np.unique(weights, return_inverse=True)[1]
    groups = np.minimum(questions, 1)  # the last questions share a group
    pairs = f.Pairs.of(scores, truth, questions, groups)
    won, count = np.zeros(groups.max() + 1), np.zeros(groups.max() + 1)
    for one, other in itertools.permutations(range(len(scores)), 2):
        if questions[one] == questions[other] and truth[one] > truth[other]:
            count[groups[one]] += 1
            won[groups[one]] += 1.0 if scores[one] > scores[other] else 0.5 if scores[one] == scores[other] else 0.0
    assert (pairs.won.tolist(), pairs.count.tolist()) == (won.tolist(), count.tolist())


def test_pairs_of_a_large_question_are_all_counted() -> None:
    scores, one = np.arange(2500.0), np.zeros(2500, dtype=np.int64)
    pairs = f.Pairs.of(scores, scores >= 1200, one, one)
    assert (pairs.won[0], pairs.count[0]) == (1200 * 1300, 1200 * 1300)


@given(weighted())
def test_plain_figures_are_the_weighted_ones_of_weight_one(drawn: tuple[NDArray[Any], ...]) -> None:
    scores, truth, weights = drawn
    right, questions = truth > 0.5, weights.astype(np.int64)
    pairs = [
        (scores[one], scores[other])
        for one, other in itertools.permutations(range(len(scores)), 2)
        if questions[one] == questions[other] and truth[one] > truth[other]
    ]
    won = sum(1.0 if high > low else 0.5 if high == low else 0.0 for high, low in pairs)

    assert f.pairwise(scores, truth, questions) == (pytest.approx(won / len(pairs)) if pairs else None)
    one_class = right.all() or not right.any()
    assert f.plain_auc(scores, right) == (None if one_class else pytest.approx(roc_auc_score(right, scores)))


def test_rows_that_are_none_order_nothing() -> None:
    none, numbers = np.zeros(0), np.zeros(0, dtype=np.int64)

    assert f.plain_auc(none, none > 0) is None
    assert f.pairwise(none, none, numbers) is None


def test_a_score_that_is_no_number_is_refused_or_undefined_and_never_the_best() -> None:
    scores, right, questions = np.array([np.nan, 0.2]), np.array([True, False]), np.zeros(2, dtype=np.int64)

    assert np.isnan(f.auc(scores, right, np.ones((1, 2)))).all()
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        f.plain_auc(scores, right)
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        f.pairwise(scores, right.astype(float), questions)


def test_pairwise_accuracy_weighs_a_group_by_its_draws() -> None:
    pairs = f.Pairs(np.array([1.0, 0.0]), np.array([1.0, 3.0]))
    assert pairs.accuracy(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]]))[:2].tolist() == [0.25, 1.0]


def test_calibration_error_worked_by_hand() -> None:
    scores, truth = np.array([0.01, 0.05, 0.9, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    # The first two are of one bin: mean 0.03 against 0.5; 0.9 is in the 14th bin, 1.0 in the last.
    expected = (2 * 0.47 + 0.1 + 1.0) / 4
    assert f.ece(scores, truth, np.ones((1, 4)))[0] == pytest.approx(expected)
    assert f.bin_numbers(scores).tolist() == [0, 0, 13, 14]
    assert f.brier(scores, truth, np.ones((1, 4)))[0] == pytest.approx(((scores - truth) ** 2).mean())


def test_accuracy_at_a_coverage_worked_by_hand() -> None:
    confidence, hits = np.array([0.9, 0.1, 0.5, 0.5]), np.array([True, False, True, False])
    found = f.accuracy_at(np.array([1.0, 0.5, 0.25]), confidence, hits, np.ones((1, 4)))[0]
    # At one half: the surest, and either of the two that tie.
    assert found.tolist() == pytest.approx([0.5, 0.75, 1.0])


@given(weighted(), st.randoms())
def test_accuracy_at_a_coverage_is_the_same_in_any_order(drawn: tuple[NDArray[Any], ...], random: Any) -> None:
    confidence, truth, _ = drawn
    order = list(range(len(truth)))
    random.shuffle(order)
    shares, ones = np.array([1.0, 0.6, 0.3]), np.ones((1, len(truth)))
    found = [f.accuracy_at(shares, confidence[rows], truth[rows] > 0.5, ones) for rows in (slice(None), order)]
    assert found[0] == pytest.approx(found[1])
