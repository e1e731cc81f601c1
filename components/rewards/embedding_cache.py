"""Vectors by the content they belong to: in memory, the least recently used dropped, and in a file if one is given.

The file is an SQLite database that several processes may use at once and that survives a kill. Every row carries a
check sum over key and vector, so that a damaged file costs time but never gives a wrong vector: a damaged row is
computed again, a damaged file put aside and made anew, both with a warning. A file that is locked, full or read-only is
done without.
"""

import fcntl
import hashlib
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from components.core.errors import StorageError, as_storage_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Content = TypeVar("Content", str, bytes)

EMBEDDINGS = "embeddings"
"""Folder of the scratch where what embedders and feature readers computed is kept."""
IN_MEMORY = 200_000
IN_FILE = 1_000_000
_A_QUERY = 500
_A_SLICE = 1024
"""Contents computed between two writes: what a kill costs at most."""
_SUM_BYTES = 8
_ASIDE = ".damaged"
_SECONDS_FOR_A_LOCK = 30.0

_OUT_OF_REACH = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""What SQLite says of a sound file that cannot be used now; anything else means damage."""

_log = logging.getLogger(__name__)


@dataclass
class CacheCounts:
    """Where the contents that were asked for came from, those asked for at once and equal counted once."""

    memory: int = 0
    file: int = 0
    computed: int = 0


class EmbeddingCache:
    """Remembers vectors.

    Args:
        width: Of the vectors.
        file: Where they are kept between processes; None: nowhere.
        in_memory: Vectors kept in memory at most.
        in_file: Vectors kept in the file at most; later ones are not added.

    Raises:
        StorageError: The file's folder cannot be made.
    """

    def __init__(
        self, width: int, file: Path | None = None, in_memory: int = IN_MEMORY, in_file: int = IN_FILE
    ) -> None:
        self._known: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._in_memory = in_memory
        self.counts = CacheCounts()
        self._file = None if file is None else VectorFile(file, width, in_file)

    def fetch(
        self, contents: Sequence[Content], compute: Callable[[list[Content]], "NDArray[np.float32]"]
    ) -> "NDArray[np.float32]":
        """Vectors of contents, those not known computed once each.

        Args:
            contents: N contents.
            compute: Vectors of different contents, shape (M, width).

        Returns:
            Shape (N, width).
        """
        import numpy as np

        keys = [content_key(content) for content in contents]
        by_key = dict(zip(keys, contents, strict=True))
        found = {key: self._known[key] for key in by_key if key in self._known}
        self.counts.memory += len(found)
        if self._file is not None:
            kept = self._file.read([key for key in by_key if key not in found])
            self.counts.file += len(kept)
            found |= kept
        missing = [key for key in by_key if key not in found]
        self.counts.computed += len(missing)
        for start in range(0, len(missing), _A_SLICE):
            part = missing[start : start + _A_SLICE]
            computed = dict(zip(part, compute([by_key[key] for key in part]), strict=True))
            if self._file is not None:
                self._file.write(computed)
            found |= computed
        self._remember(found)
        return np.stack([found[key] for key in keys])

    def _remember(self, vectors: Mapping[bytes, "NDArray[np.float32]"]) -> None:
        for key, vector in vectors.items():
            # A copy, since a row would keep its whole batch alive.
            self._known[key] = self._known.pop(key) if key in self._known else vector.copy()
        while len(self._known) > self._in_memory:
            self._known.popitem(last=False)


def content_key(content: str | bytes) -> bytes:
    """sha-256 of a text in UTF-8, or of an image's bytes; 32 bytes."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content).digest()


class VectorFile:
    """Vectors by key in an SQLite file.

    Args:
        path: The file; its folder is made.
        width: Of the vectors.
        most: Rows at most.

    Raises:
        StorageError: The folder cannot be made.
    """

    def __init__(self, path: Path, width: int, most: int) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise as_storage_error(error, str(path.parent)) or StorageError(
                str(path.parent), str(error), "Choose another folder for the embedding cache"
            ) from error
        self._path = path
        self._width = width
        self._most = most
        self._in_use = True
        self._made_anew = False
        self._connection: sqlite3.Connection | None = None

    def read(self, keys: Sequence[bytes]) -> dict[bytes, "NDArray[np.float32]"]:
        """The vectors of those keys that are there and sound."""
        rows: list[tuple[bytes, bytes]] = []
        if keys and self._in_use:
            with self._careful():
                rows = self._select(keys)
        vectors = {key: self._decode(key, value) for key, value in rows}
        sound = {key: vector for key, vector in vectors.items() if vector is not None}
        if len(sound) < len(vectors):
            _log.warning("%s: %d damaged vectors are computed again", self._path, len(vectors) - len(sound))
        return sound

    def write(self, vectors: Mapping[bytes, "NDArray[np.float32]"]) -> None:
        """Keep vectors, unless the file is full."""
        if not self._in_use:
            return
        with self._careful():
            connection = self._open()
            with connection:
                # Rows are never deleted, so that the highest number is about their count, and found at once.
                (rows,) = connection.execute("SELECT ifnull(max(rowid), 0) FROM vectors").fetchone()
                if rows < self._most:
                    connection.executemany(
                        "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                        [(key, _encode(key, vector)) for key, vector in vectors.items()],
                    )

    def _select(self, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        connection = self._open()
        rows: list[tuple[bytes, bytes]] = []
        for start in range(0, len(keys), _A_QUERY):
            part = keys[start : start + _A_QUERY]
            marks = ",".join("?" * len(part))
            rows += connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)
        return rows

    def _decode(self, key: bytes, value: object) -> "NDArray[np.float32] | None":
        import numpy as np

        if not isinstance(value, bytes) or len(value) != 4 * self._width + _SUM_BYTES:
            return None
        blob, found = value[:-_SUM_BYTES], value[-_SUM_BYTES:]
        vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        return vector if found == _check_sum(key, blob) and np.isfinite(vector).all() else None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_SECONDS_FOR_A_LOCK, check_same_thread=False)
            try:
                # A write-ahead log lets one process read while another writes; a kill leaves whole transactions.
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextmanager
    def _careful(self) -> Iterator[None]:
        """Turns what can go wrong with the file into a warning."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            # The low byte is the primary code; errors of the module itself have none.
            if self._made_anew or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_REACH:
                self._give_up(error)
                return
            aside = f"{self._path.name}{_ASIDE}"
            _log.warning("%s: the cache is damaged, put aside as %s and made anew (%s)", self._path, aside, error)
            try:
                self._make_anew()
            except OSError as refusal:
                self._give_up(refusal)

    def _give_up(self, error: Exception) -> None:
        _log.warning("%s: the cache is not used from here on (%s)", self._path, error)
        self._in_use = False

    def _make_anew(self) -> None:
        self._made_anew = True  # once: a file that is damaged again lies on a bad disk
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_sound():  # another process was quicker
                return
            for name in (f"{self._path.name}-wal", f"{self._path.name}-shm"):
                self._path.with_name(name).unlink(missing_ok=True)
            if self._path.exists():
                self._path.replace(self._path.with_name(f"{self._path.name}{_ASIDE}"))

    def _is_sound(self) -> bool:
        try:
            return bool(self._open().execute("PRAGMA quick_check").fetchone() == ("ok",))
        except sqlite3.Error:
            return False
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _encode(key: bytes, vector: "NDArray[np.float32]") -> bytes:
    blob = vector.astype("<f4").tobytes()
    return blob + _check_sum(key, blob)


def _check_sum(key: bytes, blob: bytes) -> bytes:
    return hashlib.sha256(key + blob).digest()[:_SUM_BYTES]
