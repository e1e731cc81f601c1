"""Source tables: rows of Parquet files, entered at any row group."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from components.core.errors import SourceError
from components.curation.candidate import Rejection
from components.curation.source_files import SourceFile
from components.curation.source_parts import Item, Part

_ROWS = 64  # a batch: pages of documents take a megabyte each
_BUFFER = 2**20  # bytes read at a time of each column


def parquet_part(file: SourceFile, columns: Sequence[str] | None = None) -> Part:
    """A Parquet file.

    Args:
        file: The file.
        columns: Those to read, where it has them; None reads all.

    Raises:
        SourceError: It is no whole Parquet file.
    """
    parquet = _open(file)
    with parquet:
        groups = [parquet.metadata.row_group(number).num_rows for number in range(parquet.metadata.num_row_groups)]
    return Part(read=partial(_read, file, columns, groups), count=sum(groups), can_enter=True)


def parquet_columns(file: SourceFile) -> list[str]:
    """The names of a file's columns.

    Raises:
        SourceError: It is no whole Parquet file.
    """
    with _open(file) as parquet:
        return list(parquet.schema_arrow.names)


def _read(file: SourceFile, columns: Sequence[str] | None, groups: Sequence[int], start: int) -> Iterator[Item]:
    import pyarrow as pa

    first, place = 0, 0
    while first < len(groups) and place + groups[first] <= start:
        place += groups[first]
        first += 1
    try:
        with _open(file) as parquet:
            names = parquet.schema_arrow.names
            wanted = None if columns is None else [name for name in names if name in columns]
            batches = parquet.iter_batches(_ROWS, row_groups=list(range(first, len(groups))), columns=wanted)
            for batch in batches:
                yield from islice(_items(batch), max(start - place, 0), None)
                place += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _broken(f"{file.address}, row {place}", error) from error


def _items(batch: Any) -> Iterator[Item]:
    try:
        rows = batch.to_pylist()
    except (ValueError, ArithmeticError):  # a text that is no UTF-8, a date beyond the calendar: of some row in it
        return (partial(_row, batch, number) for number in range(batch.num_rows))
    return (partial(dict, row) for row in rows)


def _row(batch: Any, number: int) -> dict[str, Any]:
    try:
        row: dict[str, Any] = batch.slice(number, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        raise Rejection("wrong encoding", f"a text is not UTF-8: {error.object[:40]!r}") from None
    return row


def _open(file: SourceFile) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Read as it is needed: a row group of images may be larger than the memory.
        source = file.path if file.is_local else file.open()
        return pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _broken(file.address, error) from error


def _broken(where: str, error: Exception) -> SourceError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return SourceError(where, f"not a whole Parquet file ({first_line})", "Fetch or write the file again")
