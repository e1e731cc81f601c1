"""VQAv2 validation: short questions on photographs."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked
from components.evaluation.benchmarks.rows import id_in, image_in, number_in, text_in
from components.evaluation.graders.vqa import textvqa, vqa

_INSTRUCTION = "\nAnswer the question using a single word or phrase."


def _to_question(row: Mapping[str, Any]) -> Question:
    return Question(
        id=id_in(row, "question_id"),
        parts=("", text_in(row, "question") + _INSTRUCTION),
        images=(image_in(row, "image"),),
        references=_answers(row["answers"]),
        groups={"answer type": text_in(row, "answer_type"), "question type": text_in(row, "question_type")},
        cluster=id_in(row, "image_id"),
    )


def _answers(value: Any) -> tuple[str, ...]:
    """The annotators' answers in the order of their ids, one an annotator."""
    if not isinstance(value, list) or not value or not all(isinstance(answer, Mapping) for answer in value):
        raise ValueError("answers: no list of answers, each with answer and answer_id")
    by_id = {number_in(answer, "answer_id"): answer["answer"] for answer in value}
    texts = tuple(by_id[key] for key in sorted(by_id))
    if len(texts) < len(value) or not all(isinstance(text, str) for text in texts):
        raise ValueError("answers: two have one answer_id, or one is no text")
    return texts


def _mark(question: Question, response: str) -> Marks:
    text = answer_text(response)
    official = vqa(text, question.references, question.meta)
    return marked(official, textvqa(text, question.references, question.meta), "soft accuracy")


VQAV2_VAL = Benchmark(
    name="vqav2_val",
    family=Family.VQA,
    version=1.0,
    hub=HubData("lmms-lab/VQAv2", "validation"),
    expected=214354,
    licence="CC BY 4.0",
    scoring="VQAv2's soft accuracy against ten annotators (GT-Vision-Lab/VQA); no judge",
    columns={
        "question_id": "the question's id",
        "image_id": "the image's id",
        "image": "the image",
        "question": "the question",
        "question_type": "the question's first words",
        "answer_type": "yes/no, number or other",
        "answers": "the ten annotators' answers, each with answer and answer_id",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    breakdowns=("answer type", "question type"),
    notes=(
        "The prompt is the question and the short-answer instruction of lmms-eval's task.",
        "The official rule normalises nothing where all ten annotators agree to the letter: Yes scores 0 against ten "
        "times yes.",
        "Strict: always normalised, as EvalAI and TextVQA do, so that a capital letter or a full stop costs nothing.",
    ),
)
