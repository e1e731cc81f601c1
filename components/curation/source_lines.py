"""Source lines: rows of JSON Lines, of lists in JSON, and of CSV.

A line that is broken costs itself alone; a file whose last row is cut off is one error, behind the rows before it.
"""

import contextlib
import csv
import hashlib
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from components.core.errors import SourceError
from components.curation.candidate import Rejection
from components.curation.source_files import SourceFile
from components.curation.source_parts import Item, Part

_LONGEST_ROW = 128 * 2**20  # bytes of a line; images may be in it
_LONGEST_RECORD = 1000  # lines of a CSV record: an open quote would swallow the rest of the file
_STEP = 1000  # rows between two places that the index of lines remembers
_CHUNK = 2**20  # characters
_LONGEST_SIGN = 16  # characters of a literal or an escape
_SHOWN = 120
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FETCH = "Fetch or write the file again"


@dataclass(frozen=True)
class LineIndex:
    """Where the lines of a file are."""

    digest: str
    """sha-256 of the file's bytes."""
    count: int
    """Lines that are not blank."""
    offsets: tuple[int, ...]
    """Of every thousandth of them, from the first one on."""


def index_lines(file: SourceFile) -> LineIndex:
    """Read a file once, for its fingerprint and to know where its lines are.

    Raises:
        SourceError: It cannot be read, or has a line that is too long to be held.
    """
    digest, offsets = hashlib.sha256(), []
    count = offset = 0
    with _opened(file) as stream:
        for line in _lines(stream, file):
            digest.update(line)
            if (line if offset else _without_mark(line, file)).strip():
                if count % _STEP == 0:
                    offsets.append(offset)
                count += 1
            offset += len(line)
    return LineIndex(digest.hexdigest(), count, tuple(offsets))


def jsonl_part(file: SourceFile, encoding: str, index: LineIndex | None) -> Part:
    """A JSON Lines file.

    Args:
        file: The file.
        encoding: Of its texts.
        index: Where its lines are; None where finding out would mean to fetch it all.
    """
    return Part(
        read=partial(_read_jsonl, file, encoding, index),
        count=index.count if index else None,
        can_enter=index is not None,
    )


def json_part(file: SourceFile) -> Part:
    """A JSON file that holds one list of objects."""
    return Part(read=lambda _: _read_json(file))


def csv_part(file: SourceFile, delimiter: str, encoding: str) -> Part:
    """A CSV file with a line of column names."""
    return Part(read=lambda _: _read_csv(file, delimiter, encoding))


