"""Inputs: the checks that the graders of text share."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.grade import NO_ANSWER, MetaError


def number_of(meta: Mapping[str, Any], key: str, default: float, most: float = math.inf) -> float:
    """A number from 0 to `most` in the meta data.

    Args:
        meta: The question's meta data.
        key: Which value; absent or None means the default, as Parquet fills missing fields with None.
        default: The official value.
        most: Largest value allowed.

    Raises:
        MetaError: The value is no finite number in the range.
    """
    value = meta.get(key)
    if value is None:
        return default
    # bool is an int to Python, but "threshold: true" is a slip of the pen.
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 <= value <= most) or value == math.inf:
        allowed = "a finite number of at least 0" if most == math.inf else f"a number from 0 to {most:g}"
        raise MetaError(f"meta {key}: got {_shown(value)}, allowed is {allowed}")
    return value


def text_of(meta: Mapping[str, Any], key: str) -> str | None:
    """A text in the meta data; None where it is absent.

    Raises:
        MetaError: The value is no text.
    """
    value = meta.get(key)
    if value is None or isinstance(value, str):
        return value
    raise MetaError(f"meta {key}: got {_shown(value)}, allowed is a text")


def require_references(references: Sequence[str]) -> None:
    """Refuses a question without references, which no official rule can score.

    Raises:
        MetaError: There is none.
    """
    if not references:
        raise MetaError("references: got an empty list, allowed is one text or more")


def flags_of(prediction: str) -> tuple[str, ...]:
    """NO_ANSWER for a prediction of white space alone."""
    return () if prediction.strip() else (NO_ANSWER,)


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return f"a {type(value).__name__} too long to print"
    return text if len(text) <= 80 else text[:79] + "…"
