"""MathVerse: letters of multiple-choice questions, our verifier for free-form ones.

Departure: the official scorer (ZrrSkywalker/MathVerse, evaluation/extract_answer_s1.py and score_answer_s2.py) asks a
GPT judge for the extraction and for the score, and has no rule but equality of the texts. Scores here are given by
rules, carry the flag "rule-scored" and cannot be compared with judged ones without saying so.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.core.example import AnswerType
from components.evaluation.grade import NO_ANSWER, Grade, MetaError
from components.rewards.checkable import Checkable
from components.rewards.judge import judge_all

__all__ = ["RULE_SCORED", "mathverse"]

RULE_SCORED = "rule-scored"
"""Flag: the official scorer is a judge; this score is a rule's."""
_LETTER = re.compile(r"\s*\(?[A-H]\)?\.?\s*")
_TYPES = {"multi-choice": AnswerType.CHOICE, "free-form": AnswerType.EXPRESSION}


def mathverse(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """The score by rule; an undecided answer counts as wrong.

    Args:
        prediction: The response.
        references: Accepted answers; letters where the question is multi-choice.
        meta: question_type (multi-choice or free-form; told from the references where it is missing), and choices
            where they are known.

    Raises:
        MetaError: A value of `meta` is not allowed, or there is no reference.
    """
    if not references:
        raise MetaError("references: empty; the answer is needed")
    item = Checkable(
        question="",
        references=tuple(references),
        answer_type=_answer_type(meta, references),
        verifiable=True,
        choices=_choices(meta),
    )
    # A lone surrogate cannot be sent to the verifier's process, and belongs to no answer.
    text = prediction.encode("utf-8", "replace").decode("utf-8")
    judgement = judge_all([(item, text)])[0]
    flags = dict.fromkeys((RULE_SCORED, *((NO_ANSWER,) if judgement.extracted is None else ()), *judgement.flags))
    return Grade(float(judgement.verdict is True), judgement.extracted, tuple(flags))


def _answer_type(meta: Mapping[str, Any], references: Sequence[str]) -> AnswerType:
    value = meta.get("question_type")
    if value is None:
        lettered = bool(meta.get("choices")) or all(_LETTER.fullmatch(reference) for reference in references)
        return AnswerType.CHOICE if lettered else AnswerType.EXPRESSION
    if not isinstance(value, str) or value not in _TYPES:
        raise MetaError(f"question_type: {value!r} is not one of {', '.join(_TYPES)}")
    return _TYPES[value]


def _choices(meta: Mapping[str, Any]) -> tuple[str, ...]:
    value = meta.get("choices")
    choices = [] if value is None else value
    if not isinstance(choices, list | tuple) or not all(isinstance(choice, str) for choice in choices):
        raise MetaError(f"choices: {value!r} is not a list of texts")
    return tuple(choices)
