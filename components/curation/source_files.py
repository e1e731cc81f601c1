"""Source files: where a source's bytes lie, on this machine or in an object store, and what they are known by.

Addresses are paths, or what fsspec understands (s3://bucket/key, gs://bucket/key, memory://key). Credentials are found
as each store's client finds them: its environment variables, its files, the machine's own role.
"""

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from components.core.artifact import digest_file
from components.core.errors import SourceError

Result = TypeVar("Result")

_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs",
    "oss": "ossfs", "hf": "huggingface_hub",
}  # fmt: skip
_CONTENT_KEYS = ("ETag", "etag", "md5Hash", "content_md5", "crc32c", "checksum", "sha256", "generation", "VersionId")
"""Where stores say what version of an object they hold."""
_CHUNK = 2**20


@dataclass(frozen=True)
class SourceFile:
    """A file of a source."""

    system: Any
    """The fsspec file system that holds it."""
    path: str
    """In that system's form."""
    address: str
    """As messages show it."""
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        """Without its folders."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        """The address of what it lies in."""
        return self.address.rsplit("/", 1)[0] if "/" in self.address else "."

    @property
    def is_local(self) -> bool:
        """Whether it lies on this machine's disks."""
        return is_local(self.system)

    def open(self) -> IO[bytes]:
        """A stream of its bytes from the beginning, which can be moved.

        Raises:
            SourceError: It is out of reach.
        """
        stream: Any = reach(self.address, lambda: self.system.open(self.path, "rb"))
        # The files of object stores cannot read a line of bounded length.
        return cast("IO[bytes]", stream if self.is_local else io.BufferedReader(stream, _CHUNK))

    def fingerprint(self) -> str:
        """sha-256 of its bytes; of what an object store says of its content, where it says so.

        Raises:
            SourceError: It is out of reach.
        """
        if self.is_local:
            return reach(self.address, lambda: digest_file(Path(self.path)))
        info = reach(self.address, lambda: self.system.info(self.path))
        known = [f"{key}={info[key]}" for key in _CONTENT_KEYS if info.get(key)]
        if known:
            return hashlib.sha256(f"{self.size} {' '.join(known)}".encode()).hexdigest()
        return reach(self.address, self._digest)

    def _digest(self) -> str:
        digest = hashlib.sha256()
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


def reach(address: str, action: Callable[[], Result]) -> Result:
    """Do something in a file system.

    Raises:
        SourceError: It fails, whatever the store's client makes of that.
    """
    try:
        return action()
    except SourceError:
        raise
    # Each store's client has errors of its own, which cannot be named where it is not installed.
    except Exception as error:
        raise SourceError(address, _first_line(error), "Check the address, the credentials and the network") from error


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the address in its form.

    Raises:
        SourceError: The store is not known, or its package is not installed.
    """
    from fsspec.core import url_to_fs

    scheme = address.partition("://")[0] if "://" in address else "file"
    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        remedy = f"Install it (pip install {package})" if package else "Install what the message names"
        raise SourceError(address, f"a package is missing ({_first_line(error)})", remedy) from error
    except ValueError as error:
        remedy = "Use a path, or s3://, gs:// or another address that fsspec knows"
        raise SourceError(address, f"an unknown kind of address ({_first_line(error)})", remedy) from error
    return system, str(path)


def one_file(address: str) -> SourceFile:
    """The file at an address.

    Raises:
        SourceError: There is none.
    """
    system, path = file_system(address)
    info = reach(address, lambda: system.info(path) if system.isfile(path) else None)
    if info is None:
        raise SourceError(address, "no such file", "Correct the source's path in the recipe")
    return SourceFile(system, path, address, int(info["size"] or 0))


def find_files(address: str, endings: Sequence[str]) -> list[SourceFile]:
    """The files that an address names, in order of their paths.

    Args:
        address: A file, a folder (all files below it with the endings, hidden ones left out), or a pattern with *, ?
            and **.
        endings: With their dots.

    Raises:
        SourceError: There are none.
    """
    system, path = file_system(address)
    if reach(address, lambda: system.isfile(path)):
        return [one_file(address)]
    found: dict[str, Any]
    if reach(address, lambda: system.isdir(path)):
        listed = reach(address, lambda: system.find(path, detail=True))
        found = {item: info for item, info in listed.items() if _is_wanted(item[len(path) :], endings)}
        problem = f"no file in that folder ends in {', '.join(endings)}"
    elif re.search(r"[*?\[]", path):
        listed = reach(address, lambda: system.glob(path, detail=True))
        found = {
            item: info
            for item, info in listed.items()
            if info["type"] == "file" and _is_wanted(item.rsplit("/", 1)[-1], ("",))
        }
        problem = "no file matches that pattern"
    else:
        raise SourceError(address, "no such file", "Correct the source's path in the recipe")
    if not found:
        raise SourceError(address, problem, "Correct the source's path in the recipe")
    return [
        SourceFile(system, item, _shown(system, item), int(info.get("size") or 0))
        for item, info in sorted(found.items())
    ]


def joint_fingerprint(fingerprints: Sequence[str]) -> str:
    """One fingerprint of several, in order; that of a single one is its own."""
    if len(fingerprints) == 1:
        return fingerprints[0]
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()


def is_local(system: Any) -> bool:
    """Whether a file system is that of this machine's disks."""
    protocols = system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)
    return "file" in protocols


def _is_wanted(path: str, endings: Sequence[str]) -> bool:
    is_hidden = any(part.startswith((".", "_")) for part in path.strip("/").split("/"))
    return path.lower().endswith(tuple(endings)) and not is_hidden


def _shown(system: Any, path: str) -> str:
    return path if is_local(system) else str(system.unstrip_protocol(path))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
