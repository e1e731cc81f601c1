"""From a response to marks: cases worked out by hand, and what holds for any text."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.core.errors import SourceError
from components.core.question import Question
from components.evaluation.benchmark import Marks
from components.evaluation.benchmarks.marking import answer_text, option_named
from components.evaluation.benchmarks.registry import NAMES, load_benchmark

Read = Callable[[str], dict[str, Question]]

GUESSED = ("no answer", "fallback")
CASES = [
    # benchmark, question, response, score, strict, extracted, flags
    # "140°" is option B of four options that are equally long: the nearest to nothing is A.
    ("mathvista_testmini", "2", "140°", 1, 1, "140°", ()),
    ("mathvista_testmini", "2", "<think>A?</think>\n<answer>B</answer>", 0, 1, "140°", ("fallback",)),
    ("mathvista_testmini", "2", "The answer is B.", 0, 1, "140°", ("fallback",)),
    ("mathvista_testmini", "2", "B. 140°", 0, 1, "140°", ("fallback",)),
    ("mathvista_testmini", "2", "The answer is (C).", 0, 0, "145°", ("fallback",)),
    ("mathvista_testmini", "2", "A or B", 0, 0, "A or B", ("fallback",)),
    ("mathvista_testmini", "2", "(B) or (C)", 0, 0, "(B) or (C)", ("fallback",)),
    ("mathvista_testmini", "2", "", 0, 0, None, GUESSED),
    ("mathvista_testmini", "11", "", 1, 0, None, GUESSED),  # "upper" is the first of two that are equally long
    ("mathvista_testmini", "10", "lef", 1, 0, "lef", ("fallback",)),  # "left" is nearest, and not named
    ("mathvista_testmini", "4", "2", 1, 1, "2", ()),
    ("mathvista_testmini", "4", "<answer>2</answer>", 1, 1, "2", ()),
    ("mathvista_testmini", "4", "So there are \\boxed{2}", 0, 1, "2", ()),
    ("mathvista_testmini", "4", "2 or 3", 0, 0, "2 or 3", ()),
    ("mathvista_testmini", "4", "two", 0, 0, "two", ()),
    ("mathvista_testmini", "4", "The answer is 2.9", 0, 1, "2", ()),  # the official normalisation truncates
    ("mathvista_testmini", "4", "<think>2</think>", 0, 0, None, ("no answer",)),
    ("mathvista_testmini", "5", "14 years", 0, 1, "14", ()),
    ("mathvista_testmini", "6", "1.46", 1, 1, "1.5", ()),
    ("mathvista_testmini", "6", "<answer>1.5 cm</answer>", 0, 1, "1.5", ()),
    ("mathvista_testmini", "7", "2.25", 1, 1, "2.25", ()),
    ("mathvista_testmini", "7", "\\frac{9}{4}", 0, 0, "\\frac{9}{4}", ()),
    ("mathvista_testmini", "8", "[2014, 2016]", 0, 1, "[2014, 2016]", ()),
    ("mathverse_testmini", "1", "C", 1, 1, "C", ()),
    ("mathverse_testmini", "1", "80°", 1, 1, "80°", ()),
    ("mathverse_testmini", "1", "<think>B</think><answer>(C)</answer>", 1, 1, "(C)", ()),
    ("mathverse_testmini", "1", "The answer is B.", 0, 0, "B", ()),
    ("mathverse_testmini", "1", "", 0, 0, None, ("no answer",)),
    ("mathverse_testmini", "6", "0.5", 1, 1, "0.5", ()),
    ("mathverse_testmini", "6", "\\boxed{1/2}", 1, 1, "1/2", ()),
    ("mathverse_testmini", "6", "2", 0, 0, "2", ()),
    ("mathverse_testmini", "11", "212°T", 1, 1, "212°T", ()),  # no formula, but the reference to the letter
    ("mathverse_testmini", "11", "213°T", 0, 0, "213°T", ("undecided",)),
    ("mathvision_test", "3", "\\boxed{B}", 1, 1, "B", ()),
    ("mathvision_test", "3", "\\boxed{12}", 1, 1, "B", ()),
    ("mathvision_test", "3", "<think>C</think> <answer>(B) 12</answer>", 0, 1, "B", ()),
    ("mathvision_test", "3", "**B**", 0, 1, "B", ()),
    ("mathvision_test", "3", "\\boxed{C}", 0, 0, "C", ()),
    ("mathvision_test", "3", "", 0, 0, None, ("no answer",)),
    ("mathvision_testmini", "6", "\\boxed{0.75}", 1, 1, "0.75", ()),
    ("mathvision_testmini", "6", "\\boxed{0.76}", 0, 0, "0.76", ()),
    ("mathvision_testmini", "5", "The answer is 60.", 1, 1, "60", ()),
    ("ocrbench", "0", "It says Harbour.", 1, 1, "it says harbour.", ()),
    ("ocrbench", "0", "HARBO", 0, 0, "harbo", ()),
    ("ocrbench", "0", "<think>harbour</think><answer>port</answer>", 0, 0, "port", ()),
    ("ocrbench", "0", "<think>it may say harbour", 0, 0, None, ("no answer",)),
    ("ocrbench", "0", "", 0, 0, None, ("no answer",)),
    ("ocrbench", "9", "x ^ {2} = 9", 1, 1, "x^{2}=9", ()),
    ("ocrbench", "9", "X^2=9", 0, 0, "X^2=9", ()),
    ("docvqa_val", "50002", "dr. halloran", 1, 1, "dr. halloran", ()),
    ("docvqa_val", "50002", "Dr Halloran", 11 / 12, 11 / 12, "dr halloran", ()),  # one letter of twelve
    # A letter is missing: of twelve, but officially of twenty with the blanks.
    ("docvqa_val", "50002", "Dr." + " " * 10 + "Haloran", 19 / 20, 11 / 12, "dr. haloran", ()),
    ("docvqa_val", "50002", "<answer>Mr. Brandt</answer>", 0, 0, "mr. brandt", ()),
    ("docvqa_val", "50002", "  ", 0, 0, None, ("no answer",)),
    ("textvqa_val", "34001", "Open.", 1, 1, "open", ()),
    ("textvqa_val", "34001", "open 24h", 0.9, 0.9, "open 24h", ()),  # three of ten said so
    ("textvqa_val", "34001", "shut", 0, 0, "shut", ()),
    ("textvqa_val", "34001", "", 0, 0, None, ("no answer",)),
    ("chartqa_test", "2", "12", 1, 1, "12", ()),  # 4 % from 12.5
    ("chartqa_test", "2", "11", 0, 0, "11", ()),
    ("chartqa_test", "2", "12.5.", 0, 1, "12.5", ()),
    ("chartqa_test", "1", "<think>bars</think><answer> norway </answer>", 1, 1, "norway", ()),
    ("chartqa_test", "5", "0.0", 0, 0, "0.0", ()),
    ("chartqa_test", "6", "23%", 1, 1, "23%", ()),
    ("chartqa_test", "6", "", 0, 0, None, ("no answer",)),
    ("vqav2_val", "42001", "yes", 1, 1, "yes", ()),
    ("vqav2_val", "42001", "Yes.", 0, 1, "yes", ()),  # all ten said "yes": officially to the letter
    ("vqav2_val", "42002", "Yes", 0.9, 0.9, "yes", ()),  # three of ten
    ("vqav2_val", "73000", "red", 0.6, 0.6, "red", ()),  # two of ten
    ("vqav2_val", "73000", "<answer>green</answer>", 0, 0, "green", ()),
    ("vqav2_val", "73000", "", 0, 0, None, ("no answer",)),
    ("ai2d", "0", "B", 1, 1, "B", ()),
    ("ai2d", "0", "b", 1, 1, "B", ()),
    ("ai2d", "0", "B. grass", 1, 1, "B", ()),
    ("ai2d", "0", "grass", 0, 1, "B", ()),
    ("ai2d", "0", "The answer is B", 0, 1, "B", ()),
    ("ai2d", "0", "<think>A.</think><answer>B</answer>", 1, 1, "B", ()),
    ("ai2d", "0", "B. " + "The plant turns light into food. " * 9, 1, 1, "B", ()),
    ("ai2d", "0", "A", 0, 0, "A", ()),
    ("ai2d", "0", "B. or C.", 1, 0, "B. or C.", ()),  # the official rule reads the first letter
    ("ai2d", "0", "E", 0, 0, "E", ()),
    ("ai2d", "0", "", 0, 0, None, ("no answer",)),
    ("mmmu_val", "validation_Accounting_1", "(B)", 1, 1, "B", ()),
    ("mmmu_val", "validation_Accounting_1", "A", 0, 0, "A", ()),
    ("mmmu_val", "validation_Accounting_1", "\\boxed{B}", 1 / 4, 1, "B", ("fallback",)),
    ("mmmu_val", "validation_Accounting_1", "\\boxed{A}", 1 / 4, 0, "A", ("fallback",)),
    ("mmmu_val", "validation_Accounting_1", "no idea", 1 / 4, 0, None, GUESSED),
    ("mmmu_val", "validation_Accounting_2", "", 1 / 3, 0, None, GUESSED),
    ("mmmu_val", "validation_Accounting_2", "<think>(A)</think><answer>C</answer>", 1, 1, "C", ()),
    ("mmmu_val", "validation_Accounting_3", "So it is 1.25", 1, 1, "1.25", ()),
    ("mmmu_val", "validation_Accounting_3", "1.3", 0, 0, "1.3", ()),
    ("mmmu_val", "validation_Basic_Medical_Science_2", "Gristle", 1, 1, "gristle", ()),
    ("mmmu_val", "validation_Math_2", "[Co(NH3)6]", 1, 1, "[co(nh3)6]", ()),
]


@pytest.mark.parametrize(("name", "key", "response", "score", "strict", "extracted", "flags"), CASES)
def test_marks(name, key, response, score, strict, extracted, flags, questions: Read) -> None:
    marks = mark(questions(name)[key], name, response)
    assert (marks.score, marks.strict) == (pytest.approx(score), pytest.approx(strict))
    assert (marks.extracted, marks.flags) == (extracted, flags)


def mark(question: Question, name: str, response: str) -> Marks:
    return load_benchmark(name).marker([question])(question, response)


@pytest.mark.parametrize(
    ("response", "strict"),
    [
        ("E", 1),  # the letter of the option whose text is "(b)"
        ("(b)", 0),  # officially the letter B, though it is the answer's own text
        ("A", 0),
        ("F", 0),
    ],
)
def test_mathvista_options_whose_texts_look_like_letters(response: str, strict: float, questions: Read) -> None:
    question = questions("mathvista_testmini")["2"]
    choices = ["(c)", "(a)", "(e)", "(d)", "(b)"]
    question = replace(question, references=("(b)",), meta={**question.meta, "choices": choices})
    assert mark(question, "mathvista_testmini", response).strict == strict


def test_mathvista_options_of_one_text(questions: Read) -> None:
    question = questions("mathvista_testmini")["2"]
    question = replace(question, references=("18",), meta={**question.meta, "choices": ["9", "12", "18", "18"]})
    assert mark(question, "mathvista_testmini", "<answer>18</answer>").strict == 1


def test_rule_says_what_decided_and_where_the_answer_was(questions: Read) -> None:
    def rule(name: str, key: str, response: str) -> str:
        return mark(questions(name)[key], name, response).rule

    assert rule("mathvista_testmini", "4", "\\boxed{2}") == "normalised and matched, boxed"
    assert rule("mathvista_testmini", "4", "") == "no answer, none"
    assert rule("mmmu_val", "validation_Accounting_1", "\\boxed{B}") == "option named, boxed"
    assert rule("mathverse_testmini", "11", "212°T") == "equal texts"


PIECES = [
    *("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "}", "(", ")", "A", "B", "(B)", "C.", "140°", "2"),
    *("\\frac", "{", "9^{9^{9^9}}", "1e999", "1" * 400, "\0", "\ud800", "\u202e", "\n", " ", "is ", "The answer is "),
    *("=", "$", "%", ",", "-", "nan", "inf", "[2014, 2016]", "yes", "Yes", "\\infty", "__import__('os')", "'", '"'),
]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(response=st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
def test_any_text_is_marked_from_nought_to_one(name: str, response: str, questions: Read) -> None:
    for question in list(questions(name).values())[::3]:
        marks = mark(question, name, response)
        assert 0 <= marks.score <= 1
        assert 0 <= marks.strict <= 1
        assert set(marks.flags) <= {"no answer", "fallback", "undecided"}
        assert ("no answer" in marks.flags) == (marks.extracted is None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["\\boxed{" * 9000, "is " * 20000, "A" + " " * 60000 + "(", "9" * 60000, "\0" * 60000])
def test_long_hostile_text_is_wrong(name: str, text: str, questions: Read) -> None:
    question = next(iter(questions(name).values()))
    assert mark(question, name, f"<answer>{text}</answer>").strict == 0


@pytest.mark.parametrize("name", NAMES)
def test_reference_in_the_answer_block_is_right(name: str, questions: Read) -> None:
    for question in questions(name).values():
        response = f"<think>Let me look.</think>\n<answer>{question.references[0]}</answer>"
        assert mark(question, name, response).strict > 0.2, question.id


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("  B \n", "B"),
        ("<think>a</think> B", "B"),
        ("<think>a</think><answer> B </answer> C", "B"),
        ("the thinking began in the prompt</think>B", "B"),
        ("<think>never ends", ""),
        ("B <think>a</think> C", "B <think>a</think> C"),  # not leading
        ("<answer>A</answer><answer>B</answer>", "<answer>A</answer><answer>B</answer>"),
        ("</answer>A<answer>", "</answer>A<answer>"),
        ("<think>a</think><answer>B", "<answer>B"),
        ("<answer></answer>", ""),
        ("", ""),
    ],
)
def test_answer_text(response: str, text: str) -> None:
    assert answer_text(response) == text


@pytest.mark.parametrize(
    ("response", "named"),
    [
        ("\\boxed{B}", "B"),
        ("The answer is (b).", "B"),
        ("Oslo", "B"),
        ("A or B", None),
        ("E", None),  # there are two
        ("", None),
        ("<answer>" + "B " * 2000 + "</answer>", None),
    ],
)
def test_option_named(response: str, named: str | None) -> None:
    assert option_named(response, ["Bergen", "Oslo"]).letter == named


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_says_what_a_reader_needs(name: str) -> None:
    benchmark = load_benchmark(name)
    assert benchmark.name == name
    assert "judge" in benchmark.scoring
    assert benchmark.licence
    assert any("prompt" in note for note in benchmark.notes)
    assert set(benchmark.columns) & set(benchmark.images)


def test_unknown_benchmark_is_refused_with_the_names() -> None:
    with pytest.raises(
        SourceError, match=r"benchmark 'mathvista': unknown\. Give one of mathvista_testmini, mathverse"
    ):
        load_benchmark("mathvista")
