import math
from collections.abc import Sequence

import pytest

from components.core.example import AnswerType, Example, Task
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.hybrid import Accuracy, hybrid_accuracy
from components.rewards.verdict import Verdict

NUMBER = Checkable(question="2+3?", references=("5",), answer_type=AnswerType.NUMBER, verifiable=True)
OPEN = Checkable(question="What is it?", references=("a red car",), answer_type=AnswerType.OPEN_ENDED, verifiable=False)


class OverlapScorer:
    """Scores by the share of the first reference's words that the answer holds, and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, str]]] = []

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        self.calls.append(list(zip(questions, answers, strict=True)))
        wanted = [set(accepted[0].split()) for accepted in references]
        return [len(words & set(answer.split())) / len(words) for words, answer in zip(wanted, answers, strict=True)]


class FixedScorer:
    """Returns the same scores whatever it is asked."""

    def __init__(self, *scores: float | None) -> None:
        self.scores = scores

    def score(
        self, _questions: Sequence[str], _answers: Sequence[str], _references: Sequence[Sequence[str]]
    ) -> Sequence[float | None]:
        return self.scores


class PictureScorer:
    """Scores by the size of the picture, and keeps what it was shown."""

    wants_images = True

    def __init__(self) -> None:
        self.shown: list[Sequence[bytes | None] | None] = []

    def score(
        self,
        _questions: Sequence[str],
        answers: Sequence[str],
        _references: Sequence[Sequence[str]],
        images: Sequence[bytes | None] | None = None,
    ) -> Sequence[float]:
        self.shown.append(images)
        return [0.0 if image is None else len(image) / 10 for image in images or [None] * len(answers)]


def block(answer: str) -> str:
    return f"<think>so</think><answer>{answer}</answer>"


def test_hybrid_accuracy_verifiable_goes_to_the_rule() -> None:
    scorer = OverlapScorer()
    right, wrong = hybrid_accuracy([(NUMBER, block("5")), (NUMBER, block("6"))], scorer)
    assert right == Accuracy(1.0, True, "5", "number", confidence=1.0)
    assert wrong == Accuracy(0.0, False, "6", "number", confidence=1.0)
    assert scorer.calls == []


def test_hybrid_accuracy_open_ended_goes_to_the_scorer_as_extracted() -> None:
    scorer = OverlapScorer()
    (accuracy,) = hybrid_accuracy([(OPEN, block("a red bus"))], scorer)
    assert accuracy == Accuracy(pytest.approx(2 / 3), None, "a red bus", "surrogate", score=pytest.approx(2 / 3))
    assert scorer.calls == [[("What is it?", "a red bus")]]


def test_hybrid_accuracy_route_follows_the_item_not_its_type() -> None:
    unruled = Checkable(question="How many?", references=("5",), answer_type=AnswerType.NUMBER, verifiable=False)
    assert hybrid_accuracy([(unruled, block("5"))], OverlapScorer())[0].rule == "surrogate"


def test_hybrid_accuracy_mixed_batch_keeps_its_order_and_asks_once() -> None:
    scorer = OverlapScorer()
    items = [(OPEN, block("car")), (NUMBER, block("5")), (OPEN, block("bus")), (OPEN, block("car")), (NUMBER, "")]
    values = [accuracy.value for accuracy in hybrid_accuracy(items, scorer)]
    assert values == [pytest.approx(1 / 3), 1.0, 0.0, pytest.approx(1 / 3), 0.0]
    assert scorer.calls == [[("What is it?", "car"), ("What is it?", "bus")]]


def test_hybrid_accuracy_same_question_with_other_references_is_asked_apart() -> None:
    other = Checkable(question=OPEN.question, references=("bus",), answer_type=OPEN.answer_type, verifiable=False)
    values = [accuracy.value for accuracy in hybrid_accuracy([(OPEN, "bus"), (other, "bus")], OverlapScorer())]
    assert values == [0.0, 1.0]


def test_hybrid_accuracy_no_answer_is_worth_nothing() -> None:
    scorer = OverlapScorer()
    ruled, scored = hybrid_accuracy([(NUMBER, block("")), (OPEN, "<think>cut off")], scorer)
    assert ruled == Accuracy(0.0, False, None, "no answer", confidence=1.0, flags=("no answer",))
    assert scored == Accuracy(0.0, None, None, "no answer", flags=("no answer",))
    assert scorer.calls == []


def test_hybrid_accuracy_undecided_has_a_reason_and_no_value() -> None:
    bare = Checkable(question="2+3?", references=(), answer_type=AnswerType.NUMBER, verifiable=True)
    (accuracy,) = hybrid_accuracy([(bare, block("5"))], OverlapScorer())
    assert accuracy == Accuracy(
        None, None, "5", "no rule", "the example has no reference", 0.0, ("no reference", "undecided")
    )


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf])
def test_hybrid_accuracy_score_out_of_range_raises_with_the_answer(score: float) -> None:
    with pytest.raises(ValueError, match=r"'a bus'.*must lie in \[0, 1\]"):
        hybrid_accuracy([(OPEN, block("a bus"))], FixedScorer(score))


def test_hybrid_accuracy_wrong_number_of_scores_raises_with_both_counts() -> None:
    with pytest.raises(ValueError, match="2 scores for 1 answers"):
        hybrid_accuracy([(OPEN, block("a bus"))], FixedScorer(0.5, 0.5))


def test_hybrid_accuracy_empty_batch_is_empty() -> None:
    assert hybrid_accuracy([], OverlapScorer()) == []


def test_hybrid_accuracy_scorer_that_abstains_leaves_no_value() -> None:
    (accuracy,) = hybrid_accuracy([(OPEN, block("a bus"))], FixedScorer(None))
    assert accuracy == Accuracy(None, None, "a bus", "surrogate", "no reward model scored the answer")


def test_hybrid_accuracy_without_a_scorer_leaves_open_ended_answers_without_value() -> None:
    right, scored, silent = hybrid_accuracy([(NUMBER, block("5")), (OPEN, block("a bus")), (OPEN, "")], None)
    assert right.value == 1.0
    assert (scored.value, scored.reason) == (None, "no reward model scored the answer")
    assert silent.value == 0.0


UNREFERENCED = Checkable(question="2+3?", references=(), answer_type=AnswerType.NUMBER, verifiable=True)


@pytest.mark.parametrize("undecided", ["zero", "abstain"])
def test_hybrid_accuracy_undecided_is_not_for_the_scorer_by_default(undecided: str) -> None:
    scorer = OverlapScorer()
    config = RewardsConfig.model_validate({"accuracy": {"undecided": undecided}})
    (accuracy,) = hybrid_accuracy([(UNREFERENCED, block("5"))], scorer, config)
    assert (accuracy.value, scorer.calls) == (None, [])


def test_hybrid_accuracy_undecided_is_scored_by_the_policy_surrogate() -> None:
    config = RewardsConfig.model_validate({"accuracy": {"undecided": "surrogate"}})
    (accuracy,) = hybrid_accuracy([(UNREFERENCED, block("5"))], FixedScorer(0.75), config)
    assert accuracy == Accuracy(0.75, None, "5", "surrogate", "", 0.0, ("no reference", "undecided"), 0.75)


def test_hybrid_accuracy_policy_surrogate_without_a_scorer_keeps_the_verifiers_reason() -> None:
    config = RewardsConfig.model_validate({"accuracy": {"undecided": "surrogate"}})
    (accuracy,) = hybrid_accuracy([(UNREFERENCED, block("5"))], None, config)
    assert (accuracy.value, accuracy.reason) == (None, "the example has no reference")


def test_hybrid_accuracy_strata_ask_the_scorer_about_decided_answers_and_keep_the_verdict() -> None:
    scorer = OverlapScorer()
    config = RewardsConfig.model_validate({"strata": {"wrong": 0.1}})
    items = [(NUMBER, block("5")), (NUMBER, block("6")), (NUMBER, block("6")), (NUMBER, ""), (OPEN, "a car")]
    accuracies = hybrid_accuracy(items, scorer, config)
    assert scorer.calls == [[("2+3?", "5"), ("2+3?", "6"), ("What is it?", "a car")]]
    assert [accuracy.value for accuracy in accuracies] == [1.0, 0.0, 0.0, 0.0, pytest.approx(2 / 3)]
    assert [accuracy.score for accuracy in accuracies] == [1.0, 0.0, 0.0, None, pytest.approx(2 / 3)]


def test_hybrid_accuracy_equal_answers_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[tuple[Checkable, str]]] = []

    def verify_all(items: Sequence[tuple[Checkable, str]]) -> list[Verdict]:
        asked.append(items)
        return [Verdict(True, "number", confidence=0.5, flags=("rounded",)) for _ in items]

    monkeypatch.setattr("components.rewards.hybrid.verify_all", verify_all)
    accuracies = hybrid_accuracy([(NUMBER, block("5")), (NUMBER, r"so \boxed{5}"), (NUMBER, block(" 5 "))], None)
    assert asked == [[(NUMBER, "5")]]
    assert accuracies == [Accuracy(1.0, True, "5", "number", "", 0.5, ("rounded",))] * 3


def test_hybrid_accuracy_strict_demands_the_template() -> None:
    strict = RewardsConfig(strict=True)
    assert hybrid_accuracy([(NUMBER, "5")], None)[0].extracted == "5"
    assert hybrid_accuracy([(NUMBER, "5")], None, strict)[0].extracted is None
    assert hybrid_accuracy([(NUMBER, block("5"))], None, strict)[0].extracted == "5"


def test_hybrid_accuracy_answer_is_read_from_the_last_block_of_the_template() -> None:
    config = RewardsConfig.model_validate({"format": {"tags": ["reason", "final"]}})
    completion = r"<reason>\boxed{7}</reason><final>5</final>"
    assert hybrid_accuracy([(NUMBER, completion)], None, config)[0].extracted == "5"
    assert hybrid_accuracy([(NUMBER, completion)], None)[0].extracted == "7"


def test_checkable_of_an_example_carries_what_the_rules_need() -> None:
    example = Example(
        id="0",
        images=(b"png",),
        question="How long?",
        references=("12.0", "12"),
        answer_type=AnswerType.NUMBER,
        task=Task.MATH,
        verifiable=True,
        choices=("11", "12"),
        unit="cm",
        precision=1,
    )
    assert Checkable.of(example) == Checkable(
        question="How long?",
        references=("12.0", "12"),
        answer_type=AnswerType.NUMBER,
        verifiable=True,
        choices=("11", "12"),
        unit="cm",
        precision=1,
    )


def test_hybrid_accuracy_shows_pictures_to_a_scorer_that_looks_at_them() -> None:
    scorer, items = PictureScorer(), [(OPEN, block("a bus"))] * 4 + [(NUMBER, block("5"))]

    values = [item.value for item in hybrid_accuracy(items, scorer, None, [b"12", b"1234", None, b"12", b"1"])]

    assert values == [0.2, 0.4, 0.0, 0.2, 1.0]
    assert scorer.shown == [(b"12", b"1234", None)]


def test_hybrid_accuracy_without_pictures_shows_none() -> None:
    scorer = PictureScorer()
    (accuracy,) = hybrid_accuracy([(OPEN, block("a bus"))], scorer)
    assert (accuracy.value, scorer.shown) == (0.0, [(None,)])


def test_hybrid_accuracy_keeps_pictures_from_a_scorer_of_texts_and_asks_it_once() -> None:
    scorer = OverlapScorer()
    first, second = hybrid_accuracy([(OPEN, block("a bus"))] * 2, scorer, None, [b"1", b"2"])
    assert first == second
    assert len(scorer.calls[0]) == 1
