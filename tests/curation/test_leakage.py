from typing import Any

import pytest

from components.curation.candidate import Candidate, Rejection
from components.curation.leakage import LeakageConfig, LeakageStep
from components.curation.typing_step import TypingStep
from tests.curation.candidates import candidate, choice

EVERYWHERE = LeakageConfig(question="reject", metadata="reject")


def place(row: Candidate, config: LeakageConfig = EVERYWHERE) -> str:
    """Where a leak is found, "" if nowhere."""
    try:
        LeakageStep(config)(row)
    except Rejection as rejection:
        return rejection.reason.removeprefix("leakage: ")
    return ""


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("The panda is eating. Which animal is it?", "panda"),
        ("A train to New  York. Where does it go?", "New York"),
        ("The sum of the angles, 12345, is shown. Which number is it?", "12345"),
    ],
)
def test_leakage_a_gold_in_the_question_is_found(question: str, reference: str) -> None:
    assert place(candidate(reference, question)) == "the answer is in the question"


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("Is it a panda or a grizzly?", "panda"),
        ("Which is it: panda, grizzly, or polar bear?", "panda"),
        ("What is next to the pandas?", "panda"),
        ("The angle is 125.5 degrees, what is shown?", "125"),
        ("The angle is 125.5 degrees, what is shown?", "5.5"),
        ("Is there a white car?", "white"),
        ("Is the cat here?", "cat"),
        ("Is \\sqrt{2} larger?", "sqrt"),
    ],
)
def test_leakage_what_is_asked_common_or_part_of_a_word_is_none(question: str, reference: str) -> None:
    assert place(candidate(reference, question, answer_type="short_text")) == ""


def test_leakage_options_listed_in_the_question_are_none() -> None:
    assert place(choice("zebra", ["zebra", "okapi"], question="What is it?\n(A) zebra\n(B) okapi")) == ""
    assert place(TypingStep()(candidate("B", "What is it? (A) okapi (B) zebra"))) == ""


@pytest.mark.parametrize(
    ("question", "reference", "choices"),
    [
        ("What is it? Answer: B", "B", ["cat", "dog"]),
        ("What is it? The correct answer is (B).", "dog", ["cat", "dog"]),
        ("What is it? Answer: dog", "B", ["cat", "dog"]),
        ("How many? Answer: 42", "42", None),
        ("How many? The answer is $42$.", "42", None),
        ("Is it? Solution: yes", "yes", None),
    ],
)
def test_leakage_a_stated_answer_is_found_however_short(question: str, reference: str, choices: Any) -> None:
    assert place(candidate(reference, question, choices=choices)) == "the question states the answer"


@pytest.mark.parametrize(
    ("question", "reference", "choices"),
    [
        ("Answer: A, B, C or D?", "A", ["cat", "dog"]),
        ("Reply in the format Answer: B", "B", ["cat", "dog"]),
        ("If the answer is yes, say why.", "yes", None),
        ("The answer is 42 + x; what is x?", "42", None),
        ("The answer is 42.5, rounded?", "42", None),
        ("Answer the question using a single word.\nAnswer:", "word", None),
        ("Which option is better?", "better", None),
    ],
)
def test_leakage_instructions_and_conditions_state_no_answer(question: str, reference: str, choices: Any) -> None:
    assert place(candidate(reference, question, choices=choices), LeakageConfig(question="ignore")) == ""


@pytest.mark.parametrize(
    "mark", ["dog (correct)", "dog [correct answer]", "*dog", "dog *", "**dog**", "✓ dog", "dog <-- answer"]
)
def test_leakage_a_mark_on_the_right_option_is_found(mark: str) -> None:
    for reference in ("B", "dog"):
        row = choice(reference, ["cat", mark], answer_type="choice")
        assert place(row) == "the right option is marked"


def test_leakage_marks_on_other_options_are_none() -> None:
    assert place(choice("A", ["cat", "*dog"])) == ""
    assert place(choice("A", ["*cat", "*dog"])) == ""
    assert place(choice("A", ["2*3", "2*4"])) == ""


def test_leakage_a_mark_on_an_option_listed_in_the_question_is_found() -> None:
    row = TypingStep()(candidate("B", "What is it?\n(A) cat\n(B) dog (correct)"))
    assert place(row) == "the right option is marked"


@pytest.mark.parametrize(
    ("name", "value", "is_leak"),
    [
        ("file_name", "images/panda_0001.jpg", True),
        ("id", "q-17-panda", True),
        ("caption", "A panda eats bamboo.", True),
        ("file_name", "images/pandas0001.jpg", False),
        ("answer", "panda", False),
        ("Answers", "['panda']", False),
    ],
)
def test_leakage_metadata_is_searched_but_for_columns_of_answers(name: str, value: str, is_leak: bool) -> None:
    assert bool(place(candidate("panda", metadata={name: value}))) is is_leak


def test_leakage_the_text_of_the_right_option_is_searched_for_a_letter() -> None:
    assert place(choice("B", ["okapi", "zebra"], metadata={"file": "zebra-2.png"})) == "the answer is in the metadata"


def test_leakage_every_reference_of_no_choice_counts_by_its_first() -> None:
    assert place(candidate(["panda", "grizzly"], "A grizzly?", task="vqa")) == ""


def test_leakage_evidence_shows_the_place_and_little_around_it() -> None:
    question = f"{'Far away. ' * 50}The panda eats. {'And so on. ' * 50}"
    with pytest.raises(Rejection) as caught:
        LeakageStep(EVERYWHERE)(candidate("panda", question))
    assert "The panda eats" in caught.value.evidence
    assert len(caught.value.evidence) < 150


def test_leakage_by_default_chance_is_flagged_and_a_statement_rejected() -> None:
    row = candidate("panda", "The panda is eating. Which animal is it?", metadata={"file": "panda.png"})
    flags = ("leakage: the answer is in the question", "leakage: the answer is in the metadata")
    assert LeakageStep()(row).flags == flags
    with pytest.raises(Rejection):
        LeakageStep()(candidate("B", "What? Answer: B"))
    assert LeakageStep(LeakageConfig(enabled=False))(candidate("B", "What? Answer: B")).flags == ()
