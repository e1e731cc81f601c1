import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.example import AnswerType, example_id
from components.curation.candidate import Candidate, Rejection
from components.curation.options import find_options
from components.curation.typing_step import TypingConfig, TypingStep
from components.curation.wording_step import WordingStep
from components.rewards.rule import verify
from tests.curation.candidates import candidate, choice


def typed(row: Candidate, **config: Any) -> Candidate:
    return TypingStep(TypingConfig(**config))(WordingStep()(row))


@pytest.mark.parametrize(
    ("reference", "answer_type", "kind", "gold"),
    [
        # mathematics
        ("5", "number", "integer", "5"),
        ("-1,234", "number", "integer", "-1234"),
        ("0.50", "number", "decimal", "0.5"),
        ("3/4", "number", "fraction", "0.75"),
        (r"\frac{1}{3}", "number", "fraction", "1/3"),
        ("12.5%", "number", "percent", "12.5 %"),
        ("12 cm", "number", "quantity", "12 cm"),
        (r"75^\circ", "number", "quantity", "75 °"),
        (r"$\boxed{2\sqrt{3}}$", "expression", "constant", r"2\sqrt{3}"),
        ("5√2", "expression", "constant", r"5\sqrt{2}"),
        ("x^2+2x+1", "expression", "formula", "x^{2}+2x+1"),
        ("(x - 1)(x + 2)(x - 3)", "expression", "formula", "(x-1)(x+2)(x-3)"),
        ("(3, 5)", "expression", "tuple", "(3,5)"),
        ("[0, 1)", "expression", "interval", "[0,1)"),
        (r"(-\infty, 3)", "expression", "interval", r"(-\infty,3)"),
        ("2 or 3", "expression", "set", "2or3"),
        ("y=2x+1", "expression", "equation", "y=2x+1"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", "expression", "matrix", r"\begin{pmatrix}1\\2\end{pmatrix}"),
        ("yes", "short_text", "yes-no", "yes"),
        ("Isosceles triangle", "short_text", "text", "isosceles triangle"),
        ("Because the two angles are equal, the sides are as well.", "open_ended", "free text", ""),
    ],
)
def test_typing_tells_mathematics(reference: str, answer_type: str, kind: str, gold: str) -> None:
    found = typed(candidate(reference))
    assert (found.example.answer_type.value, found.kind, found.gold) == (answer_type, kind, gold)
    assert found.example.verifiable is (answer_type != "open_ended")


@pytest.mark.parametrize(
    ("task", "references", "answer_type", "kind"),
    [
        ("ocr", "STOP", "short_text", "text"),
        ("ocr", "Rue de la Paix", "short_text", "text"),
        ("ocr", "3 pm", "short_text", "text"),
        ("ocr", "4K", "short_text", "text"),
        ("document", "$1,234.50", "number", "quantity"),
        ("document", "12/05/1994", "short_text", "text"),
        ("chart", "1990", "number", "integer"),
        ("chart", "42.7", "number", "decimal"),
        ("chart", "Yes", "short_text", "yes-no"),
        ("chart", "5 million", "short_text", "text"),
        ("chart", ["[2010, 2012]"], "expression", "interval"),
        ("vqa", ["2"] * 10, "number", "integer"),
        ("vqa", ["2"] * 7 + ["two"] * 3, "short_text", "text"),
        ("vqa", ["red", "red", "dark red", "red", "maroon", "red", "red", "red", "red", "red"], "short_text", "text"),
        ("general", "There is a cat on the left of a dog.", "open_ended", "free text"),
    ],
)
def test_typing_tells_what_sets_hold(task: str, references: Any, answer_type: str, kind: str) -> None:
    found = typed(candidate(references, task=task))
    assert (found.example.answer_type.value, found.kind) == (answer_type, kind)


def test_typing_every_vote_of_a_survey_stays() -> None:
    votes = ["red"] * 6 + ["dark red", "maroon", "red ", "pink"]
    assert sorted(typed(candidate(votes, task="vqa")).example.references) == sorted(vote.strip() for vote in votes)


@pytest.mark.parametrize(
    ("stated", "reference", "found"),
    [
        ("number", "5 million", "short_text"),
        ("number", "red", "short_text"),
        ("expression", "red car", "short_text"),
        ("expression", "yes", "short_text"),
        ("expression", "No", "short_text"),
        ("choice", "red car", "short_text"),
        ("number", r"x^2+1", "expression"),
    ],
)
def test_typing_a_stated_type_is_checked(stated: str, reference: str, found: str) -> None:
    row = typed(candidate(reference, answer_type=stated), unlisted="open_ended")
    assert row.example.answer_type.value == found
    assert row.flags[-1] == f"typing: stated {stated}, is {found}"


@pytest.mark.parametrize(("stated", "reference"), [("short_text", "12"), ("open_ended", "12"), ("expression", "12")])
def test_typing_a_stated_type_that_holds_stays(stated: str, reference: str) -> None:
    row = typed(candidate(reference, answer_type=stated))
    assert (row.example.answer_type.value, row.flags) == (stated, ())


def test_typing_a_gold_that_names_no_option_is_quarantined() -> None:
    with pytest.raises(Rejection) as caught:
        typed(choice("bird", ["cat", "dog"]))
    assert caught.value.reason == "the gold does not name one option"
    assert "'bird'" in caught.value.evidence


def test_typing_what_becomes_of_a_flaw_is_the_configurations() -> None:
    kept = typed(choice("bird", ["cat", "dog"]), unlisted="open_ended")
    assert (kept.example.answer_type, kept.example.verifiable) == (AnswerType.OPEN_ENDED, False)
    assert kept.flags == ("typing: open-ended, the gold does not name one option",)
    with pytest.raises(Rejection, match="wrong answers cannot be told"):
        typed(candidate("9^{9^{9^9}}"), unrecognised="reject")


def test_typing_a_gold_that_no_rule_can_check_becomes_open_ended() -> None:
    row = typed(candidate("9^{9^{9^9}}"))
    assert row.example.answer_type is AnswerType.OPEN_ENDED
    assert row.example.references == ("9^{9^{9^9}}",)


def test_typing_units_in_words_are_no_words() -> None:
    row = typed(candidate(["12 metres", "12 m"], task="ocr"))
    assert (row.example.answer_type, row.example.references) == (AnswerType.NUMBER, ("12 metres", "12 m"))


def test_typing_references_in_words_do_not_spoil_a_formula() -> None:
    row = typed(candidate([r"\frac{1}{2}", "a half of all"]))
    assert row.example.references == (r"\frac{1}{2}",)
    assert row.example.id == example_id(row.example.images, row.example.question, row.example.references)
    assert row.flags == ("typing: references dropped that their rule does not recognise",)


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("What is it?\nA. cat\nB. dog", ("cat", "dog")),
        ("What is it? (A) 5 cm (B) 6 cm, (C) 7 cm", ("5 cm", "6 cm", "7 cm")),
        ("Choices:\n(A) cat\n(B) dog\nAnswer with the letter.", ("cat", "dog")),
        ("What is A. Smith's hat?", ()),
        ("B. cat C. dog", ()),
        ("Is it (A) or not?", ()),
    ],
)
def test_options_are_read_from_a_question(question: str, options: tuple[str, ...]) -> None:
    assert tuple(find_options(question)) == options


