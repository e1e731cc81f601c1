import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.curation.options import bare, choices_of, find_options, lettered, stated, tagged, unboxed


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("How much?\nA. 3\nB. 4\nC. 5", ["3", "4", "5"]),
        ("How much?\nA、$$3$$\nB、$$4$$", ["$$3$$", "$$4$$"]),
        ("How much?\nChoices:\n(A) 3/11\n(B) 8/11\n(C) 6/11\n(D) 3/5", ["3/11", "8/11", "6/11", "3/5"]),
        ("How much? Choices: (A) red (B) dark red", ["red", "dark red"]),
        ("How much? ( )\nA. 12 B. 18 C. 27 D. 54", ["12", "18", "27", "54"]),
        ("How much?\nA: left\nB: right\nAnswer with the letter.", ["left", "right"]),
        ("In figure A. we see (A) something.", []),
        ("A. only one", []),
        ("B. no first\nC. one", []),
        ("A. \nB. 4", []),
        ("What is angle ABC?", []),
        ("", []),
    ],
)
def test_options_are_told_from_the_question(question: str, options: list[str]) -> None:
    assert find_options(question) == options


@pytest.mark.parametrize(
    ("answer", "options"),
    [("B", ["3", "4"]), ("(b)", ["3", "4"]), ("4", ["3", "4"]), ("C", []), ("7", []), ("", [])],
)
def test_options_count_where_the_answer_names_one(answer: str, options: list[str]) -> None:
    assert choices_of("How much?\nA. 3\nB. 4", answer) == options


@given(
    st.lists(
        st.text(alphabet="xyz 123-", min_size=1).filter(lambda text: text.strip() == text), min_size=2, max_size=10
    )
)
def test_options_that_are_written_as_lines_are_read_back(options: list[str]) -> None:
    assert find_options(f"What?\n{lettered(options)}") == options


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"\boxed{A}", "A"),
        (r"so $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"first \boxed{1}, then \boxed{2}", "2"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{1", None),
        (r"\{eqalign \boxed{\left\{ x", None),
        ("7", None),
        (r"\boxed{}", ""),
    ],
)
def test_boxed_answers_are_unboxed(text: str, inside: str | None) -> None:
    assert unboxed(text) == inside


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is B", "B"),
        ("The answer is 10^4", "10^4"),
        ("the answer is: 3.5.", "3.5"),
        ("Answer: yes", "yes"),
        ("3.", "3."),
        ("It rains.", "It rains."),
    ],
)
def test_the_sentence_around_an_answer_is_taken_off(text: str, answer: str) -> None:
    assert stated(text) == answer


def test_tags_are_taken_off() -> None:
    assert tagged("<think>x</think><answer> 145° </answer>") == "145°"
    assert tagged("145°") is None


def test_marks_of_images_and_hints_are_no_part_of_the_question() -> None:
    hint = "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\n"

    assert bare(f"<image>\n{hint}Question: Is it?\nChoices:\n(A) yes\n(B) no") == "Is it?\nChoices:\n(A) yes\n(B) no"
    assert bare("<image>Find x.") == bare("<image_1> Find x.") == "Find x."
    assert bare("Hint: look up.") == "Hint: look up."
