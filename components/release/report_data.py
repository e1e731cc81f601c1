"""Everything the report shows, gathered from artifacts; rendering reads this and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.comparison import ScoreRow


@dataclass(frozen=True)
class ArtifactRow:
    """One artifact of the run."""

    role: str
    kind: str
    fingerprint: str
    code_version: str


@dataclass(frozen=True)
class AnswerView:
    """What one policy answered."""

    text: str
    extracted: str | None
    score: float
    parts: Mapping[str, float]
    """What the reward would have paid, unweighted, by part."""
    not_applicable: Mapping[str, str]
    flags: Sequence[str]
    length_tokens: int


@dataclass(frozen=True)
class SampleView:
    """One held-out example with the answers of the three policies."""

    id: str
    family: str
    images: Sequence[bytes]
    """Encoded images."""
    question: str
    references: Sequence[str]
    answers: Mapping[str, AnswerView]
    """By policy."""


@dataclass(frozen=True)
class RolloutView:
    """One training completion with its reward breakdown."""

    completion: str
    total: float
    parts: Mapping[str, float]
    not_applicable: Mapping[str, str]
    advantage: float
    rule: str


@dataclass(frozen=True)
class RolloutGroupView:
    """One prompt's group of completions at one training step."""

    step: int
    images: Sequence[bytes]
    question: str
    references: Sequence[str]
    rollouts: Sequence[RolloutView]


@dataclass(frozen=True)
class ReportData:
    """The whole report."""

    pipeline: str
    run_id: str
    created_at: str
    seed: int
    recipe: Mapping[str, Any]
    """The settings of each stage, by section."""
    overall: ScoreRow
    """Unweighted mean over the families."""
    families: Mapping[str, ScoreRow]
    promoted: bool
    reasons: Sequence[str]
    """Why it was promoted or not, in words."""
    artifacts: Sequence[ArtifactRow]
    libraries: Mapping[str, str]
    curves: Mapping[str, Sequence[Mapping[str, float]]]
    """Training curves by policy (candidate, control): points with step, reward, accuracy, length, format,
    completion_length, entropy, groups_without_signal, reward_seconds, reward_share; a point may lack a value."""
    reward_time: Mapping[str, Mapping[str, float]]
    """What judging took in training, by policy (candidate, control): reward_seconds and step_seconds of a step, and
    reward_share (0..1) of the step's time; nothing where it was not timed."""
    lengths: Mapping[str, Sequence[int]]
    """Tokens of every held-out response, by policy."""
    health: Mapping[str, Mapping[str, float]]
    """Shares (0..1) by policy: no_answer, truncated, format."""
    dataset: Mapping[str, Any]
    """Counts of the curated dataset, and what its sources are."""
    surrogate: Mapping[str, float]
    """Metrics of the surrogate reward model."""
    samples: Sequence[SampleView]
    rollout_groups: Sequence[RolloutGroupView]
    limits: Sequence[str]
    """What the report does not show, in plain words."""
