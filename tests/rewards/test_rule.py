from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.rewards.rule import Verdict, verify

RULED = [AnswerType.NUMBER, AnswerType.EXPRESSION, AnswerType.CHOICE, AnswerType.SHORT_TEXT]


def test_verify_open_ended_has_no_rule() -> None:
    verdict = verify("a dog", ["a dog"], AnswerType.OPEN_ENDED)
    assert (verdict.correct, verdict.rule) == (None, "no rule")


@pytest.mark.parametrize("references", [[], [" "], ["", "\n"]])
@pytest.mark.parametrize("answer_type", RULED)
def test_verify_without_references_is_undecided(answer_type: AnswerType, references: list[str]) -> None:
    assert verify("5", references, answer_type).correct is None


@pytest.mark.parametrize("answer_type", RULED)
def test_verify_blank_answer_is_wrong(answer_type: AnswerType) -> None:
    assert verify(" \n", ["B"], answer_type) == Verdict(False, "no answer")


@pytest.mark.parametrize("answer_type", RULED)
def test_verify_any_reference_suffices(answer_type: AnswerType) -> None:
    assert verify("b", ["a", "c", "b"], answer_type).correct is True


def test_verify_right_by_one_reference_beats_doubt_about_another() -> None:
    assert verify("5", ["five", "5"], AnswerType.NUMBER).correct is True


def test_verify_doubt_about_one_reference_leaves_it_undecided() -> None:
    for references in permutations(["6", "five"]):
        verdict = verify("5", references, AnswerType.NUMBER)
        assert verdict.correct is None
        assert "'five'" in verdict.reason


texts = st.sampled_from(
    ["5", "5.0", "five", "a", "A", "B", "(b)", "50%", "1/2", "0.5", "5 or 6", "the cat", "x+1", "1+x"]
)


@given(texts, st.lists(texts, min_size=1, max_size=4), st.sampled_from(RULED), st.randoms())
def test_verify_order_of_references_is_irrelevant(
    answer: str, references: list[str], answer_type: AnswerType, random: Random
) -> None:
    shuffled = list(references)
    random.shuffle(shuffled)
    assert verify(answer, shuffled, answer_type).correct == verify(answer, references, answer_type).correct


@given(texts, texts, st.sampled_from(RULED), st.text(alphabet=" \n\t", max_size=3))
def test_verify_surrounding_whitespace_is_irrelevant(
    answer: str, reference: str, answer_type: AnswerType, space: str
) -> None:
    padded = verify(f"{space}{answer}{space}", [f"{space}{reference}{space}"], answer_type)
    assert padded.correct == verify(answer, [reference], answer_type).correct


@given(texts, st.sampled_from(RULED))
def test_verify_a_text_is_never_wrong_against_itself(text: str, answer_type: AnswerType) -> None:
    assert verify(text, [text], answer_type).correct is not False


@pytest.mark.parametrize("answer_type", RULED)
@pytest.mark.parametrize(
    "hostile",
    ["9" * 1_000_000, "$" * 1_000_000, "A " * 500_000, "(" * 1_000_000, "\\text{" * 160_000, "A" + "." * 1_000_000],
    ids=lambda text: text[:6],
)
def test_verify_a_megabyte_of_hostile_text_is_not_right(answer_type: AnswerType, hostile: str) -> None:
    assert not verify(hostile, ["B", "7"], answer_type, choices=("cat", "dog")).correct
