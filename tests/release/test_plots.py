import math
import re
from xml.etree import ElementTree

import pytest

from components.core.comparison import CANDIDATE, CONTROL, POLICIES
from components.release.plots import QUANTITIES, curve_plots, forest_plot, length_plot, score_plot
from components.release.report_data import ReportData
from tests.release.synthetic import BENCHMARKS, FAMILIES, HOSTILE, make_report, make_row


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def lines(svg: str) -> int:
    """Lines in a policy's colour that lead from point to point."""
    return len(re.findall(r'<path d="M[^"]*L[^"]*"[^>]*stroke: var\(--(?:candidate|control)', svg))


def all_plots() -> dict[str, str]:
    data = make_report()
    plots = {"scores": make_score_plot(data), "forest": make_forest_plot(data), "lengths": length_plot(data.lengths)}
    return {**plots, **curve_plots(data.curves)}


def make_score_plot(data: ReportData) -> str:
    return score_plot(data.comparison.overall, data.comparison.families)


def make_forest_plot(data: ReportData) -> str:
    comparison = data.comparison
    return forest_plot(comparison.overall, comparison.families, comparison.benchmarks, data.benchmarks_by_family())


def marks(svg: str, colour: str) -> int:
    """Shapes of the plot's own that are filled with a colour."""
    return len(re.findall(rf"fill: var\(--{colour}, #[0-9a-f]{{6}}\)", svg))


@pytest.fixture(scope="module")
def plots() -> dict[str, str]:
    return all_plots()


@pytest.mark.parametrize("name", ["scores", "forest", "lengths", *QUANTITIES])
def test_plot_is_a_bare_svg_element(plots: dict[str, str], name: str) -> None:
    svg = plots[name]

    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.findall(r"https?://(?!www\.w3\.org/)|<metadata|<!DOCTYPE|\d{4}-\d\d-\d\dT", svg)


def test_plots_are_deterministic(plots: dict[str, str]) -> None:
    assert all_plots() == plots


def test_ids_do_not_collide_between_plots(plots: dict[str, str]) -> None:
    ids = [found for svg in plots.values() for found in re.findall(r'\bid="([^"]*)"', svg)]

    assert len(ids) == len(set(ids))


def test_score_plot_has_a_row_a_family_and_one_for_all() -> None:
    shown = texts(make_score_plot(make_report()))

    assert {*FAMILIES, "overall", *POLICIES} <= set(shown)


def test_score_plot_escapes_family_names() -> None:
    row = make_row(3, 0.5, 0.6, 0.5, width=0.1)

    assert "<b>$x$ & co" in texts(score_plot(row, {"<b>$x$ & co": row}))


def test_score_plot_survives_intervals_without_width() -> None:
    row = make_row(3, 1.0, 1.0, 1.0, width=0.0)

    assert "overall" in texts(score_plot(row, {}))


def test_forest_has_a_row_a_benchmark_and_one_for_each_mean() -> None:
    shown = texts(make_forest_plot(make_report()))

    rows = {name: name for name in BENCHMARKS} | {name: f"{name}, mean" for name in ("math", "ocr", "vqa")}
    assert {*rows.values(), "overall"} <= set(shown)
    assert "open_ended, mean" not in shown  # it has one benchmark, which stands for itself
    assert "\u22128.0 [\u221214.0, \u22122.0]" in shown
    assert shown.count("+13.0 [7.0, 19.0]") == len(BENCHMARKS) - 1 + 2  # two families hold none that fell


def test_forest_fills_what_differs_and_leaves_the_rest_hollow() -> None:
    row = make_row(10, 0.5, 0.6, 0.5, width=0.05)
    unclear = make_row(10, 0.5, 0.6, 0.5, width=0.2)

    sure = forest_plot(row, {"f": row}, {"b": row}, {"f": ["b"]})
    unsure = forest_plot(unclear, {"f": unclear}, {"b": unclear}, {"f": ["b"]})

    assert marks(sure, "good") > 0 == marks(sure, "bad")
    assert marks(unsure, "good") == 0


@pytest.mark.parametrize("width", [0.0, 0.3])
def test_forest_of_hostile_and_long_names_is_one_element(width: float) -> None:
    row = make_row(1, 0.5, 0.5, 0.5, width=width)
    name = f"{'x' * 200}{HOSTILE}"

    svg = forest_plot(row, {HOSTILE: row}, {name: row, "$x^2": row}, {HOSTILE: [name, "$x^2"]})

    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "$x^2" in texts(svg)
    assert f"{'x' * 31}\u2026" in texts(svg)


def test_curves_draw_a_line_a_policy() -> None:
    plots = curve_plots(make_report().curves)

    assert list(plots) == list(QUANTITIES)
    assert {lines(svg) for svg in plots.values()} == {2}


def test_curves_skip_missing_points() -> None:
    points = [
        {"step": 1.0, "reward": 0.5},
        {"step": 2.0},
        {"step": 3.0, "reward": math.nan},
        {"step": 4.0, "reward": 0.7},
    ]

    plots = curve_plots({CANDIDATE: points, CONTROL: []})

    assert lines(plots["reward"]) == 1
    assert "nan" not in plots["reward"].lower()
    assert "not recorded" in texts(plots["entropy"])


@pytest.mark.parametrize("curves", [{}, {CANDIDATE: []}, {CANDIDATE: [{"step": 1.0}]}])
def test_curves_without_points_say_so(curves: dict[str, list[dict[str, float]]]) -> None:
    assert all("not recorded" in texts(svg) for svg in curve_plots(curves).values())


def test_curve_of_one_point_is_marked() -> None:
    svg = curve_plots({CANDIDATE: [{"step": 1.0, "reward": 0.5}]})["reward"]

    assert re.search(r"<use [^>]*var\(--candidate", svg)


def test_lengths_show_each_policy_s_mean() -> None:
    svg = length_plot({POLICIES[0]: [10, 20], POLICIES[1]: [40, 60], POLICIES[2]: [5]})

    assert {"mean 15.0", "mean 50.0", "mean 5.0", *POLICIES} <= set(texts(svg))


@pytest.mark.parametrize("length", [0, 1, 4096])
def test_equal_lengths_are_drawn(length: int) -> None:
    svg = length_plot({policy: [length] * 5 for policy in POLICIES})

    assert texts(svg).count(f"mean {length:.1f}") == 3


def test_policy_without_responses_says_so() -> None:
    assert texts(length_plot({CANDIDATE: [3, 4]})).count("no responses") == 2
