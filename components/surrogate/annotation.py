"""Annotation sheets: picked rows out to people as CSV or JSON Lines, and their labels back.

A cell of a CSV file that begins as a formula would be computed by a spreadsheet, so it gets an apostrophe in front
(as does a cell that begins with one), which is taken off again on the way back. Spreadsheets also rewrite what looks
like a date or a number, so every row carries the digest of its texts: a row whose texts came back changed is not
believed.
"""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.core.errors import SourceError
from components.core.json_lines import BadLineError, read_lines, read_object, shown
from components.surrogate.rows import AnswerRow, to_row, with_image_files

COLUMNS = ("id", "question", "references", "answer", "label", "score", "group", "kind")
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula: OWASP's list, with the full-width forms of its signs."""
_LABELS = {"1": 1, "0": 0, "true": 1, "false": 0, "yes": 1, "no": 0, "1.0": 1, "0.0": 0}
_LONGEST_CELL = 4_000_000  # characters


@dataclass(frozen=True)
class Annotated:
    """What came back: rows + skipped = rows in the file."""

    rows: list[AnswerRow]
    """With the score or label that they were given."""
    skipped: list[str]
    """Why a row was not taken, with its number from 1."""


def row_id(row: AnswerRow) -> str:
    """16 hexadecimal digits that name a row by its texts, whatever its score."""
    image = [row.image_key] if row.image else []
    content = json.dumps([row.question, list(row.references), row.answer, row.group, row.kind, *image])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def export_rows(rows: Sequence[AnswerRow], path: Path) -> None:
    """Write rows for people to label: a CSV sheet where the name ends in .csv, else JSON Lines.

    Scores that rows have are left out, so that they sway nobody. Pictures of JSON Lines are written into images/ beside
    the file; a sheet has none.

    Args:
        rows: To be labelled.
        path: Replaced if it exists.
    """
    blank = [replace(row, score=None) for row in rows]
    text = _csv(blank) if _is_sheet(path) else "".join(f"{json.dumps(line)}\n" for line in _lines(blank, path.parent))
    # The mark at the beginning tells spreadsheets that this is UTF-8.
    path.write_text(text, encoding="utf-8-sig" if _is_sheet(path) else "utf-8", newline="")


def import_rows(path: Path, exported: Sequence[AnswerRow] = ()) -> Annotated:
    """Read labels back.

    Args:
        path: As `export_rows` wrote it, with `label` (0 or 1) or `score` (0..1) filled in; a sheet may come back with
            semicolons or tabs between its cells, and with decimal commas.
        exported: The rows that were written. A row of the file with the id of one of these is that row, whatever
            became of its texts; without them, rows are taken from the file, if their texts still have their digest.

    Returns:
        The annotated rows in the order of the file. A row annotated twice alike counts once; one annotated twice
        otherwise is skipped each time.

    Raises:
        SourceError: The file cannot be read, or a sheet has no column id, or neither label nor score.
    """
    known = {row_id(row): row for row in exported}
    items = _read_sheet(path) if _is_sheet(path) else _read_json_lines(path)
    found: dict[int, AnswerRow] = {}
    skipped: dict[int, str] = {}
    for number, item in enumerate(items, 1):
        try:
            found[number] = _annotated(item, known)
        except BadLineError as error:
            skipped[number] = str(error)
    for number, reason in _repeats(found).items():
        skipped[number] = reason
        del found[number]
    return Annotated(list(found.values()), [f"row {number}: {skipped[number]}" for number in sorted(skipped)])


def neutralised(text: str) -> str:
    """A text as a cell that no spreadsheet computes; `restored` gives it back."""
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


def restored(cell: str) -> str:
    """The text of a cell that `neutralised` made."""
    return cell[1:] if cell.startswith("'") else cell


Item = Mapping[str, Any] | BadLineError


def _lines(rows: Sequence[AnswerRow], folder: Path) -> list[dict[str, Any]]:
    """Lines that name the rows as they are, with the pictures where they are written."""
    written = with_image_files(rows, folder)
    return [{"id": row_id(row), **own.to_json()} for row, own in zip(rows, written, strict=True)]


def _line(row: AnswerRow) -> dict[str, Any]:
    return {"id": row_id(row), **row.to_json()}


