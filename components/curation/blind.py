"""Blind: which examples a base policy solves without the image, so that rewarding them teaches not to look.

An example is blind-solvable if the policy is right often enough without the image, and more often than guessing among
the options explains: one-sided exact binomial test against 1 / options, with generations as trials. Both limits, and
the test, are our choice.

The test takes generations for independent guesses. A policy that always guesses the same option without the image is
right about one in so many options by luck alone, all k times; no test of one example can tell that from knowledge. So
the report sets the share that was flagged beside the share that such luck would give, and the default is to flag.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Example
from components.curation.difficulty import Doubt
from components.curation.pass_rates import PassCounts, chance_of_as_many

BLIND_SOLVABLE = "blind-solvable"
_TWO_ANSWERS = frozenset({"yes", "no", "true", "false"})


class BlindConfig(Config):
    """How it is found out whether an example can be solved without its images."""

    enabled: bool = False
    """Whether it is; it takes generations of the base policy."""
    generations: int = Field(default=8, ge=1, le=256)
    """About each verifiable training example."""
    minimum_rate: float = Field(default=0.75, gt=0, le=1)
    """Share of generations without the image that are right, from which on an example may be blind-solvable."""
    significance: float = Field(default=0.05, gt=0, lt=1)
    """Guessing has to be less probable than this to give as many right ones, where there are options to guess from."""
    solvable: Literal["flag", "quarantine"] = "flag"
    """What becomes of a blind-solvable example."""


@dataclass(frozen=True)
class BlindFinding:
    """What was found out about one example."""

    task: str
    chance: float
    """Of a guess to be right."""
    rate: float
    """Share of generations without the image that were right."""
    solvable: bool


def guessing_chance(example: Example) -> float:
    """Probability (0..1) that a guess is right: one over the options, 1/2 for yes or no, 0 where nothing is offered."""
    if example.answer_type is AnswerType.CHOICE and example.choices:
        return 1 / len(example.choices)
    answers = {reference.strip().rstrip(".").casefold() for reference in example.references}
    return 0.5 if answers <= _TWO_ANSWERS else 0.0


def doubt_blind(counts: PassCounts, chance: float, config: BlindConfig) -> Doubt | None:
    """Decide whether an example is blind-solvable.

    Args:
        counts: Of the generations without its images.
        chance: Probability that a guess is right; see `guessing_chance`.
        config: Limits.

    Returns:
        The evidence that it is; None where there is too little.
    """
    rate = counts.rate
    if rate is None or rate < config.minimum_rate or not counts.is_telling:
        return None
    probability = chance_of_as_many(counts.judged, counts.right, chance)
    if probability >= config.significance:
        return None
    evidence = f"{counts.right} of {counts.judged} generations right without the image"
    return Doubt(BLIND_SOLVABLE, f"{evidence}, by guessing p = {probability:.2g}" if chance else evidence)


def summarise_blind(found: Iterable[BlindFinding]) -> dict[str, Any]:
    """What a report says of blind-solvable examples.

    Args:
        found: Of each measured example.

    Returns:
        Of all and `by_task`: measured, solvable, its share, share_by_luck (what a policy that always guesses the same
        would get), and pass_at_1 without the image. A mean of nothing is None.
    """
    listed = list(found)
    tasks = sorted({item.task for item in listed})
    by_task = {task: _summary([item for item in listed if item.task == task]) for task in tasks}
    return {**_summary(listed), "by_task": by_task}


def _summary(items: Sequence[BlindFinding]) -> dict[str, Any]:
    count, solvable = len(items), sum(item.solvable for item in items)
    return {
        "measured": count,
        "solvable": solvable,
        "share": solvable / count if count else None,
        "share_by_luck": math.fsum(item.chance for item in items) / count if count else None,
        "pass_at_1": math.fsum(item.rate for item in items) / count if count else None,
    }
