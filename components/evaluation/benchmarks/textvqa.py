"""TextVQA validation: questions on text in photographs."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked
from components.evaluation.benchmarks.rows import id_in, image_in, text_in, texts_in
from components.evaluation.graders.vqa import textvqa

_INSTRUCTION = "\nAnswer the question using a single word or phrase."


def _to_question(row: Mapping[str, Any]) -> Question:
    return Question(
        id=id_in(row, "question_id"),
        parts=("", text_in(row, "question") + _INSTRUCTION),
        images=(image_in(row, "image"),),
        references=texts_in(row, "answers"),
        cluster=id_in(row, "image_id"),
    )


def _mark(question: Question, response: str) -> Marks:
    grade = textvqa(answer_text(response), question.references, question.meta)
    return marked(grade, grade, "soft accuracy")


TEXTVQA_VAL = Benchmark(
    name="textvqa_val",
    family=Family.OCR,
    version=1.0,
    hub=HubData("lmms-lab/textvqa", "validation"),
    expected=5000,
    licence="none stated on the hub; published by its authors under CC BY 4.0",
    scoring="TextVQA's soft accuracy against ten annotators (the rule of mmf, after EvalAI); no judge",
    columns={
        "question_id": "the question's id",
        "image_id": "the image's id",
        "image": "the image",
        "question": "the question",
        "answers": "the ten annotators' answers, a list of texts",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    notes=(
        "The prompt is the question as published and the short-answer instruction of lmms-eval's task, which besides "
        "writes the question in lower case with a capital first; no OCR tokens are given.",
        "Strict is the official score, which always normalises and never guesses.",
    ),
)
