"""The report's plots: matplotlib figures as SVG text, the same bytes for the same data.

Colours are written as CSS variables with the light theme's value as fallback, so a plot follows the theme of the
page that it stands in and still shows alone.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, ScoreRow
from components.release.words import interval, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Drawer = Callable[["Figure"], None]
QUANTITIES = ("reward", "accuracy", "length", "format", "completion_length", "entropy", "groups_without_signal")
"""What the training curves show, in this order."""
COLOURS = {BASELINE: "#6b7280", CANDIDATE: "#1f5fbf", CONTROL: "#b4610a"}
"""Line colour of each policy, light theme."""
_INK, _GRID, _PAGE = "#1c2330", "#d9dee7", "#fefefe"
_SIGNS = {1: "#14693a", 0: "#566072", -1: "#a51d2a"}
_VARIABLES = {
    _INK: "ink",
    _GRID: "line",
    _PAGE: "page",
    **{colour: policy for policy, colour in COLOURS.items()},
    **dict(zip(_SIGNS.values(), ("good", "muted", "bad"), strict=True)),
}
_MARKERS = {BASELINE: "s", CANDIDATE: "o", CONTROL: "^"}
_MOST_MARKED_POINTS = 60
_BINS = 24
_LONGEST_NAME = 32
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "grid.color": _GRID,
    "grid.linewidth": 0.7,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
}


def score_plot(overall: ScoreRow, families: Mapping[str, ScoreRow]) -> str:
    """The three policies' scores with their 95 % intervals, a row a family and one for all.

    Args:
        overall: Scores (0..1) over all families.
        families: Scores by family.

    Returns:
        An SVG element; its axis is in points (0..100).
    """
    rows = {**families, "overall": overall}

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for position, row in enumerate(rows.values()):
            _draw_scores(axes, row, float(position), labelled=position == 0)
        axes.axhline(len(families) - 0.5, color=_GRID, linewidth=1.5)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("score in points, with 95 % interval")
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper right", ncols=len(POLICIES), handletextpad=0.4)

    return _svg("scores", (8.2, 1.0 + 0.62 * len(rows)), draw)


def forest_plot(
    overall: ScoreRow,
    families: Mapping[str, ScoreRow],
    benchmarks: Mapping[str, ScoreRow],
    members: Mapping[str, Sequence[str]],
) -> str:
    """Paired differences candidate - baseline with their 95 % intervals: a row a benchmark, diamonds for means.

    Args:
        overall: All benchmarks.
        families: By family; one with a single benchmark gets no row of its own.
        benchmarks: By name.
        members: The benchmarks of each family, in order.

    Returns:
        An SVG element; its axis is in points (-100..100).
    """
    rows = _forest_rows(overall, families, benchmarks, members)

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        axes.axvline(0, color=_INK, linewidth=1.0)
        for position, (_, row, is_mean) in enumerate(rows):
            _draw_difference(axes, row, position, is_mean)
        axes.axhline(len(rows) - 1.5, color=_GRID, linewidth=1.5)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("candidate minus baseline in points, with paired 95 % interval; diamonds are means")
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)

    return _svg("forest", (8.2, 0.9 + 0.34 * len(rows)), draw)


def curve_plots(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, str]:
    """Training curves, one small plot a quantity, with a line a policy.

    Args:
        curves: Points by policy. A point has "step" and may lack any other value; what is not finite is left out.

    Returns:
        An SVG element by quantity, in the order of QUANTITIES.
    """
    return {quantity: _svg(quantity, (2.9, 2.0), _curve_drawer(curves, quantity)) for quantity in QUANTITIES}


def length_plot(lengths: Mapping[str, Sequence[int]]) -> str:
    """How long the responses of each policy are, one histogram above the other on one axis.

    Args:
        lengths: Tokens of every response, by policy; a policy may have none.

    Returns:
        An SVG element.
    """
    edges = _bin_edges([length for policy in POLICIES for length in lengths.get(policy, ())])

    def draw(figure: "Figure") -> None:
        all_axes = figure.subplots(len(POLICIES), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, policy in zip(all_axes, POLICIES, strict=True):
            _draw_lengths(axes, policy, lengths.get(policy, ()), edges)
        all_axes[-1].set_xlabel("tokens in the response; the vertical line is the mean")
        figure.supylabel("% of responses", fontsize=10)

    return _svg("lengths", (8.2, 0.7 + 1.25 * len(POLICIES)), draw)


def _draw_scores(axes: "Axes", row: ScoreRow, position: float, labelled: bool) -> None:
    for index, policy in enumerate(POLICIES):
        height = position + 0.24 * (index - 1)
        low, high = row.ci95[policy]
        axes.plot([100 * low, 100 * high], [height, height], color=COLOURS[policy], linewidth=1.6)
        axes.plot(
            [100 * row.scores[policy]],
            [height],
            color=COLOURS[policy],
            marker=_MARKERS[policy],
            markersize=6,
            linestyle="none",
            label=policy if labelled else None,
        )


def _forest_rows(
    overall: ScoreRow,
    families: Mapping[str, ScoreRow],
    benchmarks: Mapping[str, ScoreRow],
    members: Mapping[str, Sequence[str]],
) -> list[tuple[str, ScoreRow, bool]]:
    """Name, row, and whether it is a mean of several, from top to bottom."""
    rows = []
    for family, names in members.items():
        if len(names) > 1:
            rows.append((f"{_short(family)}, mean", families[family], True))
        rows += [(_short(name), benchmarks[name], False) for name in names]
    return [*rows, ("overall", overall, True)]


def _draw_difference(axes: "Axes", row: ScoreRow, position: float, is_mean: bool) -> None:
    """An interval with a square, or a diamond as wide as the interval; a hollow one's interval includes 0."""
    low, high = (100 * bound for bound in row.difference_ci95)
    middle, colour = 100 * row.difference, _SIGNS[_sign(row)]
    fill = colour if low > 0 or high < 0 else "none"
    if is_mean:
        height = 0.3
        corners = (
            [low, middle, high, middle, low],
            [position, position - height, position, position + height, position],
        )
        axes.fill(*corners, facecolor=fill, edgecolor=colour, linewidth=1.4)
        # A diamond without width is still to be seen.
        axes.plot([middle], [position], color=colour, marker="D", markersize=4, markerfacecolor=fill, linestyle="none")
    else:
        axes.plot([low, high], [position, position], color=colour, linewidth=1.6)
        axes.plot(
            [middle],
            [position],
            color=colour,
            marker="s",
            markersize=6,
            markerfacecolor=_PAGE if fill == "none" else fill,
            linestyle="none",
        )
    label = f"{signed(row.difference)} {interval(row.difference_ci95)}"
    axes.text(1.01, position, label, transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _sign(row: ScoreRow) -> int:
    return (row.difference > 0) - (row.difference < 0)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"


def _curve_drawer(curves: Mapping[str, Sequence[Mapping[str, float]]], quantity: str) -> Drawer:
    def draw(figure: "Figure") -> None:
        figure.set_layout_engine("none")  # the same margins in every plot, so that they line up
        axes = figure.add_axes((0.18, 0.22, 0.79, 0.65))
        drawn = [_draw_curve(axes, policy, points, quantity) for policy, points in curves.items()]
        if not any(drawn):
            _note(axes, "not recorded")
        axes.set_title(quantity.replace("_", " "), fontsize=10, loc="left", color=_INK)
        axes.set_xlabel("step", fontsize=9)
        axes.margins(x=0.02)

    return draw


def _draw_curve(axes: "Axes", policy: str, points: Sequence[Mapping[str, float]], quantity: str) -> bool:
    """Draw a policy's line through the points that have the quantity; whether there were any."""
    known = [(point["step"], point[quantity]) for point in points if math.isfinite(point.get(quantity, math.nan))]
    if not known:
        return False
    steps, values = zip(*known, strict=True)
    marker = "." if len(known) <= _MOST_MARKED_POINTS else ""
    axes.plot(steps, values, color=COLOURS[policy], linewidth=1.3, marker=marker, markersize=4)
    return True


def _draw_lengths(axes: "Axes", policy: str, lengths: Sequence[int], edges: Sequence[float]) -> None:
    axes.set_title(policy, fontsize=10, loc="left", color=_INK)
    if not lengths:
        _note(axes, "no responses")
        return
    mean = sum(lengths) / len(lengths)
    axes.hist(lengths, bins=list(edges), weights=[100 / len(lengths)] * len(lengths), color=COLOURS[policy], alpha=0.75)
    axes.axvline(mean, color=_INK, linewidth=1.2)
    axes.set_title(f"mean {mean:.1f}", fontsize=10, loc="right", color=_INK)


def _bin_edges(lengths: Sequence[int]) -> list[float]:
    """Edges of bins of whole tokens; equal lengths get one bin of width 1."""
    low, high = (min(lengths), max(lengths)) if lengths else (0, 0)
    width = max(1, math.ceil((high - low + 1) / _BINS))
    count = math.ceil((high - low + 1) / width)
    return [low - 0.5 + width * index for index in range(count + 1)]


def _note(axes: "Axes", text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")
    axes.set_yticks([])


def _svg(name: str, inches: tuple[float, float], draw: Drawer) -> str:
    """Draw a figure and write it as an SVG element that may stand with others in one page."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context(["default", {**_STYLE, "svg.hashsalt": name}]):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    return _embeddable(buffer.getvalue())


def _embeddable(document: str) -> str:
    """The SVG element alone, without the group ids that would be the same in every plot of a page."""
    element = document[document.index("<svg") :].strip()
    return re.sub(r"(?<=: )#[0-9a-f]{6}\b", _themed, re.sub(r'<g id="[^"]*"(/?)>', r"<g\1>", element))


def _themed(colour: re.Match[str]) -> str:
    name = _VARIABLES.get(colour.group())
    return f"var(--{name}, {colour.group()})" if name else colour.group()
