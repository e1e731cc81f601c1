"""Layout of a dataset on disk: a folder a split, of shards whose ends the examples' own ids decide.

A shard ends behind an example whose hashed id is divisible by the rows that a shard has on average, so that new rows
rewrite the shards they fall into and no other. A file's name is the digest of its content, so that a store that holds a
shard already need not be sent it again; shards.json says in which order they are read.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from components.core.artifact import digest_file
from components.core.errors import ArtifactError

if TYPE_CHECKING:
    import pyarrow as pa

ORDER = "shards.json"
ROWS_OF_SHARD = 1000
"""On average."""
_ROWS_OF_GROUP, _BYTES_OF_GROUP = 256, 16 * 2**20
_LONGEST = 4  # times the rows of a shard on average, where no id ends it
_BYTES_OF_SHARD = 256 * 2**20
# Of few values, so that a dictionary makes them small; one of images would only be built and thrown away.
_REPETITIVE = ("answer_type", "task", "verifiable", "unit", "precision", "source", "licence", "split", "group")


@dataclass(frozen=True)
class Shard:
    """One file of a split."""

    name: str
    """Of the file in its split's folder."""
    rows: int


def split_shards(dataset: Path, split: str) -> list[Shard]:
    """The shards of a split, in order.

    Args:
        dataset: The folder of a dataset.
        split: train or heldout.

    Raises:
        ArtifactError: The folder has no order of shards.
    """
    path = dataset / ORDER
    try:
        order = json.loads(path.read_text(encoding="utf-8"))
        return [Shard(item["file"], item["rows"]) for item in order.get(split, ())]
    except FileNotFoundError:
        remedy = "Give the folder of a dataset, or curate anew what an earlier version wrote"
        raise ArtifactError(str(dataset), f"no {ORDER}, which says where its examples are", remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Restore it, or delete the folder and curate again"
        raise ArtifactError(str(path), f"not an order of shards ({error})", remedy) from None


def split_files(dataset: Path, split: str) -> list[Path]:
    """The files of a split, in order; see `split_shards`."""
    return [dataset / split / shard.name for shard in split_shards(dataset, split)]


def write_order(dataset: Path, splits: Mapping[str, Sequence[Shard]]) -> None:
    """Write which shards a dataset has, in order."""
    order = {split: [{"file": shard.name, "rows": shard.rows} for shard in shards] for split, shards in splits.items()}
    (dataset / ORDER).write_text(json.dumps(order, indent=1), encoding="utf-8")


def shard_name(path: Path) -> str:
    """The name of a shard: 32 hexadecimal digits of a sha-256 over its bytes."""
    return f"{digest_file(path)[:32]}.parquet"


class Cutter:
    """Says behind which examples a shard ends.

    Args:
        rows: Of a shard on average; four times as many, or 256 MiB, end it at the latest.
    """

    def __init__(self, rows: int) -> None:
        self._average = rows
        self._rows = self._bytes = 0

    def ends(self, id_: str, weight: int) -> bool:
        """Whether the shard ends behind the next example.

        Args:
            id_: Its id.
            weight: Bytes of its images.
        """
        self._rows += 1
        self._bytes += weight
        full = self._rows >= _LONGEST * self._average or self._bytes >= _BYTES_OF_SHARD
        if full or int.from_bytes(hashlib.sha256(id_.encode()).digest()[:8]) % self._average == 0:
            self._rows = self._bytes = 0
            return True
        return False


class ShardWriter:
    """Writes a shard in groups of rows that depend on nothing but the rows: equal rows give equal bytes.

    A context manager. A group ends behind 256 rows or 16 MiB, and no more than that is held.

    Args:
        path: The Parquet file.
        schema: Its columns.
    """

    def __init__(self, path: Path, schema: "pa.Schema") -> None:
        self._path, self._schema = path, schema
        self._held: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._writer: Any = None

    def __enter__(self) -> "ShardWriter":
        """Open the file."""
        import pyarrow.parquet as pq

        repetitive = [name for name in self._schema.names if name in _REPETITIVE]
        self._writer = pq.ParquetWriter(
            self._path, self._schema, compression="zstd", use_dictionary=repetitive, write_statistics=repetitive
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is held and close the file."""
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, table: "pa.Table", weights: Sequence[int]) -> None:
        """Add rows.

        Args:
            table: Shape (N,), with the columns of the schema.
            weights: Shape (N,), bytes of each row's images.
        """
        start = 0
        for place, weight in enumerate(weights):
            self._rows += 1
            self._bytes += weight
            if self._rows >= _ROWS_OF_GROUP or self._bytes >= _BYTES_OF_GROUP:
                self._held.append(table.slice(start, place + 1 - start))
                start = place + 1
                self._flush()
        if start < len(weights):
            self._held.append(table.slice(start))

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            # How the rows came in pieces would else show in the pages.
            group = pa.concat_tables(self._held).combine_chunks()
            self._writer.write_table(group, row_group_size=len(group))
        self._held, self._rows, self._bytes = [], 0, 0


def write_shards(
    rows: Iterable[tuple[str, int, "pa.Table"]],
    folder: Path,
    schema: "pa.Schema",
    average: int = ROWS_OF_SHARD,
) -> list[Shard]:
    """Write the shards of a split from its rows, one after the other.

    Args:
        rows: Of each example its id, the bytes of its images, and the table of it alone.
        folder: Of the split; made if need be.
        schema: Columns.
        average: Rows of a shard on average.

    Returns:
        The shards in order; none for no rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cutter = Cutter(average)
    shards: list[Shard] = []
    pending: list[tuple[int, pa.Table]] = []
    for id_, weight, table in rows:
        pending.append((weight, table))
        if cutter.ends(id_, weight):
            shards.append(_write(pending, folder, schema))
            pending = []
    if pending:
        shards.append(_write(pending, folder, schema))
    return shards


def _write(rows: Sequence[tuple[int, "pa.Table"]], folder: Path, schema: "pa.Schema") -> Shard:
    partial = folder / ".partial"
    with ShardWriter(partial, schema) as writer:
        for weight, table in rows:
            writer.add(table, [weight])
    name = shard_name(partial)
    partial.replace(folder / name)
    return Shard(name, len(rows))
