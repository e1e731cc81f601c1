"""How a measurement says its numbers: names of figures, intervals, and the cells of its two tables."""

from collections.abc import Mapping, Sequence

from components.surrogate.measurement import RANKING, CanaryKind, Figure, Figures, Measurement

PEERS: Mapping[str, str] = {"cosine": "cosine", "token_f1": "token F1", "longer_wins": "longer wins"}
"""The baselines, as a reader calls them."""
FIGURES: Mapping[str, str] = {
    "pairwise_accuracy": "pairs ordered rightly",
    "auc": "AUC",
    "spearman": "rank correlation (Spearman)",
    "brier": "Brier score (0 is best)",
    "ece": "calibration error (ECE)",
    "accuracy": "accuracy at 100 % coverage",
    "accuracy_at_80": "accuracy at 80 % coverage",
    "accuracy_at_60": "accuracy at 60 % coverage",
    "accuracy_at_40": "accuracy at 40 % coverage",
    "gain_at_60": "gained from 100 % to 60 % coverage",
    "length_correlation": "rank correlation with length",
}
"""The figures in the order in which they are shown."""
FIGURE_HEADS = ("figure", "surrogate [95 %]", *PEERS.values(), "lead over cosine [95 %]")
CANARY_HEADS = ("canary", "in fitting", "n", "pass % [95 %]", "abstains", "median score")
_MINUS = "\u2212"
_PER_CENT = ("pairwise_accuracy", "accuracy", "gain_at_60")
_DIFFERENCES = ("gain_at_60",)
_NONE = "\u2013"


def figure_cells(measurement: Measurement) -> dict[str, list[str]]:
    """A row of FIGURE_HEADS a figure, by the figure's words: a dash where it is not defined, blank where none is."""
    rows = {}
    for name, words in FIGURES.items():
        rows[words] = [with_interval(name, measurement.figures[name])]
        if name in RANKING:
            rows[words] += [with_interval(name, figures[name]).split(" [")[0] for figures in _peers(measurement)]
            rows[words] += [with_interval(name, measurement.leads["cosine"][name], is_difference=True)]
        else:
            rows[words] += [""] * (len(PEERS) + 1)
    return rows


def _peers(measurement: Measurement) -> list[Figures]:
    return [measurement.baselines[peer] for peer in PEERS]


def canary_cells(measurement: Measurement) -> dict[str, list[str]]:
    """A row of CANARY_HEADS a kind; the kinds that the surrogate was fitted on come first."""
    return {
        kind.kind.replace("_", " "): ["yes" if trained else "kept out", *canary_row(kind)]
        for trained in (True, False)
        for kind in measurement.canaries_of(trained)
    }


def canary_row(kind: CanaryKind) -> list[str]:
    """n, share that passed, abstentions, median score."""
    passed = f"{100 * kind.share:.1f} [{100 * kind.low:.1f}, {100 * kind.high:.1f}]"
    return [f"{kind.n:,}", passed, f"{kind.abstains:,}", f"{kind.median:.3f}"]


def with_interval(name: str, figure: Figure | None, is_difference: bool = False) -> str:
    """A figure with its interval, if it has one; a difference has its sign, and one of shares is in points."""
    if figure is None:
        return _NONE
    is_difference = is_difference or name in _DIFFERENCES
    text = value(name, figure.value, is_difference)
    if figure.low is None or figure.high is None:
        return text
    bounds = (
        value(name, bound, is_difference).removesuffix(" %").removesuffix(" points")
        for bound in (figure.low, figure.high)
    )
    return f"{text} [{', '.join(bounds)}]"


def value(name: str, number: float, is_difference: bool = False) -> str:
    """A figure's value: a share in per cent with one decimal, anything else with three."""
    sign = "+" if is_difference else ""
    if name.startswith(_PER_CENT):
        text = f"{round(100 * number, 1) + 0.0:{sign}.1f} {'points' if is_difference else '%'}"
    else:
        text = f"{round(number, 3) + 0.0:{sign}.3f}"
    return text.replace("-", _MINUS)


def pooled(kinds: Sequence[CanaryKind]) -> str:
    """Share of the canaries of several kinds that passed."""
    return share(sum(kind.passed for kind in kinds) / sum(kind.n for kind in kinds))


def share(number: float) -> str:
    """A share (0..1) in per cent with one decimal."""
    return f"{100 * number:.1f} %"


def clipped(text: str, most: int = 600) -> str:
    """A text as the report shows it, however long it is."""
    return text if len(text) <= most else f"{text[:most]}\u2026 ({len(text):,} characters)"
