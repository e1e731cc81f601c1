"""Estimate: what the surrogate reward model says of an answer, and how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Neighbour:
    """A scored answer that resembles the one in question."""

    question: str
    answer: str
    score: float
    """0..1, as it was annotated."""
    distance: float
    """In the space of standardised features; 0 is the same."""


@dataclass(frozen=True)
class Estimate:
    """The score of an answer with its interval."""

    score: float
    """0..1, calibrated: of answers with this score, such a share is right."""
    low: float
    high: float
    """The conformal interval of the score, in 0..1."""
    abstains: str
    """Why the surrogate does not stand by the score: too unsure, or too far from all it has seen; "" where it does."""
    neighbours: tuple[Neighbour, ...] = ()
    """The nearest scored answers, nearest first."""
    flags: tuple[str, ...] = ()
    """What rules found of the answer, in words: that it is blank, a loop, a reference itself, longer than is read."""
