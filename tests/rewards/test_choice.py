import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.rule import verify

CITIES = ("London", "Paris", "Rome", "A small town")


def judge(answer: str, reference: str, choices: tuple[str, ...] = CITIES) -> bool | None:
    return verify(answer, [reference], AnswerType.CHOICE, choices=choices).correct


@pytest.mark.parametrize("reference", ["B", "Paris", "(B)"])
@pytest.mark.parametrize(
    "answer",
    [
        *("B", "b", "(B)", "B.", "b)", "[B]", "B:", "**B**", "$B$", r"\text{B}", "Option B"),
        *("Paris", "paris.", "B. Paris", "(B) Paris", "B: Paris", "B - Paris"),
    ],
)
def test_verify_choice_spellings_of_the_option_are_right(answer: str, reference: str) -> None:
    assert judge(answer, reference) is True


@pytest.mark.parametrize(
    "answer",
    [
        *("A", "C", "Z", "London", "none of them", "The answer"),
        *("A or B", "B, C", "B/C", "A B", "B or Z", "B. Rome", "C. Paris", "London or Paris"),
        *("B. or maybe C", "B. Not (C)", "B. Paris or Rome"),
    ],
)
def test_verify_choice_another_option_or_two_of_them_are_wrong(answer: str) -> None:
    assert judge(answer, "B") is False


def test_verify_choice_option_that_begins_with_a_letter_is_its_text() -> None:
    assert judge("A small town", "D") is True
    assert judge("A small town", "A") is False


def test_verify_choice_numbers_as_options_are_told_by_text() -> None:
    assert judge("4", "B", ("3", "4", "5")) is True
    assert judge("3", "4", ("3", "4", "5")) is False


def test_verify_choice_letters_alone_suffice() -> None:
    assert judge("(C)", "C", ()) is True
    assert judge("C. Rome", "C", ()) is True
    assert judge("B", "C", ()) is False


@pytest.mark.parametrize("reference", ["Berlin", "A or B"])
def test_verify_choice_reference_without_one_option_leaves_it_undecided(reference: str) -> None:
    assert judge("A", reference) is None
    assert judge(reference, reference) is True


def test_verify_choice_options_that_are_letters_of_others_leave_it_undecided() -> None:
    assert judge("A", "A", ("B", "A")) is True
    assert judge("B", "A", ("B", "A")) is None


@given(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["{}", "({})", "{}.", "{})", "Option {}"]))
def test_verify_choice_exactly_the_same_letter_is_right(given_: int, wanted: int, spelling: str) -> None:
    assert judge(spelling.format("ABCD"[given_]), "ABCD"[wanted]) is (given_ == wanted)
