import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from components.core.config import parse_config
from components.core.errors import EmptyDatasetError, QuarantineLimitError, SourceError
from components.core.example import AnswerType, Split, read_split
from components.curation.card import write_data_card
from components.curation.config import CurationConfig
from components.curation.curate import CurationResult, curate
from tests.conftest import quickstart_curation


def _image(shade: int, size: tuple[int, int] = (8, 8), format_: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size, shade).save(buffer, format=format_)
    return buffer.getvalue()


def _write_jsonl(folder: Path, rows: list[dict[str, Any]], images: dict[str, bytes]) -> Path:
    for name, content in images.items():
        (folder / name).write_bytes(content)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _curate(path: Path, output: Path, **changes: Any) -> CurationResult:
    source = {"kind": path.suffix[1:], "path": str(path), "task": "vqa", "licence": "CC0"}
    config = {"sources": [source], "max_quarantined_fraction": 1.0, "groups": {"heldout_fraction": 0.0}, **changes}
    return curate(output / "dataset", output / "quarantine", parse_config(CurationConfig, config, "test"), seed=0)


def _good(number: int) -> dict[str, Any]:
    return {"images": [f"{number}.png"], "question": f"How many? {number}", "references": ["3"]}


def test_rows_in_equal_kept_plus_quarantined_and_every_reason_is_counted(tmp_path: Path) -> None:
    truncated = _image(9, (200, 200), "JPEG")[:-200]
    rows = [
        _good(0),
        _good(1),
        {**_good(0)},
        {**_good(1), "references": ["4"]},
        {**_good(0), "images": ["gone.png"]},
        {**_good(0), "images": ["text.png"]},
        {**_good(0), "images": ["cut.jpg"]},
        {**_good(0), "question": "  "},
        {**_good(0), "references": []},
        {**_good(0), "references": [""]},
        {**_good(0), "question": "x" * 9000},
    ]
    images = {"0.png": _image(0), "1.png": _image(1), "text.png": b"not an image", "cut.jpg": truncated}

    result = _curate(_write_jsonl(tmp_path, rows, images), tmp_path / "out")

    assert result.summary["quarantined_by_reason"] == {
        "contradicting answers": 2,
        "image damaged": 1,
        "image missing": 1,
        "not an image": 1,
        "question missing": 1,
        "question too long": 1,
        "reference missing": 2,
    }
    counts = ("rows_in", "rows_kept", "rows_quarantined", "rows_duplicate")
    assert [result.summary[name] for name in counts] == [11, 1, 9, 1]
    quarantined = pq.read_table(tmp_path / "out" / "quarantine" / "quarantine.parquet").to_pylist()
    assert len(quarantined) == 10
    assert all(row["reason"] and row["source"] == "rows.jsonl" for row in quarantined)


@pytest.mark.parametrize(
    ("references", "choices", "expected"),
    [
        (["3"], None, AnswerType.NUMBER),
        (["-1,234.5"], None, AnswerType.NUMBER),
        (["50 %"], None, AnswerType.NUMBER),
        (["3/4"], None, AnswerType.NUMBER),
        ([r"\frac{\pi}{2}"], None, AnswerType.EXPRESSION),
        (["x^2"], None, AnswerType.EXPRESSION),
        (["B"], ["cat", "dog"], AnswerType.CHOICE),
        (["a red door"], None, AnswerType.SHORT_TEXT),
        (["A man is riding a horse along the beach."], None, AnswerType.OPEN_ENDED),
    ],
)
def test_answer_type_is_inferred_from_the_item(
    tmp_path: Path, references: list[str], choices: list[str] | None, expected: AnswerType
) -> None:
    row = {**_good(0), "references": references, "options": choices}
    path = _write_jsonl(tmp_path, [row], {"0.png": _image(0)})
    source = {"kind": "jsonl", "path": str(path), "task": "vqa", "licence": "CC0", "columns": {"choices": "options"}}
    config = parse_config(CurationConfig, {"sources": [source], "groups": {"heldout_fraction": 0.0}}, "test")

    curate(tmp_path / "dataset", tmp_path / "quarantine", config, seed=0)

    example = next(iter(read_split(tmp_path / "dataset", Split.TRAIN)))
    assert example.answer_type is expected
    assert example.verifiable is (expected is not AnswerType.OPEN_ENDED)


