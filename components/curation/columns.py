"""Columns: a source's row turned into a raw row, whatever its columns are called and however they are typed.

Sets type their columns loosely: numbers as texts, texts as numbers, lists written as JSON or as Python. What can be
read without a guess is read; anything else costs its row.
"""

import ast
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.curation.candidate import RawRow, Rejection

if TYPE_CHECKING:
    from components.curation.source_config import Columns

Values = Mapping[str, Any]
"""A row as its source has it."""

_LONGEST_METADATA = 10_000  # characters of a column
_LONGEST_LIST = 1_000_000  # characters of a list in a text


def map_columns(row: Values, columns: "Columns") -> RawRow:
    """A raw row by the names of its columns; the columns that are left over become its metadata.

    Raises:
        Rejection: A column is missing, or its value is of no type that it can have.
    """
    named = {role: column for role, column in columns.model_dump().items() if column}
    absent = [column for role, column in named.items() if column not in row and role in REQUIRED]
    if absent:
        raise Rejection("column missing", f"{', '.join(absent)}; the row has {', '.join(map(str, row))[:200]}")
    value = {role: row.get(column) for role, column in named.items()}
    used = set(named.values())
    return {
        "images": as_images(value["images"]),
        "question": as_text(value["question"], "question"),
        "references": as_texts(value["references"], "references"),
        "choices": as_choices(value.get("choices")),
        "demonstration": as_text(value.get("demonstration"), "demonstration") or "",
        "licence": as_text(value.get("licence"), "licence") or "",
        "group": as_text(value.get("group"), "group") or "",
        "split": as_text(value.get("split"), "split") or "",
        "answer_type": as_text(value.get("answer_type"), "answer type") or "",
        "metadata": as_metadata({column: item for column, item in row.items() if column not in used}),
    }


REQUIRED = ("images", "question", "references")
"""What every row needs a column of."""


def as_text(value: Any, column: str) -> str | None:
    """A text: of a number its digits, of nothing None.

    Raises:
        Rejection: It is a list, an object or bytes.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # a column of whole numbers with a gap is written as one of floats
    if isinstance(value, list | tuple | Mapping | bytes):
        raise Rejection("mis-declared type", f"{column} is a {type(value).__name__}, not a text: {_shown(value)}")
    return str(value)


def as_texts(value: Any, column: str) -> list[str]:
    """Texts: a list, a single text, or a list of texts that is written as JSON or Python.

    "[1, 2]" stays one text: it is an answer, where '["a", "b"]' can only be two.

    Raises:
        Rejection: It holds a list or an object.
    """
    items = _written_list(value) if isinstance(value, str) else value
    if isinstance(items, list | tuple) and (items is value or all(isinstance(item, str) for item in items)):
        texts = [as_text(item, column) for item in items]
        return [text for text in texts if text is not None]
    text = as_text(value, column)
    return [] if text is None else [text]


def as_choices(value: Any) -> list[str]:
    """The options of a question: a list, one written as JSON or Python, or an object by letter or by label.

    Raises:
        Rejection: It is a single text that is no list, or holds a list or an object.
    """
    if isinstance(value, str):
        if not value.strip():
            return []
        value = _written_list(value, also_objects=True)
        if value is None:
            raise Rejection("mis-declared type", "choices is a text that is no list")
    if isinstance(value, Mapping):
        value = value["text"] if isinstance(value.get("text"), list) else [value[key] for key in sorted(value)]
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise Rejection("mis-declared type", f"choices is a {type(value).__name__}, not a list: {_shown(value)}")
    texts = [as_text(item, "choices") or "" for item in value]
    while texts and not texts[-1].strip():  # rows of one table have one number of options, the last ones empty
        texts.pop()
    return texts


def as_whole(value: Any) -> int | None:
    """A whole number, as a number or its digits; None where it is none."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_images(value: Any) -> Any:
    """An image value, or a list of them where it is written as JSON or Python."""
    items = _written_list(value) if isinstance(value, str) else None
    return value if items is None else items


def as_metadata(values: Values) -> dict[str, str]:
    """What can be shown of columns as texts; images, bytes and long texts are left out."""
    texts = {}
    for column, value in values.items():
        if value is None or isinstance(value, bytes) or (isinstance(value, Mapping) and "bytes" in value):
            continue
        if isinstance(value, list | tuple | Mapping):
            text = json.dumps(value, ensure_ascii=False, default=lambda _: "…")
        else:
            text = str(value)
        if len(text) <= _LONGEST_METADATA:
            texts[str(column)] = text
    return texts


def _written_list(text: str, also_objects: bool = False) -> Any:
    """The list that a text writes down as JSON or Python; None where it does not."""
    body = text.strip()
    wanted: tuple[type, ...] = (list, dict) if also_objects else (list,)
    ends = {"[": "]", "{": "}"} if also_objects else {"[": "]"}
    if len(body) < 2 or len(body) > _LONGEST_LIST or ends.get(body[0]) != body[-1]:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(body)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(found, wanted):
            return found
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
