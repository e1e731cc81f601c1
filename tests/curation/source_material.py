"""Small sources of every kind with the same rows."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydantic import TypeAdapter

from components.core.errors import SourceError
from components.curation.candidate import Rejection
from components.curation.source_config import Source
from components.curation.sources import OpenSource, open_source

ADAPTER: TypeAdapter[Any] = TypeAdapter(Source)


def png(shade: int = 0, size: tuple[int, int] = (6, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size, shade % 256).save(buffer, format="PNG")
    return buffer.getvalue()


def opened(kind: str, path: Path | str = "", **settings: Any) -> OpenSource:
    """An opened source, a question about a chart unless told otherwise."""
    defaults = {} if "mapping" in settings else {"task": "chart", "licence": "CC0-1.0"}
    place = {} if kind == "hub" else {"path": str(path)}
    return open_source(ADAPTER.validate_python({"kind": kind, **place, **defaults, **settings}), seed=0)


def values(source: OpenSource) -> list[dict[str, Any]]:
    """The raw rows, none of which may be rejected."""
    rows = [row.values for row in source.rows()]
    rejected = [row for row in rows if isinstance(row, Rejection)]
    assert rejected == []
    return rows  # type: ignore[return-value]


def shown(source: OpenSource, start: int = 0, stop: int | None = None) -> list[tuple[int, Any]]:
    """Place and question of each row, or the reason why there is none."""
    return [
        (row.place, row.values.reason if isinstance(row.values, Rejection) else row.values["question"])
        for row in source.rows(start, stop)
    ]


def until_error(source: OpenSource) -> tuple[list[int], str]:
    """Places of the rows before a source breaks off, and what is said of that; "" where it does not."""
    places = []
    rows = source.rows()
    while True:
        try:
            item = next(rows, None)
        except SourceError as error:
            return places, str(error)
        if item is None:
            return places, ""
        places.append(item.place)


def rejection(source: OpenSource, place: int) -> Rejection:
    """The rejection of a row."""
    (row,) = source.rows(place, place + 1)
    assert isinstance(row.values, Rejection)
    return row.values


def row(number: int) -> dict[str, Any]:
    return {"images": [f"{number}.png"], "question": f"How many, {number}?", "references": [str(number)]}


def write_images(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.png").write_bytes(png(number))


def write_jsonl(folder: Path, count: int) -> Path:
    write_images(folder, count)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in range(count)))
    return path


def write_json(folder: Path, count: int) -> Path:
    write_images(folder, count)
    path = folder / "rows.json"
    path.write_text(json.dumps([row(number) for number in range(count)], indent=1))
    return path


def write_csv(folder: Path, count: int) -> Path:
    write_images(folder, count)
    path = folder / "rows.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["images", "question", "references"])
        writer.writerows(
            [item["images"][0], item["question"], item["references"][0]] for item in map(row, range(count))
        )
    return path


def write_parquet(folder: Path, count: int) -> Path:
    path = folder / "rows.parquet"
    rows = [{**row(number), "images": [{"bytes": png(number), "path": None}]} for number in range(count)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    return path


def write_shards(folder: Path, count: int) -> Path:
    """Two shards, the first one smaller."""
    cut = count // 3
    for name, numbers in (("shard-0.tar", range(cut)), ("shard-1.tar", range(cut, count))):
        members = {}
        for number in numbers:
            fields = {key: value for key, value in row(number).items() if key != "images"}
            members[f"{number:03}.json"] = json.dumps(fields).encode()
            members[f"{number:03}.png"] = png(number)
        write_tar(folder / name, members)
    return folder


WRITERS: Mapping[str, Callable[[Path, int], Path]] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
    "webdataset": write_shards,
}


def write_tar(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_zip(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_lines(path: Path, lines: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