def test_one_image_never_crosses_splits(tmp_path: Path) -> None:
    rows = [{**_good(number % 20), "question": f"q{number}"} for number in range(100)]
    path = _write_jsonl(tmp_path, rows, {f"{number}.png": _image(number) for number in range(20)})

    _curate(path, tmp_path / "out", groups={"heldout_fraction": 0.5})

    train, heldout = (
        {example.images for example in read_split(tmp_path / "out" / "dataset", split)}
        for split in (Split.TRAIN, Split.HELD_OUT)
    )
    assert train
    assert heldout
    assert train & heldout == set()


def test_new_rows_do_not_move_old_ones_across_splits(tmp_path: Path) -> None:
    def heldout(count: int) -> set[str]:
        folder = tmp_path / str(count)
        folder.mkdir()
        rows = [_good(number) for number in range(count)]
        path = _write_jsonl(folder, rows, {f"{number}.png": _image(number) for number in range(count)})
        _curate(path, folder / "out", groups={"heldout_fraction": 0.3})
        return {example.question for example in read_split(folder / "out" / "dataset", Split.HELD_OUT)}

    assert heldout(30) == heldout(60) & {f"How many? {number}" for number in range(30)}


def test_same_seed_gives_the_same_fingerprint_and_another_does_not(tmp_path: Path) -> None:
    def fingerprint(name: str, seed: int) -> str:
        return curate(tmp_path / name, tmp_path / f"{name}-q", quickstart_curation(4, 2), seed).dataset.fingerprint

    assert fingerprint("a", 0) == fingerprint("b", 0)
    assert fingerprint("c", 1) != fingerprint("a2", 0)


def _truncate_parquet(folder: Path) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.table({"question": ["q"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    return path


def _cut_jsonl(folder: Path) -> Path:
    path = folder / "rows.jsonl"
    path.write_text('{"question": "a"}\n{"question": "b')
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone.parquet", r"gone\.parquet: no such file\. Correct the source's path"),
        (_truncate_parquet, r"rows\.parquet: not a whole Parquet file"),
        (_cut_jsonl, r"rows\.jsonl, row 1: the file is cut off there"),
    ],
    ids=["missing", "truncated parquet", "cut jsonl"],
)
def test_unreadable_source_is_one_named_error(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        _curate(make(tmp_path), tmp_path / "out")

    assert not (tmp_path / "out" / "dataset" / "manifest.json").exists()


def test_too_many_bad_rows_fail_with_the_first_reason(tmp_path: Path) -> None:
    rows = [_good(0), {**_good(0), "images": ["text.png"]}]
    path = _write_jsonl(tmp_path, rows, {"0.png": _image(0), "text.png": b"words"})

    with pytest.raises(
        QuarantineLimitError, match=r"1 of 2 rows quarantined .*row 1, not an image.*at most 5% are allowed"
    ):
        _curate(path, tmp_path / "out", max_quarantined_fraction=0.05)


def test_empty_source_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EmptyDatasetError, match=r"the dataset from rows\.jsonl: no training row is left of 0"):
        _curate(_write_jsonl(tmp_path, [], {}), tmp_path / "out")


def test_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = _write_jsonl(tmp_path, [_good(0), _good(1)], {"0.png": _image(0), "1.png": _image(0, (300, 300))})

    result = _curate(path, tmp_path / "out", pictures={"max_pixels": 10_000})

    assert result.summary["quarantined_by_reason"] == {"image too large": 1}


def test_data_card_counts_and_escapes(tmp_path: Path) -> None:
    rows = [{**_good(0), "question": "<script>alert(1)</script>"}]
    result = _curate(_write_jsonl(tmp_path, rows, {"0.png": _image(0)}), tmp_path / "out")

    write_data_card(tmp_path / "out" / "dataset", result.summary, tmp_path / "card.html")

    page = (tmp_path / "card.html").read_text()
    assert "1 rows in = 1 kept + 0 quarantined" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
