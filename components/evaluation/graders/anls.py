"""ANLS: average normalised Levenshtein similarity, the measure of DocVQA and InfographicVQA.

Source: the evaluation script of the Robust Reading Competition (docvqa.org, rrc.cvc.uab.es), as it is found in
Qwen-VL's eval_mm/infographicsvqa_eval.py. The data set's score is the mean of the questions' scores.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rapidfuzz.distance import Levenshtein

from components.evaluation.grade import Grade
from components.evaluation.graders.inputs import flags_of, number_of, require_references

TIME_LIMIT = "time limit"
"""Flag: a reference so long that its distance was not computed; it counts as not similar."""

PADDED = "padded"
"""Flag: white space in the prediction lengthened it and so raised its score."""

_MOST_CELLS = 10**10
"""Cells of the distance's table that are affordable a question (about half a second)."""


def anls(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Scores by similarity to the nearest reference; below the threshold the score is 0, at the threshold it counts.

    Distances are those of lower-case texts with white space collapsed, but are divided by the length of the longer
    text as written: padding raises the score, and a megabyte of blanks is nearly right. Such a grade is flagged.

    One departure: the official distance takes hours on two texts of a megabyte. Past 10^10 cells of its table the
    reference counts as not similar and the grade is flagged.

    Args:
        prediction: The model's answer.
        references: The accepted answers.
        meta: `threshold` from 0 to 1, officially 0.5.

    Raises:
        MetaError: The threshold is no such number, or there is no reference.
    """
    return _grade(prediction, references, meta, str)


def anls_collapsed(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Scores as `anls`, but divides by the length of the texts that are compared: padding earns nothing.

    This is not the official measure.

    Args:
        prediction: The model's answer.
        references: The accepted answers.
        meta: `threshold` from 0 to 1, officially 0.5.

    Raises:
        MetaError: The threshold is no such number, or there is no reference.
    """
    return _grade(prediction, references, meta, _collapsed)


def _grade(
    prediction: str, references: Sequence[str], meta: Mapping[str, Any], measured: Callable[[str], str]
) -> Grade:
    threshold = number_of(meta, "threshold", 0.5, most=1)
    require_references(references)
    compared, flags = _collapsed(prediction).lower(), flags_of(prediction)
    own_length = _length(measured(prediction))
    cells, least = 0, 1.0
    for reference in references:
        target = _collapsed(reference).lower()
        length = max(_length(measured(reference)), own_length)
        # Distances that cannot reach the threshold need no exact value; a margin keeps clear of rounding.
        cutoff = math.ceil((1 - threshold) * length) + 2
        cost = _cells(target, compared, cutoff)
        if cells + cost > _MOST_CELLS:
            flags = (*flags_of(prediction), TIME_LIMIT)
            continue
        cells += cost
        distance = Levenshtein.distance(target, compared, score_cutoff=cutoff)
        least = min(least, distance / length if length else 0.0)
    similarity = 1 - least
    score = 0.0 if similarity < threshold else similarity
    if 0 < score < 1 and own_length > _length(_collapsed(prediction)):
        flags += (PADDED,)
    return Grade(score, compared, flags)


def _cells(one: str, other: str, cutoff: int) -> int:
    # Texts that are equal, or too different in length, are told without the table.
    return 0 if one == other or abs(len(one) - len(other)) > cutoff else len(one) * len(other)


def _collapsed(text: str) -> str:
    return " ".join(text.split())


def _length(text: str) -> int:
    # In capitals, as officially: "ß" counts as two.
    return len(text.upper())
