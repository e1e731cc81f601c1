"""Schema: is a raw row made of what an example is made of?

Types, lengths and blanks are looked at here, row by row; whether an image decodes, an answer can be checked or a text
is clean is for the steps behind it. A row that fails is rejected under a short name; nothing is guessed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Example, Split, Task, example_id
from components.curation.candidate import Candidate, RawRow, Rejection
from components.rewards.answer_types import infer_answer_type

INFER = "infer"
"""What a source says of an answer type that it leaves to curation."""


class SchemaConfig(Config):
    """What a row may hold at most."""

    max_question_characters: int = Field(default=8000, ge=1)
    """Longer questions are quarantined."""
    max_reference_characters: int = Field(default=20_000, ge=1)
    """Longer references are quarantined."""
    max_references: int = Field(default=100, ge=1)
    """More accepted answers are quarantined."""
    max_choices: int = Field(default=26, ge=2, le=26)
    """More options are quarantined: there are 26 letters to name them by."""


@dataclass(frozen=True)
class SchemaStep:
    """From a raw row to a candidate.

    Args:
        config: Limits.
    """

    config: SchemaConfig = field(default_factory=SchemaConfig)
    name = "schema"

    def __call__(self, row: RawRow, source: str, place: int) -> Candidate:
        """Read a row.

        Args:
            row: As a source gave it.
            source: The source's name.
            place: Number of the row in its source.

        Raises:
            Rejection: A value is missing, of the wrong type, blank or too long.
        """
        images, question, references = self._content(row)
        choices = self._choices(row.get("choices"))
        stated = _stated_type(row.get("answer_type"))
        answer_type = AnswerType(stated) if stated else infer_answer_type(references, choices)
        example = Example(
            id=example_id(images, question, references),
            images=images,
            question=question,
            references=references,
            answer_type=answer_type,
            task=_member(Task, row.get("task"), "task unknown"),
            verifiable=answer_type is not AnswerType.OPEN_ENDED,
            choices=choices,
            unit=_text(row.get("unit"), "unit"),
            precision=_precision(row.get("precision")),
            source=source,
            licence=_text(row.get("licence"), "licence"),
            split=_member(Split, row.get("split") or Split.TRAIN, "split unknown"),
            facts=_texts(row.get("facts"), "facts"),
            group=_text(row.get("group"), "group"),
        )
        return Candidate(
            source=source,
            place=place,
            example=example,
            demonstration=_text(row.get("demonstration"), "demonstration"),
            metadata=_metadata(row.get("metadata")),
            stated_type=stated,
            stated_split=_text(row.get("split"), "split"),
        )

    def _content(self, row: RawRow) -> tuple[tuple[bytes, ...], str, tuple[str, ...]]:
        return _images(row.get("images")), self._question(row.get("question")), self._references(row.get("references"))

    def _question(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise Rejection("question missing", shorten(value))
        if len(value) > self.config.max_question_characters:
            raise Rejection("question too long", f"{len(value)} characters")
        return _unicode(value, "question").strip()

    def _references(self, value: Any) -> tuple[str, ...]:
        references = _texts(value, "reference")
        if not references or not all(references):
            raise Rejection("reference missing", shorten(value))
        if len(references) > self.config.max_references:
            raise Rejection("too many references", f"{len(references)}")
        longest = max(map(len, references))
        if longest > self.config.max_reference_characters:
            raise Rejection("reference too long", f"{longest} characters")
        return references

    def _choices(self, value: Any) -> tuple[str, ...]:
        choices = _texts(value, "choice")
        if not all(choices):
            raise Rejection("choice blank", shorten(value))
        if len(choices) == 1 or len(choices) > self.config.max_choices:
            raise Rejection("number of choices", f"{len(choices)}; 2 to {self.config.max_choices} are options")
        return choices


def shorten(value: Any, characters: int = 200) -> str:
    """A value as evidence: its text, its beginning where it is long."""
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= characters else f"{text[:characters]}…"


def _images(value: Any) -> tuple[bytes, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    contents = [item.get("bytes") if isinstance(item, Mapping) else item for item in items]
    images = tuple(content for content in contents if isinstance(content, bytes) and content)
    if not images or len(images) < len(contents):
        places = [item.get("path") if isinstance(item, Mapping) else item for item in items]
        raise Rejection("image missing", shorten(places))
    return images


def _texts(value: Any, name: str) -> tuple[str, ...]:
    """One text or several; nulls are left out."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(_text(item, name) for item in items if not _is_null(item))


def _text(value: Any, name: str) -> str:
    """A text or a number without surrounding whitespace; "" for a null."""
    if _is_null(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # a column of integers with a null in it is read as floats
    if not isinstance(value, str | int | float):
        raise Rejection(f"{name} not text", shorten(f"{type(value).__name__} {value!r}"))
    return _unicode(str(value), name).strip()


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _unicode(text: str, name: str) -> str:
    """A text that can be written: halves of surrogate pairs cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Rejection(f"{name} not Unicode", shorten(text)) from None
    return text


def _stated_type(value: Any) -> str:
    text = _text(value, "answer type")
    return "" if text in ("", INFER) else _member(AnswerType, text, "answer type unknown").value


def _member(kinds: Any, value: Any, reason: str) -> Any:
    try:
        return kinds(value)
    except ValueError:
        allowed = ", ".join(kind.value for kind in kinds)
        raise Rejection(reason, f"{shorten(value)!r} is none of {allowed}") from None


def _precision(value: Any) -> int | None:
    if _is_null(value) or value == "":
        return None
    try:
        number = float(value)
        if isinstance(value, bool) or not number.is_integer() or not 0 <= number <= 100:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise Rejection("precision not decimals", f"{shorten(value)!r} is no number from 0 to 100") from None
    return int(number)


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        if _is_null(value):
            return {}
        raise Rejection("metadata not a mapping", shorten(f"{type(value).__name__} {value!r}"))
    return {str(key): shorten(item, 2000) for key, item in value.items() if not _is_null(item)}
