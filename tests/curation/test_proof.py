"""The oracles here know nothing of the verifier: which answers are wrong follows from how they were made."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType
from components.curation.mutations import mutations
from components.curation.proof import Finding, Flaw, prove
from components.rewards.checkable import Checkable
from components.rewards.rule import verify
from components.rewards.verdict import Verdict, decided, undecided

Judge = Callable[[Checkable, str], Verdict]


def item(gold: str, answer_type: AnswerType, choices: Sequence[str] = (), **values: object) -> Checkable:
    references = (gold,) if isinstance(gold, str) else tuple(gold)
    return Checkable(
        question="", references=references, answer_type=answer_type, verifiable=True, choices=tuple(choices), **values
    )  # type: ignore[arg-type]


def by_rule(asked: Checkable, answer: str) -> Verdict:
    return verify(answer, asked.references, asked.answer_type, asked.choices, asked.unit, asked.precision)


def run(asked: Checkable, judge: Judge = by_rule, wanted: int = 3) -> Finding:
    proof = prove(asked, wanted)
    try:
        answers = next(proof)
        while True:
            answers = proof.send([judge(asked, answer) for answer in answers])
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


NUMBER, EXPRESSION, CHOICE, TEXT = (
    AnswerType.NUMBER,
    AnswerType.EXPRESSION,
    AnswerType.CHOICE,
    AnswerType.SHORT_TEXT,
)


@pytest.mark.parametrize(
    ("gold", "answer_type"),
    [
        *((gold, NUMBER) for gold in ("0", "-3", "1,234", "2,74", "0.5", "50%", "3/4", r"\frac{3}{4}", "1e3", "12 cm")),
        *((gold, NUMBER) for gold in ("$5.50", r"90^\circ", "2 1/2", "10^{-3}", r"\sqrt{2}")),
        *((gold, EXPRESSION) for gold in (r"2\sqrt{3}", "x^2+2x+1", "(3, 5)", "[0,1)", "3, 5", r"\{1, 2\}", "y=2x+1")),
        *((gold, EXPRESSION) for gold in (r"(-\infty, 3]", r"\pm 3", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "a+b")),
        *((gold, TEXT) for gold in ("yes", "STOP", "a red car", "C++", "A", "No. 5", "5 million", "\u505c")),
    ],
)
def test_prove_golds_of_their_type_are_proven(gold: str, answer_type: AnswerType) -> None:
    assert run(item(gold, answer_type)) == Finding(None)


@pytest.mark.parametrize(
    ("gold", "choices"), [("B", ["cat", "dog", "cow"]), ("dog", ["cat", "dog"]), ("C", []), ("A", ["A", "B"])]
)
def test_prove_choices_that_name_one_option_are_proven(gold: str, choices: list[str]) -> None:
    assert run(item(gold, CHOICE, choices)) == Finding(None)


@pytest.mark.parametrize(
    ("gold", "choices"),
    [
        ("bird", ["cat", "dog"]),
        ("D", ["cat", "dog"]),
        ("A or B", ["cat", "dog"]),
        ("5", ["5", "5"]),
        ("A", ["cat", "Cat."]),
        ("B", ["C", "D", "B"]),
    ],
)
def test_prove_a_choice_has_to_name_one_option(gold: str, choices: list[str]) -> None:
    assert run(item(gold, CHOICE, choices)).flaw is Flaw.NO_OPTION


def test_prove_references_of_a_choice_have_to_agree() -> None:
    assert run(item(("A", "B"), CHOICE, ["cat", "dog"])).flaw is Flaw.NO_OPTION  # type: ignore[arg-type]


def test_prove_a_number_that_is_none_is_not_of_its_type() -> None:
    assert run(item("red", NUMBER)).flaw is Flaw.NOT_OF_THE_TYPE


def test_prove_a_magnitude_in_words_would_be_paid_without_it() -> None:
    assert run(item("5 million", NUMBER)) == Finding(Flaw.PASSES, "'5' for '5 million'")


def test_prove_an_expression_too_large_to_evaluate_is_not_proven() -> None:
    assert run(item("9^{9^{9^9}}", EXPRESSION)).flaw is not None


def test_prove_a_gold_that_reads_as_a_statement_is_not_found_in_a_completion() -> None:
    found = run(item("No, the answer is: it", TEXT))
    assert found.flaw is Flaw.UNRECOGNISED_AS_WRITTEN


def test_prove_other_references_that_are_not_recognised_are_named() -> None:
    def judge(_asked: Checkable, answer: str) -> Verdict:
        return undecided("fake", "unreadable") if answer == "odd" else decided("fake", answer in ("5", "five"))

    assert run(item(("5", "five", "odd"), NUMBER), judge).unrecognised == ("odd",)  # type: ignore[arg-type]


def test_prove_a_rule_that_accepts_everything_is_found_out() -> None:
    assert run(item("5", NUMBER), lambda *_: decided("fake", True)).flaw is Flaw.PASSES


def test_prove_a_rule_that_accepts_nothing_is_found_out() -> None:
    assert run(item("5", NUMBER), lambda *_: decided("fake", False)).flaw is Flaw.UNRECOGNISED


def test_prove_a_rule_that_cannot_tell_wrong_answers_is_found_out() -> None:
    def judge(_asked: Checkable, answer: str) -> Verdict:
        return decided("fake", True) if answer == "5" else undecided("fake", "too slow", "time limit")

    found = run(item("5", NUMBER), judge)
    assert found.flaw is Flaw.UNDECIDED
    assert "too slow (time limit)" in found.evidence


def test_prove_as_many_mutations_are_refused_as_wanted() -> None:
    refused: list[str] = []

    def judge(_asked: Checkable, answer: str) -> Verdict:
        if answer != "5":
            refused.append(answer)
        return decided("fake", answer == "5")

    assert run(item("5", NUMBER), judge, wanted=5) == Finding(None)
    assert len(set(refused)) == 5


golds = st.one_of(
    st.tuples(st.integers(-(10**9), 10**9).map(str), st.just(NUMBER)),
    st.tuples(st.decimals(-1000, 1000, places=3).map(str), st.just(NUMBER)),
    st.tuples(st.builds("{}/{}".format, st.integers(0, 99), st.integers(1, 99)), st.just(NUMBER)),
    st.tuples(
        st.builds("{} {}".format, st.integers(0, 999), st.sampled_from(["cm", "kg", "million", "%", "pm"])),
        st.just(NUMBER),
    ),
    st.tuples(st.builds("({}, {})".format, st.integers(-9, 9), st.integers(-9, 9)), st.just(EXPRESSION)),
    st.tuples(st.builds(r"{}\sqrt{{{}}}".format, st.integers(1, 9), st.integers(2, 99)), st.just(EXPRESSION)),
    st.tuples(st.text(alphabet="abcXYZ 0159.,'-+%$éß", min_size=1, max_size=12), st.sampled_from([TEXT, NUMBER])),
)


@given(golds)
def test_prove_never_accepts_a_type_beside_which_a_mutation_passes(gold: tuple[str, AnswerType]) -> None:
    asked = item(*gold)
    if asked.references[0].strip() and run(asked).flaw is None:
        told = [by_rule(asked, answer).correct for answer in mutations(asked)]
        assert told.count(False) >= 3
        assert True not in told[:3]


@given(golds, st.booleans())
def test_mutations_are_distinct_and_no_reference(gold: tuple[str, AnswerType], negative: bool) -> None:
    asked = item(*gold)
    if asked.references[0].strip():
        found = list(mutations(asked))
        assert len(found) == len(set(found))
        assert asked.references[0] not in found


@given(st.integers(-(10**9), 10**9))
def test_mutations_of_an_integer_are_other_numbers(value: int) -> None:
    found = list(mutations(item(str(value), NUMBER)))
    assert len(found) >= 3
    assert all(Fraction(text) != value for text in found)


@given(st.integers(0, 10**6), st.integers(0, 3))
def test_mutations_stay_outside_of_the_precision(value: int, precision: int) -> None:
    gold = Fraction(value, 1000)
    asked = item(f"{value / 1000:.3f}", NUMBER, precision=precision)
    assert all(abs(Fraction(text) - gold) > Fraction(1, 10**precision) / 2 for text in mutations(asked))
    assert run(asked) == Finding(None)


@pytest.mark.parametrize(
    ("gold", "answer_type", "expected"),
    [
        ("3.14", NUMBER, ["3.15", "-3.14"]),
        ("0.99", NUMBER, ["1.00"]),
        ("12 cm", NUMBER, ["13 cm", "-12 cm", "12 kg"]),
        ("50%", NUMBER, ["51%", "50"]),
        ("[0, 1)", EXPRESSION, ["[0, 2)", "[1, 0)", "(0, 1)", "[0, 1]"]),
        ("x+y", EXPRESSION, ["-(x+y)", "(x+y)+1"]),
        ("yes", TEXT, ["no", "not yes"]),
        ("room 12", TEXT, ["room 13"]),
    ],
)
def test_mutations_change_what_a_type_is_about(gold: str, answer_type: AnswerType, expected: list[str]) -> None:
    squeezed = [text.replace(" ", "") for text in mutations(item(gold, answer_type))]
    assert {text.replace(" ", "") for text in expected} <= set(squeezed)


def test_mutations_of_a_choice_are_the_other_options_and_a_hedge() -> None:
    assert list(mutations(item("B", CHOICE, ["cat", "dog"]))) == ["A", "cat", "B or A", "B, A"]
