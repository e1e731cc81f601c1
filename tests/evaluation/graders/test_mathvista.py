from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.grade import FALLBACK, NO_ANSWER, MetaError
from components.evaluation.graders.mathvista import mathvista, mathvista_strict

CHOICES = ["triangle", "square", "circle"]


def multi(choices: list[str] = CHOICES, **meta: Any) -> dict[str, Any]:
    return {"question_type": "multi_choice", "answer_type": "text", "choices": choices, **meta}


def free(answer_type: str, **meta: Any) -> dict[str, Any]:
    return {"question_type": "free_form", "answer_type": answer_type, **meta}


@pytest.mark.parametrize(
    ("text", "expected", "guessed"),
    [
        ("B", "square", False),
        (" B ", "square", False),
        ("(b)", "square", False),
        ("it is (c) or (a)", "circle", False),
        ("circle", "circle", False),
        ("b", "square", True),  # 6, 6 would tie, but distance to "square" is 6, to "circle" 6, to "triangle" 8
        ("D", "square", True),
        ("(z)", "square", True),
        ("circl", "circle", True),
        ("", "square", True),  # 8, 6, 6: the first minimum
    ],
)
def test_choice(text: str, expected: str, guessed: bool) -> None:
    grade = mathvista(text, [expected], multi(stage="normalize"))
    assert (grade.score, grade.extraction, FALLBACK in grade.flags) == (1.0, expected, guessed)


def test_choice_whose_text_is_a_letter_in_brackets() -> None:
    assert mathvista("(b)", ["(b)"], multi(["(b)", "(a)"])).score == 0.0


@pytest.mark.parametrize(
    ("answer_type", "text", "precision", "expected"),
    [
        ("integer", "3.7", None, "3"),
        ("integer", "-2.7", None, "-2"),
        ("integer", "1e3", None, "1000"),
        ("integer", "inf", None, None),
        ("integer", "nan", None, None),
        ("integer", "5 cm", None, None),
        ("float", "0.25", 1.0, "0.2"),
        ("float", "0.35", 1.0, "0.3"),
        ("float", "2.675", 2.0, "2.67"),
        ("float", "inf", 1.0, "inf"),
        ("float", "nan", 1.0, "nan"),
        ("float", "1", 2, "1.0"),
        ("float", "1", None, None),
        ("float", "1", float("nan"), None),
        ("list", "[1, 2]", None, "[1, 2]"),
        ("text", " x", None, " x"),
    ],
)
def test_normalisation(answer_type: str, text: str, precision: float | None, expected: str | None) -> None:
    grade = mathvista(text, [expected or "0"], free(answer_type, precision=precision, stage="normalize"))
    assert (grade.score, grade.extraction) == (float(expected is not None), expected)


@pytest.mark.parametrize(
    ("answer_type", "response", "answer", "score"),
    [
        ("integer", " 3 ", "3", 1.0),
        ("integer", "3.7", "3", 0.0),  # no integer as it stands: it would be the judge's
        ("float", "3.74", "3.7", 1.0),
        ("list", "[1, 2]", "[1, 2]", 0.0),
        ("text", "yes", "yes", 0.0),
    ],
)
def test_extraction_without_judge(answer_type: str, response: str, answer: str, score: float) -> None:
    assert mathvista(response, [answer], free(answer_type, precision=1.0)).score == score


def test_quick_extraction() -> None:
    meta = free("list", quick_extract=True)
    assert mathvista('So.\nThe answer is "[1, 2]".', ["[1, 2]"], meta).score == 1.0
    assert mathvista('The answer is "a". Or "b".', ['a". Or "b'], meta).score == 1.0
    assert mathvista("The answer is 5.", ["5"], meta).flags == (NO_ANSWER,)
    assert mathvista('The answer is "B".', ["square"], multi()).flags == (NO_ANSWER, FALLBACK)


def test_strict_gives_nothing_for_nothing() -> None:
    assert mathvista("I think B", ["square"], multi()).score == 1.0
    assert mathvista_strict("I think B", ["square"], multi()).score == 0.0
    assert mathvista_strict("square", ["square"], multi()).score == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"question_type": "mc"},
        {"answer_type": None},
        {"precision": "1"},
        {"precision": -1},
        {"choices": "ab"},
        {"choices": []},
        {"stage": "x"},
        {"quick_extract": 1},
    ],
)
def test_wrong_meta_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(MetaError, match=next(iter(wrong))):
        mathvista("B", ["square"], {**multi(), **wrong})


@given(st.text(), st.sampled_from(["text", "integer", "float", "list"]), st.booleans(), st.booleans())
def test_any_text(text: str, answer_type: str, quick: bool, is_choice: bool) -> None:
    meta = {**(multi() if is_choice else free(answer_type, precision=1.0)), "answer_type": answer_type}
    assert mathvista(text, ["1"], {**meta, "quick_extract": quick}).score in (0.0, 1.0)


@pytest.mark.timeout(2)
@pytest.mark.parametrize("text", ["9" * 10**6, 'The answer is "' * 70_000, "(" * 10**6, "\x00\ud800"])
def test_hostile(text: str) -> None:
    for meta in (multi(stage="normalize"), free("integer", quick_extract=True), free("float", precision=1.0)):
        assert mathvista(text, ["1"], meta).score == 0.0