def _csv(rows: Sequence[AnswerRow]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        values = {**_line(row), "references": json.dumps(row.references, ensure_ascii=False), "label": "", "score": ""}
        # An id of digits alone, or like 12e45678, would be rewritten as a number.
        values["id"] = f"id:{values['id']}"
        writer.writerow({name: neutralised(values[name]) for name in COLUMNS})
    return stream.getvalue()


def _is_sheet(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _read_json_lines(path: Path) -> list[Item]:
    return [_attempt(line) for line in read_lines(path)]


def _attempt(line: str) -> Item:
    try:
        return read_object(line)
    except BadLineError as error:
        return error


def _read_sheet(path: Path) -> list[Item]:
    text = "\n".join(read_lines(path))
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        records = list(reader)
    except csv.Error as error:
        raise SourceError(str(path), f"not a CSV sheet ({error})", "Save it as CSV with UTF-8") from None
    columns = {str(name).strip().lower() for name in reader.fieldnames or ()}
    if "id" not in columns or not columns & {"label", "score"}:
        problem = f"its columns are {', '.join(sorted(columns))[:100]}, without id, or without label and score"
        raise SourceError(str(path), problem, "Give the sheet that was exported, with label or score filled in")
    return [_record(record) for record in records]


def _record(record: Mapping[Any, Any]) -> Item:
    cells = {str(name).strip().lower(): value or "" for name, value in record.items() if isinstance(value, str | None)}
    try:
        values: dict[str, Any] = {
            **{name: restored(cells.get(name, "")) for name in ("question", "answer", "kind", "group")},
            "id": cells.get("id", "").strip().removeprefix("id:"),
            "references": _references(restored(cells.get("references", ""))),
            **_judged(cells),
        }
    except BadLineError as error:
        return error
    return values


def _references(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _judged(cells: Mapping[str, str]) -> dict[str, Any]:
    """Label and score of a sheet's row, as far as they are given."""
    label, score = (cells.get(name, "").strip().lower() for name in ("label", "score"))
    judged: dict[str, Any] = {}
    if label:
        if label.replace(",", ".") not in _LABELS:
            raise BadLineError(f"label is {shown(label)}: give 0 or 1")
        judged["label"] = _LABELS[label.replace(",", ".")]
    if score:
        try:
            judged["score"] = float(score.replace(",", "."))
        except ValueError:
            raise BadLineError(f"score is {shown(score)}: give a number from 0 to 1") from None
    return judged


def _annotated(item: Item, known: Mapping[str, AnswerRow]) -> AnswerRow:
    if isinstance(item, BadLineError):
        raise item
    if item.get("label") is None and item.get("score") is None:
        raise BadLineError("not annotated: neither label nor score is given")
    name = item.get("id")
    original = known.get(name) if isinstance(name, str) else None
    if original is not None:
        texts = {"question": original.question, "references": list(original.references), "answer": original.answer}
        item = {**item, **texts, "group": original.group, "kind": original.kind}
    row = replace(to_row(item), image=original.image if original is not None else None)
    _check_judgement(item, row)
    if name is not None and original is None and name != row_id(row):
        raise BadLineError("its texts are not those that were exported: give the exported rows, or undo the changes")
    return row


def _check_judgement(item: Mapping[str, Any], row: AnswerRow) -> None:
    """Refuse a label and a score that are not of one mind; where both are given, the score is taken."""
    label = item.get("label")
    if label is None or item.get("score") is None or row.score is None:
        return
    alone = to_row({**item, "score": None}).score  # reads the label with all of its checks
    if alone is not None and (alone > 0.5) != (row.score > 0.5):
        raise BadLineError(f"label {label} and score {row.score:g} contradict each other")


def _repeats(found: Mapping[int, AnswerRow]) -> dict[int, str]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, row in found.items():
        numbers[row_id(row)].append(number)
    reasons = {}
    for several in numbers.values():
        if len({found[number].score for number in several}) > 1:
            listed = ", ".join(map(str, several))
            reasons.update(dict.fromkeys(several, f"annotated more than once, and differently: rows {listed}"))
        else:
            reasons.update(dict.fromkeys(several[1:], f"annotated more than once: row {several[0]} is taken"))
    return reasons
