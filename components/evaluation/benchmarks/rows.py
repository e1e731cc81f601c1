"""Rows: reads a published set's row, and refuses what is not as it should be.

Every refusal is a ValueError that names the column and shows its value; a column that is not there is a KeyError.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from components.core.json_lines import shown

ROW_NUMBER = "row number"
"""The row's place in its set, from 0, which preparation puts beside the columns: the id where a set has none."""


def text_in(row: Mapping[str, Any], column: str) -> str:
    """A text, as it stands; one of white space alone is refused."""
    value = row[column]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{column}: {_shown(value)} is no text")
    return value


def texts_in(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """A list of one text or more, as they stand."""
    value = row[column]
    if not isinstance(value, list | tuple) or not value or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{column}: {_shown(value)} is no list of texts")
    return tuple(value)


def number_in(row: Mapping[str, Any], column: str) -> int:
    """A whole number, as a number or its digits."""
    value = row[column]
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{column}: {_shown(value)} is no whole number")
    return value


def id_in(row: Mapping[str, Any], column: str) -> str:
    """An id, which some sets write as a text and some as a number."""
    value = row[column]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text_in(row, column)


def image_in(row: Mapping[str, Any], column: str) -> bytes:
    """An encoded image; whether it can be decoded shows when it is asked about."""
    value = row[column]
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes) or not data:
        raise ValueError(f"{column}: there is no image")
    return data


def image_hash(image: bytes) -> str:
    """The cluster of an image that has no id: 16 hexadecimal digits of its sha-256."""
    return hashlib.sha256(image).hexdigest()[:16]


def letter(position: int) -> str:
    """The letter of an option, A for position 0.

    Raises:
        ValueError: Past Z.
    """
    if not 0 <= position < 26:
        raise ValueError(f"option {position + 1} has no letter: there are 26")
    return chr(ord("A") + position)


def _shown(value: object) -> str:
    try:
        return shown(value)
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
