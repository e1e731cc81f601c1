"""Shards of source rows: how rows are cut into them, and the file that each becomes.

A shard's file has a line for each of its source rows, candidate or lost, so that no row can go missing between the
source and the dataset. It is known by the digest of the rows themselves and their place: where rows are added behind
the others, the shards of these are found again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.core.example import AnswerType, Task, example_schema, family_of, to_row
from components.curation.candidate import Candidate, Lost, Rejection, Rows, SourceRow

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_OF_RANGE = 1000
"""Source rows between two places where a shard ends at any rate."""
_BYTES_OF_SHARD = 16 * 2**20
_PREFIX = "example_"
_BESIDES = ("demonstration", "kind", "gold", "flags", "changes")


@dataclass(frozen=True)
class Shard:
    """Source rows, one after the other."""

    source: str
    start: int
    """Place of the first one."""
    rows: tuple[SourceRow, ...]
    digest: str
    """sha-256 over their values."""


@dataclass(frozen=True)
class SourceRows:
    """What the engine knows of a source."""

    name: str
    """No two sources of a curation share one."""
    identity: str
    """Changes with whatever decides its rows: its content, and which columns and how many rows are read. "" where that
    cannot be told: then all rows are read, and known by themselves."""
    read: Callable[[int, int], Rows]
    """The rows between two places, the second one left out; called with places that ascend."""


def continued(rows: Callable[[int, int | None], Rows]) -> Callable[[int, int], Rows]:
    """Reading of ranges that goes on where the last one ended, and enters the source anew elsewhere only.

    Args:
        rows: The rows between two places, the second one left out or None.
    """
    open_: Rows = iter(())
    place = -1

    def read(start: int, stop: int) -> Rows:
        nonlocal open_, place
        if start != place:
            open_, place = rows(start, None), start
        for row in islice(open_, stop - start):
            place += 1
            yield row

    return read


def cut(rows: Iterable[SourceRow], source: str, start: int) -> Iterator[Shard]:
    """Cut a range of rows into shards: one, unless their images are large.

    Args:
        rows: Of the range.
        source: Its source's name.
        start: Place of the first row.
    """
    held: list[SourceRow] = []
    digest, weight = hashlib.sha256(), 0
    for row in rows:
        single = hashlib.sha256()
        size = _digest(_values(row), single.update)
        if held and weight + size > _BYTES_OF_SHARD:
            yield Shard(source, start, tuple(held), digest.hexdigest())
            start, held, digest, weight = start + len(held), [], hashlib.sha256(), 0
        held.append(row)
        digest.update(single.digest())
        weight += size
    if held:
        yield Shard(source, start, tuple(held), digest.hexdigest())


def _values(row: SourceRow) -> Any:
    return row.values if not isinstance(row.values, Rejection) else [row.values.reason, row.values.evidence]


def _digest(value: Any, update: Callable[[bytes], object]) -> int:
    """Feed a value to a digest, unmistakably, and return the bytes that it holds."""
    if isinstance(value, bytes):
        update(b"b%d:" % len(value))
        update(value)
        return len(value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        update(b"s%d:" % len(text) + text)
        return len(text)
    if isinstance(value, dict):
        update(b"d%d:" % len(value))
        return sum(_digest(str(key), update) + _digest(item, update) for key, item in value.items())
    if isinstance(value, list | tuple):
        update(b"l%d:" % len(value))
        return sum(_digest(item, update) for item in value)
    text = f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass")
    update(b"o%d:" % len(text) + text)
    return len(text)


Outcome = Candidate | Lost


def write_outcomes(outcomes: Sequence[Outcome], start: int, path: Path) -> None:
    """Write what became of a shard's rows.

    Args:
        outcomes: One a source row, in order.
        start: Place of the first one.
        path: The file.

    Raises:
        pyarrow.ArrowException: A value is not of its column's type.
        UnicodeEncodeError: A text is no Unicode.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = outcome_schema()
    table = pa.Table.from_pylist([_to_record(outcome, start) for outcome in outcomes], schema=schema)
    small = [name for name in schema.names if name != f"{_PREFIX}images"]
    # Encoded images do not get smaller, and these files live on a disk at hand.
    pq.write_table(table, path, compression="lz4", use_dictionary=small, write_statistics=False)


