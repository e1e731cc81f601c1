"""The page in a headless browser: what it shows once its script ran."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from components.release.render import render_report
from components.release.report_data import ReportData
from tests.release.page import Page
from tests.release.synthetic import BENCHMARKS, FALLEN, HOSTILE, make_report, make_sample

pytestmark = pytest.mark.slow

_NAMES = list(BENCHMARKS)


@pytest.fixture(scope="module")
def report() -> ReportData:
    return make_report()


@pytest.fixture(scope="module")
def html(report: ReportData) -> str:
    return render_report(report)


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
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"),
        f"{path.as_uri()}{fragment}",
    ]
    return Page(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


def _with_script(html: str, script: str) -> str:
    """The page with one more script at its end, and without the policy that forbids it."""
    return re.sub(r"<meta http-equiv=[^>]*>", "", html).replace("</body>", f"<script>{script}</script></body>")


def _cards(page: Page) -> int:
    return sum(attributes.get("class") == "card" for attributes in page.of("article"))


def _ids(page: Page) -> set[int]:
    return {int(data, 16) for tag, data in page.text if tag == "code" and re.fullmatch(r"0{13}[0-9a-f]{3}", data)}


def _error_is_hidden(page: Page) -> bool:
    return "hidden" in next(item for item in page.of("p") if item.get("id") == "script-error")


def _of(benchmark: str, count: int = 42) -> set[int]:
    """Numbers of the synthetic samples of a benchmark."""
    return set(range(_NAMES.index(benchmark), count, len(_NAMES)))


def test_browsers_run_in_a_browser(html: str, tmp_path: Path) -> None:
    page = _browse(html, tmp_path)

    assert _cards(page) == 12
    assert "samples 1 to 12 of 42" in page.words()
    assert "groups 1 to 3 of 4" in page.words()
    assert _error_is_hidden(page)
    assert HOSTILE in "".join(data for tag, data in page.text if tag == "pre")
    assert [item.get("type") for item in page.of("script")].count(None) == 1
    assert {item["src"].partition(",")[0] for item in page.of("img") if item["src"]} == {"data:image/png;base64"}


@pytest.mark.parametrize(
    ("fragment", "shown"),
    [
        (f"benchmark={FALLEN}", _of(FALLEN)),
        (f"benchmark={FALLEN}&outcome=regressed", {n for n in _of(FALLEN) if n % 3 == 1}),
        ("family=math&outcome=unchanged", {n for n in _of("heldout_math") | _of("mathvista_testmini") if n % 3 == 2}),
        (f"benchmark={FALLEN}&policy=candidate&flag=no%20answer", {n for n in _of(FALLEN) if n % 3 == 1}),
        (f"benchmark={FALLEN}&policy=baseline&category=no%20answer", {n for n in _of(FALLEN) if n % 3 == 0}),
        (f"benchmark={FALLEN}&flag=*", {n for n in _of(FALLEN) if n % 3 != 2}),
        (f"benchmark={FALLEN}&group=split%3Dhuman", {n for n in _of(FALLEN) if n % 2}),
        (f"benchmark={FALLEN}&policy=control&category=right&flag=no%20answer", set()),
        ("text=QUESTION%2013", {13}),
        (f"benchmark={FALLEN}&flag=repetition", set()),
        ("benchmark=unknown", set()),
        ("text=no%20such%20text", set()),
    ],
)
def test_fragment_filters_samples(html: str, tmp_path: Path, fragment: str, shown: set[int]) -> None:
    page = _browse(html, tmp_path, f"#{fragment}")

    assert _ids(page) == shown
    assert (f"samples 1 to {len(shown)} of {len(shown)}" if shown else "no samples to show") in page.words()
    assert _error_is_hidden(page)


def test_card_shows_everything_of_a_sample(html: str, tmp_path: Path) -> None:
    words = _browse(html, tmp_path, "#text=Question%207%20").words()

    assert "heldout_math math regressed \u2212100.0" in words
    for said in (
        f"accepted: 7 | number 7 | {HOSTILE}",
        f"prompt as sent <|im_start|>user Question 7 {HOSTILE}",
        "right, score 100.0",
        "no answer, score 0.0",
        "official / strict 0.0 / 0.0",
        f"decided by letter {HOSTILE}",
        "tokens 17 (prompt 99)",
        f"the model failed {HOSTILE}",
        "reward: accuracy 1.00 reward: length n/a reward: format 0.20",
        "length does not apply: evaluation answers once",
        f"split: human, {HOSTILE}: {HOSTILE}",
    ):
        assert " ".join(said.split()) in words, said


def test_public_benchmark_has_no_reward_parts(html: str, tmp_path: Path) -> None:
    words = _browse(html, tmp_path, f"#benchmark={FALLEN}&text=Question%205%20").words()

    assert "samples 1 to 1 of 1" in words
    assert "reward: accuracy" not in words


def test_sample_without_image_says_why(html: str, tmp_path: Path) -> None:
    page = _browse(html, tmp_path, "#text=Question%206%20")

    assert f"Left out {HOSTILE.replace(chr(0x2028), ' ')}" in page.words()
    assert _ids(page) == {6}


def test_buttons_and_links_change_what_is_shown(html: str, tmp_path: Path) -> None:
    clicks = f"""
        const browser = document.getElementById("sample-browser");
        const status = () => browser.querySelector(".status").textContent;
        const log = [];
        const click = (node) => {{ node.click(); log.push(status()); }};
        click(browser.querySelector(".pager [data-step='1']"));
        click(document.querySelector("a[href='#benchmark={FALLEN}&outcome=regressed']"));
        click(browser.querySelector("form button"));
        document.body.append(log.join("; "));
    """

    words = _browse(_with_script(html, clicks), tmp_path).words()

    assert "samples 13 to 24 of 42; samples 1 to 2 of 2; samples 1 to 12 of 42" in words


def test_breakdown_is_sorted_by_name_or_difference(html: str, tmp_path: Path) -> None:
    clicks = """
        const table = [...document.querySelectorAll(".breakdown")].find((node) => node.textContent.includes("human"));
        const order = () => [...table.tBodies[0].rows].map((row) => row.dataset.name).join(" ");
        const log = [order()];
        for (const key of ["difference", "name"]) {
          table.querySelector(`[data-sort=${key}]`).click();
          log.push(order());
        }
        document.body.append(log.join("; "));
    """

    words = _browse(_with_script(html, clicks), tmp_path).words()

    assert "augmented human; human augmented; augmented human" in words


def test_groups_can_be_chosen_once_their_benchmark_is(html: str, tmp_path: Path) -> None:
    script = """
        const form = document.querySelector("#sample-browser form");
        const offered = () => `${form.elements.group.disabled} ${form.elements.group.options.length}`;
        const log = [offered()];
        for (const benchmark of ["ocrbench", ""]) {
          form.elements.benchmark.value = benchmark;
          form.dispatchEvent(new Event("input"));
          log.push(offered());
        }
        document.body.append(log.join("; "));
    """

    words = _browse(_with_script(html, script), tmp_path).words()

    assert "true 1; false 4; true 1" in words  # all, two splits and the hostile group


def test_page_stays_small_with_thousands_of_samples(report: ReportData, tmp_path: Path) -> None:
    samples = [make_sample(number) for number in range(5000)]

    page = _browse(render_report(replace(report, samples=samples)), tmp_path, "#text=question%204321%20")

    assert _cards(page) == 1
    assert "samples 1 to 1 of 1" in page.words()
    assert _error_is_hidden(page)


def test_error_banner_appears_when_the_data_cannot_be_read(html: str, tmp_path: Path) -> None:
    page = _browse(html.replace('id="report-data">{', 'id="report-data">', 1), tmp_path)

    assert not _error_is_hidden(page)
