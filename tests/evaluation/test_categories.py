import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.core.sample import CATEGORIES
from components.evaluation.categories import category_of, repeats


def _category(completion: str, extracted: str | None, *references: str, flags: tuple[str, ...] = ()) -> str:
    return category_of(completion, extracted, references, 0.0, flags)


@pytest.mark.parametrize(
    ("strict", "flags", "category"),
    [
        (1.0, (), "right"),
        (1.0, ("truncated",), "right"),
        (0.3, ("no answer",), "partly right"),
        (0.0, ("not generated", "truncated", "no answer"), "not generated"),
        (0.0, ("no answer", "truncated"), "truncated"),
        (0.0, ("fallback", "no answer"), "no answer"),
        (0.0, ("resized",), "wrong"),
    ],
)
def test_score_and_flags_come_first(strict: float, flags: tuple[str, ...], category: str) -> None:
    assert category_of("blue", "blue", ["7"], strict, flags) == category


@pytest.mark.parametrize("extracted", [None, "", " \n"])
def test_nothing_extracted_is_no_answer(extracted: str | None) -> None:
    assert _category("It is 7.", extracted, "7") == "no answer"


@pytest.mark.parametrize(
    ("completion", "reference"),
    [
        ("It is 7. Four cats.", "7"),
        ("7", "7"),
        ("So x = 7, as was asked.", "7"),
        ("Between 3-7 of them.", "7"),
        ("It costs $7.", "$7"),
        ("In NEW\nYork, I think.", "New York"),
        ("That is -7.", "-7"),
        ("It is 1,234.5 now.", "1,234.5"),
        (r"\boxed{7}", "7"),
        ("The answer is (C), four.", "C"),
        ("Answer: **C**", "c"),
        (r"\boxed{\text{C}}", "C"),
        ("Let us see.\n(C)\nfour", "C"),
        ("17, 27, 7", "7"),
    ],
)
def test_reference_in_the_response_that_was_not_taken_is_an_extraction(completion: str, reference: str) -> None:
    assert _category(completion, "four", reference) == "extraction"


@pytest.mark.parametrize(
    ("completion", "reference"),
    [
        ("It is 17.", "7"),
        ("It is 7.5.", "7"),
        ("It is 0.7.", "7"),
        ("It is 7,000.", "7"),
        ("It is 7/8.", "7"),
        ("It is -7.", "7"),
        ("x=-7", "7"),
        ("yorkshire", "York"),
        ("Take a cat and count.", "A"),
        ("A is too small, C is too large.", "C"),
        ("", "7"),
        ("anything", ""),
        ("anything", " "),
    ],
)
def test_part_of_a_longer_word_or_number_is_no_extraction(completion: str, reference: str) -> None:
    assert _category(completion, "four", reference) == "wrong"


@pytest.mark.parametrize(
    ("extracted", "reference", "category"),
    [
        ("110", "100", "near miss"),
        ("90", "100", "near miss"),
        ("110.1", "100", "wrong"),
        ("-100", "100", "wrong"),
        ("0.01", "0", "wrong"),
        ("$1,050", "1000 dollars", "near miss"),
        ("3/4", "0.76", "near miss"),
        ("92345", "12345", "wrong"),  # four of five characters agree, but numbers are compared as numbers
        ("Main Stret", "main street", "near miss"),
        ("abcde", "abcdx", "near miss"),
        ("abcd", "abxd", "wrong"),
        ("B", "C", "wrong"),
    ],
)
def test_near_miss_is_a_close_number_or_a_close_text(extracted: str, reference: str, category: str) -> None:
    assert _category(f"I say {extracted}", extracted, "something else", reference) == category


def test_answer_that_equals_a_reference_and_yet_scored_0_is_a_near_miss() -> None:
    assert _category("The word is stop", "stop", "STOP") == "near miss"


@given(st.text(), st.none() | st.text(), st.lists(st.text(max_size=20), max_size=5), st.floats(0, 1))
def test_every_sample_has_one_of_the_categories(
    completion: str, extracted: str | None, references: list[str], strict: float
) -> None:
    assert category_of(completion, extracted, references, strict, ()) in CATEGORIES


@pytest.mark.parametrize(
    ("completion", "references"),
    [
        ("5" * 1_000_000, ["5" * length for length in range(1, 400)]),
        ("a " * 500_000, ["a" * 1_000_000, *[f"{letter} a" for letter in "bcdefg"]]),
        ("-" * 1_000_000, [str(number) for number in range(100_000)]),
    ],
)
def test_work_on_a_long_response_and_many_references_is_bounded(completion: str, references: list[str]) -> None:
    # Looking at every place of every reference would take longer than a test may.
    for answer in (completion, completion[:1000], "7"):
        assert category_of(completion, answer, references, 0.0, ()) in CATEGORIES
    assert repeats(completion)


def _loops(text: str) -> bool:
    """The definition, tried for every length of the unit."""
    tail = text[-2000:]
    for unit in range(1, len(tail) // 4 + 1):
        length = max(4 * unit, 20)
        span = tail[len(tail) - length :] if length <= len(tail) else ""
        if span and all(span[place] == span[place - unit] for place in range(unit, length)):
            return True
    return False


_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@given(before=st.text(max_size=100), unit=_WORDS, times=st.integers(4, 30), cut=st.integers(0, 59))
def test_text_repeated_at_the_end_is_a_loop(before: str, unit: str, times: int, cut: int) -> None:
    times = max(times, -(-20 // len(unit)))

    assert repeats(before + unit * times)
    assert repeats(before + unit * times + unit[: cut % len(unit)])


def test_long_loop_is_found_up_to_units_of_500_characters() -> None:
    letters = random.Random(3)
    unit = "".join(letters.choices("abcdefghij ", k=500))

    assert repeats("So: " + unit * 4)
    assert not repeats(unit * 3)


@pytest.mark.parametrize("seed", range(20))
def test_random_text_is_no_loop(seed: int) -> None:
    letters = random.Random(seed)

    assert not repeats("".join(letters.choices("abcdefghijklmnopqrstuvwxyz ", k=3000)))
    assert not repeats(" ".join(letters.choices(("the", "cat", "sat", "on", "a", "mat", "and"), k=800)))


@given(st.lists(st.sampled_from(("a", "b", "ab", "abc ", "x" * 6)), max_size=40).map("".join))
@example("a" * 19)
@example("a" * 20)
@example("ab" * 10)
@example("b" + "a" * 19)
@example("abcde" * 4)
@example("abcdef" * 3 + "abcde")
def test_loops_are_those_of_the_definition(text: str) -> None:
    assert repeats(text) == _loops(text)


@pytest.mark.parametrize("text", ["", "7", "no no no", "ha ha ha ha", "It is 0.333333."])
def test_short_or_ordinary_end_is_no_loop(text: str) -> None:
    assert not repeats(text)


def test_loop_that_was_left_is_none() -> None:
    assert not repeats("wait " * 50 + "the answer is 7.")
