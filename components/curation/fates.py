"""Fates on disk: what becomes of each candidate, beside the shards of source rows that they are of."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from components.curation.candidate import Candidate, Lost
from components.curation.ledger import RecordWriter
from components.curation.reduce import Fate
from components.curation.shards import ShardFile

_TEXTS = ("step", "reason", "evidence", "split", "group")
_ROWS_READ = 10_000


def write_fates(fates: Iterable[Fate], path: Path) -> None:
    """Write fates, in order."""
    with RecordWriter(path, {**dict.fromkeys(_TEXTS, "text"), "is_duplicate": "truth"}) as writer:
        for fate in fates:
            writer.add(**asdict(fate))


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
                yield Fate(**record)


def settled(files: Sequence[ShardFile], fates: Iterable[Fate]) -> Iterator[tuple[Candidate | Lost, Fate]]:
    """Every source row, in order, with its fate; that of a row which never became a candidate says nothing."""
    remaining = iter(fates)
    for file in files:
        outcomes: list[Candidate | Lost] = [*file.candidates(signs=False), *file.lost()]
        for outcome in sorted(outcomes, key=lambda item: item.place):
            yield outcome, _NONE if isinstance(outcome, Lost) else next(remaining)


_NONE = Fate()
