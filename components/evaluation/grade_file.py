"""Grade file: the official scores of the predictions of a JSON Lines file, without any model.

One line in is one line out, in the same order, whatever the line holds.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.json_lines import BadLineError, canonical, read_id, read_object, shown
from components.evaluation.grade import Grade, Grader, MetaError

_DUPLICATE = "duplicate id"


@dataclass(frozen=True)
class GradedLines:
    """The grades of a file's lines."""

    lines: list[str]
    """One line of ASCII JSON for each line read, in order, without its line break."""
    problems: list[str]
    """What is wrong with each bad line, with its number from 1; in order."""
    scores: list[float]
    """Of the lines that have one, in order."""
    flags: int
    """The number of all lines' flags."""


def grade_lines(
    lines: Sequence[str],
    grader: Grader,
    stage: str | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> GradedLines:
    """Grade the lines of a file.

    Args:
        lines: JSON objects, one a line; a line that is none is reported and leaves the others unharmed.
        grader: The benchmark's official rule.
        stage: "normalize" reads `extraction` in place of `prediction` and tells the rule of it in its meta data.
        advance: Called with the number of lines that have just been graded.
    """
    records: list[dict[str, Any]] = []
    problems: list[str] = []
    for number, text in enumerate(lines, 1):
        own: dict[str, Any] = {}
        try:
            values = read_object(text)
            own = read_id(values)
            grade = _grade(values, grader, stage)
        except BadLineError as error:
            problems.append(f"line {number}: {error}")
            grade = Grade(None, None, (f"bad line: {problems[-1]}",))
        records.append({**own, "score": grade.score, "extraction": grade.extraction, "flags": list(grade.flags)})
        advance(1)
    _flag_duplicates(records)
    return GradedLines(
        [json.dumps(record, allow_nan=False) for record in records],
        problems,
        [record["score"] for record in records if record["score"] is not None],
        sum(len(record["flags"]) for record in records),
    )


def _grade(values: Mapping[str, Any], grader: Grader, stage: str | None) -> Grade:
    prediction, flags = _prediction(values, "extraction" if stage == "normalize" else "prediction")
    references = _references(values)
    meta = _meta(values)
    try:
        grade = grader(prediction, references, {**meta, "stage": stage} if stage else meta)
    except MetaError as error:
        raise BadLineError(f"meta {error}") from None
    except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        # A fault of the rule's, not of the line's; it costs this line and must not cost the others.
        raise BadLineError(f"the rule failed with {type(error).__name__}: {str(error)[:100]}") from error
    if grade.score is not None and not math.isfinite(grade.score):
        raise BadLineError(f"the rule gives {grade.score}, which is no score")
    return Grade(grade.score, grade.extraction, (*flags, *grade.flags))


def _prediction(values: Mapping[str, Any], key: str) -> tuple[str, tuple[str, ...]]:
    if key not in values:
        raise BadLineError(f"{key} is missing: give the text that is to be graded")
    prediction = values[key]
    return (prediction, ()) if isinstance(prediction, str) else ("", (f"{key} is not text",))


def _references(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The references as they stand: some rules compare whitespace."""
    given = values.get("references")
    if given is None or given == []:
        raise BadLineError("references is missing: give a list of accepted answers")
    items = given if isinstance(given, list) else [given]
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise BadLineError(f"references[{index}] is {shown(item)}: write it as a string")
    return tuple(items)


def _meta(values: Mapping[str, Any]) -> dict[str, Any]:
    meta = values.get("meta")
    if not isinstance(meta, dict | None):
        raise BadLineError(f"meta is {shown(meta)}: give an object, or leave it out")
    return meta or {}


def _flag_duplicates(records: Sequence[dict[str, Any]]) -> None:
    """Flag all lines that share an id; null is none."""
    keys = [canonical(record["id"], "id") if record.get("id") is not None else None for record in records]
    counts = Counter(keys)
    for key, record in zip(keys, records, strict=True):
        if key is not None and counts[key] > 1:
            record["flags"].append(_DUPLICATE)
