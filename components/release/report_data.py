"""Everything the report shows, gathered from artifacts; rendering reads this and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.core.comparison import BASELINE, CANDIDATE, Comparison
from components.core.suite import BenchmarkInfo

IMPROVED, REGRESSED, UNCHANGED = OUTCOMES = ("improved", "regressed", "unchanged")


@dataclass(frozen=True)
class ArtifactRow:
    """One artifact of the run."""

    role: str
    kind: str
    fingerprint: str
    code_version: str


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """What one policy answered, and how it was judged; see Sample for what is not said here."""

    text: str
    prompt: str = ""
    extracted: str | None
    score: float
    strict: float
    rule: str = ""
    category: str
    flags: Sequence[str] = ()
    problem: str = ""
    format: bool
    length_tokens: int
    prompt_tokens: int = 0
    parts: Mapping[str, float] = field(default_factory=dict)
    """What the training reward would have paid, unweighted, by part; held-out examples only."""
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """Why a part of the reward has no value; held-out examples only."""


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """One question of a benchmark with the answers of the three policies."""

    benchmark: str
    family: str
    id: str
    groups: Mapping[str, str] = field(default_factory=dict)
    """Value by name of a breakdown."""
    images: Sequence[bytes] = ()
    """Encoded thumbnails."""
    images_note: str = ""
    """Why there are none, and where the images are."""
    question: str
    references: Sequence[str]
    answers: Mapping[str, AnswerView]
    """By policy."""

    def change(self, metric: str) -> float:
        """Score (or strict score) of the candidate less that of the baseline, -1..1."""
        new, old = (float(getattr(self.answers[policy], metric)) for policy in (CANDIDATE, BASELINE))
        return new - old

    def outcome(self, metric: str) -> str:
        """improved, regressed or unchanged, from baseline to candidate."""
        change = self.change(metric)
        return IMPROVED if change > 0 else REGRESSED if change < 0 else UNCHANGED

    def rank(self, metric: str) -> int:
        """How soon a reader wants to see it: 0 where the outcome changed, 1 where something is flagged, else 2."""
        if self.change(metric):
            return 0
        return 1 if any(answer.flags or answer.problem for answer in self.answers.values()) else 2


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
    comparison: Comparison
    """All scores, and the decision."""
    suite: Sequence[BenchmarkInfo]
    """What is to be known of each benchmark, in the order of the tables."""
    cost: Mapping[str, Mapping[str, Mapping[str, float]]]
    """What generating took, by benchmark and policy: seconds, generated, from_journal, prompt_tokens,
    completion_tokens, batch_size; a value, a policy or a benchmark that was not timed is missing."""
    artifacts: Sequence[ArtifactRow]
    libraries: Mapping[str, str]
    curves: Mapping[str, Sequence[Mapping[str, float]]]
    """Training curves by policy (candidate, control): points with step, reward, accuracy, length, format,
    completion_length, entropy, groups_without_signal, reward_seconds, reward_share; a point may lack a value."""
    reward_time: Mapping[str, Mapping[str, float]]
    """What judging took in training, by policy (candidate, control): reward_seconds and step_seconds of a step, and
    reward_share (0..1) of the step's time; nothing where it was not timed."""
    lengths: Mapping[str, Sequence[int]]
    """Tokens of every response, by policy."""
    health: Mapping[str, Mapping[str, float]]
    """Shares (0..1) of all samples by policy: no_answer, truncated, format."""
    dataset: Mapping[str, Any]
    """Counts of the curated dataset, and what its sources are."""
    surrogate: Mapping[str, float]
    """Metrics of the surrogate reward model."""
    samples: Sequence[SampleView]
    rollout_groups: Sequence[RolloutGroupView]
    limits: Sequence[str]
    """What the report does not show, in plain words."""
    benchmark_limits: Mapping[str, Sequence[str]]
    """What a reader of each benchmark's score should know, a sentence each."""

    def benchmarks_by_family(self) -> dict[str, list[str]]:
        """The benchmarks that were compared, by family, in the order of the suite."""
        found: dict[str, list[str]] = {}
        for info in self.suite:
            if info.name in self.comparison.benchmarks:
                found.setdefault(info.family.value, []).append(info.name)
        return found

    def scores(self, benchmark: str, metric: str) -> Mapping[str, float]:
        """Mean scores (0..1) by policy under either metric; empty where that was not kept."""
        if metric == self.comparison.metric:
            return self.comparison.benchmarks[benchmark].scores
        return self.comparison.other_scores.get(benchmark, {})
