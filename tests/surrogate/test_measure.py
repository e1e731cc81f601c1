import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.core.errors import ModelError, SourceError
from components.rewards.estimate import Estimate
from components.surrogate.check import contradictions
from components.surrogate.measure import estimate_rows, measure
from components.surrogate.measurement import Measurement
from components.surrogate.peers import peer_scores, token_f1
from components.surrogate.rows import AnswerRow
from tests.surrogate.tiny import OverlapSurrogate, WordEmbedder, row

FLAT_NAMES = {
    "rows", "questions", "groups", "abstain_share", "pairwise_accuracy", "pairwise_accuracy_low",
    "pairwise_accuracy_high", "auc", "auc_low", "auc_high", "spearman", "brier", "ece", "accuracy", "accuracy_at_80",
    "accuracy_at_60", "accuracy_at_40", "gain_at_60", "length_correlation", "cosine_pairwise_accuracy", "cosine_auc",
    "token_f1_pairwise_accuracy", "token_f1_auc", "longer_wins_pairwise_accuracy", "longer_wins_auc",
    "canary_trained_pass_share", "canary_kept_out_pass_share",
}  # fmt: skip


def _rows(groups: int = 12) -> list[AnswerRow]:
    return [
        made
        for group in map(str, range(groups))
        for made in (
            row("a red bus", 1.0, group),
            row("a bus that is red", 1.0, group),
            row("a green car on the road", 0.0, group),
            row("bus", 0.0, group),
        )
    ]


def _measured(rows: Sequence[AnswerRow], scorer: Any = None, **more: Any) -> Measurement:
    return measure(scorer or OverlapSurrogate(), rows, embedder=WordEmbedder(), **more)


def test_flat_metrics_are_pinned() -> None:
    canaries = [row("not a red bus", 0.0, "1", "denied"), row("So,", 0.0, "1", "empty_frame")]
    assert set(_measured(_rows(), canaries=canaries, trained_kinds=["denied"]).flat()) == FLAT_NAMES


def test_figures_of_a_surrogate_worked_by_hand() -> None:
    found = _measured(_rows())
    # Scores: 1, 3/4, 2/9 and 1/2; every right answer is above every wrong one of its group.
    assert (found.n, found.groups, found.right, found.pairs) == (48, 12, 24, 48)
    values = {name: figure.value for name, figure in found.figures.items() if figure}
    assert values["pairwise_accuracy"] == values["auc"] == values["accuracy"] == 1.0
    assert values["brier"] == pytest.approx((0 + 0.25**2 + (2 / 9) ** 2 + 0.5**2) / 4)
    assert values["ece"] == pytest.approx((0 + 0.25 + 2 / 9 + 0.5) / 4)
    assert found.abstains == {"too short to tell": 12}
    assert found.within_interval == 0.25
    assert [(item.n, item.truth) for item in found.calibration] == [(12, 0.0), (12, 0.0), (12, 1.0), (12, 1.0)]


def test_groups_that_are_alike_have_intervals_without_width() -> None:
    figure = _measured(_rows()).figures["brier"]
    assert figure is not None
    assert (figure.low, figure.high) == (pytest.approx(figure.value), pytest.approx(figure.value))


def test_intervals_are_about_as_wide_as_the_spread_of_groups_says() -> None:
    rows = [row("a red bus" if n % 2 else "a green car on the road", 1.0, str(n)) for n in range(400)]
    figure = _measured([*rows, *_rows(1)]).figures["accuracy"]
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    half = 1.96 * (0.25 / 400) ** 0.5
    assert (figure.high - figure.low) / 2 == pytest.approx(half, rel=0.15)


def test_same_seed_measures_the_same_and_the_order_of_rows_is_no_matter() -> None:
    rows = _rows()
    shuffled = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    assert _measured(rows) == _measured(rows)
    first, second = _measured(rows).figures, _measured(shuffled).figures
    assert {name: figure.value for name, figure in first.items() if figure} == pytest.approx(
        {name: figure.value for name, figure in second.items() if figure}
    )


def test_rows_that_it_abstains_on_are_the_last_to_be_covered() -> None:
    surest_wrong = [row("bus", 0.0, str(n), reference="bus") for n in range(4)]  # scores 1, abstains
    found = _measured([*surest_wrong, *(row("a red bus", 1.0, str(n)) for n in range(6))])
    assert dict(found.coverage)[0.6] == 1.0
    figure = found.figures["accuracy"]
    assert figure is not None
    assert figure.value == pytest.approx(0.6)


