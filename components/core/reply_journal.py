"""Reply journal: what a model replied, on disk as it comes, so that a killed run asks nothing twice.

A line a reply, under the digest of all that decided it; of two lines under one key the later counts. Every reply is
kept, whether it is of use or not, since it was paid for; a request that failed is tried again by the next run. The
memory holds where each reply lies, not the reply.
"""

import fcntl
import json
import logging
import os
import threading
from pathlib import Path
from types import TracebackType

from components.core.errors import StorageError, as_storage_error

_log = logging.getLogger(__name__)


class ReplyJournal:
    """Replies by key; a context manager that holds the file's lock. Threads may share one.

    A last line without its line break was cut by a kill and is dropped; a line that is no record is named in the log
    and asked again.

    Args:
        path: The file; it and its folder are made if need be. None keeps replies in memory alone.

    Raises:
        StorageError: Another process has it open, or it cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._held: dict[str, str] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._writing = threading.Lock()
        self._stream = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b", buffering=0)
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except OSError as error:
            if self._stream is not None:
                self._stream.close()
            raise self._storage_error(error) from error

    def __enter__(self) -> "ReplyJournal":
        """Nothing is left to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, which gives its lock free."""
        if self._stream is not None:
            self._stream.close()

    def get(self, key: str) -> str | None:
        """The reply under a key, if there is one.

        Raises:
            StorageError: The file cannot be read.
        """
        if self._stream is None:
            return self._held.get(key)
        place = self._places.get(key)
        if place is None:
            return None
        try:
            line = os.pread(self._stream.fileno(), place[1], place[0])
        except OSError as error:
            raise self._storage_error(error) from error
        return str(json.loads(line)["reply"])

    def add(self, key: str, reply: str) -> None:
        """Keep a reply; it is on the disk when this returns.

        Raises:
            StorageError: It cannot be written.
        """
        line = (json.dumps({"key": key, "reply": reply}) + "\n").encode()
        with self._writing:
            if self._stream is None:
                self._held[key] = reply
                return
            try:
                self._write(line)
            except OSError as error:
                raise self._storage_error(error) from error
            self._places[key] = (self._end, len(line))
            self._end += len(line)

    def _write(self, line: bytes) -> None:
        """Append a line whole; a disk that fills up leaves none of it."""
        assert self._stream is not None
        try:
            rest = line
            while rest:
                rest = rest[self._stream.write(rest) :]
            os.fsync(self._stream.fileno())
        except OSError:
            self._stream.truncate(self._end)
            raise

    def _read(self) -> None:
        assert self._path is not None
        assert self._stream is not None
        unreadable = []
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                key = _key(line)
                if key is None:
                    unreadable.append(number)
                else:
                    self._places[key] = (self._end, len(line))
                self._end += len(line)
        self._stream.truncate(self._end)
        if unreadable:
            _log.warning("%s: no records of replies, asked again: lines %s", self._path, unreadable[:10])

    def _storage_error(self, error: OSError) -> StorageError:
        if isinstance(error, BlockingIOError):
            problem = "another process is writing to it"
            return StorageError(f"journal {self._path}", problem, "Wait for it or end it, then run again")
        named = as_storage_error(error, str(self._path))
        return named or StorageError(f"journal {self._path}", str(error), "Choose another file")


def _key(line: bytes) -> str | None:
    """The key of a record; None where the line is none."""
    try:
        values = json.loads(line)
        key, reply = values["key"], values["reply"]
    except (ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) and isinstance(reply, str) else None
