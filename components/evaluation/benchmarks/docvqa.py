"""DocVQA validation: questions on scanned pages."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked
from components.evaluation.benchmarks.rows import id_in, image_in, text_in, texts_in
from components.evaluation.graders.anls import anls, anls_collapsed

TYPES = (
    *("Image/Photo", "Yes/No", "figure/diagram", "form", "free_text", "handwritten", "layout", "others"),
    "table/list",
)
_INSTRUCTION = "\nAnswer the question using a single word or phrase."


def _to_question(row: Mapping[str, Any]) -> Question:
    return Question(
        id=id_in(row, "questionId"),
        parts=("", text_in(row, "question") + _INSTRUCTION),
        images=(image_in(row, "image"),),
        references=texts_in(row, "answers"),
        groups={f"type: {kind}": "yes" for kind in texts_in(row, "question_types")},
        cluster=f"{id_in(row, 'docId')}/{id_in(row, 'ucsf_document_page_no')}",
    )


def _mark(question: Question, response: str) -> Marks:
    text = answer_text(response)
    official = anls(text, question.references, question.meta)
    return marked(official, anls_collapsed(text, question.references, question.meta), "similarity of texts")


DOCVQA_VAL = Benchmark(
    name="docvqa_val",
    family=Family.OCR,
    version=1.0,
    hub=HubData("lmms-lab/DocVQA", "validation", ("DocVQA",)),
    expected=5349,
    licence="Apache-2.0 as published on the hub; the pages are of the UCSF Industry Documents Library",
    scoring="ANLS with threshold 0.5, by the rule of the Robust Reading Competition; no judge",
    columns={
        "questionId": "the question's id",
        "question": "the question",
        "question_types": "kinds of the question, a list",
        "image": "the page",
        "docId": "the document's number",
        "ucsf_document_page_no": "the page's number in its document",
        "answers": "the accepted answers, a list of texts",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    breakdowns=tuple(f"type: {kind}" for kind in TYPES),
    notes=(
        "The prompt is the question and the short-answer instruction of lmms-eval's task.",
        "Strict: lengths are those of the texts that are compared, so that blanks inside an answer earn nothing.",
        "The validation set, as the test set's answers are not public; published scores are often of the test set.",
    ),
)
