"""OCRBench (v1): a thousand questions on text in images, a point each."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked
from components.evaluation.benchmarks.rows import ROW_NUMBER, id_in, image_hash, image_in, text_in, texts_in
from components.evaluation.graders.ocrbench import CATEGORIES, ocrbench

_CATEGORY_OF_TYPE = {kind: category for category, kinds in CATEGORIES.items() for kind in kinds}


def _to_question(row: Mapping[str, Any]) -> Question:
    image, kind, source = image_in(row, "image"), text_in(row, "question_type"), text_in(row, "dataset")
    if kind not in _CATEGORY_OF_TYPE:
        raise ValueError(f"question_type: {kind[:60]!r} is not one of {', '.join(_CATEGORY_OF_TYPE)}")
    references = texts_in(row, "answer")
    if not all(reference.strip() for reference in references):
        raise ValueError("answer: an empty reference, which every prediction would contain")
    return Question(
        id=id_in(row, ROW_NUMBER),
        parts=("", text_in(row, "question").strip()),
        images=(image,),
        references=references,
        meta={"dataset_name": source, "type": kind},
        groups={"type": kind, "category": _CATEGORY_OF_TYPE[kind]},
        cluster=image_hash(image),
    )


def _mark(question: Question, response: str) -> Marks:
    grade = ocrbench(answer_text(response), question.references, question.meta)
    return marked(grade, grade, "a reference is contained")


OCRBENCH = Benchmark(
    name="ocrbench",
    family=Family.OCR,
    version=1.0,
    hub=HubData("echo840/OCRBench", "test"),
    expected=1000,
    licence="none stated for the whole; each of its sources has its own",
    scoring="OCRBench's official containment of a reference (Yuliang-Liu/MultimodalOCR, version 1); no judge",
    columns={
        "dataset": "the source that the question comes from; HME100k has a rule of its own",
        "question": "the prompt",
        "question_type": "one of the ten types",
        "answer": "the accepted answers, a list of texts",
        "image": "the image",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    out_of=1000,
    breakdowns=("type", "category"),
    notes=(
        "The prompt is the question alone.",
        "Strict is the official score: containment is the benchmark, and whole words are no saner for formulas and for "
        "writing without spaces. Mind that a prediction that lists candidates is paid, and that 21 contains 1.",
        "The published set has no ids: a question's id is its row, counted from 0.",
    ),
)
