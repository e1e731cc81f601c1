"""Benchmark: what there is to say about a public set: where its data is, how it is asked, how an answer is marked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.core.example import Family
from components.core.question import Question


@dataclass(frozen=True)
class Marks:
    """What a response is worth."""

    score: float
    """0..1 by the official rule; where that draws at random, what it gives on average."""
    strict: float
    """0..1 by the saner variant, the same where there is none."""
    extracted: str | None
    """What `strict` compared with the references; None where nothing was found."""
    rule: str
    """What decided, and where the answer was found."""
    flags: tuple[str, ...] = ()
    """Of components.core.sample."""


Marker = Callable[[Question, str], Marks]
"""Marks a response to a question; a pure function that any text leaves standing."""


@dataclass(frozen=True)
class HubData:
    """A data set of the Hugging Face hub."""

    dataset: str
    """Id."""
    split: str
    configs: tuple[str, ...] = ("",)
    """Names of its configurations, read one after the other; "" is the default one."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A public benchmark."""

    name: str
    family: Family
    version: float
    """Of prompt and marking together; raise it with either."""
    hub: HubData
    expected: int
    """Questions of the published set; 0 where there is no such number."""
    licence: str
    scoring: str
    """The rule, in a sentence: whose script, and which judge or none."""
    columns: Mapping[str, str]
    """Columns that a source must have, each with what it holds, in words, for the message of a source that lacks it."""
    to_question: Callable[[Mapping[str, Any]], Question]
    """A question of a source's row. ValueError (KeyError, TypeError): the row is not what it should be."""
    marker: Callable[[Iterable[Question]], Marker]
    """The marker for a set of questions."""
    images: tuple[str, ...] = ("image",)
    """Columns that hold an image, encoded; those that a source lacks are not read."""
    chance: float | None = None
    out_of: int | None = None
    breakdowns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """See BenchmarkInfo for these four."""
