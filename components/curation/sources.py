"""Raw rows from their sources, and what each source is: a name, a licence and a fingerprint.

A raw row is a plain mapping with images, question, references and whatever else the source knows; nothing
is checked here but that the source can be read at all.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from components.core.artifact import digest_file
from components.core.errors import SourceError
from components.core.hub import ask_hub, resolve_commit
from components.curation.config import ExternalSource, HubSource, JsonlSource, ParquetSource, QuickstartSource, Source
from components.curation.quickstart_corpus import LICENCE, corpus_fingerprint, corpus_rows

RawRow = dict[str, Any]


@dataclass(frozen=True)
class OpenSource:
    """A source that was found readable."""

    name: str
    licence: str
    fingerprint: str
    """Of its content: a digest of the file, the hub's commit, or of the generator and its settings."""
    rows: Iterator[RawRow]


def open_source(source: Source, seed: int) -> OpenSource:
    """Open a source.

    Args:
        source: Its settings.
        seed: Decides what the quickstart corpus draws.

    Raises:
        SourceError: It is missing, truncated, or not of its format.
    """
    if isinstance(source, QuickstartSource):
        rows = corpus_rows(source.train, source.heldout, seed)
        fingerprint = corpus_fingerprint(source.train, source.heldout, seed)
        return OpenSource("quickstart corpus", LICENCE, fingerprint, rows)
    name, fingerprint, rows = _open_external(source)
    mapped = (_map_columns(row, source) for row in rows)
    limited = islice(mapped, source.max_rows) if source.max_rows else mapped
    return OpenSource(name, source.licence, fingerprint, limited)


def _open_external(source: HubSource | ParquetSource | JsonlSource) -> tuple[str, str, Iterator[RawRow]]:
    if isinstance(source, HubSource):
        return _open_hub(source)
    path = Path(source.path)
    if not path.is_file():
        raise SourceError(str(path), "no such file", "Correct the source's path in the recipe")
    rows = _parquet_rows(path) if isinstance(source, ParquetSource) else _jsonl_rows(path)
    return path.name, digest_file(path), rows


def _map_columns(row: RawRow, source: ExternalSource) -> RawRow:
    columns = source.columns.model_dump()
    mapped = {name: row.get(column) for name, column in columns.items() if column}
    return {**mapped, "task": source.task.value, "answer_type": str(source.answer_type), "licence": source.licence}


def _parquet_rows(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Buffering ahead keeps all that was read until the end of the file.
        file = pq.ParquetFile(path, pre_buffer=False)
        for batch in file.iter_batches(batch_size=256):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            str(path), f"not a whole Parquet file ({str(error).splitlines()[0]})", "Fetch or write the file again"
        ) from error


def _jsonl_rows(path: Path) -> Iterator[RawRow]:
    """Rows of a JSON Lines file, with image paths read into bytes; a missing image becomes an empty one."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, UnicodeDecodeError) as error:
                cut = "the file is cut off there" if not line.endswith(b"\n") else "not JSON"
                raise SourceError(
                    f"{path}, line {number}", f"{cut} ({error})", "Mend that line or remove it"
                ) from error
            if not isinstance(row, dict):
                raise SourceError(
                    f"{path}, line {number}", f"a {type(row).__name__}, not an object", "Write one object a line"
                )
            yield {name: _read_images(value, path.parent) for name, value in row.items()}


_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def _read_images(value: Any, folder: Path) -> Any:
    """Replace image paths by the files' bytes; what is no image path stays."""
    if isinstance(value, list):
        return [_read_images(item, folder) for item in value]
    if isinstance(value, str) and value.lower().endswith(_IMAGE_ENDINGS):
        path = folder / value
        return {"bytes": path.read_bytes() if path.is_file() else b"", "path": value}
    return value


def _open_hub(source: HubSource) -> tuple[str, str, Iterator[RawRow]]:
    import datasets

    commit = resolve_commit("dataset", source.dataset, source.revision, SourceError)
    data = ask_hub(
        lambda: datasets.load_dataset(source.dataset, source.config or None, split=source.split, revision=commit),
        f"{source.dataset}@{commit} {source.split}",
        SourceError,
        "Check the configuration and the split, or use a local Parquet file",
    )
    name = f"{source.dataset}@{commit[:12]} {source.split}"
    return name, commit, ({key: _encode(value) for key, value in row.items()} for row in data)


def _encode(value: Any) -> Any:
    """Decoded hub images back to bytes; anything else stays."""
    from PIL.Image import Image

    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, Image):
        buffer = io.BytesIO()
        value.save(buffer, format="PNG")
        return {"bytes": buffer.getvalue(), "path": None}
    return value
