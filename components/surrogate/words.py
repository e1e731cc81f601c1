"""How a measurement says its numbers: names of figures, intervals, and the cells of its two tables."""

from collections.abc import Mapping

from components.surrogate.measurement import CanaryKind, Figure, Measurement

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
_NONE = "\u2013"


def figure_cells(measurement: Measurement) -> dict[str, list[str]]:
    """A row of FIGURE_HEADS a figure, by the figure's words; where there is none, a dash."""
    rows = {}
    for name, words in FIGURES.items():
        peers = [figures.get(name) for figures in measurement.baselines.values()]
        lead = measurement.leads["cosine"].get(name)
        rows[words] = [
            with_interval(name, measurement.figures[name]),
            *(value(name, peer.value) if peer else _NONE for peer in peers),
            with_interval(name, lead, signed=True) if lead else _NONE,
        ]
    return rows


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


def with_interval(name: str, figure: Figure | None, signed: bool = False) -> str:
    """A figure with its interval, if it has one."""
    if figure is None:
        return _NONE
    middle = value(name, figure.value, signed)
    if figure.low is None or figure.high is None:
        return middle
    low, high = (value(name, bound).removesuffix(" %") for bound in (figure.low, figure.high))
    return f"{middle} [{low}, {high}]"


def value(name: str, number: float, signed: bool = False) -> str:
    """A figure's value: a share in per cent with one decimal, anything else with three."""
    sign = "+" if signed or name == "gain_at_60" else ""
    if name.startswith(_PER_CENT):
        text = f"{round(100 * number, 1) + 0.0:{sign}.1f} %"
    else:
        text = f"{round(number, 3) + 0.0:{sign}.3f}"
    return text.replace("-", _MINUS)


def share(number: float) -> str:
    """A share (0..1) in per cent with one decimal."""
    return f"{100 * number:.1f} %"


def clipped(text: str, most: int = 600) -> str:
    """A text as the report shows it, however long it is."""
    return text if len(text) <= most else f"{text[:most]}\u2026 ({len(text):,} characters)"
