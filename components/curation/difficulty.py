"""Difficulty: which examples a base policy is sometimes right about, and so can learn from.

Two criteria. The window keeps pass rates strictly between two bounds; 0.1 and 0.9 with 8 generations are those of
open-r1 (scripts/pass_rate_filtering/compute_pass_rate.py). The gap keeps examples of which k attempts find what one
does not (pass@k - pass@1), which leans to the hard side: it is largest at pass rates below one half. Which gap is
enough is our choice.
"""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from components.core.config import Config
from components.curation.pass_rates import PassCounts, learning_gap

TOO_HARD, TOO_EASY, NO_GAP = "too hard", "too easy", "too small a gap"


class DifficultyConfig(Config):
    """How an example's difficulty is measured, and what becomes of one that is too easy or too hard."""

    enabled: bool = False
    """Whether it is measured; it takes generations of the base policy."""
    generations: int = Field(default=8, ge=2, le=256)
    """About each training example."""
    criterion: Literal["window", "gap"] = "window"
    """window looks at the pass rate, gap at pass@k - pass@1."""
    minimum: float = Field(default=0.1, ge=-1, lt=1)
    """Pass rates have to lie above it; a negative one lets those pass that are never right."""
    maximum: float = Field(default=0.9, gt=0, le=2)
    """Pass rates have to lie below it; one above 1 lets those pass that are always right."""
    k: int = Field(default=4, ge=2)
    """Attempts of pass@k, for the criterion and for the report; at most generations."""
    minimum_gap: float = Field(default=0.2, ge=0, lt=1)
    """Gaps have to lie above it: with 8 generations and k = 4, those of 1 to 6 right ones do."""
    outside: Literal["quarantine", "record"] = "quarantine"
    """What becomes of an example that does not meet the criterion: it is left out, or all that happens is that its
    pass rate is on record."""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} leaves nothing below maximum {self.maximum}")
        if self.k > self.generations:
            raise ValueError(f"k {self.k} needs as many generations, there are {self.generations}")
        return self


@dataclass(frozen=True)
class Doubt:
    """Why an example is not worth training on."""

    reason: str
    evidence: str


def doubt_difficulty(counts: PassCounts, config: DifficultyConfig) -> Doubt | None:
    """Hold an example against the criterion.

    Args:
        counts: Of its generations. One of which too few were judged is not doubted: too little is known of it.
        config: The criterion.

    Returns:
        Why it does not meet it; None where it does.
    """
    rate = counts.rate
    if rate is None or not counts.is_telling:
        return None
    evidence = f"{counts.right} of {counts.judged} generations right"
    if config.criterion == "window":
        if config.minimum < rate < config.maximum:
            return None
        return Doubt(TOO_HARD if rate <= config.minimum else TOO_EASY, evidence)
    # Where the verifier was undecided on some, as many attempts as were judged.
    k = min(config.k, counts.judged)
    gap = learning_gap(counts.judged, counts.right, k)
    return None if gap > config.minimum_gap else Doubt(NO_GAP, f"{evidence}, pass@{k} - pass@1 = {gap:.3f}")
