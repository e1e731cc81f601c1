"""Reply journal: what a judge replied, on disk as it comes, so that a killed run asks nothing twice.

A line a reply, under the digest of all that decided it. Every reply is kept, whether it is a score or not, since it was
paid for; a request that failed is tried again by the next run.
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
        self._replies: dict[str, str] = {}
        self._writing = threading.Lock()
        self._stream = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b")
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
        """The reply under a key, if there is one."""
        return self._replies.get(key)

    def add(self, key: str, reply: str) -> None:
        """Keep a reply; it is on the disk when this returns.

        Raises:
            StorageError: It cannot be written.
        """
        line = json.dumps({"key": key, "reply": reply}) + "\n"
        with self._writing:
            self._replies[key] = reply
            if self._stream is None:
                return
            try:
                self._stream.write(line.encode())
                self._stream.flush()
                os.fsync(self._stream.fileno())
            except OSError as error:
                raise self._storage_error(error) from error

    def _read(self) -> None:
        assert self._stream is not None
        self._stream.seek(0)
        end, unreadable = 0, []
        for number, line in enumerate(self._stream, 1):
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                values = json.loads(line)
                key, reply = values["key"], values["reply"]
            except (ValueError, KeyError, TypeError):
                key, reply = None, None
            if isinstance(key, str) and isinstance(reply, str):
                self._replies[key] = reply
            else:
                unreadable.append(number)
        self._stream.truncate(end)
        if unreadable:
            _log.warning("%s: no records of replies, asked again: lines %s", self._path, unreadable[:10])

    def _storage_error(self, error: OSError) -> StorageError:
        if isinstance(error, BlockingIOError):
            problem = "another process is writing to it"
            return StorageError(f"journal {self._path}", problem, "Wait for it or end it, then run again")
        named = as_storage_error(error, str(self._path))
        return named or StorageError(f"journal {self._path}", str(error), "Choose another file")