def test_a_canary_passes_from_the_median_right_answer_on() -> None:
    canaries = [row("red bus a", 0.0, kind="keywords"), row("car", 0.0, kind="vague"), row("So", 0.0, kind="vague")]
    found = _measured([row("a red bus", 1.0), *_rows()], canaries=canaries, trained_kinds=("vague",))
    assert found.canary_bar == 1.0
    keywords, vague = found.canaries
    assert (keywords.kind, keywords.n, keywords.passed, keywords.share) == ("keywords", 1, 1, 1.0)
    assert (vague.n, vague.passed, vague.abstains) == (2, 0, 2)
    assert vague.low == 0.0
    assert vague.high == pytest.approx(1.96**2 / (2 + 1.96**2), abs=1e-3)  # Wilson, none of two
    assert (found.canaries_of(trained=True), found.canaries_of(trained=False)) == ((vague,), (keywords,))


def test_worst_errors_are_one_a_question_with_their_neighbours() -> None:
    rows = [
        row("a red bus", 0.0, "1"),
        row("a red bus indeed", 0.0, "1"),
        row("an omnibus", 1.0, "2"),
        row("red bus", 1.0, "3"),
    ]
    first, second = _measured(rows).worst
    assert (first.answer, first.truth, first.score) == ("a red bus", 0.0, 1.0)
    assert (second.answer, second.score) == ("an omnibus", 0.0)
    assert [neighbour.answer for neighbour in first.neighbours] == ["a red bus"] * 3


@pytest.mark.parametrize(("score", "word"), [(1.0, "right"), (0.0, "wrong")])
def test_one_class_alone_is_noted_and_its_figures_are_none(score: float, word: str) -> None:
    found = _measured([row("a red bus", score, str(n)) for n in range(3)], canaries=[row("x", 0.0, kind="k")])
    assert f"All 3 rows are {word}" in found.notes[0]
    assert found.figures["auc"] is None
    assert found.figures["pairwise_accuracy"] is None
    assert "auc" not in found.flat()
    assert len(found.canaries) == (1 if score else 0)


def test_one_question_alone_has_no_intervals_and_says_so() -> None:
    found = _measured(_rows(1))
    assert "one question" in found.notes[0]
    figure = found.figures["auc"]
    assert figure is not None
    assert (figure.value, figure.low, figure.high) == (1.0, None, None)


def test_contradicting_rows_are_noted() -> None:
    rows = [*_rows(2), row("A red  bus", 0.0, "1"), row("a red bus", 0.0, "0")]
    assert contradictions(rows) == [(0, 9), (4, 8)]
    assert (
        "2 answers are called right in one row and wrong in another, such as 'a red bus'" in _measured(rows).notes[-1]
    )


def test_a_measurement_is_json_without_nan() -> None:
    text = json.dumps(_measured(_rows(1), canaries=[row("x", 0.0, kind="k")]).to_json(), allow_nan=False)
    assert json.loads(text)["canaries"][0]["trained"] is False


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.5])
def test_what_is_no_score_is_refused(value: float) -> None:
    class Broken(OverlapSurrogate):
        def estimate(self, *arguments: Any, **more: Any) -> list[Estimate]:
            return [replace(item, score=value) for item in super().estimate(*arguments, **more)]

    with pytest.raises(ModelError, match=r"the answer 'a red bus': score is (nan|-0.1|1.5), which is no number"):
        _measured(_rows(), Broken())


def test_a_surrogate_that_loses_an_answer_is_refused() -> None:
    class Lossy(OverlapSurrogate):
        def estimate(self, *arguments: Any, **more: Any) -> list[Estimate]:
            return super().estimate(*arguments, **more)[1:]

    with pytest.raises(ModelError, match="gave 3 scores for 4 answers"):
        estimate_rows(Lossy(), _rows(1))


@pytest.mark.parametrize(("rows", "message"), [([], "there is none"), ([row("x", None)], "1 of 1 have no score")])
def test_rows_without_truth_are_refused(rows: list[AnswerRow], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        _measured(rows)


def test_answers_to_different_questions_of_a_group_are_not_ordered() -> None:
    rows = [replace(made, group="topic") for made in (row("a red bus", 1.0, "1"), row("a red bus", 0.0, "2"))]
    found = _measured([*rows, row("a bus", 1.0, "3"), row("car", 0.0, "3")])
    assert (found.questions, found.groups, found.pairs) == (3, 2, 1)
    assert len(found.worst) == 1


def test_peers_score_by_words_embedding_and_length() -> None:
    scores = peer_scores(
        [row("A red bus.", 1.0), replace(row("x y", 0.0), references=("a b c", "x y"))], WordEmbedder()
    )
    assert scores["token_f1"].tolist() == [1.0, 1.0]
    assert scores["longer_wins"].tolist() == [3.0, 2.0]
    assert scores["cosine"][1] == pytest.approx(1.0)
    assert token_f1("a b", "a b c d") == pytest.approx(2 / 3)
    assert token_f1("!", "a") == 0.0
