"""MathVista testmini: mathematics in figures, photographs and diagrams."""

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import Named, answer_text, for_all, marked, option_named
from components.evaluation.benchmarks.rows import id_in, image_hash, image_in, text_in, texts_in
from components.evaluation.grade import Grade
from components.evaluation.graders.mathvista import mathvista

SKILLS = (
    *("algebraic reasoning", "arithmetic reasoning", "geometry reasoning", "logical reasoning"),
    *("numeric commonsense", "scientific reasoning", "statistical reasoning"),
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_LONGEST_NUMBER = 200  # characters of an extraction that a number is looked for in


def _to_question(row: Mapping[str, Any]) -> Question:
    image, metadata = image_in(row, "decoded_image"), row["metadata"]
    return Question(
        id=id_in(row, "pid"),
        parts=("", text_in(row, "query")),
        images=(image,),
        references=(text_in(row, "answer"),),
        meta={
            "question_type": text_in(row, "question_type"),
            "answer_type": text_in(row, "answer_type"),
            "choices": list(row["choices"] or ()),
            "precision": _precision(row["precision"]),
        },
        groups={
            "task": text_in(metadata, "task"),
            "question type": text_in(row, "question_type"),
            "source": text_in(metadata, "source"),
            **{f"skill: {skill}": "yes" for skill in texts_in(metadata, "skills")},
        },
        cluster=image_hash(image),
    )


def _precision(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _mark(question: Question, response: str) -> Marks:
    meta = question.meta
    official = mathvista(answer_text(response), question.references, meta)
    named = option_named(response, meta["choices"])
    _, answer, found = named
    is_choice = meta["question_type"] == "multi_choice"
    read = _chosen(named, meta["choices"]) if is_choice else _without_unit(answer, meta["answer_type"])
    if read is None:  # the nearest choice would be a guess
        return marked(official, Grade(0.0, answer), f"no option, {found}" if answer else f"no answer, {found}")
    strict = mathvista(read, question.references, {**meta, "stage": "normalize"})
    return marked(official, Grade(strict.score, strict.extraction or answer), f"normalised and matched, {found}")


def _chosen(named: Named, choices: Sequence[str]) -> str | None:
    """The option that an answer names, as the official normalisation reads it without a guess."""
    answer = named.answer
    # Texts of options may look like letters, "(b)" fourth, or be alike: the official reading of these stands.
    if answer is not None and (answer in choices or answer in ascii_uppercase[: len(choices)]):
        return answer
    return named.letter


def _without_unit(answer: str | None, answer_type: str) -> str | None:
    """What the judge would make of a free-form answer: where a number is wanted, the only one in it."""
    if answer and answer_type in ("integer", "float") and len(answer) <= _LONGEST_NUMBER:
        numbers = _NUMBER.findall(answer.replace("\u2212", "-"))
        return numbers[0].replace(",", "") if len(numbers) == 1 else answer
    return answer


MATHVISTA_TESTMINI = Benchmark(
    name="mathvista_testmini",
    family=Family.MATH,
    version=1.0,
    hub=HubData("AI4Math/MathVista", "testmini"),
    expected=1000,
    licence="CC BY-SA 4.0 with the images' own licences; for testing alone, training on it is prohibited",
    scoring="MathVista's official normalisation and match (lupantech/MathVista), without its judge",
    columns={
        "pid": "the problem's id",
        "query": "the official prompt",
        "decoded_image": "the image",
        "choices": "the options' texts, or null",
        "precision": "decimals of a float answer (float64), or null",
        "answer": "the answer",
        "question_type": "multi_choice or free_form",
        "answer_type": "text, integer, float or list",
        "metadata": "task, source and skills, among others",
    },
    images=("decoded_image",),
    to_question=_to_question,
    marker=for_all(_mark),
    chance=0.179,
    breakdowns=("task", "question type", "source", *(f"skill: {skill}" for skill in SKILLS)),
    notes=(
        "The prompt is the published set's own, column query.",
        "No judge: the official score extracts nothing but an answer that is a choice's text or a number as a whole; "
        "the official protocol asks GPT for all others.",
        "Without a judge, empty answers score 16.8 points of 100: the official rule takes the nearest choice, which "
        "for an empty extraction is the shortest one.",
        "Strict: our extraction takes the judge's place (the one option named by letter or text, the only number of "
        "the answer), then the official normalisation and match; no answer, no option and several options score 0.",
        "The official normalisation truncates: 3.7 is right where the integer 3 is.",
        "Two answers are out of their own text's reach under the official rule (problems 168 and 849); their letters "
        "are not.",
        "Chance is an option drawn at random in multiple choice, and nothing in free form.",
    ),
)
