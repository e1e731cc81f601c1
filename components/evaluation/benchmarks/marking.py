"""Marking: what the benchmarks' markers share: the text that is graded, the option that is named, and the marks.

The official rules know nothing of a policy's template, so the answer is taken out of it first. That is no part of any
official rule, and the same for all benchmarks.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from components.core.question import Question
from components.core.sample import FALLBACK, NO_ANSWER, UNDECIDED
from components.evaluation.benchmark import Marker, Marks
from components.evaluation.benchmarks.rows import letter
from components.evaluation.grade import Grade
from components.rewards.choice import named_options
from components.rewards.extraction import extract

_ANSWER, _ANSWER_END = "<answer>", "</answer>"
_THINK, _THINK_END = "<think>", "</think>"
_UNDECIDED = frozenset({UNDECIDED, "time limit", "memory limit"})
_LONGEST_OPTION = 2000
"""Characters up to which an extraction can name an option."""


def answer_text(response: str) -> str:
    """The text that the official rule grades.

    Args:
        response: As it came.

    Returns:
        Without white space around it: the content of the answer block where there is exactly one, else what follows
        the leading thinking. Thinking that does not end is followed by nothing. A chat template may have opened the
        thinking in the prompt, so that the response has its end alone.
    """
    if response.count(_ANSWER) == response.count(_ANSWER_END) == 1:
        start, end = response.index(_ANSWER) + len(_ANSWER), response.index(_ANSWER_END)
        if start <= end:
            return response[start:end].strip()
    text = response.strip()
    thinking, ended, rest = text.partition(_THINK_END)
    if ended and (thinking.startswith(_THINK) or _THINK not in thinking):
        return rest.strip()
    return "" if not ended and text.startswith(_THINK) else text


class Named(NamedTuple):
    """What a response says of the options."""

    letter: str | None
    """Of the one option that is named; None where none is, or several are."""
    answer: str | None
    """The answer that was found, whatever it names; None where there is none."""
    rule: str
    """Where it was found."""


def option_named(response: str, options: Sequence[str]) -> Named:
    """The option that a response names.

    Args:
        response: As it came; the answer is found by our extraction.
        options: Their texts, A first.
    """
    answer, rule = extract(response)
    if answer is None or len(answer) > _LONGEST_OPTION:
        return Named(None, answer, rule)
    # A letter beyond the options names none, and with another one is a hedge all the same.
    named = list(named_options(answer, options))
    return Named(letter(named[0]) if len(named) == 1 and named[0] < len(options) else None, answer, rule)


def marked(official: Grade, strict: Grade, rule: str, guess: float = 0.0) -> Marks:
    """The marks that two grades make.

    Args:
        official: By the official rule.
        strict: By the saner variant, or the same grade.
        rule: What decided.
        guess: What the official rule gives on average where it draws at random.
    """
    extracted = strict.extraction or None
    flags = {*official.flags, *strict.flags}
    return Marks(
        score=guess if official.score is None else official.score,
        strict=strict.score or 0.0,
        extracted=extracted,
        rule=rule,
        flags=(
            *((NO_ANSWER,) if extracted is None else ()),
            *((FALLBACK,) if FALLBACK in official.flags else ()),
            *((UNDECIDED,) if flags & _UNDECIDED else ()),
        ),
    )


def for_all(marker: Marker) -> Callable[[Iterable[Question]], Marker]:
    """A benchmark's `marker` where all sets of questions are marked alike."""

    def marker_of(_: Iterable[Question]) -> Marker:
        return marker

    return marker_of
