from pathlib import Path

from components.surrogate.annotation import export_rows, import_rows
from components.surrogate.rows import AnswerRow, read_rows, write_rows
from tests.rewards.tiny_models import disc

_PIXELS = 10_000


def _row(image: Path | bytes | None, answer: str = "a", group: str = "g") -> AnswerRow:
    return AnswerRow("Which?", ("r",), answer, 1.0, group, image=image)


def test_pictures_are_written_beside_the_rows_once_and_read_again(tmp_path: Path) -> None:
    red, blue = disc("red", 0), disc("blue", 0)
    (tmp_path / "blue.png").write_bytes(blue)
    (tmp_path / "new").mkdir()
    rows = [_row(red, "a"), _row(tmp_path / "blue.png", "b"), _row(red, "c"), _row(blue, "d"), _row(None, "e")]

    write_rows(rows, tmp_path / "new" / "rows.jsonl")
    (tmp_path / "blue.png").unlink()
    found = read_rows(tmp_path / "new" / "rows.jsonl", max_pixels=_PIXELS)

    assert found.problems == []
    assert [row.answer for row in found.rows] == list("abcde")
    contents = [None if row.image is None else Path(str(row.image)).read_bytes() for row in found.rows]
    assert contents == [red, blue, red, blue, None]
    assert len(list((tmp_path / "new" / "images").iterdir())) == 2


def test_rows_without_pictures_make_no_folder_and_speak_of_none(tmp_path: Path) -> None:
    write_rows([_row(None)], tmp_path / "rows.jsonl")

    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
    assert "image" not in (tmp_path / "rows.jsonl").read_text()


def test_lines_with_pictures_are_read_as_before_where_nobody_looks_at_them(tmp_path: Path) -> None:
    line = '{"question": "q", "references": ["r"], "answer": "a", "label": 1'
    (tmp_path / "with.jsonl").write_text(f'{line}, "image": "none.png"}}\n')
    (tmp_path / "without.jsonl").write_text(f"{line}}}\n")

    assert read_rows(tmp_path / "with.jsonl") == read_rows(tmp_path / "without.jsonl")
    assert len(read_rows(tmp_path / "with.jsonl", max_pixels=_PIXELS).problems) == 1


def test_by_default_the_picture_is_part_of_the_group(tmp_path: Path) -> None:
    for name in ("red", "blue"):
        (tmp_path / f"{name}.png").write_bytes(disc(name, 0))
    line = '{{"question": "q", "references": ["r"], "answer": "a", "label": 1, "image": "{}.png"}}\n'
    (tmp_path / "rows.jsonl").write_text("".join(line.format(name) for name in ("red", "blue", "red")))

    first, second, third = read_rows(tmp_path / "rows.jsonl", max_pixels=_PIXELS).rows

    assert first.group == third.group != second.group


def test_a_picture_of_too_many_pixels_makes_a_bad_line(tmp_path: Path) -> None:
    write_rows([_row(disc("red", 0))], tmp_path / "rows.jsonl")

    (problem,) = read_rows(tmp_path / "rows.jsonl", max_pixels=100).problems

    assert "more than max_pixels = 100" in problem


def test_rows_come_back_from_annotation_with_their_pictures(tmp_path: Path) -> None:
    rows = [_row(disc("red", 0)), _row(disc("blue", 0)), _row(None)]
    for name in ("sheet.csv", "lines.jsonl"):
        export_rows(rows, tmp_path / name)
        text = (tmp_path / name).read_text(encoding="utf-8-sig")
        filled = text.replace('"group"', '"label": 1, "group"') if name.endswith("jsonl") else text
        (tmp_path / name).write_text(filled)
    assert len(list((tmp_path / "images").iterdir())) == 2

    annotated = import_rows(tmp_path / "lines.jsonl", rows)

    assert annotated.skipped == []
    assert [row.image for row in annotated.rows] == [row.image for row in rows]
