"""Rows: scored answers as people write them down, a JSON object a line.

A line has `question` (text, may be empty), `references` (list of accepted answers, at least one), `answer`, and either
`score` (0..1) or `label` (0 or 1). `group` keeps answers together that must not be divided between folds (without it
the question and its references do); `kind` says how the answer was made.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.json_lines import BadLineError, read_lines, read_object, shown

_LONGEST = 1_000_000  # characters


@dataclass(frozen=True)
class AnswerRow:
    """An answer with the question, what is accepted, and how good it is."""

    question: str
    references: tuple[str, ...]
    """At least one, none blank."""
    answer: str
    """Not blank."""
    score: float | None
    """0..1, 1 is right; None where nobody has scored it."""
    group: str
    """Rows of one group never cross folds."""
    kind: str = ""
    """How the answer was made: "" by a person or a model; a canary's or a hard negative's kind, teacher, rollout …"""

    def to_json(self) -> dict[str, Any]:
        """As a line that `read_rows` reads; a row without a score has none."""
        values = {
            "question": self.question, "references": list(self.references), "answer": self.answer,
            "score": self.score, "group": self.group, "kind": self.kind,
        }  # fmt: skip
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True)
class ReadRows:
    """The rows of a file, and what could not be read."""

    rows: list[AnswerRow]
    problems: list[str]
    """What is wrong with each bad line, with its number from 1, in order; lines = rows + problems."""


def read_rows(path: Path, scored: bool = True) -> ReadRows:
    """Read a file of rows; a bad line is reported and leaves the others unharmed.

    Args:
        path: JSON Lines.
        scored: Whether each row needs a score or a label.

    Raises:
        SourceError: The file cannot be read.
    """
    found = ReadRows([], [])
    for number, text in enumerate(read_lines(path), 1):
        try:
            found.rows.append(to_row(read_object(text), scored))
        except BadLineError as error:
            found.problems.append(f"line {number}: {error}")
    return found


def to_row(values: Mapping[str, Any], scored: bool = True) -> AnswerRow:
    """A row of a line's values.

    Raises:
        BadLineError: A value is missing or not what it should be.
    """
    question, answer = _text(values, "question", blank=True), _text(values, "answer")
    references = _references(values)
    group = values.get("group")
    if not isinstance(group, str | int | None):
        raise BadLineError(f"group is {shown(group)}: give a text or a number, or leave it out")
    default = json.dumps([question, references], ensure_ascii=False)
    return AnswerRow(
        question=question,
        references=references,
        answer=answer,
        score=_score(values, scored),
        group=default if group is None else str(group),
        kind=_text(values, "kind", blank=True) if values.get("kind") is not None else "",
    )


def write_rows(rows: Iterable[AnswerRow], path: Path) -> None:
    """Write rows, a line each."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in rows)


def _text(values: Mapping[str, Any], key: str, blank: bool = False) -> str:
    value = values.get(key, "" if blank else None)
    if not isinstance(value, str):
        raise BadLineError(f"{key} is {shown(value)}: give a text")
    if not blank and not value.strip():
        raise BadLineError(f"{key} is blank: give a text")
    if len(value) > _LONGEST:
        raise BadLineError(f"{key} has {len(value)} characters: give at most {_LONGEST}")
    _check_characters(value, key)
    return value


def _references(values: Mapping[str, Any]) -> tuple[str, ...]:
    given: Sequence[Any] = values.get("references") or ()
    if not isinstance(given, list) or not given:
        raise BadLineError("references is missing: give a list of accepted answers")
    for place, item in enumerate(given):
        if not isinstance(item, str) or not item.strip():
            raise BadLineError(f"references[{place}] is {shown(item)}: give a text that is not blank")
        _check_characters(item, f"references[{place}]")
    return tuple(given)


def _check_characters(text: str, key: str) -> None:
    """Refuse half a surrogate pair, which JSON can hold and no tokenizer takes."""
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    if half is not None:
        raise BadLineError(f"{key} holds U+{ord(half):04X}, half of a surrogate pair: write the whole character")


def _score(values: Mapping[str, Any], needed: bool) -> float | None:
    key = "score" if values.get("score") is not None else "label"
    value = values.get(key)
    if value is None:
        if needed:
            raise BadLineError("score is missing: give score (0..1) or label (0 or 1)")
        return None
    if isinstance(value, bool) and key == "label":
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadLineError(f"{key} is {shown(value)}: give a number from 0 to 1")
    if not 0 <= value <= 1 or (key == "label" and value not in (0, 1)):
        raise BadLineError(f"{key} is {shown(value)}: give {'0 or 1' if key == 'label' else 'a number from 0 to 1'}")
    return float(value)
