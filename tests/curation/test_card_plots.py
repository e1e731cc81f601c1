import re
from xml.etree import ElementTree

import pytest

from components.curation.card_plots import difficulty_plot, histogram_plot, share_bar, step_bar
from components.curation.numbers import Difficulty, Histogram, StepCount

_SVG = "{http://www.w3.org/2000/svg}"


def _rects(svg: str) -> dict[str, tuple[float, float]]:
    """Start and width of the bars by their class."""
    found = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', svg)
    return {kind: (float(x), float(width)) for kind, x, width in found}


def test_bars_of_a_histogram_are_as_high_as_their_counts() -> None:
    root = ElementTree.fromstring(histogram_plot(Histogram((8, 16, 32), (10, 0, 40), 33, 50, 57), "characters"))

    columns = [item for item in root.iter(f"{_SVG}rect") if item.get("class") == "column"]
    heights = [float(item.get("height", "")) for item in columns]
    assert heights[1] == 0
    assert heights[0] / heights[2] == pytest.approx(0.25, abs=0.01)
    titles = [item.findtext(f"{_SVG}title") for item in columns]
    assert titles == ["8\u201315: 10", "16\u201331: 0", "32\u201357: 40"]


def test_labels_are_thinned_where_they_would_touch() -> None:
    lows = tuple(2**bit for bit in range(14))

    svg = histogram_plot(Histogram(lows, (1,) * 14, 1, 1, 9000), "pixels")

    assert ">4k<" in svg
    assert ">2k<" not in svg


def test_pass_rates_have_the_axis_from_nought_to_one() -> None:
    svg = difficulty_plot(Difficulty((1,) + (0,) * 8 + (3,), 1, 3, 0, 0.75))

    ElementTree.fromstring(svg)
    assert ">0.0<" in svg
    assert ">1.0<" in svg
    assert "0.9\u20131.0: 3" in svg


def test_bar_of_a_step_shows_what_stays_and_what_goes_of_all_rows() -> None:
    rects = _rects(step_bar(StepCount("pictures", 80, 60, 15, 5), rows=100))

    assert rects == {"track": (0, 100), "kept": (0, 60), "quarantined": (60, 15), "duplicate": (75, 5)}


def test_one_lost_row_of_a_million_is_seen_within_the_bar() -> None:
    rects = _rects(step_bar(StepCount("pictures", 1_000_000, 999_999, 1, 0), rows=1_000_000))

    start, width = rects["quarantined"]
    assert width >= 0.5
    assert start + width <= 100


def test_share_is_drawn_to_scale() -> None:
    assert _rects(share_bar(1, 4))["kept"] == (0, 25)
    assert _rects(share_bar(0, 4))["kept"] == (0, 0)
