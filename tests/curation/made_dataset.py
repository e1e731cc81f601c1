"""A small dataset and its quarantine, made by hand: every number on its card can be told from this file."""

import io
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from components.core.artifact import InputRef, seal
from components.core.example import AnswerType, Example, Split, Task, example_id, write_examples
from components.core.layout import Shard, write_order

HOSTILE = "<script>alert('data')</script>\"'&{{ 7*7 }}"
LICENCES = ("CC-BY-4.0", "CC0-1.0")
KINDS = (
    (Task.MATH, AnswerType.NUMBER, "7"),
    (Task.MATH, AnswerType.EXPRESSION, r"\frac{x}{2}"),
    (Task.CHART, AnswerType.CHOICE, "B"),
    (Task.OCR, AnswerType.SHORT_TEXT, "a red door"),
    (Task.GENERAL, AnswerType.OPEN_ENDED, "A man rides a horse along the beach."),
)
LOST_COLUMNS = ("source", "place", "step", "reason", "evidence", "question", "is_duplicate")


def image(size: tuple[int, int], shade: int = 0, format_: str = "PNG") -> bytes:
    """A picture with a diagonal, so that it can be seen."""
    picture = Image.new("RGB", size, (shade % 256, (3 * shade) % 256, 200))
    ImageDraw.Draw(picture).line((0, 0, *size), fill="white", width=2)
    buffer = io.BytesIO()
    picture.save(buffer, format=format_)
    return buffer.getvalue()


def bomb() -> bytes:
    """The header of an image of 60,000 x 60,000 pixels."""
    small = image((1, 1))
    return small[:16] + struct.pack(">II", 60_000, 60_000) + small[24:]


def example(number: int, **changes: Any) -> Example:
    """The example of a number: its kind, its source and its group follow from it."""
    task, type_, reference = KINDS[number % len(KINDS)]
    made = Example(
        id="",
        images=(image((40 + number % 60, 30), number),),
        question=f"Question {number}: what is it?",
        references=(reference,),
        answer_type=type_,
        task=task,
        verifiable=type_ is not AnswerType.OPEN_ENDED,
        choices=("cat", "dog") if type_ is AnswerType.CHOICE else (),
        source=("maps", "scenes")[number % 2],
        licence=LICENCES[number % 2],
        group=f"scene {number // 3}",
    )
    made = replace(made, **changes)
    return replace(made, id=example_id(made.images, made.question, made.references))


def lost(number: int, step: str, reason: str, is_duplicate: bool = False, **changes: Any) -> dict[str, Any]:
    """A line of the quarantine."""
    line = {
        "source": "maps",
        "place": number,
        "step": step,
        "reason": reason,
        "evidence": f"evidence {number}",
        "question": f"lost question {number}",
        "is_duplicate": is_duplicate,
    }
    return {**line, **changes}


