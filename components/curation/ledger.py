"""Ledger: where every row went, counted step by step, and the quarantine with a line for each that was lost."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from components.curation.candidate import Lost
from components.curation.shards import Line

QUARANTINE = "quarantine.parquet"
PROVENANCE = "provenance.parquet"
DEMONSTRATIONS = "demonstrations.parquet"
_ROWS_HELD = 10_000
_KEPT_BY = ("split", "family", "answer_type", "source")


@dataclass
class Ledger:
    """Counts of rows.

    Args:
        steps: Names of the steps in the order in which rows pass them.
    """

    steps: Sequence[str]
    rows_in: int = 0
    kept: int = 0
    demonstrations: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    """By step."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """By step."""
    by: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _KEPT_BY})
    reasons: Counter[str] = field(default_factory=Counter)
    lost_by_source: Counter[str] = field(default_factory=Counter)
    first: Lost | None = None
    """Of the quarantined rows."""

    def lose(self, lost: Lost) -> None:
        """Count a row that is lost."""
        self.rows_in += 1
        if lost.is_duplicate:
            self.duplicates[lost.step] += 1
            return
        self.first = self.first or lost
        self.quarantined[lost.step] += 1
        self.reasons[lost.reason] += 1
        self.lost_by_source[lost.source] += 1

    def keep(self, line: Line, split: str) -> None:
        """Count a row that stays."""
        self.rows_in += 1
        self.kept += 1
        values = (split, line.family, line.answer_type, line.source)
        for counts, value in zip(self.by.values(), values, strict=True):
            counts[value] += 1

    @property
    def rows_quarantined(self) -> int:
        """Rows that were lost and are no duplicates."""
        return self.quarantined.total()

    def summary(self) -> dict[str, Any]:
        """The counts as JSON values: rows_in = rows_kept + rows_quarantined + rows_duplicate, in all and by step."""
        kept = {f"by_{name}": dict(sorted(counts.items())) for name, counts in self.by.items()}
        return {
            "rows_in": self.rows_in,
            "rows_kept": self.kept,
            "rows_quarantined": self.rows_quarantined,
            "rows_duplicate": self.duplicates.total(),
            "steps": list(self._steps()),
            "quarantined_by_reason": dict(sorted(self.reasons.items())),
            "quarantined_by_source": dict(sorted(self.lost_by_source.items())),
            **kept,
        }

    def _steps(self) -> Iterator[dict[str, Any]]:
        """Each step's account: what comes in stays, is quarantined, or is a duplicate."""
        rows = self.rows_in
        others = [step for step in (*self.quarantined, *self.duplicates) if step not in self.steps]
        for step in (*self.steps, *dict.fromkeys(others)):
            quarantined, duplicates = self.quarantined[step], self.duplicates[step]
            kept = rows - quarantined - duplicates
            yield {
                "step": step,
                "rows_in": rows,
                "rows_kept": kept,
                "rows_quarantined": quarantined,
                "rows_duplicate": duplicates,
            }
            rows = kept


class RecordWriter:
    """Writes records as Parquet, some at a time; a context manager.

    Args:
        path: The file.
        columns: Types by name: "text", "texts", "integer" or "truth".
        metadata: Of the file.
    """

    def __init__(self, path: Path, columns: dict[str, str], metadata: dict[bytes, bytes] | None = None) -> None:
        self._path, self._columns, self._metadata = path, columns, metadata
        self._held: list[dict[str, Any]] = []
        self._writer: Any = None

    def __enter__(self) -> "RecordWriter":
        """Open the file."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"text": pa.string(), "texts": pa.list_(pa.string()), "integer": pa.int64(), "truth": pa.bool_()}
        self._schema = pa.schema([(name, types[kind]) for name, kind in self._columns.items()], self._metadata)
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is held and close the file."""
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, **record: Any) -> None:
        """Add a record, with a value for each column."""
        self._held.append(record)
        if len(self._held) >= _ROWS_HELD:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=self._schema))
        self._held = []


def write_quarantine(lost: Iterable[Lost], folder: Path) -> None:
    """Write the quarantine: a line a lost row, in order of the sources."""
    texts = dict.fromkeys(("step", "reason", "evidence", "question", "id"), "text")
    columns = {"source": "text", "place": "integer", **texts, "is_duplicate": "truth"}
    with RecordWriter(folder / QUARANTINE, columns) as writer:
        for item in lost:
            writer.add(**asdict(item))
