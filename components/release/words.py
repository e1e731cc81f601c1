"""How the report says its numbers: points, intervals, and sentences made of them."""

from collections.abc import Mapping

from components.core.comparison import BASELINE, CONTROL, ScoreRow

_MINUS = "\u2212"


def trend(row: ScoreRow) -> tuple[str, str]:
    """How the candidate stands to the baseline, as a word (rose, fell, unchanged) and what its interval adds."""
    if row.difference == 0:
        return "unchanged", ""
    low, high = row.difference_ci95
    return ("rose" if row.difference > 0 else "fell"), ("" if low > 0 or high < 0 else "interval includes 0")


def fallen_words(benchmarks: Mapping[str, ScoreRow]) -> str:
    """A sentence that names every benchmark on which the candidate scored below the baseline; empty where none is."""
    fallen = [
        f"{name} {signed(row.difference)} points {interval(row.difference_ci95)}"
        + (f" ({trend(row)[1]})" if trend(row)[1] else "")
        for name, row in benchmarks.items()
        if trend(row)[0] == "fell"
    ]
    return f"Fell below the baseline: {'; '.join(fallen)}." if fallen else ""


def control_words(overall: ScoreRow) -> str:
    """Sentences on how much of the gain came without any accuracy reward, and how much with it."""
    reached = overall.scores[CONTROL] - overall.scores[BASELINE]
    low, high = overall.over_control_ci95
    doubt = "" if low > 0 or high < 0 else ", an interval that includes 0: no effect of the accuracy reward is shown"
    return (
        f"Without any accuracy reward the control moved by {signed(reached)} points against the baseline, the "
        f"candidate by {signed(overall.difference)}: {_share_words(reached, overall.difference)}. Candidate minus "
        f"control is {signed(overall.over_control)} points {interval(overall.over_control_ci95)}{doubt}."
    )


def _share_words(reached: float, gain: float) -> str:
    if gain <= 0:
        return "there is no gain to divide"
    share = "none" if reached <= 0 else "all" if reached >= gain else f"{100 * reached / gain:.0f} %"
    return f"format and length alone bring {share} of the gain"


def reward_words(reward_time: Mapping[str, Mapping[str, float]]) -> str:
    """A sentence on the share of a training step that the rewards took, by policy; empty where it was not timed."""
    shares = [
        f"{100 * time['reward_share']:.1f} % for the {policy} ({1000 * time['reward_seconds']:.3g} ms of "
        f"{time['step_seconds']:.3g} s)"
        for policy, time in reward_time.items()
        if time
    ]
    return f"Judging the rollouts took, of a training step's time, {' and '.join(shares)}." if shares else ""


def points(score: float) -> str:
    """A score (0..1) in points, one decimal."""
    return f"{_rounded(score):.1f}".replace("-", _MINUS)


def signed(difference: float) -> str:
    """A difference of scores (-1..1) in points with its sign, one decimal; what rounds to zero has none."""
    rounded = _rounded(difference)
    return f"{rounded:+.1f}".replace("-", _MINUS) if rounded else "0.0"


def interval(bounds: tuple[float, float]) -> str:
    """A confidence interval of scores or differences (-1..1) in points, as [low, high]."""
    return f"[{points(bounds[0])}, {points(bounds[1])}]"


def number(value: float) -> str:
    """A count as it is, any other number with three decimals."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}".replace("-", _MINUS)


def percent(ratio: float | None) -> str:
    """A relative change with its sign, in per cent; n/a where the baseline scored 0."""
    return "n/a" if ratio is None else f"{signed(ratio)} %"


def p_value(value: float | None) -> str:
    """A p-value with three decimals; n/a where there is none."""
    return "n/a" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def share(value: float) -> str:
    """A share (0..1) in per cent, one decimal; what is above 0 is never shown as 0."""
    return "<0.1" if 0 < value < 0.0005 else points(value)


def duration(seconds: float) -> str:
    """Wall time as a reader says it: 8.2 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


METRIC_WORDS = {
    "strict": "the strict score: the official rule, except that nothing is paid for a guess of the rule's own",
    "score": "the official score: each benchmark's own rule, which on some sets pays for guesses of the rule's own",
}
"""What each metric is, in words."""


def _rounded(score: float) -> float:
    """Points to one decimal; adding 0.0 drops the sign of a negative zero."""
    return round(100 * score, 1) + 0.0