def account(rows: int, taken: Sequence[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """The steps of a summary, from what each one quarantines and drops as duplicates."""
    steps = []
    for step, quarantined, duplicates in taken:
        kept = rows - quarantined - duplicates
        steps.append(
            {
                "step": step,
                "rows_in": rows,
                "rows_kept": kept,
                "rows_quarantined": quarantined,
                "rows_duplicate": duplicates,
            }
        )
        rows = kept
    return steps


def summary_of(kept: int, quarantine: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """What curation reports of a dataset."""
    duplicates = sum(line["is_duplicate"] for line in quarantine)
    return {
        "rows_in": kept + len(quarantine),
        "rows_kept": kept,
        "rows_quarantined": len(quarantine) - duplicates,
        "rows_duplicate": duplicates,
        "demonstrations": 0,
        "sources": [
            {"name": name, "licence": licence, "fingerprint": name.encode().hex().ljust(64, "0")}
            for name, licence in zip(("maps", "scenes"), LICENCES, strict=True)
        ],
        **more,
    }


def write_dataset(
    folder: Path,
    splits: Mapping[Split, Sequence[Sequence[Example]]],
    quarantine: Sequence[Mapping[str, Any]],
    summary: Mapping[str, Any],
) -> tuple[Path, Path]:
    """Write a dataset with a folder of shards a split, and its quarantine; not sealed.

    Args:
        folder: Where both are put.
        splits: The examples of each shard of each split.
        quarantine: Lines.
        summary: What curation reports.
    """
    dataset, beside = folder / "dataset", folder / "quarantine"
    order: dict[str, list[Shard]] = {}
    for split in Split:
        (dataset / split.value).mkdir(parents=True)
        for number, shard in enumerate(splits.get(split, ())):
            path = dataset / split.value / f"{number:04}.parquet"
            write_examples([item.with_split(split) for item in shard], path)
            order.setdefault(split.value, []).append(Shard(path.name, len(shard)))
    write_order(dataset, order)
    (dataset / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    write_quarantine(quarantine, beside)
    return dataset, beside


def write_quarantine(lines: Sequence[Mapping[str, Any]], folder: Path, columns: Sequence[str] = LOST_COLUMNS) -> None:
    """Write a quarantine, with today's columns or an older version's."""
    types = {"place": pa.int64(), "row": pa.int64(), "is_duplicate": pa.bool_()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(lines), schema=schema), folder / "quarantine.parquet")


def write_provenance(dataset: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write where examples came from: id, split, group and flags."""
    text = pa.string()
    schema = pa.schema([("id", text), ("split", text), ("group", text), ("flags", pa.list_(text))])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), dataset / "provenance.parquet")


def seal_dataset(dataset: Path, curation: Mapping[str, Any] | None = None) -> None:
    """Seal a dataset as curation does."""
    identity = {"curation": dict(curation or {}), "seed": 3}
    seal(dataset, "dataset", identity, {"maps": InputRef("source", "a" * 64)})


QUARANTINE = (
    *(lost(number, "pictures", "image damaged") for number in range(5)),
    *(lost(10 + number, "schema", "question missing") for number in range(2)),
    *(lost(20 + number, "exact duplicates", "the same pixels, question and answer", True) for number in range(4)),
    lost(30, "conflicts", "conflicting answer", source="scenes"),
    *(lost(40 + number, "decontamination", "leaks a benchmark", evidence=HOSTILE) for number in range(3)),
)
STEPS = (
    *(("schema", 2, 0), ("pictures", 5, 0), ("wording", 0, 0), ("typing", 0, 0), ("exact duplicates", 0, 4)),
    *(("conflicts", 1, 0), ("decontamination", 3, 0)),
)
BENCHMARKS = {
    "mathvista_testmini": {"questions": 1000, "leaked_questions": 2, "leaking_rows": 3},
    "ocrbench": {"questions": 1000, "leaked_questions": 0, "leaking_rows": 0},
}
SETTINGS = {
    "sources": [{"kind": "parquet", "path": "maps.parquet"}],
    "pictures": {"enabled": True, "max_pixels": 50_000_000},
    "typing": {"enabled": False},
    "texts": {"name": "maps and scenes", "description": "Maps, scenes and <b>questions</b>.", "uses": "Testing."},
}


def whole_dataset(folder: Path) -> tuple[Path, Path]:
    """A dataset with everything that a card can show: 30 training and 6 held-out examples, 15 lost rows."""
    train = [example(number, pass_rate=(number % 5) / 4) for number in range(30)]
    train[3] = example(3, question=HOSTILE, references=(HOSTILE, "another"), pass_rate=None)
    train[4] = example(4, images=(image((900, 600), 4), image((60, 1200), 5, "JPEG")), pass_rate=1.0)
    heldout = [example(number) for number in range(90, 96)]
    rows = len(train) + len(heldout) + len(QUARANTINE)
    summary = summary_of(
        36, QUARANTINE, steps=account(rows, STEPS), benchmarks=BENCHMARKS, demonstrations=30, broken_benchmark_images=1
    )
    splits = {Split.TRAIN: (train[:20], train[20:]), Split.HELD_OUT: (heldout,)}
    dataset, quarantine = write_dataset(folder, splits, QUARANTINE, summary)
    flagged = {train[0].id: ["cmyk"], train[1].id: ["cmyk", "benchmark image: ocrbench 12"]}
    write_provenance(
        dataset,
        [
            {"id": item.id, "split": split.value, "group": item.group, "flags": flagged.get(item.id, [])}
            for split, items in ((Split.TRAIN, train), (Split.HELD_OUT, heldout))
            for item in items
        ],
    )
    return dataset, quarantine
