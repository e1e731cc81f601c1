import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from components.core.artifact import Manifest, seal
from components.surrogate.measure import measure
from components.surrogate.measurement import Measurement
from components.surrogate.plots import calibration_plot, coverage_plot
from components.surrogate.report import LIMITS, ReportFacts, render_report
from components.surrogate.rows import AnswerRow
from tests.surrogate.tiny import OverlapSurrogate, WordEmbedder, row

HOSTILE = "</style></script><script>alert(1)</script><img src=x onerror=alert(2)>&\" onclick='x'"


class Page(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _manifest(folder: Path) -> Manifest:
    (folder / "metrics.json").write_text(json.dumps({"num_rows": 48, HOSTILE: HOSTILE, "nested": {}}))
    return seal(folder, "surrogate", {"surrogate": {"note": HOSTILE}, "seed": 0})


def _rows() -> list[AnswerRow]:
    texts = (("a red bus", 1.0), ("the bus is a red one", 1.0), ("a green car", 0.0), ("bus", 0.0), ("a red bus", 0.0))
    return [row(text, score, str(group)) for group in range(4) for text, score in texts]


def _measured(rows: Sequence[AnswerRow]) -> Measurement:
    canaries = [row("not a red bus", 0.0, "1", "denied"), row("so", 0.0, "1", "empty_frame")]
    return measure(OverlapSurrogate(), rows, canaries, ["denied"], WordEmbedder())


@pytest.fixture
def facts(tmp_path: Path) -> ReportFacts:
    return ReportFacts.of(tmp_path, _manifest(tmp_path), HOSTILE, "0" * 64, bad_lines=2)


def test_hostile_text_is_shown_and_never_run(facts: ReportFacts) -> None:
    hostile = [AnswerRow(HOSTILE, (HOSTILE,), f"{HOSTILE} yes", 0.0, HOSTILE, HOSTILE), *_rows()]
    page = Page(render_report(facts, _measured(hostile)))
    names = [tag for tag, _ in page.tags]
    assert not {"script", "img", "iframe", "link", "object"} & set(names)
    assert names.count("style") == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") >= 4


def test_page_forbids_scripts_and_refers_to_nothing(facts: ReportFacts) -> None:
    html = render_report(facts, _measured(_rows()))
    [policy] = [tag["content"] for name, tag in Page(html).tags if tag.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not [tag for _, tag in Page(html).tags if "src" in tag or "href" in tag]
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert "url(" not in html


def test_page_says_what_it_must(facts: ReportFacts) -> None:
    text = Page(render_report(facts, _measured(_rows()))).text
    for words in (
        "2 lines of the data could not be read", "pairs ordered rightly", "AUC", "ECE", "token F1", "longer wins",
        "Kinds that it has seen in fitting", "Kinds kept out of fitting", "empty frame", "Worst errors",
        "too short to tell", "number of words", "num rows", "called right in one row and wrong in another", *LIMITS,
    ):  # fmt: skip
        assert words in text, words


def test_same_measurement_gives_the_same_page(facts: ReportFacts) -> None:
    assert render_report(facts, _measured(_rows())) == render_report(facts, _measured(_rows()))


def test_a_surrogate_without_figures_has_a_page_that_says_why(facts: ReportFacts) -> None:
    text = Page(render_report(facts, None)).text
    assert "There are no figures" in text
    assert LIMITS[0] in text


def test_a_megabyte_of_answer_is_cut_in_the_page(facts: ReportFacts) -> None:
    long = row("car " * 249_000, 1.0, "long")
    html = render_report(facts, _measured([long, *_rows()]))
    assert len(html) < 200_000
    assert "(996,000 characters)" in html


def test_one_class_alone_has_a_page(facts: ReportFacts) -> None:
    html = render_report(facts, _measured([row("a car", 0.0, "1"), row("a bus", 0.0, "2")]))
    text = Page(html).text
    assert "All 2 rows are wrong" in text
    assert "It was not probed" in text
    assert not re.search(r"\bnan\b", html, flags=re.IGNORECASE)


def test_plots_draw_every_bin_and_mark_within_the_frame() -> None:
    found = _measured(_rows())
    svg = calibration_plot(found.calibration) + coverage_plot(found.coverage, found.figures)
    assert svg.count('class="bar"') == len(found.calibration)
    numbers = [float(value) for value in re.findall(r'\b(?:cx|cy|x1|x2|y1|y2)="([^"]+)"', svg)]
    assert all(0 <= number <= 420 for number in numbers)