def test_typing_a_letter_for_a_listed_option_is_a_choice() -> None:
    row = typed(candidate("B", "What is it?\nA. cat\nB. dog"))
    assert (row.example.answer_type, row.example.choices, row.gold) == (AnswerType.CHOICE, ("cat", "dog"), "B")
    assert row.flags == ("typing: options read from the question",)


def test_typing_listed_options_that_the_gold_does_not_name_are_left_alone() -> None:
    row = typed(candidate("5", "From (A) the top to (B) the bottom, how far is it?"))
    assert (row.example.answer_type, row.example.choices) == (AnswerType.NUMBER, ())


def test_typing_switched_off_leaves_the_row_as_it_is() -> None:
    row = candidate("red", answer_type="number")
    assert TypingStep(TypingConfig(enabled=False))(row) == row
    assert typed(candidate("Answer: 5."), enabled=False).example.answer_type is AnswerType.NUMBER


def test_typing_together_is_typing_alone() -> None:
    rows = [candidate("5"), choice("bird", ["cat", "dog"]), candidate("x+y"), candidate("5"), candidate(r"\pm 3")]
    together = TypingStep().together(rows)
    alone = []
    for row in rows:
        try:
            alone.append(TypingStep()(row))
        except Rejection as rejection:
            alone.append(rejection)  # type: ignore[arg-type]
    assert list(map(repr, together)) == list(map(repr, alone))


def test_typing_step_can_be_sent_to_another_process() -> None:
    step = TypingStep(TypingConfig(mutations=2))
    step(candidate("5"))
    assert pickle.loads(pickle.dumps(step)).config == step.config


@given(
    st.lists(st.text(alphabet="0123456789abx+-*/=^(){}[],.%$ \\é", min_size=1, max_size=10), min_size=1, max_size=3),
    st.sampled_from(["", "number", "expression", "short_text", "choice"]),
)
def test_typing_what_is_verifiable_pays_its_gold_and_nothing_else(references: list[str], stated: str) -> None:
    if not all(text.strip() for text in references):
        return
    try:
        example = typed(candidate(references, answer_type=stated), limits={"seconds": 1}).example
    except Rejection:
        return
    if example.verifiable:
        rule = (example.references, example.answer_type, example.choices, example.unit, example.precision)
        assert verify(example.references[0], *rule).correct
        assert verify("an answer to quite another question", *rule).correct is not True
