from itertools import combinations
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from components.core.example import AnswerType
from components.curation.pass_rates import (
    PassCounts,
    chance_of_as_many,
    count_passes,
    flat_metrics,
    learning_gap,
    pass_at_k,
    summarise_rates,
)
from components.rewards.config import RewardsConfig
from tests.curation.worthy import example

draws = st.integers(1, 12).flatmap(
    lambda judged: st.tuples(st.just(judged), st.integers(0, judged), st.integers(1, judged))
)


@given(draws)
def test_pass_at_k_is_the_share_of_all_choices_of_k_that_hold_a_right_one(draw: tuple[int, int, int]) -> None:
    judged, right, k = draw
    choices = list(combinations(range(judged), k))
    with_a_right_one = sum(min(choice) < right for choice in choices)

    assert isclose(pass_at_k(judged, right, k), with_a_right_one / len(choices), abs_tol=1e-12)


@given(st.integers(1, 12), st.floats(0, 1))
def test_pass_at_k_is_unbiased(k: int, rate: float) -> None:
    judged = 12
    expected = sum(_probability(judged, right, rate) * pass_at_k(judged, right, k) for right in range(judged + 1))

    assert isclose(expected, 1 - (1 - rate) ** k, abs_tol=1e-9)


def _probability(judged: int, right: int, rate: float) -> float:
    from math import comb

    return comb(judged, right) * rate**right * (1 - rate) ** (judged - right)


@given(draws)
def test_gap_lies_in_0_to_1_and_vanishes_only_where_nothing_is_to_be_learnt(draw: tuple[int, int, int]) -> None:
    judged, right, k = draw
    gap = learning_gap(judged, right, k)

    assert -1e-12 <= gap < 1
    assert (gap > 1e-12) == (0 < right < judged and k > 1)


def test_pass_at_1_is_the_pass_rate() -> None:
    assert pass_at_k(8, 3, 1) == 3 / 8


def test_pass_at_k_of_large_counts_is_exact() -> None:
    assert isclose(pass_at_k(10_000, 1, 100), 0.01, rel_tol=1e-12)


@pytest.mark.parametrize(("judged", "right", "k"), [(4, 2, 5), (4, 5, 2), (4, -1, 2), (4, 2, 0)])
def test_counts_out_of_range_are_refused(judged: int, right: int, k: int) -> None:
    with pytest.raises(ValueError, match="must be in"):
        pass_at_k(judged, right, k)


@given(st.integers(1, 20).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.floats(0, 1))
def test_chance_of_as_many_is_the_exact_one_sided_binomial_test(draw: tuple[int, int], chance: float) -> None:
    judged, right = draw
    expected = binomtest(right, judged, chance, alternative="greater").pvalue

    assert isclose(chance_of_as_many(judged, right, chance), expected, rel_tol=1e-6, abs_tol=1e-9)


def test_generations_are_judged_by_the_rule_of_their_example() -> None:
    number, choice = example("a", "12"), example("b", "B", choices=("red", "blue"))
    completions = ["<answer>12</answer>", "<answer>12.0</answer>", "<answer>13</answer>", ""]
    options = ["<answer>B</answer>", "<answer>blue</answer>", "<answer>A</answer>"]

    counts = count_passes([(number, completions), (choice, options), (number, [])], None, RewardsConfig())

    assert counts == [PassCounts(2, 2), PassCounts(2, 1), PassCounts()]


class _Lenient:
    """Scores an answer by its length, and abstains from empty-handed ones."""

    def score(self, _questions: object, answers: list[str], _references: object) -> list[float | None]:
        return [None if "?" in answer else min(1.0, len(answer) / 10) for answer in answers]


def test_open_ended_generations_are_right_from_the_score_on_that_the_rewards_say() -> None:
    scene = example("a", "a red circle", answer_type=AnswerType.OPEN_ENDED)
    completions = [f"<answer>{text}</answer>" for text in ("a red one", "a red", "red", "red?")]

    assert count_passes([(scene, completions)], _Lenient(), RewardsConfig(correct_at=0.5)) == [PassCounts(2, 1, 1)]
    assert count_passes([(scene, completions)], None, RewardsConfig()) == [PassCounts(0, 0, 4)]


def test_undecided_generations_count_neither_as_right_nor_as_wrong() -> None:
    assert PassCounts(1, 1, 6).rate == 0.5
    assert PassCounts(0, 0, 8).rate is None


def test_report_tells_a_u_from_a_heap() -> None:
    ends = [("math", PassCounts(0, 8))] * 5 + [("math", PassCounts(8, 0))] * 5
    heap = [("ocr", PassCounts(4, 4))] * 10

    u, flat = summarise_rates(ends, 8, 4), summarise_rates(heap, 8, 4)

    assert (u["never_right"], u["always_right"], u["pass_at_1"], u["gap"]) == (0.5, 0.5, 0.5, 0.0)
    assert u["u_shape"] == pytest.approx(1 - 2 * 0.5**8)
    assert flat["u_shape"] == pytest.approx(-2 * 0.5**8)
    assert flat["gap"] == pytest.approx(learning_gap(8, 4, 4))
    assert u["histogram"] == [5, 0, 0, 0, 0, 0, 0, 0, 5]


def test_report_counts_tasks_apart_and_what_could_not_be_measured() -> None:
    report = summarise_rates([("math", PassCounts(3, 7)), ("ocr", PassCounts(0, 0, 8))], 10, 4)

    assert (report["measured"], report["unmeasured"], report["undecided"]) == (1, 1, 8)
    assert report["by_task"]["math"]["histogram"][3] == 1
    assert report["by_task"]["ocr"]["pass_at_1"] is None
    assert "difficulty_pass_at_1" not in flat_metrics(report["by_task"]["ocr"], "difficulty")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), max_size=30))
def test_histogram_holds_every_measured_example(rows: list[tuple[int, int, int]]) -> None:
    report = summarise_rates([("vqa", PassCounts(*row)) for row in rows], 8, 4)

    assert len(report["histogram"]) == 9
    assert sum(report["histogram"]) == report["measured"] == len(rows) - report["unmeasured"]
