"""What a comparison artifact says: the scores of three policies on the same held-out examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COMPARISON = "comparison.json"
BASELINE, CANDIDATE, CONTROL = "baseline", "candidate", "control"
POLICIES = (BASELINE, CANDIDATE, CONTROL)
"""The base policy, the aligned policy, and the one aligned without the accuracy reward."""


@dataclass(frozen=True)
class ScoreRow:
    """Scores of the three policies on the same held-out examples; all in 0..1."""

    n: int
    """Examples."""
    scores: Mapping[str, float]
    """Mean score by policy."""
    ci95: Mapping[str, tuple[float, float]]
    """95 % confidence interval of each mean, by policy."""
    difference: float
    """Candidate minus baseline."""
    difference_ci95: tuple[float, float]
    """95 % confidence interval of the paired difference."""
    over_control: float
    """Candidate minus control: what the accuracy reward itself bought."""
    over_control_ci95: tuple[float, float]
    wins: int
    """Examples on which the candidate scored higher than the baseline."""
    losses: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ScoreRow":
        """The row that `dataclasses.asdict` made, read back from JSON, where a pair is a list."""
        pairs = {key: _pair(values[key]) for key in ("difference_ci95", "over_control_ci95")}
        ci95 = {policy: _pair(interval) for policy, interval in values["ci95"].items()}
        return cls(**{**values, **pairs, "ci95": ci95})


def _pair(values: list[float]) -> tuple[float, float]:
    low, high = values
    return low, high
