import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from components.core.comparison import CANDIDATE, CONTROL
from components.release.render import (
    browser_data,
    control_words,
    interval,
    points,
    render_report,
    reward_words,
    signed,
    trend,
)
from components.release.report_data import ReportData
from tests.release.synthetic import FALLEN, HOSTILE, make_report, make_row, make_sample

_VOID = {"br", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """What a browser would find in a page: elements with attributes, and text by the element it stands in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self._open = [""]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text.append((self._open[-1], data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self) -> str:
        return " ".join(" ".join(data for tag, data in self.text if tag not in {"script", "style"}).split())


@pytest.fixture(scope="module")
def report() -> ReportData:
    return make_report()


@pytest.fixture(scope="module")
def html(report: ReportData) -> str:
    return render_report(report)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def _embedded(html: str) -> Any:
    block = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', html, re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


def test_page_names_no_other_host_or_file(html: str, page: Page) -> None:
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)

    assert not re.findall(r"https?://|//cdn|@import|url\((?!#)", without_namespaces)
    addresses = [
        value for _, attributes in page.elements for key, value in attributes.items() if key in {"src", "href"}
    ]
    assert {str(address)[0] for address in addresses} == {"#"}


def test_page_without_any_data_in_its_lists_renders(report: ReportData) -> None:
    empty = replace(
        report,
        samples=[],
        rollout_groups=[],
        reasons=[],
        limits=[],
        artifacts=[],
        libraries={},
        curves={},
        lengths={},
        surrogate={"num_pairs": 0.0},
        dataset={},
    )

    words = Page(render_report(empty)).words()

    assert "no surrogate was fitted" in words
    assert "not recorded" in words


def test_hostile_text_makes_no_element(html: str, page: Page) -> None:
    assert [attributes.get("type") for attributes in page.of("script")] == ["application/json", None]
    assert page.of("img") == []
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert "\u2028" not in html.split('id="report-data">')[1]


def test_hostile_text_is_shown_as_it_is(page: Page) -> None:
    shown = "".join(data for tag, data in page.text if tag == "li")

    assert shown.count(HOSTILE) == 2  # a reason and a limit
    assert HOSTILE in "".join(data for tag, data in page.text if tag == "th")  # a quarantine reason


def test_hostile_family_name_stays_text(report: ReportData) -> None:
    families = {HOSTILE: make_row(3, 0.5, 0.4, 0.5, width=0.01), "$x^2": make_row(3, 0.5, 0.4, 0.5, width=0.01)}

    page = Page(render_report(replace(report, families=families)))

    assert len(page.of("script")) == 2
    assert page.of("img") == []
    assert "$x^2" in [data for tag, data in page.text if tag == "text"]


def test_embedded_data_is_the_samples_and_groups(report: ReportData, html: str) -> None:
    embedded = _embedded(html)

    assert embedded == json.loads(json.dumps(browser_data(report)))
    assert [sample["id"] for sample in embedded["samples"]] == [sample.id for sample in report.samples]
    assert HOSTILE in embedded["samples"][0]["answers"]["candidate"]["text"]


def test_images_are_embedded_once(report: ReportData) -> None:
    content = browser_data(report)

    assert len(content["images"]) == 6
    assert len({sample["images"][0] for sample in content["samples"]}) == 6
    assert all(image.startswith("data:image/png;base64,iVBOR") for image in content["images"])


def test_script_policy_allows_the_report_s_own_script_alone(page: Page) -> None:
    policy = next(item["content"] for item in page.of("meta") if item.get("http-equiv") == "Content-Security-Policy")

    assert policy is not None
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_fallen_family_is_named_in_words_and_marked(page: Page) -> None:
    assert f"Fell below the baseline: {FALLEN} \u22128.0 points [\u221214.0, \u22122.0]." in page.words()
    assert [row.get("class") for row in page.of("tr")].count("fell") == 1


def test_page_of_a_run_without_a_fall_says_so(report: ReportData) -> None:
    families = {"math": make_row(10, 0.5, 0.6, 0.5, width=0.05)}

    words = Page(render_report(replace(report, families=families, promoted=False))).words()

    assert "No family fell below the baseline." in words
    assert "synthetic not promoted" in words


def test_key_number_is_overall_difference_with_its_interval(page: Page) -> None:
    assert "+17.0 points overall, paired 95 % interval [12.0, 22.0]" in page.words().replace("\xa0", " ")


def test_full_fingerprint_is_in_the_title(report: ReportData, page: Page) -> None:
    titles = [attributes["title"] for attributes in page.of("code") if "title" in attributes]
    shown = [data for tag, data in page.text if tag == "code"]

    for artifact in report.artifacts:
        assert artifact.fingerprint in titles
        assert artifact.fingerprint[:12] in shown
        assert artifact.fingerprint not in shown


@pytest.mark.parametrize(
    ("control", "candidate", "words"),
    [
        (0.46, 0.60, "format and length alone bring 30 % of the gain"),
        (0.38, 0.60, "format and length alone bring none of the gain"),
        (0.62, 0.60, "format and length alone bring all of the gain"),
        (0.46, 0.40, "there is no gain to divide"),
    ],
)
def test_control_words_share_of_the_gain(control: float, candidate: float, words: str) -> None:
    assert words in control_words(make_row(10, 0.40, candidate, control, width=0.01))


def test_control_words_doubt_an_interval_with_zero() -> None:
    assert "no effect of the accuracy reward is shown" in control_words(make_row(10, 0.4, 0.6, 0.58, width=0.1))


def test_share_of_the_rewards_in_a_step_is_shown(page: Page) -> None:
    words = page.words()

    assert "2.5 % for the candidate (12.5 ms of 0.5 s) and 2.0 % for the control (10 ms of 0.5 s)." in words


def test_training_that_was_not_timed_has_no_words_on_it() -> None:
    assert reward_words({CANDIDATE: {}, CONTROL: {}}) == ""


@pytest.mark.parametrize(
    ("candidate", "width", "expected"),
    [
        (0.6, 0.05, ("rose", "")),
        (0.4, 0.05, ("fell", "")),
        (0.6, 0.2, ("rose", "interval includes 0")),
        (0.4, 0.2, ("fell", "interval includes 0")),
        (0.5, 0.0, ("unchanged", "")),
    ],
)
def test_trend(candidate: float, width: float, expected: tuple[str, str]) -> None:
    assert trend(make_row(10, 0.5, candidate, 0.5, width)) == expected


def test_numbers_are_in_points_with_one_decimal() -> None:
    assert points(0.1234) == "12.3"
    assert signed(0.05) == "+5.0"
    assert signed(-0.05) == "\u22125.0"
    assert signed(-0.0001) == "0.0"
    assert interval((-0.0001, 0.25)) == "[0.0, 25.0]"


def _browse(html: str, folder: Path, fragment: str = "") -> Page:
    """The document that a page's scripts leave in a headless browser."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no chromium or google-chrome on the PATH")
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    command = [
        *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={folder / 'profile'}", "--dump-dom", f"{path.as_uri()}{fragment}"),
    ]
    return Page(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


def _cards(page: Page) -> int:
    return sum(attributes.get("class") == "card" for attributes in page.of("article"))


@pytest.mark.slow
def test_browsers_run_in_a_browser(html: str, tmp_path: Path) -> None:
    page = _browse(html, tmp_path)

    assert _cards(page) == 12
    assert "samples 1 to 12 of 30" in page.words()
    assert "groups 1 to 3 of 4" in page.words()
    assert "hidden" in next(item for item in page.of("p") if item.get("id") == "script-error")
    assert HOSTILE in "".join(data for tag, data in page.text if tag == "pre")
    assert len(page.of("script")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fragment", "shown"),
    [
        (f"family={FALLEN}", {1, 5, 9, 13, 17, 21, 25, 29}),
        (f"family={FALLEN}&outcome=regressed", {1, 13, 25}),
        ("text=QUESTION%2013", {13}),
        ("text=no%20such%20text", set()),
    ],
)
def test_fragment_filters_samples(html: str, tmp_path: Path, fragment: str, shown: set[int]) -> None:
    page = _browse(html, tmp_path, f"#{fragment}")

    ids = {int(data, 16) for tag, data in page.text if tag == "code" and re.fullmatch(r"0{14}[0-9a-f]{2}", data)}
    assert ids == shown
    assert (f"samples 1 to {len(shown)} of {len(shown)}" if shown else "no samples to show") in page.words()


@pytest.mark.slow
def test_buttons_and_links_change_what_is_shown(html: str, tmp_path: Path) -> None:
    clicks = """
        const browser = document.getElementById("sample-browser");
        const status = () => browser.querySelector(".status").textContent;
        const log = [];
        const click = (node) => { node.click(); log.push(status()); };
        click(browser.querySelector(".pager [data-step='1']"));
        click(document.querySelector("a[href='#family=ocr&outcome=regressed']"));
        click(browser.querySelector("form button"));
        document.body.append(log.join("; "));
    """
    unguarded = re.sub(r"<meta http-equiv=[^>]*>", "", html).replace("</body>", f"<script>{clicks}</script></body>")

    words = _browse(unguarded, tmp_path).words()

    assert "samples 13 to 24 of 30; samples 1 to 3 of 3; samples 1 to 12 of 30" in words


@pytest.mark.slow
def test_page_stays_small_with_thousands_of_samples(report: ReportData, tmp_path: Path) -> None:
    samples = [make_sample(number) for number in range(5000)]

    page = _browse(render_report(replace(report, samples=samples)), tmp_path)

    assert _cards(page) == 12
    assert "samples 1 to 12 of 5000" in page.words()


@pytest.mark.slow
def test_error_banner_appears_when_the_data_cannot_be_read(html: str, tmp_path: Path) -> None:
    page = _browse(html.replace('id="report-data">{', 'id="report-data">', 1), tmp_path)

    assert "hidden" not in next(item for item in page.of("p") if item.get("id") == "script-error")
