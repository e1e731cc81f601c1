"""Measure: hold a surrogate's scores against rows whose truth is known, beside what needs no fitting.

A row is right where its score is above 0.5. Answers are ordered among those to one question; rows of one group (a
question and its answers, or all of a topic) are not independent, so intervals are of the bootstrap over groups. All
rows count, also those that the surrogate abstains on, except where a
coverage is stated: the surest rows are those it stands by, then those whose score is far from 0.5.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.core.errors import ModelError, SourceError
from components.rewards.estimate import Estimate
from components.surrogate import figures as f
from components.surrogate.check import contradictions, is_right, question_of
from components.surrogate.measurement import (
    COVERAGES,
    RANKING,
    CalibrationBin,
    CanaryKind,
    Figure,
    Figures,
    Measurement,
    WorstError,
)
from components.surrogate.ordering import Estimator, estimates_of
from components.surrogate.peers import Embeds, peer_scores, word_counts
from components.surrogate.rows import AnswerRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEIGHBOURS = 3
RESAMPLES = 1000
_TAIL = 2.5
_LEAST_DEFINED = 0.9
"""Share of the resamples in which a figure must be defined to have an interval."""
_CELLS = 2**21
"""Resamples times rows that are in memory at once."""
_WORST = 12
_ROUNDING = 1e-6
_STEPS = 40


def measure(
    scorer: Estimator,
    rows: Sequence[AnswerRow],
    canaries: Sequence[AnswerRow] = (),
    trained_kinds: Collection[str] = (),
    embedder: Embeds | None = None,
    seed: int = 0,
) -> Measurement:
    """Measure a surrogate.

    Args:
        scorer: The surrogate.
        rows: N scored rows, at least one.
        canaries: Answers that game a scorer, with their kinds; none may reach the median score of the right rows.
        trained_kinds: Kinds of canaries that the surrogate was fitted on.
        embedder: For the baseline "cosine"; all-MiniLM-L6-v2 if None.
        seed: Decides the resamples.

    Raises:
        SourceError: There is no row, or one without a score.
        ModelError: The surrogate refuses, or gives what is no score.
    """
    _check(rows)
    estimates = estimate_rows(scorer, rows)
    table = _Table.of(rows, estimates, peer_scores(rows, embedder or _default_embedder()))
    figures, baselines, leads = _figures(table, seed)
    bar = _bar(table)
    return Measurement(
        n=len(rows),
        questions=int(table.questions.max()) + 1,
        groups=int(table.units.max()) + 1,
        right=int(table.right.sum()),
        pairs=round(float(table.pairs[""].count.sum())),
        figures=figures,
        truth_length_correlation=_number(f.spearman(table.truth, table.words, table.ones)),
        baselines=baselines,
        leads=leads,
        calibration=tuple(_calibration(table)),
        coverage=tuple(_coverage(table)),
        abstains=dict(Counter(item.abstains.partition(":")[0] for item in estimates if item.abstains).most_common()),
        within_interval=float(table.is_within.mean()),
        interval_width=sum(item.high - item.low for item in estimates) / len(estimates),
        canaries=() if bar is None else tuple(_canaries(scorer, canaries, bar)),
        canary_bar=bar,
        trained_kinds=tuple(sorted(trained_kinds)),
        worst=tuple(_worst(scorer, rows, estimates)),
        notes=tuple(_notes(rows, table)),
    )


def estimate_rows(scorer: Estimator, rows: Sequence[AnswerRow], neighbours: int = 0) -> list[Estimate]:
    """What the surrogate says of rows.

    Raises:
        ModelError: The surrogate refuses, or a score or an interval is not a number from 0 to 1.
    """
    if not rows:
        return []
    estimates = list(estimates_of(scorer, rows, neighbours))
    if len(estimates) != len(rows):
        problem = f"gave {len(estimates)} scores for {len(rows)} answers"
        raise ModelError("the surrogate", problem, "Fit it again with this version")
    for row, estimate in zip(rows, estimates, strict=True):
        if problem := score_problem(estimate):
            raise ModelError("the surrogate", f"the answer {row.answer[:60]!r}: {problem}", "Fit it again")
    return estimates


def score_problem(estimate: Estimate) -> str:
    """What makes an estimate useless, NaN above all; "" where nothing does."""
    values = {"score": estimate.score, "low": estimate.low, "high": estimate.high}
    wrong = [f"{name} is {value}" for name, value in values.items() if not 0 <= value <= 1]
    return f"{', '.join(wrong)}, which is no number from 0 to 1" if wrong else ""


@dataclass(frozen=True)
class _Table:
    """The rows as columns, shape (N,) each."""

    truth: "Floats"
    right: "NDArray[np.bool_]"
    scores: "Floats"
    confidence: "Floats"
    is_within: "NDArray[np.bool_]"
    words: "Floats"
    questions: "NDArray[np.int64]"
    """The number of each row's question."""
    units: "NDArray[np.int64]"
    """The number of its group."""
    peers: "dict[str, Floats]"
    pairs: dict[str, f.Pairs]
    """By peer; the surrogate's under ""."""

    @classmethod
    def of(cls, rows: Sequence[AnswerRow], estimates: Sequence[Estimate], peers: "dict[str, Floats]") -> "_Table":
        import numpy as np

        questions, units = _numbers(question_of(row) for row in rows), _numbers(row.group for row in rows)
        truth = np.array([row.score for row in rows], dtype=np.float64)
        scores = np.array([item.score for item in estimates], dtype=np.float64)
        within = [
            item.low - _ROUNDING <= own <= item.high + _ROUNDING for item, own in zip(estimates, truth, strict=True)
        ]
        stands = np.array([not item.abstains for item in estimates])
        return cls(
            truth=truth,
            right=truth > 0.5,
            scores=scores,
            confidence=np.abs(scores - 0.5) + stands,
            is_within=np.array(within),
            words=word_counts(rows),
            questions=questions,
            units=units,
            peers=peers,
            pairs={name: f.Pairs.of(own, truth, questions, units) for name, own in {"": scores, **peers}.items()},
        )

    @property
    def hits(self) -> "NDArray[np.bool_]":
        """Whether "score above 0.5" says what is true."""
        import numpy as np

        return np.equal(self.scores > 0.5, self.right)

    @property
    def ones(self) -> "Floats":
        """The weights of the rows as they are, shape (1, N)."""
        import numpy as np

        return np.ones((1, len(self.truth)))


