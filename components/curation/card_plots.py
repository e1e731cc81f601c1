"""The data card's plots as SVG text, the same bytes for the same data.

Classes give the colours, so that a plot follows the theme of the page that it stands in. Nothing in it comes from a
source or a person but numbers.
"""

from collections.abc import Sequence

from components.curation.numbers import Difficulty, Histogram, StepCount

_WIDTH, _HEIGHT = 420, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 12, 44
_LABELS = 9
"""More labels of ranges than this would touch each other."""
_SEEN = 0.6
"""Per cent of a bar's length that a part takes at least: one lost row of a million is to be seen."""
_EN_DASH = "\u2013"


def histogram_plot(histogram: Histogram, unit: str) -> str:
    """Bars over ranges that double; each says its range and count when it is pointed at.

    Args:
        histogram: With at least one value.
        unit: What is counted: the title of the axis.

    Returns:
        An SVG element.
    """
    return _bars(histogram.counts, _range_words(histogram), [_compact(low) for low in histogram.lows], unit)


def difficulty_plot(difficulty: Difficulty) -> str:
    """Examples by their pass rate, in tenths.

    Args:
        difficulty: With at least one rate.

    Returns:
        An SVG element.
    """
    words = [f"{tenth / 10:.1f}{_EN_DASH}{(tenth + 1) / 10:.1f}" for tenth in range(10)]
    ticks = [f"{tenth / 10:.1f}" for tenth in range(10)]
    return _bars(difficulty.counts, words, ticks, "pass rate", end="1.0")


def step_bar(step: StepCount, rows: int) -> str:
    """What a step keeps, quarantines and drops as duplicates, as a part of all rows.

    Args:
        step: Its account.
        rows: Rows that came into curation, at least 1.

    Returns:
        An SVG element that is to be stretched to the width of its place.
    """
    parts = (("kept", step.rows_kept), ("quarantined", step.rows_quarantined), ("duplicate", step.rows_duplicate))
    start, pieces = 0.0, []
    for kind, count in parts:
        width = max(100 * count / rows, _SEEN) if count else 0.0
        # What is drawn wider than it is moves to the left, into what is kept.
        start = min(start, 100 - width)
        pieces.append(f'<rect class="{kind}" x="{start:.2f}" y="0" width="{width:.2f}" height="10"/>' if count else "")
        start += width
    return (
        '<svg class="step-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" x="0" y="0" width="100" height="10"/>{"".join(pieces)}</svg>'
    )


def share_bar(count: int, total: int) -> str:
    """A count as a part of a total.

    Args:
        count: At most the total.
        total: At least 1.
    """
    width = max(100 * count / total, _SEEN) if count else 0.0
    return (
        '<svg class="share-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" x="0" y="0" width="100" height="10"/>'
        f'<rect class="kept" x="0" y="0" width="{width:.2f}" height="10"/></svg>'
    )


def _range_words(histogram: Histogram) -> list[str]:
    """What each range holds: 8-15 …, and the last one up to the largest value."""
    ends = [*(low - 1 for low in histogram.lows[1:]), histogram.largest]
    pairs = zip(histogram.lows, ends, strict=True)
    return [f"{low:,}" if low >= end else f"{low:,}{_EN_DASH}{end:,}" for low, end in pairs]


def _compact(number: int) -> str:
    """A power of two, as short as it is known by: 4096 is 4k."""
    return f"{number // 1024}k" if number >= 1024 else str(number)


def _bars(counts: Sequence[int], words: Sequence[str], ticks: Sequence[str], title: str, end: str = "") -> str:
    most = max(counts)
    wide = (_WIDTH - _LEFT - _RIGHT) / max(len(counts), 3)
    base, tall = _HEIGHT - _BOTTOM, _HEIGHT - _TOP - _BOTTOM
    pieces = [*_grid(most, base, tall)]
    for number, (count, word) in enumerate(zip(counts, words, strict=True)):
        height = max(tall * count / most, 1.0) if count else 0.0
        pieces.append(
            f'<rect class="column" x="{_LEFT + number * wide + 1:.1f}" y="{base - height:.1f}" '
            f'width="{wide - 2:.1f}" height="{height:.1f}"><title>{word}: {count:,}</title></rect>'
        )
    every = 1 + len(ticks) // (_LABELS + 1)
    for number, tick in enumerate(ticks):
        if number % every == 0:
            pieces.append(_text(_LEFT + number * wide, base + 16, "middle", tick))
    if end:
        pieces.append(_text(_LEFT + len(ticks) * wide, base + 16, "end", end))
    pieces.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "middle", title))
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" xmlns="http://www.w3.org/2000/svg">{"".join(pieces)}</svg>'


def _grid(most: int, base: float, tall: float) -> list[str]:
    """Lines across at nought, at half and at the most, or at whole numbers where there are few."""
    levels = [0, most] if most < 4 else [0, most // 2, most]
    pieces = []
    for level in levels:
        y = base - tall * level / most
        pieces.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        pieces.append(_text(_LEFT - 7, y + 4, "end", f"{level:,}"))
    return pieces


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'
