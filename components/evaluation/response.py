"""Response: what a policy gave back for a question, and what giving it cost."""

import re
from dataclasses import dataclass

from components.core.sample import NOT_GENERATED
from components.evaluation.benchmark import Marks

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Response:
    """What came back for one question."""

    text: str
    """"" where there is none."""
    prompt: str
    """As sent, chat template and all; "" where nothing was sent."""
    prompt_tokens: int
    """Of the prompt, the images' included; 0 where nobody knows."""
    length_tokens: int
    """Generated tokens before the end token; it and what follows it are no part of the text."""
    truncated: bool
    """Cut at the longest length allowed."""
    flags: tuple[str, ...] = ()
    """RESIZED, NOT_GENERATED."""
    problem: str = ""
    """Why there is none."""

    @property
    def missing(self) -> bool:
        """Whether there is none."""
        return NOT_GENERATED in self.flags


def not_generated(problem: str) -> Response:
    """The response to a question that could not be asked."""
    return Response("", "", 0, 0, False, (NOT_GENERATED,), problem)


def first_line(error: BaseException) -> str:
    """What an exception says, in a line of 300 characters at most."""
    # Where an object lay in memory says nothing, and would make two equal evaluations differ.
    lines = _ADDRESS.sub("", str(error)).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__


@dataclass(frozen=True)
class Cost:
    """What a run took, this time: a response that the journal held costs nothing."""

    seconds: float
    """By the clock."""
    generated: int
    """Questions that the model answered."""
    from_journal: int
    """Questions whose response the journal held."""
    prompt_tokens: int
    """Of the generated ones, the images' included."""
    completion_tokens: int
    """Of the generated ones, as `Response.length_tokens`."""
    batch_size: int
    """Questions generated at a time: the fixed number, or the one that was found; 0 where nothing was generated."""


@dataclass(frozen=True)
class BenchmarkRun:
    """A benchmark, answered and marked; both lists in the questions' order."""

    responses: list[Response]
    marks: list[Marks]
    cost: Cost
