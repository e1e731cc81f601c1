import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import SourceError
from components.surrogate.annotation import export_rows, import_rows, neutralised, restored, row_id
from components.surrogate.rows import AnswerRow
from tests.surrogate.loop import row

DANGEROUS = ["=1+1", "+1", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", '=HYPERLINK("http://x")', "-", "'=1"]


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def label(path: Path, *labels: str, column: str = "label", delimiter: str = ",") -> None:
    """Fill in a sheet as a spreadsheet saves it: without needless quotes."""
    records = cells(path)
    for record, given_ in zip(records, labels, strict=True):
        record[column] = given_
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(records[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(records)


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_of_a_sheet_begins_as_a_formula_and_the_text_comes_back(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sheet.csv"
    exported = AnswerRow(text, (text, "fine"), f"{text} x", None, text, text)
    export_rows([exported], path)

    for cell in cells(path)[0].values():
        assert not cell.startswith(tuple("=+-@\t\r\n\uff1d"))
    label(path, "1")

    found = import_rows(path).rows

    assert [(item.question, item.references, item.answer, item.group, item.kind) for item in found] == [
        (exported.question, exported.references, exported.answer, exported.group, exported.kind)
    ]


@given(st.text())
def test_neutralised_text_begins_no_formula_and_is_restored(text: str) -> None:
    assert restored(neutralised(text)) == text
    assert not neutralised(text).startswith(tuple("=+-@\t\r\n"))


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
_ROW = st.builds(
    AnswerRow, _TEXT, st.lists(_TEXT, min_size=1, max_size=3).map(tuple), _TEXT, st.none(), _TEXT, st.just("")
)


@given(st.lists(_ROW, min_size=1, max_size=5, unique_by=row_id), st.sampled_from([".csv", ".jsonl"]), st.data())
def test_any_rows_come_back_with_their_labels(rows: list[AnswerRow], ending: str, data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.sampled_from([0, 1]), min_size=len(rows), max_size=len(rows)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{ending}"
        export_rows(rows, path)
        if ending == ".csv":
            label(path, *map(str, labels))
        else:
            items = [json.loads(line) for line in path.read_text().splitlines()]
            lines = [json.dumps({**item, "label": given_}) for item, given_ in zip(items, labels, strict=True)]
            path.write_text("\n".join(lines))

        found = import_rows(path)

    assert found.skipped == []
    assert [(row_id(item), item.score) for item in found.rows] == [
        (row_id(item), float(given_)) for item, given_ in zip(rows, labels, strict=True)
    ]


def test_scores_that_rows_have_are_not_shown_to_annotators(tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.jsonl"):
        export_rows([row("a", 0.125)], tmp_path / name)

        assert "0.125" not in (tmp_path / name).read_text(encoding="utf-8-sig")


def test_every_row_of_a_sheet_is_taken_or_skipped_with_its_number_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    exported = [row(answer) for answer in ("fine", "blank", "odd", "beyond", "twice", "both")]
    export_rows(exported, path)
    records = [*cells(path), cells(path)[4]]
    for record, given_ in zip(records, ["1", "", "maybe", "", "0", "1", "1"], strict=True):
        record["label"] = given_
    records[3]["score"], records[5]["score"] = "1.5", "0.2"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(records[0]))
        writer.writeheader()
        writer.writerows(records)

    found = import_rows(path)

    assert [(item.answer, item.score) for item in found.rows] == [("fine", 1.0)]
    assert [reason.partition(":")[0] for reason in found.skipped] == [f"row {number}" for number in range(2, 8)]
    expected = ["not annotated", "'maybe'", "1.5", "differently: rows 5, 7", "contradict each other", "differently"]
    for reason, part in zip(found.skipped, expected, strict=True):
        assert part in reason


def test_row_annotated_twice_alike_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    line = json.dumps({**row("a").to_json(), "label": 1})
    path.write_text(f"{line}\n{line}\n")

    found = import_rows(path)

    assert [item.score for item in found.rows] == [1.0]
    assert found.skipped == ["row 2: annotated more than once: row 1 is taken"]


def test_text_that_a_spreadsheet_rewrote_is_not_believed_but_the_exported_row_is(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    exported = row("1/2")
    export_rows([exported], path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace("1/2", "01-Feb"))
    label(path, "1")

    alone, beside = import_rows(path), import_rows(path, [exported])

    assert alone.rows == []
    assert "not those that were exported" in alone.skipped[0]
    assert [(item.answer, item.score) for item in beside.rows] == [("1/2", 1.0)]


def test_sheet_with_semicolons_and_decimal_commas_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    export_rows([row("a, b; c"), row("d")], path)
    label(path, "0,25", "1", column="score", delimiter=";")

    assert [item.score for item in import_rows(path).rows] == [0.25, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"question,answer\nq,a\n", "without id"),
        (b"id,answer\n1,a\n", "without label and score"),
        (b'id,label\n1,"a\n', "not a CSV sheet"),
        (b"id,label\n\xff\n", "not UTF-8"),
    ],
)
def test_file_that_is_no_sheet_of_ours_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(content)

    with pytest.raises(SourceError, match=message):
        import_rows(path)
