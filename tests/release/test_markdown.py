import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.release.markdown import escaped, report_markdown
from tests.release.synthetic import BENCHMARKS, FALLEN, HOSTILE, make_report


@pytest.fixture(scope="module")
def text() -> str:
    return report_markdown(make_report())


def _rows(text: str, begins: str) -> list[list[str]]:
    return [
        re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines() if line.startswith(f"| {begins} |")
    ]


def test_verdict_and_reasons_come_first(text: str) -> None:
    first, second, third = text.split("\n\n")[:3]

    assert first == "# synthetic: promoted"
    assert "41.0 to 58.0: +17.0 points [12.0, 22.0], +41.5 % relative." in second
    assert third.startswith("- The overall gain is 17.0 points.\n- ")


def test_row_of_a_benchmark_has_every_number(text: str) -> None:
    assert _rows(text, FALLEN)[0] == [
        *(FALLEN, "ocr", "10", "50.0", "42.0", "52.0", "\u22128.0 [\u221214.0, \u22122.0]", "\u221216.0 %"),
        *("&lt;0.001", "4 / 2 / 4", "6.2", "\u221210.0 [\u221216.0, \u22124.0]"),
    ]


def test_every_benchmark_family_mean_and_overall_has_a_row(text: str) -> None:
    table = text[text.index("## Scores") : text.index("## Official")]
    names = [line.split(" | ")[0].strip("| ") for line in table.splitlines() if line.startswith("|")][2:]

    assert {name.replace("\\", "") for name in names} == {
        *BENCHMARKS,
        *("**math, mean**", "**ocr, mean**", "**vqa, mean**", "**overall**"),
    }


def test_tables_have_as_many_cells_in_every_row(text: str) -> None:
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        cells = {len(re.split(r"(?<!\\)\|", line)) for line in lines}
        assert len(cells) <= 1, lines[0]


def test_hostile_text_makes_no_element_and_no_row(text: str) -> None:
    assert "<" not in text
    assert escaped(HOSTILE) in text


def test_names_with_underscores_stay_readable_and_emphasis_is_escaped() -> None:
    assert escaped("heldout_open_ended") == "heldout_open_ended"
    assert escaped("_a_ __b__ a_b_") == r"\_a\_ \_\_b\_\_ a_b\_"


@given(st.text())
def test_escaped_text_stays_on_its_line_and_makes_no_markup(text: str) -> None:
    line = escaped(text)

    assert not line.splitlines()[1:]
    assert not re.search(r"[<>]", line)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[]", line)


@given(st.text(alphabet="ab \\|`*_[]~$<>&#+-=1.)!"))
def test_escaped_text_is_read_back_as_it_was(text: str) -> None:
    read = re.sub(r"\\([\\`*_\[\]|~$#+=\-.)])", r"\1", escaped(text))
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        read = read.replace(entity, character)

    assert read == " ".join(text.split())
