import json
import re
from dataclasses import replace
from typing import Any

import pytest

from components.release.browser import browser_data
from components.release.render import render_report
from components.release.report_data import ReportData
from tests.release.page import Page
from tests.release.synthetic import BENCHMARKS, FALLEN, HOSTILE, make_group, make_info, make_report, make_row


@pytest.fixture(scope="module")
def report() -> ReportData:
    return make_report()


@pytest.fixture(scope="module")
def html(report: ReportData) -> str:
    return render_report(report)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def _embedded(html: str, name: str) -> Any:
    block = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


def _with(report: ReportData, **changes: Any) -> ReportData:
    return replace(report, comparison=replace(report.comparison, **changes))


def _cells(html: str, row: str) -> list[str]:
    """The texts of the cells of the first row of the scores' table that begins with a name."""
    table = html[html.index('class="before-after"') :]
    start = table.index(f'<th scope="row">{row}')
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table[start : table.index("</tr>", start)], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in cells]


def test_page_names_no_other_host_or_file(html: str, page: Page) -> None:
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)

    assert not re.findall(r"https?://|//cdn|@import|url\((?!#)", without_namespaces)
    addresses = [
        value for _, attributes in page.elements for key, value in attributes.items() if key in {"src", "href"}
    ]
    assert {str(address)[0] for address in addresses} == {"#"}


def test_page_without_any_data_in_its_lists_renders(report: ReportData) -> None:
    bare = _with(report, reasons=[], other_scores={}, breakdowns={}, health={}, categories={})
    empty = replace(
        bare,
        samples=[],
        rollout_groups=[],
        limits=[],
        benchmark_limits={},
        cost={},
        artifacts=[],
        libraries={},
        curves={},
        lengths={},
        surrogate={"num_rows": 0.0},
        dataset={},
    )

    words = Page(render_report(empty)).words()

    assert "no surrogate was fitted" in words
    assert "not recorded" in words
    assert "No evaluation kept its timings." in words


def test_hostile_text_makes_no_element(html: str, page: Page) -> None:
    kinds = [attributes.get("type") for attributes in page.of("script")]
    assert kinds == ["application/json"] * (len(kinds) - 1) + [None]
    assert page.of("img") == []
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert "\u2028" not in html.split('id="report-data">')[1]


def test_hostile_text_is_shown_as_it_is(page: Page) -> None:
    shown = "".join(data for tag, data in page.text if tag == "li")

    assert shown.count(HOSTILE) == 5  # a reason, a limit, and split, scoring and note of a benchmark
    headings = "".join(data for tag, data in page.text if tag in {"th", "a"})
    assert headings.count(HOSTILE) >= 3  # a quarantine reason, a value of a breakdown, a flag, a category
    assert HOSTILE in [attributes["data-name"] for attributes in page.of("tr") if "data-name" in attributes]


def test_hostile_names_of_benchmark_and_family_stay_text(report: ReportData) -> None:
    row = make_row(3, 0.5, 0.4, 0.5, width=0.01)
    names = [HOSTILE, "$x^2"]
    suite = [replace(make_info("heldout_math"), name=name) for name in names]
    hostile = _with(
        report,
        benchmarks=dict.fromkeys(names, row),
        families={"math": row, HOSTILE: row},
        other_scores={},
        breakdowns={HOSTILE: {HOSTILE: {HOSTILE: make_group(3, 0.5, 0.4)}}},
        health={HOSTILE: report.comparison.health[FALLEN]},
        categories={HOSTILE: report.comparison.categories[FALLEN]},
    )

    page = Page(render_report(replace(hostile, suite=suite, benchmark_limits={HOSTILE: [HOSTILE]})))

    assert page.of("img") == []
    assert {attributes.get("type") for attributes in page.of("script")} == {"application/json", None}
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert "$x^2" in [data for tag, data in page.text if tag == "text"]


def test_page_holds_the_browsers_data_in_pieces(report: ReportData, html: str) -> None:
    data = browser_data(report)

    assert _embedded(html, "report-data") == json.loads(json.dumps(data.head))
    assert _embedded(html, "samples-0") == json.loads(json.dumps(data.samples[0]))
    assert _embedded(html, "images-0") == list(data.images[0])
    assert HOSTILE in _embedded(html, "samples-0")[0]["answers"]["candidate"]["text"]


def test_script_policy_allows_the_report_s_own_script_alone(page: Page) -> None:
    policy = next(item["content"] for item in page.of("meta") if item.get("http-equiv") == "Content-Security-Policy")

    assert policy is not None
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_fallen_benchmark_is_named_in_words_and_marked(page: Page) -> None:
    assert f"Fell below the baseline: {FALLEN} \u22128.0 points [\u221214.0, \u22122.0]." in page.words()
    marked = [row["class"] for row in page.of("tr") if "fell" in str(row.get("class")).split()]
    assert marked == ["fell member"]


