"""Raw rows from their sources, and what each source is: a name, a licence and a fingerprint.

A source is read lazily and can be entered at any row. A row that cannot be used is a Rejection in its place, so that
rows are always counted alike; a source that breaks off is one error, behind the rows before it.
"""

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from components.core.errors import SourceError
from components.curation.archives import is_archive
from components.curation.candidate import RawRow, Rows, SourceRow
from components.curation.columns import REQUIRED, map_columns
from components.curation.mappings import MAPPINGS
from components.curation.quickstart_corpus import LICENCE, corpus_fingerprint, corpus_rows
from components.curation.source_config import (
    CsvSource,
    ExternalSource,
    FileSource,
    HubSource,
    JsonlSource,
    JsonSource,
    ParquetSource,
    QuickstartSource,
    Source,
)
from components.curation.source_files import SourceFile, find_files, joint_fingerprint, one_file
from components.curation.source_hub import open_hub
from components.curation.source_images import ImageRoot, NoRoot, image_root, load_images
from components.curation.source_lines import csv_part, index_lines, json_part, jsonl_part
from components.curation.source_parts import Part, read_parts
from components.curation.source_shards import webdataset_part
from components.curation.source_tables import parquet_columns, parquet_part

__all__ = ["OpenSource", "RawRow", "open_source"]

_NOT_OF_ROWS = {"path", "dataset", "revision", "config", "split", "streaming", "max_rows", "image_root"}
_WITH_IMAGES = ("parquet", "webdataset")
"""Kinds whose rows hold their images."""
_LOOKED_AT = 100  # rows that are asked for a column before it is said that the source has none
_ENDINGS = {
    "parquet": (".parquet",),
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "csv": (".csv", ".tsv"),
    "webdataset": (".tar", ".tar.gz", ".tgz"),
}


@dataclass(frozen=True)
class OpenSource:
    """A source that was found readable."""

    name: str
    licence: str
    """Of the rows that state none of their own."""
    fingerprint: str
    """Of its content: a digest of the files, the hub's commit, or of the generator and its settings."""
    read: Callable[[int, int | None], Rows]
    """See `rows`."""
    count: int | None = None
    """Rows, where that is known before they are read; of a hub data set, what it says of itself."""
    is_covered: bool = True
    """Whether fingerprint and settings decide all bytes of the rows: not those of images that lie in a folder."""
    settings: str = ""
    """sha-256 of the settings that decide what rows become: mapping, columns, task, licence, encoding …, without where
    they lie and how many are taken."""

    def rows(self, start: int = 0, stop: int | None = None) -> Rows:
        """Read rows.

        Args:
            start: Place of the first one.
            stop: Place behind the last one; None takes all.

        Yields:
            Rows in order, numbered from `start` on, none left out.

        Raises:
            SourceError: The source ends in the middle or is out of reach; it names the file and the row.
        """
        return self.read(start, stop)


def open_source(source: Source, seed: int) -> OpenSource:
    """Open a source.

    Args:
        source: Its settings.
        seed: Decides what the quickstart corpus draws.

    Raises:
        SourceError: It is missing, truncated, not of its format, or has no such column.
    """
    if isinstance(source, QuickstartSource):
        fingerprint = corpus_fingerprint(source.train, source.heldout, seed)
        return OpenSource("quickstart corpus", LICENCE, fingerprint, partial(_quickstart_rows, source, seed))
    return _open_hub(source) if isinstance(source, HubSource) else _open_files(source)


def _quickstart_rows(source: QuickstartSource, seed: int, start: int, stop: int | None) -> Rows:
    rows = enumerate(corpus_rows(source.train, source.heldout, seed))
    return (SourceRow(place, row) for place, row in islice(rows, start, stop))


def _open_hub(source: HubSource) -> OpenSource:
    known = MAPPINGS.get(source.mapping)
    dataset = source.dataset or (known.dataset if known else "")
    # The paths of a mapping are those of its own set; a copy of it elsewhere may be laid out otherwise.
    of_mapping = known.image_root if known and dataset == known.dataset else ""
    found = open_hub(source, dataset, source.image_root or of_mapping)
    if found.columns:
        _check_columns(source, found.columns, found.name)
    opened = _assemble(source, found.name, found.commit, [found.part], found.images)
    return _counted(opened, found.stated_count, source.max_rows)


def _open_files(source: FileSource) -> OpenSource:
    files = find_files(source.path, _ENDINGS[source.kind])
    prints, parts = [], []
    for file in files:
        fingerprint, part = _part(source, file)
        prints.append(fingerprint)
        parts.append(part)
    if isinstance(source, ParquetSource):
        _check_columns(source, parquet_columns(files[0]), files[0].address)
    images, print_of_images = _images(source, files)
    prints += [print_of_images] if print_of_images else []
    name = source.path.rstrip("/").rsplit("/", 1)[-1]
    opened = _assemble(source, name, joint_fingerprint(prints), parts, images)
    if not isinstance(source, ParquetSource):
        _check_seen_columns(source, parts, source.path)
    counts = [part.count for part in parts]
    count = None if None in counts else sum(count for count in counts if count is not None)
    return _counted(replace(opened, is_covered=print_of_images is not None), count, source.max_rows)


