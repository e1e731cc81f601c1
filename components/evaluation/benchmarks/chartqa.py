"""ChartQA test: questions on charts, half of them written by people."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked
from components.evaluation.benchmarks.rows import ROW_NUMBER, id_in, image_hash, image_in, text_in, texts_in
from components.evaluation.graders.chartqa import chartqa_relaxed

_INSTRUCTION = "\nAnswer the question with a single word."
_ORIGINS = {0: "human", 1: "augmented", "human": "human", "machine": "augmented"}


def _to_question(row: Mapping[str, Any]) -> Question:
    image, origin = image_in(row, "image"), row["human_or_machine"]
    if isinstance(origin, bool) or origin not in _ORIGINS:
        raise ValueError(f"human_or_machine: {str(origin)[:60]!r} is neither 0 (human) nor 1 (machine)")
    return Question(
        id=id_in(row, ROW_NUMBER),
        parts=("", text_in(row, "query") + _INSTRUCTION),
        images=(image,),
        references=texts_in(row, "label"),
        groups={"origin": _ORIGINS[origin]},
        cluster=image_hash(image),
    )


def _mark(question: Question, response: str) -> Marks:
    text = answer_text(response)
    official = chartqa_relaxed(text, question.references, question.meta)
    bare = text.strip().removesuffix(".").rstrip()
    return marked(official, chartqa_relaxed(bare, question.references, question.meta), "relaxed accuracy")


CHARTQA_TEST = Benchmark(
    name="chartqa_test",
    family=Family.VQA,
    version=1.0,
    hub=HubData("HuggingFaceM4/ChartQA", "test"),
    expected=2500,
    licence="GPL-3.0",
    scoring="Relaxed accuracy, numbers within 5 %, by the rule of google-research/pix2struct; no judge",
    columns={
        "image": "the chart",
        "query": "the question",
        "label": "the accepted answers, a list of texts",
        "human_or_machine": "who wrote the question: 0 human, 1 machine",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    breakdowns=("origin",),
    notes=(
        "The prompt is the question and the instruction of lmms-eval's task.",
        "Half of the questions are of either origin, so that the mean over them is the mean of the two halves.",
        "Years within 5 % count as right, and 0.0 is not 0: both are the official rule's.",
        "Strict: a full stop at the end of the answer is dropped.",
        "The published set has no ids: a question's id is its row, counted from 0.",
    ),
)