def _check(rows: Sequence[AnswerRow]) -> None:
    if not rows:
        raise SourceError("the rows to measure on", "there is none", "Give scored answers")
    unscored = sum(row.score is None for row in rows)
    if unscored:
        problem = f"{unscored} of {len(rows)} have no score"
        raise SourceError("the rows to measure on", problem, "Score them, or leave them out")


def _numbers(names: Iterable[Hashable]) -> "NDArray[np.int64]":
    """A number for each distinct name, from 0 in order."""
    import numpy as np

    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def _default_embedder() -> Embeds:
    from components.rewards.embedder import Embedder, EmbedderConfig

    return Embedder(EmbedderConfig())


def _figures(table: _Table, seed: int) -> tuple[Figures, dict[str, Figures], dict[str, Figures]]:
    """The surrogate's figures, the baselines', and the surrogate's leads over each."""
    import numpy as np

    groups = int(table.units.max()) + 1
    values = _values(table, np.ones((1, groups)))
    resampled = _resampled(table, groups, seed)
    named = {name: _figure(float(own[0]), resampled.get(name)) for name, own in values.items()}
    figures = {name.removeprefix("/"): figure for name, figure in named.items() if name.startswith("/")}
    baselines: dict[str, Figures] = {peer: {name: named[f"{peer}/{name}"] for name in RANKING} for peer in table.peers}
    leads: dict[str, Figures] = {
        peer: {
            name: _figure(
                float(values[f"/{name}"][0] - values[f"{peer}/{name}"][0]),
                resampled[f"/{name}"] - resampled[f"{peer}/{name}"] if resampled else None,
            )
            for name in RANKING
        }
        for peer in table.peers
    }
    return figures, baselines, leads


