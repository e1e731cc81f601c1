import math
from dataclasses import replace
from random import Random

import pytest

from components.core.config import parse_config
from components.core.errors import RecipeError, SourceError
from components.rewards.answer_features import normalised
from components.surrogate.builtin import CORPUS, corpus_rows
from components.surrogate.config import SurrogateConfig
from components.surrogate.material import checked, material_of, question_numbers
from components.surrogate.negatives import KINDS, TRAINED, Source, negative
from components.surrogate.rewordings import rewordings
from components.surrogate.rows import AnswerRow

_SOURCE = Source(
    question="Why does the left lamp not shine in the hall?",
    right="The lamp on the left has 3 broken wires, and the switch of the hall is turned off.",
    wrong="The bulb was stolen.",
    others=("Birds migrate south.", "Water boils at 100 degrees.", "The king was crowned."),
    words=("copper", "river", "violin"),
)


def _row(question: int, score: float | None, answer: str = "", group: str = "") -> AnswerRow:
    return AnswerRow(
        f"What is {question}?", (f"It is the number {question} of the list.",), answer or f"answer {score}", score,
        group or str(question),
    )  # fmt: skip


_ROWS = [_row(question, score) for question in range(6) for score in (0.0, 1.0)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_another_text_and_the_same_for_the_same_seed(kind: str) -> None:
    made = [negative(kind, _SOURCE, Random(seed)) for seed in range(10)]

    assert made == [negative(kind, _SOURCE, Random(seed)) for seed in range(10)]
    assert all(made)
    assert all(normalised(text) != normalised(_SOURCE.right) for text in made)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_stumbles_over_short_texts(kind: str) -> None:
    for right in ("red", "3", "no", "?", "a"):
        negative(kind, Source("", right, "blue", ("green",), ("sky",)), Random(0), (right,))


def test_at_least_five_kinds_are_kept_out_of_training() -> None:
    assert len(set(KINDS) - set(TRAINED)) >= 5
    material = material_of(corpus_rows(CORPUS / "textbook")[:700], SurrogateConfig(), seed=0)
    assert not {row.kind for row in material.rows} & (set(KINDS) - set(TRAINED))
    assert {row.kind for row in material.canaries} == set(KINDS) - set(TRAINED)


def test_rewordings_differ_and_keep_the_words() -> None:
    made = rewordings("It is not red, because the big lamp is off.", ["The lamp is dark."], Random(0), 6)

    assert len(made) == len(set(made)) >= 4
    assert all("lamp" in text.lower() for text in made)


def test_no_accepted_answer_is_made_into_a_wrong_one() -> None:
    material = material_of(corpus_rows(CORPUS / "textbook")[:700], SurrogateConfig(), seed=3)

    for row in material.rows:
        if row.score == 0.0:
            assert normalised(row.answer) not in {normalised(text) for text in row.references}, row


def test_same_seed_makes_the_same_rows() -> None:
    rows = corpus_rows(CORPUS / "textbook")[:700]

    assert material_of(rows, SurrogateConfig(), 1).rows == material_of(rows, SurrogateConfig(), 1).rows


def test_rows_of_a_group_that_share_a_reference_answer_one_question() -> None:
    base = AnswerRow("q", ("a", "b"), "x", 1.0, "g")
    rows = [base, replace(base, references=("b",)), replace(base, references=("c",)), replace(base, group="h")]

    assert question_numbers(rows) == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there is none"),
        ([row for row in _ROWS if row.score == 1.0], "are right: one class only"),
        ([row for row in _ROWS if row.score == 0.0], "are wrong: one class only"),
        (_ROWS[:2], "one question only"),
        ([replace(row, group="same") for row in _ROWS], "all are of one group, 'same'"),
        ([*_ROWS, _row(9, math.nan)], r"rows\[12\].score: nan is no number"),
        ([*_ROWS, _row(9, None)], r"rows\[12\].score: None is no number"),
        ([*_ROWS, _row(9, 1.0, answer=" ")], r"rows\[12\].answer: it is blank"),
        ([*_ROWS, replace(_ROWS[0], references=())], r"rows\[12\].references: it is blank"),
    ],
)
def test_rows_that_nothing_can_be_learnt_from_are_refused(rows: list[AnswerRow], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        checked(rows)


def test_contradicting_scores_are_averaged_and_reported() -> None:
    rows, warnings = checked([*_ROWS, _row(0, 0.0, "so"), _row(0, 1.0, "so"), _row(1, 0.6, "hm"), _row(1, 0.8, "hm")])

    assert [row.score for row in rows if row.answer in ("so", "hm")] == [0.5, pytest.approx(0.7)]
    assert len(warnings) == 1
    assert "contradicting scores [0.0, 1.0] of the answer 'so'" in warnings[0]


def test_unknown_kind_of_negative_is_refused() -> None:
    with pytest.raises(RecipeError, match="sarcasm: no such kind"):
        parse_config(SurrogateConfig, {"negatives": ["sarcasm"]}, "surrogate")
