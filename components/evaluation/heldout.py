"""The held-out families as benchmarks: the dataset's examples as questions, and how their answers are marked.

Checkable answers are judged by the rule verifier, open-ended ones by the facts of the example, or by word F1 to the
best reference where an example has no facts. The surrogate has no say here. There is no official rule, so that
`score` and `strict` are the same.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.core.example import AnswerType, Example, Family, Split, read_split
from components.core.question import Question
from components.core.sample import NO_ANSWER, UNDECIDED
from components.core.suite import BenchmarkInfo
from components.evaluation.benchmark import Marker, Marks
from components.evaluation.facts import FactScorer
from components.rewards.extraction import extract
from components.rewards.rule import verify
from components.rewards.surrogate import ngram_f1

PREFIX = "heldout_"
VERSION = 2.0
"""Of prompts and marking."""
_SCORING = {
    Family.OPEN_ENDED: "which facts of the picture an answer states (Jaccard index), or word F1 to the best reference",
}
_GROUPS = ("task", "answer type")
_BY_RULE = "the rule verifier of the rewards, right or wrong; no judge"


def heldout_questions(dataset: Path, max_examples: int = 0) -> dict[str, list[Question]]:
    """The held-out examples of a dataset artifact as benchmarks, a family each.

    Args:
        dataset: A dataset artifact that has been verified.
        max_examples: Of each family at most, the first ones; 0 takes all.

    Returns:
        Questions by name of the benchmark, in order of Family; none is empty.
    """
    found: dict[Family, list[Question]] = defaultdict(list)
    for example in read_split(dataset, Split.HELD_OUT):
        if not max_examples or len(found[example.family]) < max_examples:
            found[example.family].append(heldout_question(example))
    return {f"{PREFIX}{family.value}": found[family] for family in Family if found[family]}


def heldout_question(example: Example) -> Question:
    """An example as a question: images first, then what is asked."""
    return Question(
        id=example.id,
        parts=(*[""] * len(example.images), example.question),
        images=example.images,
        references=example.references,
        meta={
            "answer_type": example.answer_type.value,
            "choices": list(example.choices),
            "unit": example.unit,
            "precision": example.precision,
            "facts": list(example.facts),
        },
        groups={"task": example.task.value, "answer type": example.answer_type.value.replace("_", " ")},
        cluster=example.group or hashlib.sha256(b"".join(example.images)).hexdigest()[:16],
    )


def heldout_info(name: str, questions: Sequence[Question], source: str) -> BenchmarkInfo:
    """What is to be known of a held-out family.

    Args:
        name: heldout_math …
        questions: All of them.
        source: Where the dataset came from.
    """
    family = Family(name.removeprefix(PREFIX))
    return BenchmarkInfo(
        name=name,
        family=family,
        version=VERSION,
        questions=len(questions),
        split="held-out split of this run's dataset",
        source=source,
        scoring=_SCORING.get(family, _BY_RULE),
        breakdowns=tuple(name for name in _GROUPS if len({question.groups[name] for question in questions}) > 1),
    )


def heldout_marker(questions: Iterable[Question]) -> Marker:
    """The marker of held-out questions.

    Args:
        questions: All of a family; their facts are the vocabulary in which statements are found.
    """
    facts = FactScorer(fact for question in questions for fact in question.meta["facts"])

    def mark(question: Question, response: str) -> Marks:
        extraction = extract(response)
        answer = extraction.answer
        if answer is None:
            return Marks(0.0, 0.0, None, extraction.rule, (NO_ANSWER,))
        answer_type = AnswerType(question.meta["answer_type"])
        if answer_type is AnswerType.OPEN_ENDED:
            return _mark_open_ended(question, answer, facts)
        return _mark_checkable(question, answer, answer_type)

    return mark


def _mark_open_ended(question: Question, answer: str, facts: FactScorer) -> Marks:
    if question.meta["facts"]:
        score, rule = facts.score(answer, question.meta["facts"]), "facts"
    else:
        score, rule = max(ngram_f1(answer, reference, 1) for reference in question.references), "word F1"
    return Marks(score, score, answer, rule)


def _mark_checkable(question: Question, answer: str, answer_type: AnswerType) -> Marks:
    meta = question.meta
    verdict = verify(answer, question.references, answer_type, tuple(meta["choices"]), meta["unit"], meta["precision"])
    score = float(verdict.correct is True)
    return Marks(score, score, answer, verdict.rule, (UNDECIDED,) if verdict.correct is None else ())
