"""What a comparison artifact says: the scores of three policies on the same questions, and the decision."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

COMPARISON = "comparison.json"
BASELINE, CANDIDATE, CONTROL = "baseline", "candidate", "control"
POLICIES = (BASELINE, CANDIDATE, CONTROL)
"""The base policy, the aligned policy, and the one aligned without the accuracy reward."""
Interval = tuple[float, float]


@dataclass(frozen=True)
class ScoreRow:
    """Scores of the three policies on the same questions; all in 0..1."""

    n: int
    """Questions."""
    scores: Mapping[str, float]
    """Mean score by policy."""
    ci95: Mapping[str, Interval]
    """95 % confidence interval of each mean, by policy."""
    difference: float
    """Candidate minus baseline."""
    difference_ci95: Interval
    """95 % confidence interval of the paired difference."""
    over_control: float
    """Candidate minus control: what the accuracy reward itself bought."""
    over_control_ci95: Interval
    """95 % confidence interval of that paired difference."""
    wins: int
    """Questions on which the candidate scored higher than the baseline."""
    losses: int
    """Questions on which it scored lower."""
    clusters: int = 0
    """Independent units: questions that share an image are one."""
    relative: float | None = None
    """Difference divided by the baseline's score, as the paper states its gains; None where the baseline is 0."""
    p_value: float | None = None
    """Two-sided, of no difference: McNemar's exact test where all scores are 0 or 1 and no image is shared, else from
    the paired bootstrap; None for a row of one question."""
    p_adjusted: float | None = None
    """The same after Holm's correction over the benchmarks of the suite; None for families and overall."""
    minimal_detectable: float | None = None
    """The smallest true difference that a set like this one finds with 80 % power at the 5 % level."""

    @property
    def ties(self) -> int:
        """Questions on which both scored alike."""
        return self.n - self.wins - self.losses

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ScoreRow":
        """The row that `dataclasses.asdict` made, read back from JSON, where a pair is a list."""
        pairs = {key: _pair(values[key]) for key in ("difference_ci95", "over_control_ci95")}
        ci95 = {policy: _pair(interval) for policy, interval in values["ci95"].items()}
        return cls(**{**values, **pairs, "ci95": ci95})


@dataclass(frozen=True)
class GroupRow:
    """Scores on the questions of one group: a skill, a subject, a problem version."""

    n: int
    scores: Mapping[str, float]
    """Mean score (0..1) by policy."""
    difference: float
    """Candidate minus baseline."""
    difference_ci95: Interval
    """95 % confidence interval of the paired difference."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "GroupRow":
        """The row that `dataclasses.asdict` made, read back from JSON."""
        return cls(**{**values, "difference_ci95": _pair(values["difference_ci95"])})


@dataclass(frozen=True)
class Comparison:
    """The content of a comparison artifact."""

    metric: str
    """Which score of the samples all rows show: "score", the official one, or "strict"."""
    overall: ScoreRow
    """Unweighted mean over the benchmarks."""
    families: Mapping[str, ScoreRow]
    """Unweighted mean over the benchmarks of each family."""
    benchmarks: Mapping[str, ScoreRow]
    promoted: bool
    reasons: Sequence[str]
    """Why it was promoted or not, a sentence each."""
    other_scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Mean by policy under the other metric, by benchmark."""
    breakdowns: Mapping[str, Mapping[str, Mapping[str, GroupRow]]] = field(default_factory=dict)
    """By benchmark, name of the breakdown, and value."""
    health: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    """By benchmark and policy: the share (0..1) of samples with each flag and `format`, and the means `length_tokens`
    and `prompt_tokens`."""
    categories: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    """Samples by benchmark, policy and category."""

    def save(self, folder: Path) -> None:
        """Write comparison.json."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False)
        (folder / COMPARISON).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Comparison":
        """Read comparison.json."""
        values = json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
        rows = {key: _rows(values[key], ScoreRow) for key in ("families", "benchmarks")}
        breakdowns = {
            benchmark: {name: _rows(groups, GroupRow) for name, groups in names.items()}
            for benchmark, names in values["breakdowns"].items()
        }
        return cls(**{**values, **rows, "overall": ScoreRow.from_json(values["overall"]), "breakdowns": breakdowns})


def _rows(values: Mapping[str, Any], kind: type[ScoreRow] | type[GroupRow]) -> dict[str, Any]:
    return {name: kind.from_json(row) for name, row in values.items()}


def _pair(values: Sequence[float]) -> Interval:
    low, high = values
    return low, high
