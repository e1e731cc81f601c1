"""Grade: what a benchmark's official rule says of one prediction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NO_ANSWER, FALLBACK = "no answer", "fallback"
"""Flags: nothing could be extracted from the prediction; the official rule guessed."""


@dataclass(frozen=True)
class Grade:
    """The outcome of scoring one prediction."""

    score: float | None
    """0..1 as the official script gives it; None where the official result is drawn at random."""
    extraction: str | None
    """What was compared with the references; None where nothing was found."""
    flags: tuple[str, ...] = ()
    """What a reader should know of: "no answer", "fallback", "time limit" …"""


Grader = Callable[[str, Sequence[str], Mapping[str, Any]], Grade]
"""Grades a prediction, given the references and the question's meta data."""


class MetaError(ValueError):
    """A question's meta data lacks what the rule needs, or holds a wrong value; the message says which."""