def _part(source: FileSource, file: SourceFile) -> tuple[str, Part]:
    """The fingerprint of a file, and its rows."""
    if isinstance(source, JsonlSource):
        index = index_lines(file) if file.is_local else None
        return index.digest if index else file.fingerprint(), jsonl_part(file, source.encoding, index)
    fingerprint = file.fingerprint()
    if isinstance(source, ParquetSource):
        return fingerprint, parquet_part(file)
    if isinstance(source, JsonSource):
        return fingerprint, json_part(file)
    if isinstance(source, CsvSource):
        return fingerprint, csv_part(file, source.delimiter, source.encoding)
    return fingerprint, webdataset_part(file, source.archive)


def _images(source: FileSource, files: Sequence[SourceFile]) -> tuple[ImageRoot, str | None]:
    """What image paths are relative to, and its fingerprint: "" where images are in the rows, None of a folder."""
    if not source.image_root and source.kind in _WITH_IMAGES:
        return NoRoot(), ""
    address = source.image_root or _own_folder(source.path, files)
    is_packed = bool(source.image_root) and is_archive(address)
    return image_root(address, source.archive), one_file(address).fingerprint() if is_packed else None


def _own_folder(path: str, files: Sequence[SourceFile]) -> str:
    """The folder that image paths are relative to by default: the one that was named, or that of the first file."""
    is_folder = len(files) != 1 or files[0].address.rstrip("/") != path.rstrip("/")
    has_pattern = any(sign in path for sign in "*?[")
    return path if is_folder and not has_pattern else files[0].folder


def _assemble(
    source: ExternalSource, name: str, fingerprint: str, parts: Sequence[Part], images: ImageRoot
) -> OpenSource:
    known = MAPPINGS.get(source.mapping)
    licence = source.licence or (known.licence if known else "")
    convert = partial(_raw_row, source, licence, images)

    def read(start: int, stop: int | None) -> Iterator[SourceRow]:
        limit = source.max_rows or None
        end = limit if stop is None else stop if limit is None else min(stop, limit)
        return read_parts(parts, convert, start, end)

    decisive = source.model_dump(mode="json", exclude=_NOT_OF_ROWS)
    settings = hashlib.sha256(json.dumps([decisive, licence], sort_keys=True).encode()).hexdigest()
    return OpenSource(name, licence, fingerprint, read, settings=settings)


def _counted(opened: OpenSource, count: int | None, limit: int) -> OpenSource:
    return opened if count is None else replace(opened, count=min(count, limit) if limit else count)


def _raw_row(source: ExternalSource, licence: str, images: ImageRoot, row: dict[str, Any]) -> RawRow:
    """A raw row of a row as the source has it.

    Raises:
        Rejection: It cannot be one.
    """
    known = MAPPINGS.get(source.mapping)
    raw = known.raw_row(row) if known else map_columns(row, source.columns)
    task = source.task if source.task is not None else MAPPINGS[source.mapping].task
    of_set = known.answer_type if known else None
    answer_type = of_set if of_set and source.answer_type == "infer" else source.answer_type
    return {
        **raw,
        "images": load_images(raw["images"], images),
        "task": task.value,
        "answer_type": str(raw.get("answer_type") or answer_type),
        "licence": str(raw.get("licence") or "").strip() or licence,
    }


def _check_columns(source: ExternalSource, columns: Sequence[str] | frozenset[str], where: str) -> None:
    """Refuse a source that has no such column at all, before its rows are rejected one by one."""
    known = MAPPINGS.get(source.mapping)
    named = source.columns.model_dump()
    needed = known.columns if known else tuple(named[role] for role in REQUIRED)
    absent = [column for column in needed if column not in columns]
    if absent:
        near = difflib.get_close_matches(absent[0], list(columns), n=1)
        hint = f", did you mean {near[0]!r}?" if near else f"; it has {', '.join(sorted(columns)[:20])}"
        remedy = f"Use the set that {known.name} is for" if known else "Correct the source's columns in the recipe"
        raise SourceError(where, f"no column {absent[0]!r}{hint}", remedy)


def _check_seen_columns(source: ExternalSource, parts: Sequence[Part], where: str) -> None:
    """The same of a source that tells its columns row by row: it is refused where none of the first rows has one."""
    seen: set[str] = set()
    rows = 0
    try:
        for row in islice(read_parts(parts, lambda row: row, 0, None), _LOOKED_AT):
            if isinstance(row.values, dict):
                seen |= set(row.values)
                rows += 1
    except SourceError:
        return  # it is raised again behind the rows before it
    if rows:
        _check_columns(source, frozenset(seen), where)
