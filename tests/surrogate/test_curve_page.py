"""What the budget curve says: its table, its verdict, its page."""

import json
import re
from xml.etree import ElementTree

import pytest

from components.surrogate.budget import BudgetPoint
from components.surrogate.curve_page import (
    CURVE_HEADS,
    CurveFacts,
    curve_cells,
    curve_values,
    reasons,
    render_curve,
    verdict,
)
from components.surrogate.plots import budget_plot

FACTS = CurveFacts(
    {"name": "<data>.jsonl", "digest": "a" * 64}, {"name": "held.jsonl", "digest": "b" * 64}, 400, 60, 120, 20, {}, 0, 2
)


def point(rows: int, *pairwise: float, failures: tuple[str, ...] = ()) -> BudgetPoint:
    """Whose AUC is the pairwise accuracy."""
    return BudgetPoint(rows, pairwise, pairwise, failures)


LEVEL = [point(100, 0.6, 0.7), point(200, 0.795, 0.805), point(400, 0.8, 0.81)]
FAILED = [point(50, failures=("rows: <b>one class</b>.",) * 2), *LEVEL]


def test_cells_are_means_and_spreads_and_a_dash_where_nothing_was_fitted() -> None:
    cells = curve_cells(FAILED)

    assert cells["50"] == ["\u2013", "\u2013", "0", "2"]
    assert cells["100"] == ["65.0 % \u00b1 7.1", "0.650 \u00b1 0.071", "2", ""]
    assert curve_cells([point(2000, 0.5)]) == {"2,000": ["50.0 %", "0.500", "1", ""]}
    assert {len(row) + 1 for row in cells.values()} == {len(CURVE_HEADS)}


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        (LEVEL, "200 labels are enough"),
        (LEVEL[:2], "More labels may help: 200 are the most"),
        ([point(100, 0.9), point(200, 0.8)], "The largest budget, 200 labels, is not the best"),
        (FAILED[:1], "Nothing could be fitted"),
        ([point(100, 0.9), point(200, failures=("x",))], "The largest budget, 200 labels, is not the best"),
    ],
)
def test_verdict_says_whether_the_curve_has_levelled_off(curve: list[BudgetPoint], said: str) -> None:
    assert verdict(curve).startswith(said)


def test_values_are_json_with_every_draw_and_every_failure() -> None:
    values = json.loads(json.dumps(curve_values(FACTS, FAILED), allow_nan=False))

    assert values["enough"] == 200
    assert [own["rows"] for own in values["points"]] == [50, 100, 200, 400]
    assert values["points"][0]["failures"] == list(FAILED[0].failures)
    assert values["points"][1]["pairwise"] == [0.6, 0.7]
    assert reasons(FAILED) == {"rows: <b>one class</b>.": 2}


def test_page_opens_offline_and_escapes_what_it_is_given() -> None:
    page = render_curve(FACTS, FAILED)

    assert "&lt;data&gt;.jsonl" in page
    assert "&lt;b&gt;one class" in page
    assert "default-src 'none'" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)|<data>|<b>one", page)
    assert page.count("<svg") == 1


def test_page_without_a_fit_has_no_plot() -> None:
    page = render_curve(FACTS, FAILED[:1])

    assert "<svg" not in page
    assert "Nothing could be fitted" in page


def test_doublings_are_as_far_apart_and_higher_is_better() -> None:
    plot = ElementTree.fromstring(budget_plot(LEVEL, 200))
    space = "{http://www.w3.org/2000/svg}"
    dots = [own for own in plot.iter(f"{space}circle") if own.get("class") == "dot first"]
    across, down = ([float(own.get(key, "")) for own in dots] for key in ("cx", "cy"))
    guides = [own for own in plot.iter(f"{space}line") if own.get("class") == "guide"]

    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.11)
    assert down[0] > down[1] > down[2]
    assert [float(own.get("x1", "")) for own in guides] == [across[1]]
    assert not [own for own in ElementTree.fromstring(budget_plot(LEVEL, None)).iter() if own.get("class") == "guide"]


def test_words_of_budgets_that_lie_close_do_not_run_into_each_other() -> None:
    plot = budget_plot([point(size, 0.8, 0.9) for size in (50, 100, 200, 400, 800, 1600, 1700)], None)

    assert ">1700</text>" in plot
    assert ">1600</text>" not in plot
    assert ">800</text>" in plot


def test_plot_of_one_budget_with_perfect_figures_stays_in_the_picture() -> None:
    plot = ElementTree.fromstring(budget_plot([point(50, 1.0, 0.9)], None))

    for own in plot.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 < float(own.get("cx", "")) < 420
        assert 0 < float(own.get("cy", "")) < 320
