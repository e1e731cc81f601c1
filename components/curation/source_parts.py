"""Source parts: the files of a source as one run of rows that can be entered anywhere."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from components.curation.candidate import Rejection, SourceRow

Item = Callable[[], dict[str, Any]]
"""Reads a row as the source has it; raises Rejection where that row alone is unusable. To be called, if at all, before
the next item is taken: rows that are skipped cost no more than finding their end."""


@dataclass(frozen=True)
class Part:
    """A file of a source, or the whole of a hub data set."""

    read: Callable[[int], Iterator[Item]]
    """The rows from a number on, from 0; of a part that cannot be entered in its middle, from 0 on whatever is asked.
    Raises SourceError, which names the file and the row, where the part ends in the middle."""
    count: int | None = None
    """Rows, where that is known before they are read."""
    can_enter: bool = False
    """Whether `read` begins where it is told to. Without a count it has to be the only part of its source."""


def read_parts(
    parts: Iterable[Part], convert: Callable[[dict[str, Any]], dict[str, Any]], start: int, stop: int | None
) -> Iterator[SourceRow]:
    """The rows of parts, one after the other.

    Args:
        parts: In order.
        convert: Makes a raw row of a row; what it raises costs that row.
        start: Place of the first row that is wanted.
        stop: Place behind the last one; None takes all.

    Raises:
        SourceError: A part ends in the middle; the rows before were given.
    """
    place = 0
    for part in parts:
        if stop is not None and place >= stop:
            return
        if part.count is not None and place + part.count <= start:
            place += part.count
            continue
        if part.can_enter:
            entered = max(start - place, 0)
            place += entered
            items = part.read(entered)
        else:
            items = part.read(0)
        for item in items:
            if stop is not None and place >= stop:
                return
            if place >= start:
                yield SourceRow(place, _values(item, convert))
            place += 1


def _values(item: Item, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any] | Rejection:
    try:
        return convert(item())
    except Rejection as rejection:
        return rejection
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        # A row of a form that nobody thought of, among millions.
        return Rejection("not of the expected form", f"{type(error).__name__}: {error}"[:300])
