"""MathVerse testmini: 788 problems in five versions each, with ever more of the problem in the picture."""

import re
from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import for_all, marked
from components.evaluation.benchmarks.rows import id_in, image_in, letter, text_in
from components.evaluation.grade import Grade
from components.evaluation.graders.mathverse import mathverse

VERSIONS = ("Text Dominant", "Text Lite", "Vision Intensive", "Vision Dominant", "Vision Only")
_HEADING = re.compile(r"\bChoices?:")
_CHOICE = re.compile(r"\(?([A-H])\s?[:.)]\s*(.*)")


def _to_question(row: Mapping[str, Any]) -> Question:
    version, problem, metadata = text_in(row, "problem_version"), id_in(row, "problem_index"), row["metadata"]
    if version not in VERSIONS:
        raise ValueError(f"problem_version: {version[:60]!r} is not one of {', '.join(VERSIONS)}")
    return Question(
        id=id_in(row, "sample_index"),
        parts=("", text_in(row, "query_wo")),
        images=(image_in(row, "image"),),
        references=(text_in(row, "answer"),),
        meta={"question_type": text_in(row, "question_type"), "choices": _choices(row)},
        groups={
            "problem version": version,
            "subject": text_in(metadata, "subject"),
            "question type": text_in(row, "question_type"),
        },
        cluster=problem,
    )


def _choices(row: Mapping[str, Any]) -> list[str]:
    """The options' texts, which stand in the question: a line each, "A:…" first."""
    if row["question_type"] != "multi-choice":
        return []
    *_, listed = _HEADING.split(str(row["question_for_eval"] or ""))
    choices: list[str] = []
    for line in listed.strip().split("\n"):
        match = _CHOICE.fullmatch(line.strip())
        if match is None or match[1] != letter(len(choices)):
            # A text over several lines, or no list at all: letters alone can be told.
            return []
        choices.append(match[2].strip())
    return choices


def _mark(question: Question, response: str) -> Marks:
    # The rule extracts by itself, from the whole response, as our training does.
    grade = mathverse(response, question.references, question.meta)
    if grade.score == 0 and grade.extraction in question.references:
        # What the verifier cannot read, such as a bearing, may still be the reference to the letter.
        grade = Grade(1.0, grade.extraction)
        return marked(grade, grade, "equal texts")
    return marked(grade, grade, f"rule verifier, {question.meta['question_type']}")


MATHVERSE_TESTMINI = Benchmark(
    name="mathverse_testmini",
    family=Family.MATH,
    version=1.0,
    hub=HubData("AI4Math/MathVerse", "testmini", ("testmini",)),
    expected=3940,
    licence="MIT",
    scoring="Our rule verifier in the place of MathVerse's GPT judge: letters, and equality of formulas",
    columns={
        "sample_index": "the question's id",
        "problem_index": "the problem's number, which its five versions share",
        "problem_version": f"one of {', '.join(VERSIONS)}",
        "image": "the image",
        "answer": "the answer",
        "question_type": "multi-choice or free-form",
        "metadata": "subject, among others",
        "query_wo": "the official prompt for a direct answer",
        "question_for_eval": "the whole question as text, options included",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    chance=0.124,
    breakdowns=("problem version", "subject", "question type"),
    notes=(
        "The prompt is the published set's query_wo, which asks for a direct answer: the leaderboard's primary metric, "
        "the score without chain-of-thought evaluation, is taken with it; query_cot belongs to the other metric.",
        "No judge: the official protocol has GPT extract and score. The rule decides letters and formulas, and an "
        "answer that it cannot decide is right only where it is the reference to the letter, the official quick match. "
        "Scores of judged evaluations cannot be compared without saying so.",
        "The five versions of a problem are one cluster.",
        "The Text Only version, which has no image, is not part of the set.",
        "Chance is the paper's random choice.",
    ),
)
