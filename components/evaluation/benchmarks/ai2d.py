"""AI2D test: multiple-choice questions on diagrams of school science."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked, option_named
from components.evaluation.benchmarks.rows import (
    ROW_NUMBER,
    id_in,
    image_hash,
    image_in,
    letter,
    number_in,
    text_in,
    texts_in,
)
from components.evaluation.grade import Grade
from components.evaluation.graders.ai2d import ai2d

_INSTRUCTION = "\nAnswer with the option's letter from the given choices directly."


def _to_question(row: Mapping[str, Any]) -> Question:
    image, options, answer = image_in(row, "image"), texts_in(row, "options"), number_in(row, "answer")
    if not 0 <= answer < len(options):
        raise ValueError(f"answer: {answer} is not the position of one of {len(options)} options, from 0")
    listed = "".join(f"\n{letter(place)}. {option}" for place, option in enumerate(options))
    return Question(
        id=id_in(row, ROW_NUMBER),
        parts=("", text_in(row, "question") + listed + _INSTRUCTION),
        images=(image,),
        references=(letter(answer),),
        meta={"options": list(options)},
        cluster=image_hash(image),
    )


def _mark(question: Question, response: str) -> Marks:
    official = ai2d(answer_text(response), question.references, question.meta)
    named, answer, found = option_named(response, question.meta["options"])
    if answer is None:
        return marked(official, official, "the response's first letter, or the response as a whole")
    return marked(official, Grade(float(named in question.references), named or answer), f"option named, {found}")


AI2D = Benchmark(
    name="ai2d",
    family=Family.VQA,
    version=1.0,
    hub=HubData("lmms-lab/ai2d", "test"),
    expected=3088,
    licence="none stated on the hub; see the authors' terms at allenai.org",
    scoring="Exact match of the letter, by the rule of lmms-eval's task, as there is no official script; no judge",
    columns={
        "question": "the question",
        "options": "the options' texts",
        "answer": "the right option's position, from 0, as a text",
        "image": "the diagram",
    },
    to_question=_to_question,
    marker=for_all(_mark),
    chance=0.25,
    notes=(
        "The prompt is that of lmms-eval's task: options with their letters, and an instruction to answer by letter.",
        "The variant whose labels in the diagram are masked; scores of the unmasked variant are far higher, and "
        "cannot be compared.",
        "Strict: the one option that our extraction finds named, by letter or text, counts as the answer; where it "
        "finds no answer, as in a long explanation behind a letter, it is the official score.",
        "The published set has no ids: a question's id is its row, counted from 0.",
        "Chance is one of four options, which nearly all questions have.",
    ),
)
