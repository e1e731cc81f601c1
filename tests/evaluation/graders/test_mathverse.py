from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import NO_ANSWER, MetaError
from components.evaluation.graders.mathverse import RULE_SCORED, mathverse

CHOICE = {"question_type": "multi-choice"}
FREE = {"question_type": "free-form"}


@pytest.mark.parametrize(
    ("response", "gold", "meta", "score"),
    [
        ("\\boxed{B}", "B", CHOICE, 1.0),
        ("The answer is (B).", "B", CHOICE, 1.0),
        ("\\boxed{C}", "B", CHOICE, 0.0),
        ("\\boxed{30}", "B", {**CHOICE, "choices": ["20", "30"]}, 1.0),
        ("\\boxed{\\frac{2}{4}}", "0.5", FREE, 1.0),
        ("\\boxed{3}", "4", FREE, 0.0),
    ],
)
def test_scores(response: str, gold: str, meta: dict[str, Any], score: float) -> None:
    grade = mathverse(response, [gold], meta)
    assert (grade.score, RULE_SCORED in grade.flags) == (score, True)


def test_empty() -> None:
    assert mathverse("", ["4"], FREE).flags == (RULE_SCORED, NO_ANSWER)


@pytest.mark.parametrize("meta", [{"question_type": 3}, {"question_type": "multi_choice"}, {**CHOICE, "choices": "ab"}])
def test_wrong_meta(meta: dict[str, Any]) -> None:
    with pytest.raises(MetaError):
        mathverse("B", ["B"], meta)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    assert mathverse(text, ["B"], CHOICE).score in (0.0, 1.0)


@pytest.mark.timeout(8)
@pytest.mark.parametrize(
    "text", ["9" * 10**6, "\\boxed{9^{9^{9^9}}}", "\\boxed{\\frac{1", "\x00\ud800", "\\boxed{" * 140_000]
)
def test_hostile(text: str) -> None:
    assert mathverse(text, ["3"], FREE).score == 0.0


@pytest.mark.parametrize(
    ("prediction", "reference", "meta", "score"),
    [
        ("The answer is B.", "B", {}, 1.0),
        ("The answer is B.", "C", {}, 0.0),
        (r"so \boxed{4\sqrt{2}}", r"\sqrt{32}", {}, 1.0),
        ("The answer is Paris", "Paris", {"choices": ["Oslo", "Paris"]}, 1.0),
    ],
)
def test_question_type_is_told_from_the_references(
    prediction: str, reference: str, meta: dict[str, Any], score: float
) -> None:
    assert mathverse(prediction, [reference], meta).score == score