def outcome_schema() -> "pa.Schema":
    """The columns of a shard's file: an example's, what is known besides, and why a row is lost."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    example = [(f"{_PREFIX}{field.name}", field.type) for field in example_schema()]
    return pa.schema(
        [
            ("offset", pa.int32()),
            *example,
            ("weight", pa.int64()),
            ("stated_split", pa.string()),
            ("demonstration", pa.string()),
            ("kind", pa.string()),
            ("gold", pa.string()),
            ("flags", texts),
            ("changes", texts),
            ("lost_step", pa.string()),
            ("lost_reason", pa.string()),
            ("lost_evidence", pa.string()),
            ("lost_question", pa.string()),
            ("lost_duplicate", pa.bool_()),
            ("lost_id", pa.string()),
        ]
    )


def _to_record(outcome: Outcome, start: int) -> dict[str, Any]:
    if isinstance(outcome, Lost):
        return {
            "offset": outcome.place - start,
            "lost_step": outcome.step,
            "lost_reason": _storable(outcome.reason),
            "lost_evidence": _storable(outcome.evidence),
            "lost_question": _storable(outcome.question),
            "lost_duplicate": outcome.is_duplicate,
            "lost_id": outcome.id,
        }
    return {
        "offset": outcome.place - start,
        **{f"{_PREFIX}{name}": value for name, value in to_row(outcome.example).items()},
        "weight": sum(map(len, outcome.example.images)),
        "stated_split": outcome.stated_split,
        "demonstration": outcome.demonstration,
        "kind": outcome.kind,
        "gold": outcome.gold,
        "flags": list(outcome.flags),
        "changes": list(outcome.changes),
    }


def _storable(text: str) -> str:
    """A text for a reader, with what is no Unicode replaced."""
    return text.encode("utf-8", "replace").decode()


class Line(NamedTuple):
    """What the account of a curation has to know of a row that became an example."""

    source: str
    place: int
    id: str
    family: str
    answer_type: str
    question: str
    demonstration: str
    kind: str
    gold: str
    flags: Sequence[str]
    changes: Sequence[str]


@dataclass(frozen=True)
class ShardFile:
    """What became of a shard's rows, on disk."""

    source: str
    start: int
    """Place of its first row."""
    key: str
    path: Path
    signs: Path
    """The signs of its candidates, in a file of their own: see sign_table.py."""

    def read(self, columns: Sequence[str]) -> "pa.Table":
        """Some columns, a line a source row."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path, columns=list(columns), use_threads=False)

    def lines(self) -> Iterator[Line]:
        """The rows that became examples, in order."""
        columns = ("task", "answer_type", "question")
        table = self.read(["offset", "example_id", *(f"{_PREFIX}{name}" for name in columns), *_BESIDES])
        for values in zip(*(column.to_pylist() for column in table.columns), strict=True):
            offset, id_, task, answer_type, question, *besides = values
            if id_ is not None:
                family = family_of(Task(task), AnswerType(answer_type)).value
                yield Line(self.source, self.start + offset, id_, family, answer_type, question, *besides)

    def lost(self) -> Iterator[Lost]:
        """The rows that did not, in order."""
        names = ["offset", *(name for name in outcome_schema().names if name.startswith("lost_"))]
        table = self.read(names)
        for record in table.filter(table["lost_step"].is_valid()).to_pylist():
            yield Lost(
                source=self.source,
                place=self.start + record["offset"],
                step=record["lost_step"],
                reason=record["lost_reason"],
                evidence=record["lost_evidence"],
                question=record["lost_question"],
                is_duplicate=record["lost_duplicate"],
                id=record["lost_id"],
            )


def examples_of(table: "pa.Table") -> "pa.Table":
    """The columns of the examples alone, under their own names."""
    schema = example_schema()
    return table.select([f"{_PREFIX}{name}" for name in schema.names]).rename_columns(schema.names).cast(schema)
