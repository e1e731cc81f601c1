"""Score line: one line of a file of completions, checked and typed.

A line is a JSON object. What cannot be scored is refused with the value and the remedy; what merely deserves a
reader's attention (no reference, a completion that is not text) is flagged and scored.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.core.example import AnswerType
from components.core.json_lines import BadLineError, canonical, shown
from components.rewards.answer_types import infer_answer_type
from components.rewards.checkable import Checkable

NO_REFERENCE = "no reference"

_TYPES = {str(kind): kind for kind in AnswerType} | {"yes_no": AnswerType.SHORT_TEXT}
_MAX_PRECISION = 100  # decimals either side of the point; bounds the power of ten that is computed
_MAX_TOKENS = 10**9


@dataclass(frozen=True)
class ScoreLine:
    """A completion and what it takes to score it."""

    checkable: Checkable
    completion: str
    group: str | None
    """Canonical JSON of the group; None for a line that is a group of its own."""
    length: int | None
    """Tokens of the completion; None where the line does not say."""
    truncated: bool
    flags: tuple[str, ...]


def read_line(values: Mapping[str, Any]) -> ScoreLine:
    """Check and type a line.

    Args:
        values: The line's object; keys that are not ours are left alone.

    Raises:
        BadLineError: A key that is needed is missing, or one has a wrong type or value.
    """
    completion, flags = _completion(values)
    references = _references(values)
    choices = _texts(values.get("choices"), "choices")
    answer_type = _answer_type(values.get("answer_type"), references, choices)
    group = values.get("group")
    return ScoreLine(
        checkable=Checkable(
            question=_text(values.get("question"), "question"),
            references=references,
            answer_type=answer_type,
            verifiable=answer_type is not AnswerType.OPEN_ENDED,
            choices=choices,
            unit=_text(values.get("unit"), "unit"),
            precision=_whole(values.get("precision"), "precision", -_MAX_PRECISION, _MAX_PRECISION),
        ),
        completion=completion,
        group=None if group is None else canonical(group, "group"),
        length=_whole(values.get("length_tokens"), "length_tokens", 0, _MAX_TOKENS),
        truncated=_truth(values.get("truncated"), "truncated"),
        flags=flags if references else (*flags, NO_REFERENCE),
    )


def _completion(values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if "completion" not in values:
        raise BadLineError("completion is missing: give the text that is to be scored")
    completion = values["completion"]
    if isinstance(completion, str):
        return completion, ()
    return "", (f"completion is {shown(completion)}, not text: scored as empty",)


def _references(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The references without surrounding whitespace; nulls and blanks among them do not count."""
    if "references" not in values:
        raise BadLineError("references is missing: give a list of accepted answers, or [] for none")
    given = values["references"]
    items = given if isinstance(given, list) else [given]
    texts = _texts([item for item in items if item is not None], "references")
    return tuple(text for text in texts if text)


def _answer_type(stated: Any, references: tuple[str, ...], choices: tuple[str, ...]) -> AnswerType:
    if stated is not None and (not isinstance(stated, str) or stated not in (*_TYPES, "infer")):
        near = difflib.get_close_matches(stated[:30], _TYPES, n=1) if isinstance(stated, str) else []
        remedy = f"did you mean {near[0]!r}?" if near else f"give one of {', '.join(_TYPES)}, or leave it out"
        raise BadLineError(f"answer_type is {shown(stated)}: {remedy}")
    if not references:  # nothing to decide by; also keeps an empty completion from being called wrong
        return AnswerType.OPEN_ENDED
    return infer_answer_type(references, choices) if stated in (None, "infer") else _TYPES[stated]


def _texts(value: Any, key: str) -> tuple[str, ...]:
    items = [] if value is None else value
    if not isinstance(items, list):
        raise BadLineError(f"{key} is {shown(value)}: give a list of strings")
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise BadLineError(f"{key}[{index}] is {shown(item)}: write it as a string")
    return tuple(item.strip() for item in items)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str | None):
        raise BadLineError(f"{key} is {shown(value)}: write it as a string, or leave it out")
    return value or ""


def _truth(value: Any, key: str) -> bool:
    if not isinstance(value, bool | None):
        raise BadLineError(f"{key} is {shown(value)}: give true or false, or leave it out")
    return bool(value)


def _whole(value: Any, key: str, low: int, high: int) -> int | None:
    if value is None:
        return None
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or not low <= value <= high:
        raise BadLineError(f"{key} is {shown(value)}: give a whole number, {low} to {high}, or leave it out")
    return int(value)
