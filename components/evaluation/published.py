"""Published: the rows of a public set, from the hub or from files, with images as the bytes that were published.

Rows are read in batches and turned into Python values only where they are wanted, since sets are larger than memory.
A local source is a file (Parquet, Arrow, JSON Lines), a folder of them as the hub lays them out, or a folder that
`save_to_disk` of datasets wrote.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, digest_file
from components.core.errors import SourceError
from components.core.hub import ask_hub, resolve_commit
from components.evaluation.benchmark import Benchmark, HubData

Row = dict[str, Any]
_Batch = tuple[int, Callable[[Sequence[int]], list[Row]]]
"""The number of its rows, and what makes Python values of some of them."""

_ENDINGS = (".parquet", ".arrow", ".jsonl")
_SPLITS = ("train", "dev", "val", "validation", "test", "testdev", "testmini", "testmini_text_only")
_ROWS = 64  # a batch; pages of documents take a megabyte each


@dataclass(frozen=True)
class _Part:
    """A file or a configuration of a set."""

    columns: frozenset[str]
    count: int | None
    """Rows; None where that is not known before they are read."""
    batches: Callable[[], Iterator[_Batch]]


@dataclass(frozen=True)
class PublishedSet:
    """A set that was found readable."""

    name: str
    """Hub id, commit and split; of local files, that they are local and their digest."""
    fingerprint: str
    """The hub's commit, or a sha-256 over the files."""
    parts: tuple[_Part, ...]

    @property
    def columns(self) -> frozenset[str]:
        """What all of it has."""
        return frozenset.intersection(*(part.columns for part in self.parts))

    @property
    def count(self) -> int | None:
        """Rows, where that is known before they are read."""
        counts = [part.count for part in self.parts]
        return None if None in counts else sum(count for count in counts if count is not None)

    def rows(self, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Row]]:
        """Read rows, in order.

        Args:
            wanted: Numbers of the rows, from 0; None takes all.

        Yields:
            A row's number and its values by column; an image is a mapping with bytes and path.

        Raises:
            SourceError: The source breaks off.
        """
        start, end = 0, None if wanted is None else max(wanted, default=-1) + 1
        for size, pick in chain.from_iterable(part.batches() for part in self.parts):
            if end is not None and start >= end:
                return
            places = [place for place in range(size) if wanted is None or start + place in wanted]
            if places:
                yield from zip((start + place for place in places), pick(places), strict=True)
            start += size


def open_published(benchmark: Benchmark, path: str = "", revision: str = "main") -> PublishedSet:
    """Open a benchmark's published set.

    Args:
        benchmark: Whose set, with the columns to read.
        path: A local source; "" is the hub.
        revision: Branch, tag or commit of the hub.

    Raises:
        SourceError: It is missing, out of reach or not of its format.
    """
    columns = frozenset((*benchmark.columns, *benchmark.images))
    return _open_local(Path(path), benchmark, columns) if path else _open_hub(benchmark.hub, revision, columns)


def _open_hub(hub: HubData, revision: str, columns: frozenset[str]) -> PublishedSet:
    commit = resolve_commit("dataset", hub.dataset, revision, SourceError)
    parts = tuple(_hub_part(hub, config, commit, columns) for config in hub.configs)
    return PublishedSet(f"{hub.dataset}@{commit[:12]} {hub.split}", commit, parts)


def _hub_part(hub: HubData, config: str, commit: str, columns: frozenset[str]) -> _Part:
    import datasets

    name = f"{hub.dataset}@{commit} {config} {hub.split}".replace("  ", " ")
    remedy = "Check the network and HF_TOKEN, or fetch the files and give their folder"
    # Streamed, so that the split's files alone are fetched; undecoded, so that images stay the bytes they are.
    rows = ask_hub(
        lambda: datasets.load_dataset(
            hub.dataset, config or None, split=hub.split, revision=commit, streaming=True
        ).decode(False),
        name,
        SourceError,
        remedy,
    )
    first: Row = ask_hub(lambda: next(iter(rows), {}), name, SourceError, remedy)

    def batches() -> Iterator[_Batch]:
        iterator = iter(rows)
        while (row := ask_hub(lambda: next(iterator, None), name, SourceError, remedy)) is not None:
            values = {column: value for column, value in row.items() if column in columns}
            yield 1, partial(_same, [values])

    splits = getattr(rows.info, "splits", None) or {}
    count = splits[hub.split].num_examples if hub.split in splits else None
    return _Part(frozenset(first), count, batches)


def _same(rows: list[Row], _: Sequence[int]) -> list[Row]:
    return rows


def _open_local(path: Path, benchmark: Benchmark, columns: frozenset[str]) -> PublishedSet:
    files = _files(path, benchmark.hub)
    folder = path if path.is_dir() else path.parent
    readers = {".parquet": _parquet_part, ".arrow": _arrow_part, ".jsonl": _jsonl_part}
    parts = tuple(readers[file.suffix](file, folder, columns, benchmark.images) for file in files)
    digest = hashlib.sha256("".join(digest_file(file) for file in files).encode()).hexdigest()
    return PublishedSet(f"local files, sha-256 {digest[:12]}", digest, parts)


def _files(path: Path, hub: HubData) -> list[Path]:
    """The files that hold the split, in order."""
    if path.is_file() and path.suffix in _ENDINGS:
        return [path]
    if not path.is_dir():
        problem = f"not a file that ends in {', '.join(_ENDINGS)}" if path.exists() else "no such file or folder"
        raise SourceError(str(path), problem, f"Give the files or the folder of {hub.dataset}")
    if (path / MANIFEST).exists():
        raise SourceError(str(path), "an artifact, not a published set", "Use a prepared benchmark as it is")
    if (path / "dataset_dict.json").exists():
        splits = _description(path / "dataset_dict.json", "splits")
        if hub.split not in splits:
            raise SourceError(str(path), f"no split {hub.split}, but {', '.join(splits)}", "Save that split too")
        path = path / hub.split
    if (path / "state.json").exists():
        return [path / Path(file["filename"]).name for file in _description(path / "state.json", "_data_files")]
    return _laid_out(path, hub)


