"""MMMU validation: questions of college exams in thirty subjects, with one to seven images."""

import ast
import re
from collections.abc import Mapping
from typing import Any

from components.core.example import Family
from components.core.question import Question
from components.evaluation.benchmark import Benchmark, HubData, Marks
from components.evaluation.benchmarks.marking import answer_text, for_all, marked, option_named
from components.evaluation.benchmarks.rows import id_in, image_hash, image_in, letter, text_in
from components.evaluation.grade import NO_ANSWER, Grade
from components.evaluation.graders.mmmu import mmmu_multichoice, mmmu_open

DISCIPLINES = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Health and Medicine": (
        *("Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine", "Pharmacy"),
        "Public_Health",
    ),
    "Humanities and Social Science": ("History", "Literature", "Psychology", "Sociology"),
    "Tech and Engineering": (
        *("Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics", "Energy_and_Power"),
        *("Materials", "Mechanical_Engineering"),
    ),
}
_DISCIPLINE_OF = {subject: discipline for discipline, subjects in DISCIPLINES.items() for subject in subjects}
_IMAGES = tuple(f"image_{number}" for number in range(1, 8))
_ID = re.compile(r"[a-z]+_(\w+)_\d+")
_TAG = re.compile(r"<image ([1-7])>")
_CHOICE_INSTRUCTION = "\nAnswer with the option's letter from the given choices directly."
_OPEN_INSTRUCTION = "\nAnswer the question using a single word or phrase."


def _to_question(row: Mapping[str, Any]) -> Question:
    subject, options, answer = _subject(row), _options(row), text_in(row, "answer")
    if options and answer not in [letter(place) for place in range(len(options))]:
        raise ValueError(f"answer: {answer[:60]!r} is not the letter of one of {len(options)} options")
    parts, images = _placed(row, _prompt(text_in(row, "question"), options))
    return Question(
        id=id_in(row, "id"),
        parts=parts,
        images=images,
        references=(answer,) if options else _accepted(answer),
        meta={"options": options},
        groups={
            "subject": subject,
            "discipline": _DISCIPLINE_OF[subject],
            "question type": "multiple choice" if options else "open",
        },
        cluster=image_hash(images[0]),
    )


def _subject(row: Mapping[str, Any]) -> str:
    match = _ID.fullmatch(text_in(row, "id"))
    if match is None or match[1] not in _DISCIPLINE_OF:
        raise ValueError(f"id: {row['id'][:60]!r} names none of the thirty subjects")
    return match[1]


def _options(row: Mapping[str, Any]) -> list[str]:
    """The options' texts, which the set writes as a Python list; none for an open question."""
    kind = text_in(row, "question_type")
    if kind == "open":
        return []
    if kind != "multiple-choice":
        raise ValueError(f"question_type: {kind[:60]!r} is neither multiple-choice nor open")
    options = _python_list(text_in(row, "options"))
    if not options:
        raise ValueError(f"options: {row['options'][:60]!r} is not a Python list of texts")
    return options


def _python_list(text: str) -> list[str]:
    try:
        value = ast.literal_eval(text)
    except (MemoryError, RecursionError, SyntaxError, ValueError):
        return []
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []


def _accepted(answer: str) -> tuple[str, ...]:
    """The accepted answers: one text, or several written as a Python list; "[Co(NH3)6]" is one text."""
    several = _python_list(answer) if answer.startswith("[") else []
    return tuple(several) or (answer,)


def _prompt(question: str, options: list[str]) -> str:
    if not options:
        return question + _OPEN_INSTRUCTION
    listed = "".join(f"({letter(place)}) {option}\n" for place, option in enumerate(options))
    return f"{question}\n{listed}{_CHOICE_INSTRUCTION}"


def _placed(row: Mapping[str, Any], prompt: str) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """The prompt around its images, each where its tag first stands; a later mention stays as text."""
    parts, images, placed, start = [], [], set(), 0
    for tag in _TAG.finditer(prompt):
        if tag[1] not in placed:
            placed.add(tag[1])
            images.append(image_in(row, f"image_{tag[1]}"))
            parts.append(prompt[start : tag.start()])
            start = tag.end()
    if not images:
        return ("", prompt), (image_in(row, "image_1"),)
    return (*parts, prompt[start:]), tuple(images)


def _mark(question: Question, response: str) -> Marks:
    text, options = answer_text(response), question.meta["options"]
    if not options:
        grade = mmmu_open(text, question.references, question.meta)
        return marked(grade, grade, "contained in a sentence's tail, or an equal number")
    official = mmmu_multichoice(text, question.references, question.meta)
    if official.score is not None:
        return marked(official, official, "letter or text of an option")
    named, _, found = option_named(response, options)
    strict = Grade(0.0, None, (NO_ANSWER,)) if named is None else Grade(float(named in question.references), named)
    return marked(official, strict, f"option named, {found}" if named else "no option", guess=1 / len(options))


MMMU_VAL = Benchmark(
    name="mmmu_val",
    family=Family.VQA,
    version=1.0,
    hub=HubData("MMMU/MMMU", "validation", tuple(sorted(_DISCIPLINE_OF))),
    expected=900,
    licence="Apache-2.0",
    scoring="MMMU's official rules for multiple choice and open questions (MMMU-Benchmark/MMMU); no judge",
    columns={
        "id": "the question's id, which names the subject",
        "question": "the question, with <image 1> where an image belongs",
        "options": "the options' texts, written as a Python list",
        "answer": "a letter, or the accepted answer",
        "question_type": "multiple-choice or open",
        "image_1": "the first image; image_2 to image_7 may follow",
    },
    images=_IMAGES,
    to_question=_to_question,
    marker=for_all(_mark),
    chance=0.221,
    breakdowns=("subject", "discipline", "question type"),
    notes=(
        "The prompts are those of the official configuration for LLaVA; every image stands where its tag does.",
        "Where the official rule finds no option it draws one at random: the score is then one divided by the number "
        "of options, what the draw gives on average.",
        "Strict: nothing is drawn; where the official rule finds no option, one that our extraction finds named "
        "counts, as in \\boxed{B}.",
        "Harnesses score the same answers 4 points apart, as their rules differ: compare scores of one rule.",
        "Chance is the official random choice on the validation set.",
    ),
)
