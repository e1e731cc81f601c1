"""Archives: files out of zips and tars that nobody vouches for.

Nothing is unpacked under a name that an archive gives: members are read where they lie, so no name can lead out of a
folder. Names that would, links, devices and members that unpack to more than the limits cost the row that asks for
them; an archive that is a bomb as a whole, or that is cut off, is one error.
"""

import bz2
import gzip
import lzma
import os
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from pydantic import Field

from components.core.config import Config
from components.core.errors import SourceError
from components.curation.candidate import Rejection
from components.curation.source_files import SourceFile

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_RATIO_FROM = 16 * 2**20  # bytes; less does no harm, and a white picture may be packed a thousandfold
_CHUNK = 2**20
_SHOWN = 200
_REMEDY = "Fetch or pack the archive again"


class ArchiveLimits(Config):
    """What an archive or a file of an image may unpack to."""

    max_member_bytes: int = Field(default=128 * 2**20, ge=1)
    """Largest member or image file; a larger one costs its row."""
    max_total_bytes: int = Field(default=2 * 2**40, ge=1)
    """Largest sum over an archive's members; a larger archive is refused."""
    max_ratio: float = Field(default=200.0, ge=1)
    """Unpacked bytes a packed byte, of members and of the whole; counts beyond 16 MiB unpacked."""


class Archive(Protocol):
    """An archive that was found readable."""

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Args:
            name: As rows give it, relative to the archive's root or to a folder that holds all of it.

        Raises:
            Rejection: There is none of that name, or it is unsafe, too large, or damaged.
            SourceError: The archive is out of reach.
        """


def is_archive(path: str) -> bool:
    """Whether a path has the ending of an archive."""
    return path.lower().endswith(ARCHIVES)


def open_archive(file: SourceFile, limits: ArchiveLimits) -> Archive:
    """Open an archive and look at its table of contents.

    Raises:
        SourceError: It is no archive, is cut off, or unpacks to more than the limits allow.
    """
    return ZipArchive(file, limits) if file.path.lower().endswith(".zip") else TarArchive(file, limits)


def safe_name(name: str) -> str | None:
    """A path inside a folder or an archive in its plain form; None where it leads out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    is_absolute = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None
    if is_absolute or not parts or ".." in parts or "\0" in name:
        return None
    return "/".join(parts)