def _read_jsonl(file: SourceFile, encoding: str, index: LineIndex | None, start: int) -> Iterator[Item]:
    with _opened(file) as stream:
        number = 0
        if index is not None and start < index.count:
            number = start // _STEP * _STEP
            stream.seek(index.offsets[number // _STEP])
        for line in _filled_lines(stream, file):
            if number >= start or index is None:
                yield partial(_object, line, encoding, f"{file.address}, row {number}")
            number += 1


def _filled_lines(stream: IO[bytes], file: SourceFile) -> Iterator[bytes]:
    """The lines that are not blank, without a byte order mark."""
    at_start = stream.tell() == 0
    for raw in _lines(stream, file):
        line = _without_mark(raw, file) if at_start else raw
        at_start = False
        if line.strip():
            yield line


def _object(line: bytes, encoding: str, where: str) -> dict[str, Any]:
    """The object of a line.

    Raises:
        Rejection: It is none.
        SourceError: It is the last one, and cut off.
    """
    try:
        value = json.loads(line.decode(encoding))
    except UnicodeDecodeError as error:
        raise Rejection("wrong encoding", _undecodable(line, error, encoding)) from None
    except RecursionError:
        raise Rejection("not JSON", "nested too deeply") from None
    except ValueError as error:
        if not line.endswith(b"\n"):
            raise SourceError(where, f"the file is cut off there ({error})", _FETCH) from error
        raise Rejection("not JSON", f"{error}: {line[:_SHOWN]!r}") from None
    return _checked(value)


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Rejection("not an object", f"a {type(value).__name__}: {str(value)[:_SHOWN]}")
    return value


def _read_json(file: SourceFile) -> Iterator[Item]:
    """The members of a list, decoded one by one out of a window of the text."""
    with _opened(file) as stream:
        window = _Window(stream, file)
        opening = window.next_sign()
        if opening != "[":
            problem = "it is empty" if not opening else f"it begins with {opening!r}, not with a list"
            raise SourceError(file.address, problem, "Give a list of objects, or use kind: jsonl for one object a line")
        number = 0
        while (sign := window.peek_sign()) != "]":
            if sign == "," and number:
                window.next_sign()
            text, value = window.member(number)
            yield partial(_member, text, value)
            number += 1


def _member(text: str, value: Any) -> dict[str, Any]:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Rejection("wrong encoding", f"not UTF-8 near {text[max(error.start - 20, 0) : error.start]!r}") from None
    return _checked(value)


class _Window:
    """A moving part of a text, as long as a member of the list in it."""

    def __init__(self, stream: IO[bytes], file: SourceFile) -> None:
        head = stream.read(len(_UTF8_MARK))
        stream.seek(len(_UTF8_MARK) if _without_mark(head, file) != head else 0)
        # Bytes that are no UTF-8 become surrogates, so that they cost the row that they are in and no other.
        self._stream = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape")
        self._file, self._text, self._place, self._ended = file, "", 0, False
        self._decoder = json.JSONDecoder()

    def peek_sign(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in " \t\r\n":
                self._place += 1
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._grow():
                return ""

    def next_sign(self) -> str:
        """The same, taken."""
        sign = self.peek_sign()
        self._place += len(sign)
        return sign

    def member(self, number: int) -> tuple[str, Any]:
        """The next member and its text."""
        self.peek_sign()
        while True:
            problem = "the list is not closed"
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
                if end < len(self._text) or self._ended:  # a number may go on
                    text, self._place = self._text[self._place : end], end
                    return text, value
            except RecursionError:
                problem = "nested too deeply"
                self._ended = True
            except json.JSONDecodeError as error:
                problem = str(error)
                # What goes wrong long before the end of the window is no matter of what comes behind it.
                is_open = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _LONGEST_SIGN
                self._ended = self._ended or not is_open
            if self._ended or len(self._text) - self._place > _LONGEST_ROW or not self._grow():
                where = f"{self._file.address}, row {number}"
                raise SourceError(where, f"the file is cut off or broken there ({problem[:_SHOWN]})", _FETCH)

    def _grow(self) -> bool:
        """Read on; whether there was more."""
        # Twice as much each time, so that a long member is not decoded again for every piece of it.
        more = self._stream.read(max(_CHUNK, len(self._text) - self._place))
        self._text, self._place = self._text[self._place :] + more, 0
        self._ended = not more
        return bool(more)


def _read_csv(file: SourceFile, delimiter: str, encoding: str) -> Iterator[Item]:
    # The reader's own limit of a cell is 128 KiB, less than an image in base64.
    csv.field_size_limit(_LONGEST_ROW)
    with _opened(file) as stream:
        records = _Records(stream, file, delimiter, encoding)
        header = records.header()
        for number, cells in enumerate(records.rows(len(header))):
            yield partial(_row_of_cells, header, cells, f"{file.address}, row {number}")


@dataclass(frozen=True)
class _Broken:
    """A line that no record can be made of."""

    rejection: Rejection
    is_cut_off: bool
    """Whether the file ends in it."""


def _row_of_cells(header: list[str], cells: "list[str] | _Broken", where: str) -> dict[str, Any]:
    if isinstance(cells, _Broken):
        if cells.is_cut_off:
            raise SourceError(where, f"the file is cut off there ({cells.rejection.evidence})", _FETCH)
        raise cells.rejection
    return dict(zip(header, cells, strict=True))


class _Records:
    """The records of a CSV file. Where quotes are broken, the line they begin in is given up and the next one tried."""

    def __init__(self, stream: IO[bytes], file: SourceFile, delimiter: str, encoding: str) -> None:
        self._lines = _lines(stream, file)
        self._held: deque[bytes] = deque()
        self._file, self._delimiter, self._encoding = file, delimiter, encoding

    def header(self) -> list[str]:
        """The column names."""
        first = self._take()
        if first is None:
            return []
        self._held.appendleft(_without_mark(first, self._file))
        names = self._record(None)
        if isinstance(names, _Broken):
            problem = f"its line of column names cannot be read ({names.rejection.evidence})"
            raise SourceError(self._file.address, problem, "Mend the first line")
        repeated = {name for name in names or () if (names or []).count(name) > 1}
        if repeated:
            problem = f"two columns are called {sorted(repeated)[0]!r}"
            raise SourceError(self._file.address, problem, "Rename one of them")
        return names or []

    def rows(self, width: int) -> "Iterator[list[str] | _Broken]":
        """The records behind the header."""
        while (record := self._record(width)) is not None:
            yield record

    def _record(self, width: int | None) -> "list[str] | _Broken | None":
        """The next record of a line that is not blank."""
        line = self._take()
        while line is not None and not line.strip():
            line = self._take()
        if line is None:
            return None
        used = [line]
        try:
            cells = next(csv.reader(self._feed(used), delimiter=self._delimiter, strict=True))
            problem = ("wrong number of cells", f"{len(cells)} of {width}") if len(cells) != width else None
            if problem is None or width is None:
                return cells
        except UnicodeDecodeError as error:
            problem = ("wrong encoding", _undecodable(used[-1], error, self._encoding))
        except (csv.Error, StopIteration) as error:
            problem = ("broken record", str(error) or "no record")
        self._held.extendleft(reversed(used[1:]))
        is_last = len(used) == 1 and not line.endswith(b"\n")
        return _Broken(Rejection(problem[0], f"{problem[1]}: {line[:_SHOWN]!r}"), is_last)

    def _feed(self, used: list[bytes]) -> Iterator[str]:
        """The record's line, then as many as it takes."""
        yield used[0].decode(self._encoding)
        while len(used) < _LONGEST_RECORD and (line := self._take()) is not None:
            used.append(line)
            yield line.decode(self._encoding)

    def _take(self) -> bytes | None:
        return self._held.popleft() if self._held else next(self._lines, None)


def _lines(stream: IO[bytes], file: SourceFile) -> Iterator[bytes]:
    """Lines with their ends."""
    number = 0
    while line := stream.readline(_LONGEST_ROW):
        if len(line) == _LONGEST_ROW and not line.endswith(b"\n"):
            problem = f"longer than {_LONGEST_ROW} bytes"
            raise SourceError(f"{file.address}, line {number + 1}", problem, "Give images as files, and a row a line")
        yield line
        number += 1


def _without_mark(head: bytes, file: SourceFile) -> bytes:
    """The beginning of a file without its byte order mark."""
    if head.startswith(_OTHER_MARKS):
        raise SourceError(file.address, "it is UTF-16, not UTF-8", "Convert the file to UTF-8")
    return head.removeprefix(_UTF8_MARK)


def _undecodable(line: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    around = line[max(error.start - 20, 0) : error.start + 20]
    return f"not {encoding}: byte {line[error.start]:#04x} in {around!r}"


@contextlib.contextmanager
def _opened(file: SourceFile) -> Iterator[IO[bytes]]:
    """A file's stream; what goes wrong on the way is said of the file."""
    with file.open() as stream:
        try:
            yield stream
        except OSError as error:
            raise SourceError(file.address, f"cannot be read on ({error})", "Check the disk or the network") from error
