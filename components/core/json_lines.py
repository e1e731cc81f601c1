"""JSON Lines: the lines of a file that people write, read so that a bad line harms no other."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from components.core.errors import SourceError

_MAX_DEPTH = 50  # of an id or a group, which are written again


class BadLineError(ValueError):
    """A line that cannot be scored; the message says what is wrong and what to write instead."""


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text, split at line feeds alone: other separators may stand inside a JSON string.

    Raises:
        SourceError: The file is missing, cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(str(path), f"cannot be read ({error.strerror})", "Give a readable JSON Lines file") from None
    except ValueError:  # the path holds a NUL
        raise SourceError(repr(str(path)), "not the path of a file", "Give a readable JSON Lines file") from None
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: byte {content[error.start]:#04x} on line {number}"
        raise SourceError(str(path), problem, "Convert the file to UTF-8") from None
    return lines if lines[-1] else lines[:-1]


def read_object(text: str) -> dict[str, Any]:
    """Read the JSON object of a line.

    Args:
        text: The line, of any content.

    Raises:
        BadLineError: It is not JSON (NaN and Infinity are not), too deeply nested, or not an object.
    """
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise BadLineError("the JSON is nested too deeply: write one flat object a line") from None
    except ValueError as error:  # also for an integer of thousands of digits
        cause = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise BadLineError(f"{shown(text)} is not JSON ({cause[:100]}): write one JSON object a line") from None
    if not isinstance(values, dict):
        raise BadLineError(f"{shown(values)} is not an object: write one JSON object a line")
    return values


def read_id(values: Mapping[str, Any]) -> dict[str, Any]:
    """The id of a line under its key, to be written again; empty where the line has none.

    Raises:
        BadLineError: The id cannot be written again: it is nested too deeply or holds a number beyond a float.
    """
    if "id" not in values:
        return {}
    canonical(values["id"], "id")
    return {"id": values["id"]}


def canonical(value: Any, key: str) -> str:
    """One text for a JSON value, whatever the order of its keys.

    Raises:
        BadLineError: It is nested too deeply or holds a number beyond a float.
    """
    level = [value]
    for _ in range(_MAX_DEPTH):
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            raise BadLineError(f"{key} holds a number beyond 1.8e308: write it as a string")
        level = [child for item in level for child in _children(item)]
        if not level:
            return json.dumps(value, sort_keys=True)
    raise BadLineError(f"{key} is nested deeper than {_MAX_DEPTH} levels: use a string or a number")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def shown(value: Any) -> str:
    """A value as a message shows it, however large it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:60]}…")
    if isinstance(value, list | dict):
        return f"a list of {len(value)}" if isinstance(value, list) else f"an object of {len(value)} keys"
    return json.dumps(value)[:60]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
