"""Candidate: a row on its way from a source to a dataset, and what may become of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from components.core.example import Example, example_id

RawRow = dict[str, Any]
"""What a source gives: images (list of encoded bytes), question, references, choices, task, answer_type, licence and
whatever else the source knows (demonstration, facts, group, split, metadata)."""


class Rejection(Exception):
    """A row that cannot become an example.

    Args:
        reason: A short, countable name.
        evidence: The offending value, or the row or benchmark question that it is held against.
    """

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(f"{reason}: {evidence}")
        self.reason = reason
        self.evidence = evidence

    def __reduce__(self) -> tuple[type["Rejection"], tuple[str, str]]:
        """Pickle by the two arguments, so that it survives a process boundary."""
        return type(self), (self.reason, self.evidence)


@dataclass(frozen=True)
class SourceRow:
    """One row of a source; the place makes it findable again."""

    place: int
    """Number of the row in its source, from 0."""
    values: RawRow | Rejection
    """A Rejection where the source itself can tell that the row is unusable, and go on behind it."""


@dataclass(frozen=True)
class Signs:
    """What is remembered of a candidate for comparisons with all others: small, whatever its images weigh."""

    pixels: tuple[str, ...] = ()
    """Of each image, 32 hexadecimal digits of a sha-256 over its decoded upright RGB pixels and size."""
    looks: tuple[bytes, ...] = ()
    """Of each image, a perceptual hash that tells near images from others; see picture_signs.py."""


@dataclass(frozen=True)
class Candidate:
    """A row that has become an example."""

    source: str
    """Name of its source."""
    place: int
    """Number of the row in its source."""
    example: Example
    demonstration: str = ""
    """A completion to imitate in a warm start; "" where the source has none."""
    flags: tuple[str, ...] = ()
    """What is notable and no reason to leave it out: blind-solvable, cmyk, animated, open-ended by proof …"""
    metadata: dict[str, str] = field(default_factory=dict)
    """Further columns of the source, as texts: where answers leak."""
    signs: Signs = Signs()
    stated_split: str = ""
    """Value of Split that its source states; "" where the source leaves it open."""
    changes: tuple[str, ...] = ()
    """What steps did to it, "step: what" each, in order; kept by the engine."""
    stated_type: str = ""
    """Answer type that the source states, which typing checks; "" where it states none."""
    kind: str = ""
    """Finer kind of the answer, see gold.py: integer, fraction, interval, yes-no …; "" before typing."""
    gold: str = ""
    """The canonical answer as its rule reads it, see gold.py; "" before typing and for open-ended answers."""

    @property
    def key(self) -> str:
        """Its address: the same from run to run, for one source."""
        return f"{self.source}#{self.place}"

    def changed(self, **values: Any) -> "Candidate":
        """The same with other values of its example."""
        return replace(self, example=replace(self.example, **values))

    def rewritten(self, **values: Any) -> "Candidate":
        """The same with another question or other references, and the id that follows from them."""
        new = replace(self.example, **values)
        if (new.question, new.references) != (self.example.question, self.example.references):
            new = replace(new, id=example_id(new.images, new.question, new.references))
        return replace(self, example=new)

    def flagged(self, *flags: str) -> "Candidate":
        """The same with flags added."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


@dataclass(frozen=True)
class Lost:
    """A row that did not become an example, or that duplicates one: a line of the quarantine."""

    source: str
    place: int
    step: str
    """Name of the step that took it out."""
    reason: str
    evidence: str
    question: str
    """The beginning of it, for a reader."""
    is_duplicate: bool = False
    """Counted apart: the same content stays in the dataset."""
    id: str = ""
    """Of the example that it had become; "" where it had not."""


RowStep = Callable[[Candidate], Candidate]
"""Looks at one candidate alone: returns it, changed perhaps, or raises Rejection. Pure, so that shards run anywhere."""

Rows = Iterator[SourceRow]