class ZipArchive:
    """A zip, read member by member."""

    def __init__(self, file: SourceFile, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits
        try:
            self._zip = zipfile.ZipFile(file.open())
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise SourceError(file.address, f"not a whole zip ({error})", _REMEDY) from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        _check_whole(file, limits, sum(info.file_size for info in infos), file.size)
        self._members = {name: info for info in infos if (name := safe_name(info.filename)) is not None}
        self._folders = shared_folders(self._members)

    def read(self, name: str) -> bytes:
        """See `Archive`."""
        info = self._members[_find(name, self._members, self._folders)]
        where = f"{name[:_SHOWN]} of {self._file.name}"
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Rejection("not a regular file", f"{where} is a link")
        _check_member(where, self._limits, info.file_size, info.compress_size)
        try:
            with self._zip.open(info) as stream:
                return _read_bounded(stream, where, self._limits)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
            raise Rejection("archive member damaged", f"{where} ({error})") from None
        except (RuntimeError, NotImplementedError) as error:  # a password, or a compression that Python does not know
            raise Rejection("archive member unreadable", f"{where} ({error})") from None
        except OSError as error:
            raise SourceError(
                self._file.address, f"cannot be read ({error})", "Check the disk or the network"
            ) from error


@dataclass(frozen=True)
class TarMember:
    """A member of a tar."""

    name: str
    """As the archive gives it."""
    start: int
    """Where its bytes begin in the unpacked tar."""
    size: int
    is_file: bool
    """False of links, devices and sparse files; folders are left out altogether."""


class TarArchive:
    """A tar, read member by member; a packed one is unpacked into an unnamed temporary file first."""

    def __init__(self, file: SourceFile, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits
        self._stream = plain_tar(file, limits)
        self._members: dict[str, TarMember] = {}
        total = 0
        for member in tar_members(self._stream, file.address):
            total += member.size
            _check_total(file, limits, total)
            name = safe_name(member.name)
            if name is not None:
                self._members[name] = member
        self._folders = shared_folders(self._members)

    def read(self, name: str) -> bytes:
        """See `Archive`."""
        member = self._members[_find(name, self._members, self._folders)]
        return read_member(self._stream, member, self._file, self._limits)


def read_member(stream: IO[bytes], member: TarMember, file: SourceFile, limits: ArchiveLimits) -> bytes:
    """The bytes of a tar's member.

    Raises:
        Rejection: It is no regular file, or too large.
        SourceError: The tar ends inside it.
    """
    where = f"{member.name[:_SHOWN]} of {file.name}"
    if not member.is_file:
        raise Rejection("not a regular file", f"{where} is a link or a device")
    _check_member(where, limits, member.size, member.size)
    stream.seek(member.start)
    data = stream.read(member.size)
    if len(data) < member.size:
        raise SourceError(file.address, f"the archive ends inside {member.name}", _REMEDY)
    return data


def tar_members(stream: IO[bytes], address: str) -> Iterator[TarMember]:
    """The members of an unpacked tar, in order; the stream may be moved between two of them.

    Raises:
        SourceError: It is no tar, or ends without its end mark: what came before that was whole.
    """
    watched = _LastRead(stream)
    number = 0
    try:
        # The stream is closed by its owner.
        tar: Any = tarfile.open(fileobj=cast("IO[bytes]", watched), mode="r:")  # noqa: SIM115
        while (info := tar.next()) is not None:
            tar.members.clear()  # or it would remember all
            number += 1
            if not info.isdir():
                plain = info.isreg() and not info.issparse()
                yield TarMember(info.name, info.offset_data, info.size if plain else 0, plain)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise SourceError(f"{address}, member {number}", f"not a whole tar ({error})", _REMEDY) from error
    # tarfile takes a broken or missing header for the end; the true end is a block of zeros.
    if watched.last.strip(b"\0") or len(watched.last) < tarfile.BLOCKSIZE:
        raise SourceError(f"{address}, behind member {number}", "the tar is cut off or damaged there", _REMEDY)


def plain_tar(file: SourceFile, limits: ArchiveLimits) -> IO[bytes]:
    """The bytes of a tar, unpacked: what a packed one that is cut off has until there.

    Raises:
        SourceError: It is not packed as its ending says, or unpacks to more than the limits allow.
    """
    path = file.path.lower()
    stream = file.open()
    if path.endswith(".tar"):
        return stream
    unpacked = _unpacker(path, stream)
    # Deleted when it is closed, even by a kill; a packed tar cannot be read from the middle.
    plain = tempfile.TemporaryFile()  # noqa: SIM115
    total = 0
    try:
        while chunk := unpacked.read1(_CHUNK):  # and no more than is there, since the next bytes may be missing
            total += len(chunk)
            _check_whole(file, limits, total, file.size)
            plain.write(chunk)
    except EOFError:  # cut off, upon which whoever reads the members comes
        plain.flush()
    except (OSError, zlib.error, lzma.LZMAError) as error:
        if not total:
            raise SourceError(file.address, f"not packed as its name says ({error})", _REMEDY) from error
    plain.seek(0)
    return plain


def _unpacker(path: str, stream: IO[bytes]) -> bz2.BZ2File | lzma.LZMAFile | gzip.GzipFile:
    if path.endswith(".bz2"):
        return bz2.BZ2File(stream)
    return lzma.LZMAFile(stream) if path.endswith(".xz") else gzip.GzipFile(fileobj=stream)


def shared_folders(names: Iterable[str]) -> tuple[str, ...]:
    """The folders that all names lie in, outermost first; "" before them.

    Rows give paths relative to any of them: archives are often packed with the folders of whoever packed them.
    """
    shared: list[str] | None = None
    for name in names:
        folders = name.split("/")[:-1]
        if shared is None:
            shared = folders
        while shared and folders[: len(shared)] != shared:
            shared.pop()
        if not shared:
            break
    shared = shared or []
    return ("", *("/".join(shared[: depth + 1]) for depth in range(len(shared))))


def _find(name: str, members: Iterable[str], folders: Iterable[str]) -> str:
    """The member that a row means."""
    plain = safe_name(name)
    if plain is None:
        raise Rejection("unsafe path", f"{name[:_SHOWN]!r} leads out of the archive")
    for folder in folders:
        full = f"{folder}/{plain}" if folder else plain
        if full in members:
            return full
    raise Rejection("image missing", name[:_SHOWN])


def _check_member(where: str, limits: ArchiveLimits, size: int, packed: int) -> None:
    if size > limits.max_member_bytes:
        raise Rejection("file too large", f"{where} has {size} bytes, {limits.max_member_bytes} are allowed")
    if size > _RATIO_FROM and size > limits.max_ratio * max(packed, 1):
        raise Rejection("decompression bomb", f"{where} unpacks {packed} bytes to {size}")


def _check_whole(file: SourceFile, limits: ArchiveLimits, total: int, packed: int) -> None:
    _check_total(file, limits, total)
    if packed and total > _RATIO_FROM and total > limits.max_ratio * packed:  # a store may not say how large it is
        problem = f"a decompression bomb: {packed} bytes unpack to {total} or more"
        raise SourceError(file.address, problem, "Do not use it, or raise the source's archive.max_ratio")


def _check_total(file: SourceFile, limits: ArchiveLimits, total: int) -> None:
    if total > limits.max_total_bytes:
        problem = f"unpacks to {total} bytes or more, {limits.max_total_bytes} are allowed"
        raise SourceError(file.address, problem, "Raise the source's archive.max_total_bytes if it can be trusted")


def _read_bounded(stream: IO[bytes], where: str, limits: ArchiveLimits) -> bytes:
    """All of a stream, whatever its size is said to be."""
    data = stream.read(limits.max_member_bytes + 1)
    if len(data) > limits.max_member_bytes:
        raise Rejection("decompression bomb", f"{where} unpacks to more than {limits.max_member_bytes} bytes")
    return data


class _LastRead:
    """A stream that remembers what was read last."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        self.last = self._stream.read(size)
        return self.last

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
