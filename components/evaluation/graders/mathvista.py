r"""MathVista: extraction without a judge, normalisation, match.

Source: lupantech/MathVista, evaluation/extract_answer.py and evaluation/calculate_score.py (revision 53d5258). The
official extraction asks a judge for whatever its rules do not find; here the judge is absent and its answer is "", as
in the script when the judge fails. No departure in the scores of `mathvista`; `mathvista_strict` departs in one point.

Reported limits of the official rule: an empty extraction of a multiple-choice question is matched with the nearest,
that is the shortest, choice (flags "no answer" and "fallback"); a choice whose own text holds a letter in brackets is
read as that letter; a bare lower-case letter is no letter.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapidfuzz.distance import Levenshtein

from components.evaluation.grade import FALLBACK, NO_ANSWER, Grade, MetaError

__all__ = ["mathvista", "mathvista_strict"]

_ALLOWED = {
    "question_type": ("multi_choice", "free_form"),
    "answer_type": ("text", "integer", "float", "list"),
    "stage": ("extract", "normalize"),
}
_QUOTED = 'The answer is "'
_LETTER = re.compile(r"\(([a-zA-Z])\)")


def mathvista(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """The official score.

    Args:
        prediction: The response; with stage "normalize" the extraction itself.
        references: The answer first; others are not looked at.
        meta: question_type, answer_type, choices, precision, quick_extract (false), stage ("extract").

    Raises:
        MetaError: A value of `meta` is missing or not allowed, or there is no reference.
    """
    return _graded(prediction, references, meta)[0]


def mathvista_strict(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """As `mathvista`, but an empty extraction scores 0: a departure, under a name of its own.

    Raises:
        MetaError: As `mathvista`.
    """
    grade, is_empty = _graded(prediction, references, meta)
    return Grade(0.0, None, (NO_ANSWER,)) if is_empty else grade


def _graded(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> tuple[Grade, bool]:
    """The grade, and whether the extraction was empty."""
    question_type, answer_type = _one_of(meta, "question_type", None), _one_of(meta, "answer_type", None)
    choices, precision = _choices(meta, question_type), _precision(meta)
    if not references:
        raise MetaError("references: empty; the answer is needed")
    found = prediction
    if _one_of(meta, "stage", "extract") == "extract":
        found = _extracted(prediction, question_type, answer_type, choices, _quick(meta))
    is_empty = not found.strip()
    flags: tuple[str, ...] = (NO_ANSWER,) if is_empty else ()
    normal: str | None
    if question_type == "multi_choice":
        normal, guessed = _chosen(found.strip(), choices)
        flags = (*flags, FALLBACK) if guessed else flags
    else:
        normal = _normal(found, answer_type, precision)
        flags = (NO_ANSWER,) if normal is None else flags
    score = float(normal == references[0])
    return Grade(score, normal if normal or score else None, flags), is_empty


def _extracted(response: str, question_type: str, answer_type: str, choices: Sequence[str], quick: bool) -> str:
    if question_type == "multi_choice" and response in choices:
        return response
    number = _as_number(response, answer_type)
    if number is not None:
        return number
    return _quoted(response) if quick else ""


def _as_number(response: str, answer_type: str) -> str | None:
    """The response read as a whole; an integer has to be written as one ("3.7" is left to the judge)."""
    try:
        if answer_type == "integer":
            return str(int(response))
        return str(float(response)) if answer_type == "float" else None
    except ValueError:
        return None


def _quoted(response: str) -> str:
    r"""What `The answer is "(.*)"\.` finds first, line by line: the expression itself takes quadratic time."""
    for line in response.split("\n"):
        start, end = line.find(_QUOTED), line.rfind('".')
        if start >= 0 and end >= start + len(_QUOTED):
            return line[start + len(_QUOTED) : end]
    return ""


def _chosen(text: str, choices: Sequence[str]) -> tuple[str, bool]:
    """The choice that a text stands for, and whether it was guessed."""
    letter = _LETTER.search(text)
    name = letter.group(1).upper() if letter else text
    place = ord(name) - ord("A") if len(name) == 1 else -1
    if 0 <= place < len(choices):
        return choices[place], False
    return _nearest(name, choices), name not in choices


def _nearest(text: str, choices: Sequence[str]) -> str:
    """The first choice of the smallest edit distance."""
    best, smallest = choices[0], Levenshtein.distance(text, choices[0])
    for choice in choices[1:]:
        # Beyond the cutoff the distance need not be known: it is reported as one more than the cutoff.
        distance = Levenshtein.distance(text, choice, score_cutoff=max(smallest - 1, 0))
        if distance < smallest:
            best, smallest = choice, distance
    return best


def _normal(text: str, answer_type: str, precision: int | None) -> str | None:
    """The text in the form of the answer; None where it has none (also for inf and nan as integers)."""
    try:
        if answer_type == "integer":
            return str(int(float(text)))
        if answer_type == "float":
            return None if precision is None else str(round(float(text), precision))
    except (ValueError, OverflowError):
        return None
    return text


def _one_of(meta: Mapping[str, Any], key: str, default: str | None) -> str:
    value = meta.get(key, default)
    if not isinstance(value, str) or value not in _ALLOWED[key]:
        raise MetaError(f"{key}: {value!r} is not one of {', '.join(_ALLOWED[key])}")
    return value


def _choices(meta: Mapping[str, Any], question_type: str) -> list[str]:
    value = meta.get("choices")
    choices = [] if value is None else value
    if not isinstance(choices, list | tuple) or not all(isinstance(choice, str) for choice in choices):
        raise MetaError(f"choices: {value!r} is not a list of texts")
    if question_type == "multi_choice" and not choices:
        raise MetaError(f"choices: {value!r}; a multi_choice question needs a list of one text or more")
    return list(choices)


def _precision(meta: Mapping[str, Any]) -> int | None:
    """Decimals; the hub stores them as float64, where a missing one may be nan."""
    value = meta.get("precision")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 300:
        raise MetaError(f"precision: {value!r} is not a number of decimals from 0 to 300, or null")
    return int(value)


def _quick(meta: Mapping[str, Any]) -> bool:
    value = meta.get("quick_extract", False)
    if not isinstance(value, bool):
        raise MetaError(f"quick_extract: {value!r} is not true or false")
    return value