def _description(path: Path, key: str) -> list[Any]:
    """What datasets wrote beside a saved set."""
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))[key])
    except (ValueError, LookupError, TypeError) as error:
        raise SourceError(str(path), f"not what datasets writes ({error})", "Save the set again") from error


def _laid_out(path: Path, hub: HubData) -> list[Path]:
    """The split's files in a folder as the hub lays them out: of the configurations that have a folder, if any has."""
    folders = [path / config for config in hub.configs if config and (path / config).is_dir()] or [path]
    for ending in _ENDINGS:
        found = [file for folder in folders for file in sorted(folder.rglob(f"*{ending}"))]
        found = [file for file in found if not file.name.startswith("cache-")]  # of a past use of datasets
        named = [file for file in found if file.stem.split("-")[0] == hub.split]
        # Of files that name no split, all are taken; those of other splits never are.
        unnamed = [file for file in found if file.stem.split("-")[0] not in _SPLITS]
        if named or unnamed:
            return named or unnamed
    raise SourceError(
        str(path),
        f"no file of split {hub.split} that ends in {', '.join(_ENDINGS)}",
        f"Give the files or the folder of {hub.dataset}",
    )


def _parquet_part(path: Path, folder: Path, columns: frozenset[str], images: Collection[str]) -> _Part:
    import pyarrow.parquet as pq

    with _readable(path), pq.ParquetFile(path) as file:
        names, count = file.schema_arrow.names, file.metadata.num_rows
    read = [name for name in names if name in columns]

    def batches() -> Iterator[_Batch]:
        with _readable(path), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS, columns=read):
                yield batch.num_rows, partial(_arrow_rows, batch, path, folder, images)

    return _Part(frozenset(names), count, batches)


def _arrow_part(path: Path, folder: Path, columns: frozenset[str], images: Collection[str]) -> _Part:
    names, count = _arrow_shape(path)
    read = [name for name in names if name in columns]

    def batches() -> Iterator[_Batch]:
        with _readable(path):
            for batch in _arrow_batches(path):
                selected = batch.select(read)
                for start in range(0, batch.num_rows, _ROWS):
                    piece = selected.slice(start, _ROWS)
                    yield piece.num_rows, partial(_arrow_rows, piece, path, folder, images)

    return _Part(frozenset(names), count, batches)


def _arrow_shape(path: Path) -> tuple[list[str], int]:
    names: list[str] = []
    count = 0
    with _readable(path):
        for batch in _arrow_batches(path):
            names, count = batch.schema.names, count + batch.num_rows
    return names, count


def _arrow_batches(path: Path) -> Iterator[Any]:
    """The record batches of a stream, as datasets writes it, or of a file; mapped, not loaded."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as mapped:
        try:
            stream = pa.ipc.open_stream(mapped)
        except pa.ArrowInvalid:
            file = pa.ipc.open_file(mapped)
            yield from (file.get_batch(number) for number in range(file.num_record_batches))
        else:
            yield from stream


def _arrow_rows(batch: Any, path: Path, folder: Path, images: Collection[str], places: Sequence[int]) -> list[Row]:
    with _readable(path):
        rows: list[Row] = batch.take(list(places)).to_pylist()
    return [_with_images(row, folder, images) for row in rows]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What is said of a broken file becomes a named error."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        problem = f"not a whole {path.suffix[1:]} file ({first_line})"
        raise SourceError(str(path), problem, "Fetch the file again") from error


def _jsonl_part(path: Path, folder: Path, columns: frozenset[str], images: Collection[str]) -> _Part:
    count, first = 0, b""
    with path.open("rb") as stream:
        for line in stream:
            first = first or line.strip()
            count += bool(line.strip())

    def batches() -> Iterator[_Batch]:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield 1, partial(_jsonl_rows, line, f"{path}, line {number}", folder, (columns, images))

    return _Part(frozenset(_object(first, f"{path}, line 1") if first else ()), count, batches)


def _jsonl_rows(
    line: bytes, where: str, folder: Path, columns: tuple[Collection[str], Collection[str]], _: Sequence[int]
) -> list[Row]:
    row = {column: value for column, value in _object(line, where).items() if column in columns[0]}
    return [_with_images(row, folder, columns[1])]


def _object(line: bytes, where: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SourceError(where, f"not JSON ({error})", "Mend that line or remove it") from error
    if not isinstance(row, dict):
        raise SourceError(where, f"a {type(row).__name__}, not an object", "Write one object a line")
    return row


def _with_images(row: Row, folder: Path, images: Collection[str]) -> Row:
    """The row with an image that is given by its path read into bytes; one that cannot be read has none."""
    return {column: _image(value, folder) if column in images else value for column, value in row.items()}


def _image(value: Any, folder: Path) -> Any:
    path = value.get("path") if isinstance(value, Mapping) and not value.get("bytes") else value
    if not isinstance(path, str) or not path:
        return value
    try:
        file = (folder / path).resolve()
        # A path that leads out of the source's folder is not followed: whoever wrote the file chose it.
        data = file.read_bytes() if file.is_relative_to(folder.resolve()) else b""
    except (OSError, ValueError):  # not there, or no path at all
        data = b""
    return {"bytes": data, "path": path}
