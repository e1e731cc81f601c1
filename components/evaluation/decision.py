"""The promotion gate: whether a candidate is promoted, and why, in sentences.

The decision rests on scores of samples and their intervals, never on the training reward.
"""

from collections.abc import Iterable, Mapping

from components.core.comparison import ScoreRow
from components.evaluation.config import DecisionConfig

_LEVEL = 0.05
_EQUAL = 1e-9
"""A loss that exceeds what is allowed by no more than rounding is allowed."""
_METRICS = {
    "strict": "All this is judged on the strict scores, which pay nothing for a guess of a benchmark's own rule.",
    "score": "All this is judged on the scores of the benchmarks' official rules.",
}


def decide(
    overall: ScoreRow, benchmarks: Mapping[str, ScoreRow], config: DecisionConfig
) -> tuple[bool, tuple[str, ...]]:
    """Whether to promote the candidate, and why.

    Promotion needs the lower end of the overall gain's interval above `min_gain` (-1 asks for nothing), and no
    benchmark that lost more than `max_benchmark_loss` significantly: p below 0.05 after Holm's correction, and the
    interval wholly below 0.

    Returns:
        The decision and its reasons, a sentence each.
    """
    low, high = overall.difference_ci95
    gained = low > config.min_gain or config.min_gain <= -1
    relation = "lies above" if gained else "does not lie wholly above"
    gain = (
        f"The overall gain is {_points(overall.difference)} points; its 95 % interval "
        f"[{_points(low)}, {_points(high)}] {relation} the required {_points(config.min_gain)}."
    )
    fallen = {name: row for name, row in benchmarks.items() if _fell(row) and _is_beyond(row, config)}
    reasons = (gain, *_losses(fallen, config), *_lesser_losses(benchmarks, fallen), _METRICS[config.metric])
    return gained and not fallen, reasons


def _fell(row: ScoreRow) -> bool:
    """Whether a loss is significant."""
    return row.difference_ci95[1] < 0 and row.p_adjusted is not None and row.p_adjusted < _LEVEL


def _is_beyond(row: ScoreRow, config: DecisionConfig) -> bool:
    return -row.difference > config.max_benchmark_loss + _EQUAL


def _losses(fallen: Mapping[str, ScoreRow], config: DecisionConfig) -> list[str]:
    allowed = _points(config.max_benchmark_loss)
    if not fallen:
        return [f"No benchmark lost significantly more than the {allowed} points that are allowed."]
    return [
        f"The benchmark {name} lost {_points(-row.difference)} points, significantly "
        f"(Holm-adjusted {_p_value(row)}) and more than the {allowed} that are allowed."
        for name, row in fallen.items()
    ]


def _lesser_losses(benchmarks: Mapping[str, ScoreRow], fallen: Mapping[str, ScoreRow]) -> list[str]:
    """What fell as well, but does not stand in the way."""
    others = {name: row for name, row in benchmarks.items() if row.difference < -_EQUAL and name not in fallen}
    allowed = {name: row for name, row in others.items() if _fell(row)}
    by_chance = {name: row for name, row in others.items() if name not in allowed}
    return [
        *([f"Lower, significantly but by no more than is allowed: {_named(allowed.items())}."] if allowed else []),
        *([f"Lower, but not significantly: {_named(by_chance.items())}."] if by_chance else []),
    ]


def _named(rows: Iterable[tuple[str, ScoreRow]]) -> str:
    return ", ".join(f"{name} (by {_points(-row.difference)} points)" for name, row in rows)


def _p_value(row: ScoreRow) -> str:
    value = row.p_adjusted or 0.0
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _points(score: float) -> str:
    return f"{100 * score + 0.0:.1f}"
