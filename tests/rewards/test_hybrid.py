import math
from collections.abc import Sequence

import pytest

from components.core.example import AnswerType, Example, Task
from components.rewards.checkable import Checkable
from components.rewards.hybrid import Accuracy, hybrid_accuracy

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

    def __init__(self, *scores: float) -> None:
        self.scores = scores

    def score(
        self, _questions: Sequence[str], _answers: Sequence[str], _references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        return self.scores


def block(answer: str) -> str:
    return f"<think>so</think><answer>{answer}</answer>"


def test_hybrid_accuracy_verifiable_goes_to_the_rule() -> None:
    scorer = OverlapScorer()
    right, wrong = hybrid_accuracy([(NUMBER, block("5")), (NUMBER, block("6"))], scorer)
    assert right == Accuracy(1.0, True, "5", "number")
    assert wrong == Accuracy(0.0, False, "6", "number")
    assert scorer.calls == []


def test_hybrid_accuracy_open_ended_goes_to_the_scorer_as_extracted() -> None:
    scorer = OverlapScorer()
    (accuracy,) = hybrid_accuracy([(OPEN, block("a red bus"))], scorer)
    assert accuracy == Accuracy(pytest.approx(2 / 3), None, "a red bus", "surrogate")
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
    assert ruled == Accuracy(0.0, False, None, "no answer")
    assert scored == Accuracy(0.0, None, None, "no answer")
    assert scorer.calls == []


def test_hybrid_accuracy_undecided_has_a_reason_and_no_value() -> None:
    bare = Checkable(question="2+3?", references=(), answer_type=AnswerType.NUMBER, verifiable=True)
    (accuracy,) = hybrid_accuracy([(bare, block("5"))], OverlapScorer())
    assert accuracy == Accuracy(None, None, "5", "no rule", "the example has no reference")


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf])
def test_hybrid_accuracy_score_out_of_range_raises_with_the_answer(score: float) -> None:
    with pytest.raises(ValueError, match=r"'a bus'.*must lie in \[0, 1\]"):
        hybrid_accuracy([(OPEN, block("a bus"))], FixedScorer(score))


def test_hybrid_accuracy_wrong_number_of_scores_raises_with_both_counts() -> None:
    with pytest.raises(ValueError, match="2 scores for 1 answers"):
        hybrid_accuracy([(OPEN, block("a bus"))], FixedScorer(0.5, 0.5))


def test_hybrid_accuracy_empty_batch_is_empty() -> None:
    assert hybrid_accuracy([], OverlapScorer()) == []


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
