import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.rule import verify


def judge(answer: str, reference: str) -> bool | None:
    return verify(answer, [reference], AnswerType.SHORT_TEXT).correct


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("STOP", "stop"),
        ("a  red\n car", "red car"),
        ("The Cat.", "cat"),
        ('"Exit"', "exit"),
        ('the "exit"', "exit"),
        ("Stra\u00dfe", "STRASSE"),
        ("cafe\u0301", "caf\u00e9"),
        ("A", "a"),
        ("...", "..."),
    ],
)
def test_verify_short_text_case_space_punctuation_and_article_do_not_count(answer: str, reference: str) -> None:
    assert judge(answer, reference) is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("red car", "car"),
        ("cats", "cat"),
        ("-5", "5"),
        (".5", "5"),
        ("5%", "5"),
        ("$5", "5"),
        ("C++", "C"),
        ("m\u00b2", "m2"),
        ("not a cat", "cat"),
        ("cat or dog", "cat"),
        ("theatre", "atre"),
    ],
)
def test_verify_short_text_any_other_difference_is_wrong(answer: str, reference: str) -> None:
    assert judge(answer, reference) is False


@given(st.lists(st.text(alphabet="abcXYZ019", min_size=1), min_size=1), st.text(alphabet=" \n\t", min_size=1))
def test_verify_short_text_kind_of_whitespace_is_irrelevant(words: list[str], space: str) -> None:
    assert judge(space.join(words), " ".join(words)) is True