def test_page_of_a_run_without_a_fall_says_so(report: ReportData) -> None:
    risen = dict.fromkeys(BENCHMARKS, make_row(10, 0.5, 0.6, 0.5, width=0.05))

    words = Page(render_report(_with(report, benchmarks=risen, promoted=False))).words()

    assert "No benchmark fell below the baseline." in words
    assert "synthetic not promoted" in words


def test_row_of_a_benchmark_has_every_number(html: str) -> None:
    assert _cells(html, FALLEN) == [
        *("10", "50.0", "42.0", "52.0", "\u22128.0 [\u221214.0, \u22122.0]", "fell", "\u221216.0 %"),
        *("&lt;0.001", "4 / 2 / 4", "6.2", "\u221210.0 [\u221216.0, \u22124.0]"),
    ]


def test_family_of_several_benchmarks_has_a_row_for_their_mean(html: str) -> None:
    table = html[html.index('class="before-after"') : html.index("</table>", html.index('class="before-after"'))]
    names = re.findall(r'<th scope="row">(\w+)', table)

    assert names == [
        *("math", "heldout_math", "mathvista_testmini"),
        *("ocr", "heldout_ocr", "ocrbench"),
        *("vqa", "heldout_vqa", "chartqa_test"),
        *("heldout_open_ended", "overall"),
    ]
    assert _cells(html, "ocr")[:4] == ["20", "50.0", "52.5", "52.0"]


def test_counts_link_to_the_questions_that_they_count(page: Page) -> None:
    links = {attributes["href"] for attributes in page.of("a")}

    assert {
        "#outcome=improved",
        "#family=math&outcome=regressed",
        f"#benchmark={FALLEN}&outcome=unchanged",
        f"#benchmark={FALLEN}&policy=control&flag=no%20answer",
        f"#benchmark={FALLEN}&policy=baseline&category=right",
        "#benchmark=chartqa_test&group=split%3Dhuman",
    } <= links


def test_partial_set_says_how_many_questions_of_how_many(page: Page) -> None:
    words = page.words()

    assert "10 of 1,000 questions" in words
    assert "a part of the published set, whose score is not comparable with published ones" in words


def test_metric_that_counts_is_said_in_words_and_the_other_one_is_shown(report: ReportData, page: Page) -> None:
    words = page.words()

    assert "under the strict score: the official rule, except that nothing is paid for a guess" in words
    assert "strict (counts here)" in words
    assert "heldout_math 55.0 66.0 56.0 50.0 63.0 52.0" in words  # official first, whichever counts
    official = Page(render_report(_with(report, metric="score"))).words()
    assert "heldout_math 50.0 63.0 52.0 55.0 66.0 56.0" in official


def test_points_are_given_where_the_official_total_is_one(report: ReportData) -> None:
    whole = [replace(info, questions=1000) if info.name == FALLEN else info for info in report.suite]

    words = Page(render_report(_with(replace(report, suite=whole), metric="score"))).words()

    assert "Official total of 1,000 points: baseline 500, candidate 420, control 520." in words
    assert "Digit String 5 80.0 4 of 5 60.0 3 of 5 80.0 4 of 5" in words


def test_counters_above_zero_are_marked(html: str, page: Page) -> None:
    marked = [attributes for attributes in page.of("a") if attributes.get("class") == "hot"]

    assert len(marked) == 3 * len(BENCHMARKS)  # no answer, for every policy; the hostile flag is 0
    assert "baseline 10.0 0 0 0 0 0 0 0 0 90.0 17 100" in page.words()  # 99.5 prompt tokens, rounded to even


def test_relative_gain_stands_beside_the_points(page: Page) -> None:
    assert "+41.5 % relative to the baseline" in page.words()


def test_cost_of_the_evaluation_is_shown(page: Page) -> None:
    assert "baseline 4.0 s 8 2.00 2 1,234 567 16" in page.words()


def test_cost_that_lacks_values_is_shown_as_far_as_it_goes(report: ReportData) -> None:
    words = Page(render_report(replace(report, cost={FALLEN: {"candidate": {"generated": 8}}}))).words()

    assert "candidate n/a 8 n/a n/a n/a n/a n/a" in words


def test_key_number_is_overall_difference_with_its_interval(page: Page) -> None:
    assert "+17.0 points overall, paired 95 % interval [12.0, 22.0]" in page.words().replace("\xa0", " ")


def test_full_fingerprint_is_in_the_title(report: ReportData, page: Page) -> None:
    titles = [attributes["title"] for attributes in page.of("code") if "title" in attributes]
    shown = [data for tag, data in page.text if tag == "code"]

    for artifact in report.artifacts:
        assert artifact.fingerprint in titles
        assert artifact.fingerprint[:12] in shown
        assert artifact.fingerprint not in shown


def test_share_of_the_rewards_in_a_step_is_shown(page: Page) -> None:
    words = page.words()

    assert "2.5 % for the candidate (12.5 ms of 0.5 s) and 2.0 % for the control (10 ms of 0.5 s)." in words
