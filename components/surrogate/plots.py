"""The report's plots as SVG text, the same bytes for the same data.

Classes give the colours, so that a plot follows the theme of the page that it stands in. Nothing in it comes from a
model or a person but numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, log2
from statistics import fmean, stdev

from components.surrogate.budget import BudgetPoint
from components.surrogate.measurement import COVERAGES, CalibrationBin, Figure, Figures

_WIDTH, _HEIGHT = 420, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 22, 12, 46
_STRIP = 44
"""Height of the histogram under the calibration's points."""


@dataclass(frozen=True)
class _Frame:
    """Where values of the axes are on the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        low, high = self.y
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
        (x1, y1), (x2, y2) = start, end
        return (
            f'<line class="{kind}" x1="{self.across(x1):.1f}" y1="{self.down(y1):.1f}" '
            f'x2="{self.across(x2):.1f}" y2="{self.down(y2):.1f}"/>'
        )

    def path(self, kind: str, points: Sequence[tuple[float, float]]) -> str:
        placed = " ".join(f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in points)
        return f'<polyline class="{kind}" points="{placed}"/>'

    def dot(self, x: float, y: float, radius: float, kind: str = "dot") -> str:
        return f'<circle class="{kind}" cx="{self.across(x):.1f}" cy="{self.down(y):.1f}" r="{radius:.1f}"/>'


def calibration_plot(bins: Sequence[CalibrationBin]) -> str:
    """Share of right answers by score; a dot a bin, larger for more rows, over a histogram of the scores.

    Args:
        bins: At least one.

    Returns:
        An SVG element.
    """
    frame = _Frame((0, 1), (0, 1))
    most = max(item.n for item in bins)
    bars = [
        f'<rect class="bar" x="{frame.across(item.low) + 1:.1f}" y="{frame.down(0) - _STRIP * item.n / most:.1f}" '
        f'width="{frame.across(item.high) - frame.across(item.low) - 2:.1f}" height="{_STRIP * item.n / most:.1f}"/>'
        for item in bins
    ]
    dots = [frame.dot(item.score, item.truth, 3 + 5 * (item.n / most) ** 0.5) for item in bins]
    curve = frame.path("curve thin", [(item.score, item.truth) for item in bins])
    ticks = [place / 5 for place in range(6)]
    axes = _axes(frame, (ticks, ticks), ("mean score of the bin", "share that is right"), (_decimal, _decimal))
    return _svg([*axes, *bars, frame.line("guide", (0, 0), (1, 1)), curve, *dots])


def coverage_plot(points: Sequence[tuple[float, float]], figures: Figures) -> str:
    """Accuracy over the share of the rows that the surrogate is surest of.

    Args:
        points: Coverage and accuracy, at least one.
        figures: With the accuracies at COVERAGES, which are drawn with their intervals.

    Returns:
        An SVG element.
    """
    marked = {share: figures.get("accuracy" if share == 1 else f"accuracy_at_{100 * share:.0f}") for share in COVERAGES}
    lows = [figure.value if figure.low is None else figure.low for figure in marked.values() if figure]
    floor = min(0.9, int(10 * min(*lows, *(accuracy for _, accuracy in points))) / 10)
    frame = _Frame((0, 1), (floor, 1))
    steps = round(10 * (1 - floor))
    ticks = [floor + place / 10 for place in range(steps + 1)]
    axes = _axes(
        frame,
        (
            [place / 5 for place in range(6)],
            ticks if steps > 2 else [floor + place / 20 for place in range(2 * steps + 1)],
        ),
        ("coverage: share of the answers that are scored", "accuracy"),
        (_per_cent, _per_cent),
    )
    marks = [mark for share, figure in marked.items() if figure for mark in _marked(frame, share, figure)]
    return _svg([*axes, frame.path("curve", points), *marks])


def budget_plot(curve: Sequence[BudgetPoint], enough: int | None) -> str:
    """Held-out accuracy by the number of labels, on a scale where each doubling is as wide.

    Args:
        curve: Rising, with at least one point that could be measured.
        enough: Labels that are marked with a line; None marks none.

    Returns:
        An SVG element with both figures, each with one standard deviation between draws.
    """
    measured = [point for point in curve if point.pairwise]
    values = [(log2(point.rows), [_band(point.pairwise), _band(point.auc)]) for point in measured]
    low = min(0.9, floor(10 * min(lower for _, bands in values for _, lower, _ in bands)) / 10)
    first, last = values[0][0], values[-1][0]
    frame = _Frame((first - 0.3, last + 0.3), (max(0.0, low), 1))
    steps = round(10 * (1 - frame.y[0]))
    ticks = (
        _apart([place for place, _ in values], (last - first) / 10),
        [frame.y[0] + place / 10 for place in range(steps + 1)],
    )
    axes = _axes(frame, ticks, ("labels", "on held-out rows"), (lambda place: f"{2**place:.0f}", _per_cent))
    guide = [] if enough is None else [frame.line("guide", (log2(enough), frame.y[0]), (log2(enough), 1))]
    series = [
        piece
        for number, kind in enumerate(("first", "second"))
        for piece in _series(frame, kind, [(place, *bands[number]) for place, bands in values])
    ]
    return _svg([*axes, *guide, *series])


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Of rising places those whose words do not run into each other; the last is always one."""
    kept: list[float] = []
    for place in reversed(places):
        if not kept or kept[-1] - place >= least:
            kept.append(place)
    return kept[::-1]


def _band(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and one standard deviation below and above, within 0..1."""
    mean, spread = fmean(values), stdev(values) if len(values) > 1 else 0.0
    return mean, max(0.0, mean - spread), min(1.0, mean + spread)


def _series(frame: _Frame, kind: str, points: Sequence[tuple[float, float, float, float]]) -> Iterator[str]:
    yield frame.path(f"curve {kind}", [(place, mean) for place, mean, _, _ in points])
    for place, mean, lower, upper in points:
        yield frame.line(f"interval-line {kind}", (place, lower), (place, upper))
        yield frame.dot(place, mean, 4, f"dot {kind}")


def _marked(frame: _Frame, share: float, figure: Figure) -> list[str]:
    if figure.low is None or figure.high is None:
        return [frame.dot(share, figure.value, 4)]
    return [frame.line("interval-line", (share, figure.low), (share, figure.high)), frame.dot(share, figure.value, 4)]


def _axes(
    frame: _Frame,
    ticks: tuple[Sequence[float], Sequence[float]],
    titles: tuple[str, str],
    words: tuple[Callable[[float], str], Callable[[float], str]],
) -> list[str]:
    (left, right), (low, high) = frame.x, frame.y
    base, middle = _HEIGHT - _BOTTOM, (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        *(frame.line("grid", (left, tick), (right, tick)) for tick in ticks[1]),
        *(frame.line("grid", (tick, low), (tick, high)) for tick in ticks[0]),
        *(_text(frame.across(tick), base + 17, "middle", words[0](tick)) for tick in ticks[0]),
        *(_text(_LEFT - 7, frame.down(tick) + 4, "end", words[1](tick)) for tick in ticks[1]),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "middle", titles[0]),
        f'<g transform="rotate(-90 13 {middle:.1f})">{_text(13, middle, "middle", titles[1])}</g>',
    ]


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _decimal(number: float) -> str:
    return f"{number:.1f}"


def _per_cent(number: float) -> str:
    return f"{100 * number:.0f} %"


def _svg(pieces: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" xmlns="http://www.w3.org/2000/svg">{"".join(pieces)}</svg>'