def _resampled(table: _Table, groups: int, seed: int) -> "dict[str, Floats]":
    """Every figure of every resample; empty where there is a single group, of which there is no other draw."""
    import numpy as np

    if groups == 1:
        return {}
    random = np.random.default_rng(seed)
    step = max(1, _CELLS // len(table.truth))
    chunks = [
        _values(table, random.multinomial(groups, np.full(groups, 1 / groups), min(step, RESAMPLES - start)))
        for start in range(0, RESAMPLES, step)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _values(table: _Table, drawn: "NDArray[np.float64 | np.int64]") -> "dict[str, Floats]":
    """Every figure as peer/name, shape (R,), for drawn groups, shape (R, G)."""
    import numpy as np

    counts = drawn.astype(np.float64)
    weights = counts[:, table.units]
    values: dict[str, Floats] = {}
    for peer, scores in {"": table.scores, **table.peers}.items():
        values[f"{peer}/pairwise_accuracy"] = table.pairs[peer].accuracy(counts)
        values[f"{peer}/auc"] = f.auc(scores, table.right, weights)
        values[f"{peer}/spearman"] = f.spearman(scores, table.truth, weights)
    values["/brier"] = f.brier(table.scores, table.truth, weights)
    values["/ece"] = f.ece(table.scores, table.truth, weights)
    accuracies = f.accuracy_at(np.array(COVERAGES), table.confidence, table.hits, weights)
    for place, share in enumerate(COVERAGES):
        values["/accuracy" if share == 1 else f"/accuracy_at_{100 * share:.0f}"] = accuracies[:, place]
    values["/gain_at_60"] = values["/accuracy_at_60"] - values["/accuracy"]
    values["/length_correlation"] = f.spearman(table.scores, table.words, weights)
    return values


def _figure(value: float, resampled: "Floats | None") -> Figure | None:
    """The percentile interval; it is widened to hold the figure where a resample is biased, as an ECE is upwards."""
    import numpy as np

    if not np.isfinite(value):
        return None
    finite = np.empty(0) if resampled is None else resampled[np.isfinite(resampled)]
    if resampled is None or len(finite) < _LEAST_DEFINED * len(resampled):
        return Figure(value, None, None)
    low, high = np.percentile(finite, [_TAIL, 100 - _TAIL])
    return Figure(value, min(float(low), value), max(float(high), value))


def _number(values: "Floats") -> float | None:
    return float(values[0]) if values[0] == values[0] else None


def _calibration(table: _Table) -> Iterator[CalibrationBin]:
    bins = f.bin_numbers(table.scores)
    for number in range(f.BINS):
        if (own := bins == number).any():
            means = (float(column[own].mean()) for column in (table.scores, table.truth))
            yield CalibrationBin(number / f.BINS, (number + 1) / f.BINS, int(own.sum()), *means)


def _coverage(table: _Table) -> Iterator[tuple[float, float]]:
    import numpy as np

    shares = np.arange(1, _STEPS + 1) / _STEPS
    accuracies = f.accuracy_at(shares, table.confidence, table.hits, table.ones)[0]
    yield from zip(shares.tolist(), accuracies.tolist(), strict=True)


def _bar(table: _Table) -> float | None:
    import numpy as np

    return float(np.median(table.scores[table.right])) if table.right.any() else None


def _canaries(scorer: Estimator, canaries: Sequence[AnswerRow], bar: float) -> Iterator[CanaryKind]:
    import numpy as np
    from scipy.stats import binomtest

    by_kind: dict[str, list[Estimate]] = {}
    for row, estimate in zip(canaries, estimate_rows(scorer, canaries), strict=True):
        by_kind.setdefault(row.kind, []).append(estimate)
    for kind, estimates in sorted(by_kind.items()):
        passed = sum(estimate.score >= bar for estimate in estimates)
        interval = binomtest(passed, len(estimates)).proportion_ci(method="wilson")
        yield CanaryKind(
            kind=kind,
            n=len(estimates),
            passed=passed,
            low=float(interval.low),
            high=float(interval.high),
            abstains=sum(bool(estimate.abstains) for estimate in estimates),
            median=float(np.median([estimate.score for estimate in estimates])),
        )


def _worst(scorer: Estimator, rows: Sequence[AnswerRow], estimates: Sequence[Estimate]) -> list[WorstError]:
    """The largest errors, one a question, of those that err by more than half."""
    largest: dict[Hashable, tuple[float, AnswerRow]] = {}
    for row, estimate in zip(rows, estimates, strict=True):
        error = abs(estimate.score - float(row.score or 0))
        if error > 0.5 and error > largest.get(question_of(row), (0.0, row))[0]:
            largest[question_of(row)] = (error, row)
    worst = [row for _, row in sorted(largest.values(), key=lambda pair: -pair[0])[:_WORST]]
    explained = zip(worst, estimate_rows(scorer, worst, NEIGHBOURS), strict=True)
    return [_worst_error(row, estimate) for row, estimate in explained]


def _worst_error(row: AnswerRow, estimate: Estimate) -> WorstError:
    return WorstError(
        question=row.question,
        references=row.references,
        answer=row.answer,
        kind=row.kind,
        truth=float(row.score or 0),
        score=estimate.score,
        low=estimate.low,
        high=estimate.high,
        abstains=estimate.abstains,
        neighbours=estimate.neighbours,
    )


def _notes(rows: Sequence[AnswerRow], table: _Table) -> Iterator[str]:
    if table.right.all() or not table.right.any():
        word = "right" if table.right.all() else "wrong"
        yield f"All {len(rows)} rows are {word}: there is nothing to order, and no AUC."
    elif not table.pairs[""].count.any():
        yield "No question has both a right and a wrong answer: there is no pairwise accuracy."
    if table.units.max() == 0:
        yield "All rows belong to one question or group: there are no intervals, and other questions may differ."
    if clashes := contradictions(rows):
        row = rows[clashes[0][0]]
        are = "answer is" if len(clashes) == 1 else "answers are"
        yield (
            f"{len(clashes)} {are} called right in one row and wrong in another, such as {row.answer[:60]!r} to "
            f"{row.question[:60]!r}: no score can be right about both."
        )
    if not any(is_right(row) for row in rows):
        yield "Without a right answer there is no median that a canary could be held against."
