"""Measurement: what is known of a surrogate after its scores were held against rows whose truth is known."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from components.rewards.estimate import Neighbour

COVERAGES = (1.0, 0.8, 0.6, 0.4)
"""Shares of the rows, those that the surrogate is surest of, over which accuracy is stated."""
RANKING = ("pairwise_accuracy", "auc", "spearman")
"""Figures that a baseline has too: they ask for an order alone."""

_BOUNDED = ("pairwise_accuracy", "auc")
"""Figures that the flat metrics have with their interval, and for the baselines."""


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval, by bootstrap over groups."""

    value: float
    low: float | None
    """None, like `high`, where there is a single group, or too few resamples in which the figure is defined."""
    high: float | None


Figures = Mapping[str, Figure | None]
"""By name; None where the rows do not define it, such as the AUC of right answers alone."""


@dataclass(frozen=True)
class CalibrationBin:
    """The rows whose scores lie in one bin."""

    low: float
    high: float
    """Bounds of the bin, 0..1."""
    n: int
    score: float
    """Mean score, 0..1."""
    truth: float
    """Mean truth, 0..1."""


@dataclass(frozen=True)
class CanaryKind:
    """How often one way to game a scorer is paid like a right answer."""

    kind: str
    n: int
    passed: int
    """Scored at least the median score of the right answers; a tie counts, since it is paid as much."""
    low: float
    high: float
    """Wilson's 95 % interval of the share that passed."""
    abstains: int
    """Those that the surrogate does not stand by."""
    median: float
    """Median score, 0..1."""

    @property
    def share(self) -> float:
        """Share that passed, 0..1."""
        return self.passed / self.n


@dataclass(frozen=True)
class WorstError:
    """A row whose score is far from the truth, with what it was judged by."""

    question: str
    references: tuple[str, ...]
    answer: str
    kind: str
    truth: float
    score: float
    low: float
    high: float
    abstains: str
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Measurement:
    """Everything that the report shows of the surrogate's scores; all scores and shares in 0..1."""

    n: int
    questions: int
    groups: int
    """Of questions that may have to do with each other, such as those of one topic; a question is one by default."""
    right: int
    """Rows whose truth is above 0.5."""
    pairs: int
    """Pairs of answers to one question whose truths differ."""
    figures: Figures
    """pairwise_accuracy, auc, spearman, brier, ece, accuracy (of "score above 0.5" as a verdict) and its value at each
    coverage, gain_at_60 (accuracy at 60 % coverage less that at 100 %), and length_correlation."""
    truth_length_correlation: float | None
    """Rank correlation of the truth with the number of words: what a length correlation is to be held against."""
    baselines: Mapping[str, Figures]
    """The figures of RANKING by baseline: cosine, token_f1 and longer_wins."""
    leads: Mapping[str, Figures]
    """By baseline, the surrogate's figure less its own, on the same resamples."""
    calibration: tuple[CalibrationBin, ...]
    """The bins that have rows."""
    coverage: tuple[tuple[float, float], ...]
    """Coverage and accuracy, from the surest rows to all."""
    abstains: Mapping[str, int]
    """Rows that the surrogate does not stand by, by reason."""
    within_interval: float
    """Share of the rows whose truth lies in the score's interval."""
    interval_width: float
    """Mean width of these intervals."""
    canaries: tuple[CanaryKind, ...]
    """By kind; empty where none were given, or no right answer to hold them against."""
    canary_bar: float | None
    """The median score of the right answers, which a canary must not reach."""
    trained_kinds: tuple[str, ...]
    """Kinds of canaries that the surrogate has seen in fitting; the others were kept out."""
    worst: tuple[WorstError, ...]
    """The largest errors, one a question, largest first."""
    notes: tuple[str, ...] = field(default=())
    """What a reader must know of these rows: figures that they do not define, and why."""

    @property
    def abstain_share(self) -> float:
        """Share of the rows that the surrogate does not stand by."""
        return sum(self.abstains.values()) / self.n

    def canaries_of(self, trained: bool) -> tuple[CanaryKind, ...]:
        """The kinds that the surrogate was, or was not, fitted on."""
        return tuple(kind for kind in self.canaries if (kind.kind in self.trained_kinds) is trained)

    def to_json(self) -> dict[str, Any]:
        """As JSON values without NaN."""
        values = asdict(self)
        values["abstain_share"] = self.abstain_share
        for kind, own in zip(self.canaries, values["canaries"], strict=True):
            own |= {"share": kind.share, "trained": kind.kind in self.trained_kinds}
        return values

    def flat(self) -> dict[str, float]:
        """The main figures as scalars, for Kubeflow's table of metrics; a figure that is not defined is missing."""
        counts = {"rows": float(self.n), "questions": float(self.questions), "groups": float(self.groups)}
        return counts | {"abstain_share": self.abstain_share} | self._flat_figures() | dict(self._flat_canaries())

    def _flat_figures(self) -> dict[str, float]:
        named = dict(self.figures)
        for baseline, figures in self.baselines.items():
            named |= {f"{baseline}_{name}": figures[name] for name in _BOUNDED}
        values = {name: figure.value for name, figure in named.items() if figure is not None}
        for name in _BOUNDED:
            figure = self.figures[name]
            if figure is not None and figure.low is not None and figure.high is not None:
                values |= {f"{name}_low": figure.low, f"{name}_high": figure.high}
        return values

    def _flat_canaries(self) -> Iterator[tuple[str, float]]:
        for name, trained in (("trained", True), ("kept_out", False)):
            if kinds := self.canaries_of(trained):
                yield f"canary_{name}_pass_share", sum(kind.passed for kind in kinds) / sum(kind.n for kind in kinds)
