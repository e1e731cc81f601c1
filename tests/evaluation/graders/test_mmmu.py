import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluation.grade import MetaError
from components.evaluation.graders.mmmu import mmmu_multichoice, mmmu_open

OPTIONS = {"options": ["red", "green", "dark blue", "light blue"]}


@pytest.mark.parametrize(
    ("prediction", "letter"),
    [
        ("B", "B"),
        (" B ", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("B.,", "B"),  # the comma goes first, then the full stop
        ("B,.", None),  # the full stop goes after the comma's turn
        ("B)", None),
        ("B:", "B"),
        ("B: green", None),
        ("**B**", None),
        ("\\boxed{B}", None),
        ("b", None),
        ("E", None),
        ("(A) no, (C)", "C"),
        ("(C) no, (A) rather", "A"),
        ("A or B", "B"),
        ("B or A or B", "B"),
        ("A beats (C)", "C"),  # brackets come before bare letters
        ("(C) but A ", "C"),
        ("I think it is certainly Green", "B"),
        ("I think it is green", None),  # five words are too few
        ("it is green, not at all red", "A"),
        ("what I see is LIGHT BLUE here", "D"),
        ("", None),
    ],
)
def test_the_letter_that_is_read(prediction: str, letter: str | None) -> None:
    grade = mmmu_multichoice(prediction, ["B"], OPTIONS)
    assert grade.extraction == letter
    assert grade.score == (None if letter is None else float(letter == "B"))
    assert grade.flags == (("no answer", "fallback") if letter is None else ())


def test_of_options_at_one_place_the_first_wins() -> None:
    assert mmmu_multichoice("one two three four five blue", ["A"], {"options": ["blue", "Blue"]}).score == 1.0


@pytest.mark.parametrize("options", [None, "red", [], ["a", 1], ["x"] * 27, {"A": "red"}])
def test_wrong_options_are_refused(options: Any) -> None:
    with pytest.raises(MetaError, match="options"):
        mmmu_multichoice("A", ["A"], {"options": options})


@pytest.mark.parametrize(
    ("prediction", "references", "score"),
    [
        ("The answer is 3.14.", ["3.14"], 1),
        ("The answer is 3.14159", ["3.14"], 1),
        ("The answer is 3.14.", ["3.1"], 0),
        ("3.146", ["3.15"], 1),
        ("The result is 1,234 people", ["1234"], 1),
        ("The result is 1234", ["1,234"], 1),
        ("so 50%", ["50"], 1),
        ("so 50%", ["50%"], 1),
        ("so 0.5", ["50%"], 0),
        ("x = 1.5e3 m", ["1500"], 1),
        ("is -7 degrees", ["-7"], 1),
        ("x = 7", ["-7"], 0),
        ("y = 2\nx = 3", ["3"], 1),
        ("2 is the sum of\n1 and 1", ["2"], 0),  # a line's tail alone counts where one has an indicator
        ("It is a Transistor, surely", ["transistor"], 1),
        ("It is a transistor", ["resistor", "transistor"], 1),
        ("It is a transistor", ["sis"], 1),
        ("It is path", ["a"], 0),
        ("It is a path", ["a"], 1),  # "a" with a space beside it
        ("a", ["a"], 1),
        ("", ["x"], 0),
    ],
)
def test_open_answers(prediction: str, references: list[str], score: int) -> None:
    assert mmmu_open(prediction, references, {}).score == score


def test_the_extraction_of_an_open_answer_is_its_tails() -> None:
    assert mmmu_open("So the result is 5\nand x = 7.", ["7"], {}).extraction == "5\n7"
    assert mmmu_open(" ", ["7"], {}) == mmmu_open(".", ["7"], {})
    assert mmmu_open(" ", ["7"], {}).flags == ("no answer",)


@given(st.text(), st.lists(st.text(), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_text_is_graded(prediction: str, texts: list[str]) -> None:
    assert mmmu_multichoice(prediction, ["A"], {"options": texts}).score in (0.0, 1.0, None)
    assert mmmu_open(prediction, texts, {}).score in (0.0, 1.0)


@pytest.mark.parametrize("unit", ["1", "1.", "1,111,", "-", "1e", "is ", "a\n", "is 1\n", "=", "(", "\0", "\u202e1,"])
def test_hostile_text_takes_bounded_time(unit: str) -> None:
    text = unit * (300_000 // len(unit)) + "x"
    start = time.monotonic()
    mmmu_open(text, ["5"], {})
    mmmu_multichoice(text, ["A"], OPTIONS)
    assert time.monotonic() - start < 2
