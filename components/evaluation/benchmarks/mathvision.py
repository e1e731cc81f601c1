"""MathVision (MATH-V): problems of mathematics competitions, the whole test set and its testmini."""

from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked, option_named
from components.evaluation.benchmarks.rows import id_in, image_hash, image_in, letter, number_in, text_in
from components.evaluation.grade import Grade
from components.evaluation.graders.mathvision import mathvision

_INSTRUCTION = (
    'Please solve the problem and put your answer in one "\\boxed{}". If it is a multiple choice question, '
    'only one letter is allowed in the "\\boxed{}".\n'
)
_LETTERS = ("A", "B", "C", "D", "E")


def _to_question(row: Mapping[str, Any]) -> Question:
    image, options, answer = image_in(row, "decoded_image"), list(row["options"] or ()), text_in(row, "answer")
    if options and answer not in [letter(place) for place in range(len(options))]:
        raise ValueError(f"answer: {answer[:60]!r} is not the letter of one of {len(options)} options")
    return Question(
        id=id_in(row, "id"),
        parts=("", f"{_INSTRUCTION}{text_in(row, 'question')}\n{_listed(options)}"),
        images=(image,),
        references=(answer,),
        meta={"options": options},
        groups={
            "subject": text_in(row, "subject"),
            "level": str(number_in(row, "level")),
            "question type": "multiple choice" if options else "free form",
        },
        cluster=image_hash(image),
    )


def _listed(options: list[str]) -> str:
    # Options that are shown in the picture are bare letters in the data, and are not listed.
    if options == list(_LETTERS):
        return ""
    return "".join(f"({letter(place)}) {option}\n" for place, option in enumerate(options))


def _mark(question: Question, response: str) -> Marks:
    official = mathvision(answer_text(response), question.references, question.meta)
    options = question.meta["options"]
    named, _, found = option_named(response, options)
    if named is None:
        return marked(official, official, "official extraction and equality")
    return marked(official, Grade(float(named == question.references[0]), named), f"option named, {found}")


_COLUMNS = {
    "id": "the problem's id",
    "question": "the question, with <image1> where a picture belongs",
    "options": "the options' texts, or an empty list",
    "decoded_image": "the image, all pictures of the problem in one",
    "answer": "a letter, or the answer",
    "level": "difficulty, 1 to 5",
    "subject": "one of sixteen",
}
_SCORING = "MathVision's official extraction and equality (mathllm/MATH-V); no judge"
_NOTES = (
    "The prompt is that of the official evaluation with merged images: the image first, the question as published with "
    "its tags <image1> …, the options where they are not bare letters.",
    "The official equality evaluates the model's text as a program; here a bounded reader of formulas does, which "
    "differs on text that is no formula, on formulas with variables, and on large powers.",
    "Strict: an option that our extraction finds named, by letter or text, counts as the answer; without one, and in "
    "free form, it is the official score.",
    "Answers of the published set have been corrected since (problems 338 and 1826): compare scores of one commit.",
    "Chance is an option drawn at random in multiple choice, and nothing in free form.",
)


def _benchmark(split: str, expected: int, chance: float) -> Benchmark:
    return Benchmark(
        name=f"mathvision_{split}",
        family=Family.MATH,
        version=1.0,
        hub=HubData("MathLLMs/MathVision", split),
        expected=expected,
        licence="MIT",
        scoring=_SCORING,
        columns=_COLUMNS,
        images=("decoded_image",),
        to_question=_to_question,
        marker=for_all(_mark),
        chance=chance,
        breakdowns=("subject", "level", "question type"),
        notes=_NOTES,
    )


# Of the questions, 1,532 and 190 have five options.
MATHVISION_TEST = _benchmark("test", 3040, chance=1532 / 5 / 3040)
MATHVISION_TESTMINI = _benchmark("testmini", 304, chance=190 / 5 / 304)
