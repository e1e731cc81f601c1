"""Fates on disk: what becomes of each candidate, beside the shards of source rows that they are of."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.curation.candidate import Lost
from components.curation.judge import Fate, Fates
from components.curation.ledger import RecordWriter
from components.curation.shards import Line, ShardFile

_FIGURES = b"figures"
_ROWS_READ = 10_000
_COLUMNS = {
    **dict.fromkeys(("step", "reason", "evidence", "split", "group"), "text"),
    "is_duplicate": "truth",
    "flags": "texts",
}


def write_fates(fates: Fates, path: Path) -> None:
    """Write fates, in order, and their figures."""
    with RecordWriter(path, _COLUMNS, {_FIGURES: json.dumps(fates.figures).encode()}) as writer:
        for fate in fates.fates:
            writer.add(**fate._asdict())


@dataclass(frozen=True)
class FateFile:
    """The fates of all candidates, in order; read anew each time."""

    key: str
    path: Path

    def __iter__(self) -> Iterator[Fate]:
        """Read them."""
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(self.path, pre_buffer=False).iter_batches(batch_size=_ROWS_READ):
            for record in batch.to_pylist():
                yield Fate(**{**record, "flags": tuple(record["flags"])})

    def figures(self) -> dict[str, Any]:
        """What the reduction reports beside them."""
        import pyarrow.parquet as pq

        figures: dict[str, Any] = json.loads(pq.read_schema(self.path).metadata[_FIGURES])
        return figures


def settled(files: Sequence[ShardFile], fates: Iterable[Fate]) -> Iterator[tuple[Line | Lost, Fate]]:
    """Every source row, in order, with its fate; that of a row which never became a candidate says nothing."""
    remaining = iter(fates)
    for file in files:
        outcomes: list[Line | Lost] = [*file.lines(), *file.lost()]
        for outcome in sorted(outcomes, key=lambda item: item.place):
            yield outcome, _NONE if isinstance(outcome, Lost) else next(remaining)


_NONE = Fate()
