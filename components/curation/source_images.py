"""Source images: the bytes that a row's image values stand for.

An image is given as bytes, as the hub's mapping of bytes and path, as a data URI, or as a path inside the folder or
the archive that the source names. No path is followed out of it, and no address that a row gives is fetched.
"""

import base64
import binascii
import re
import stat
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from components.curation.archives import Archive, ArchiveLimits, is_archive, open_archive, safe_name
from components.curation.candidate import Rejection
from components.curation.source_files import file_system, is_local, one_file, reach

_DATA_URI = re.compile(r"data:[\w/+.;=-]*,", re.IGNORECASE)
_SHOWN = 200


class ImageRoot(Protocol):
    """What image paths are relative to."""

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            Rejection: There is none, or it lies outside, or is too large.
            SourceError: The root is out of reach.
        """


def image_root(address: str, limits: ArchiveLimits) -> ImageRoot:
    """The folder or the archive at an address; it is opened when it is first needed."""
    if is_archive(address):
        return _LazyArchive(lambda: open_archive(one_file(address), limits))
    return FolderImages(address, limits)


def load_images(value: Any, root: ImageRoot) -> list[bytes]:
    """The encoded images of a row's value, in order; none where it has none.

    Args:
        value: One image or a list of them.
        root: Where paths lead.

    Raises:
        Rejection: One of them is missing, outside the root, or no image value at all.
        SourceError: The root is out of reach.
    """
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [image for item in value if item is not None for image in load_images(item, root)]
    if isinstance(value, bytes):
        if not value:
            raise Rejection("image missing", "0 bytes")
        return [value]
    if isinstance(value, dict) and ("bytes" in value or "path" in value):
        return load_images(value.get("bytes") or value.get("path") or b"", root)
    if isinstance(value, str):
        return [_from_text(value, root)]
    raise Rejection("mis-declared type", f"an image is a {type(value).__name__}")


def decode_base64(text: str) -> bytes:
    """The bytes of an image written as base64, with or without the head of a data URI.

    Raises:
        Rejection: It is none.
    """
    body = text.split(",", 1)[1] if _DATA_URI.match(text) else text
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejection("image missing", f"not base64 ({error}): {text[:40]!r}") from None


class FolderImages:
    """Images in a folder, of this machine or of an object store."""

    def __init__(self, address: str, limits: ArchiveLimits) -> None:
        self._address, self._limits = address, limits

    @cached_property
    def _place(self) -> tuple[Any, str]:
        system, path = file_system(self._address)
        return (None, str(Path(path).resolve())) if is_local(system) else (system, path.rstrip("/"))

    def read(self, name: str) -> bytes:
        """See `ImageRoot`."""
        system, root = self._place
        plain = safe_name(name.removeprefix(f"{root}/") if system is None else name)
        if plain is None:
            raise Rejection("unsafe path", f"{name[:_SHOWN]!r} leads out of {self._address}")
        return self._read_local(Path(root), plain) if system is None else self._read_remote(system, root, plain)

    def _read_local(self, root: Path, name: str) -> bytes:
        try:
            path = (root / name).resolve(strict=True)
            if not path.is_relative_to(root):
                raise Rejection("unsafe path", f"{name[:_SHOWN]!r} is a link out of {self._address}")
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise Rejection("not a regular file", name[:_SHOWN])
            self._check_size(name, status.st_size)
            return path.read_bytes()
        except (OSError, ValueError, RuntimeError):  # not there, no name of a file, or links in a circle
            raise Rejection("image missing", name[:_SHOWN]) from None

    def _read_remote(self, system: Any, root: str, name: str) -> bytes:
        path = f"{root}/{name}"
        try:
            size = system.size(path)
        except FileNotFoundError:
            raise Rejection("image missing", name[:_SHOWN]) from None
        except Exception:  # every store has errors of its own: the next line names them
            size = reach(f"{self._address}/{name}", lambda: system.size(path))
        self._check_size(name, int(size or 0))
        return reach(f"{self._address}/{name}", lambda: bytes(system.cat_file(path)))

    def _check_size(self, name: str, size: int) -> None:
        if size > self._limits.max_member_bytes:
            allowed = f"{self._limits.max_member_bytes} are allowed"
            raise Rejection("file too large", f"{name[:_SHOWN]} has {size} bytes, {allowed}")


class NoRoot:
    """A source whose images are all inside its rows."""

    def read(self, name: str) -> bytes:
        """See `ImageRoot`."""
        raise Rejection("image missing", f"{name[:_SHOWN]!r} is a path, and the source names no image_root")


class _LazyArchive:
    def __init__(self, open_: Callable[[], Archive]) -> None:
        self._open = open_

    @cached_property
    def _archive(self) -> Archive:
        return self._open()

    def read(self, name: str) -> bytes:
        return self._archive.read(name)


def _from_text(text: str, root: ImageRoot) -> bytes:
    if _DATA_URI.match(text):
        return decode_base64(text)
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() != "file":
        raise Rejection("image missing", f"{text[:_SHOWN]!r} is an address: fetch the images and name their image_root")
    if not text.strip():
        raise Rejection("image missing", "an empty path")
    return root.read(rest.lstrip("/") if separator else text)
