"""Work folder: what a curation has finished, on disk, so that a killed one goes on and a later one need not begin anew.

A file's name is a key, the digest of all that decides its content, and the digest of the content itself. It appears
whole or not at all; one that was torn all the same (a disk that filled up, a machine that lost power) does not have
the digest that its name says, and is made again.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.core.artifact import digest_file

_KEY, _DIGEST = 32, 32  # hexadecimal digits
_ENDING = ".work"
_UNUSED_SECONDS = 14 * 24 * 3600


def key_of(*parts: Any) -> str:
    """The key of what is decided by the parts, which are JSON values."""
    content = json.dumps(parts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY]


class WorkFolder:
    """Files by key.

    Args:
        path: The folder; made if need be.
        trusted: Whether its files are those of steps that have just looked at each: then their bytes are not read.
    """

    def __init__(self, path: Path, trusted: bool = False) -> None:
        self.path, self._trusted = path, trusted
        path.mkdir(parents=True, exist_ok=True)
        self._names = {path.name.split("-")[0]: path.name for path in sorted(path.glob(f"*-*{_ENDING}"))}
        self._used: set[str] = set()

    def find(self, key: str) -> Path | None:
        """The file of a key; None where there is none or it is torn, which removes it."""
        name = self._names.get(key)
        if name is None:
            return None
        path = self.path / name
        if name not in self._used:
            if not path.is_file() or not (self._trusted or name == _name(key, path)):
                path.unlink(missing_ok=True)
                del self._names[key]
                return None
            os.utime(path)
            self._used.add(name)
        return path

    def make(self, key: str, write: Callable[[Path], object]) -> Path:
        """The file of a key, written if there is none."""
        return self.find(key) or self.add(key, store(self.path, key, write))

    def add(self, key: str, path: Path) -> Path:
        """Note a file that `store` has written, perhaps in another process."""
        self._names[key] = path.name
        self._used.add(path.name)
        return path

    def prune(self) -> None:
        """Remove what no curation has used for two weeks, and what killed ones left unfinished."""
        limit = time.time() - _UNUSED_SECONDS
        for path in self.path.iterdir():
            if path.is_file() and path.name not in self._used and path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)


def store(folder: Path, key: str, write: Callable[[Path], object]) -> Path:
    """Write a file of a work folder, whole or not at all.

    Args:
        folder: Of all work.
        key: Of the file.
        write: Writes it to the path that it is given.
    """
    partial = folder / f"{key}.{os.getpid()}.partial"
    try:
        write(partial)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        return partial.replace(folder / _name(key, partial))
    finally:
        partial.unlink(missing_ok=True)


def take(source: Path, target: Path) -> None:
    """Put a work file into an artifact: as a second name of the same bytes where that can be done, else as a copy."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def digest_of(path: Path) -> str:
    """The digest of a work file's content, 32 hexadecimal digits of a sha-256, which its name says."""
    return path.name.removesuffix(_ENDING).split("-")[1]


def _name(key: str, path: Path) -> str:
    return f"{key}-{digest_file(path)[:_DIGEST]}{_ENDING}"
