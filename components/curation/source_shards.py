"""Source shards: rows of WebDataset tars, whose members of one name make a row.

The format is webdataset's: the name of a row is a member's path up to the first dot of its last part, what follows is
the ending; members of one row stand together.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import IO, Any

from components.curation.archives import ArchiveLimits, TarMember, plain_tar, read_member, tar_members
from components.curation.candidate import Rejection
from components.curation.source_files import SourceFile
from components.curation.source_parts import Item, Part

_BESIDE = re.compile(r"(.*/)?(\.|__[^/]*__(/|$))")
"""Members that belong to no row: hidden ones, and what webdataset keeps for notes on a shard."""
_IMAGES = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff")


def webdataset_part(file: SourceFile, limits: ArchiveLimits) -> Part:
    """A shard."""
    return Part(read=lambda _: _read(file, limits))


def _read(file: SourceFile, limits: ArchiveLimits) -> Iterator[Item]:
    with plain_tar(file, limits) as stream:
        for key, members in _samples(stream, file):
            yield partial(_sample, stream, key, members, file, limits)


def _samples(stream: IO[bytes], file: SourceFile) -> Iterator[tuple[str, list[tuple[str, TarMember]]]]:
    """Names of rows with their members by ending; a name that begins again is another row."""
    named = (member for member in tar_members(stream, file.address) if not _BESIDE.match(member.name))
    for key, run in groupby(named, key=lambda member: _split(member.name)[0]):
        members: list[tuple[str, TarMember]] = []
        for member in run:
            ending = _split(member.name)[1]
            if any(ending == other for other, _ in members):
                yield key, members
                members = []
            members.append((ending, member))
        yield key, members


def _split(name: str) -> tuple[str, str]:
    folder, slash, last = name.rpartition("/")
    key, _, ending = last.partition(".")
    return f"{folder}{slash}{key}", ending.lower()


def _sample(
    stream: IO[bytes], key: str, members: Sequence[tuple[str, TarMember]], file: SourceFile, limits: ArchiveLimits
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    columns: dict[str, Any] = {"__key__": key}
    images = []
    for ending, member in members:
        data = read_member(stream, member, file, limits)
        last = ending.rsplit(".", 1)[-1]
        if last in _IMAGES:
            images.append({"bytes": data, "path": member.name})
            columns[ending] = images[-1]
        elif last == "json":
            fields |= _json(data, member)
        else:
            columns[ending] = _text(data, member)
    return {**fields, **columns, **({"images": images} if images else {})}


def _json(data: bytes, member: TarMember) -> dict[str, Any]:
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejection("wrong encoding", f"{member.name}: not UTF-8 ({error.reason})") from None
    except (ValueError, RecursionError) as error:
        raise Rejection("not JSON", f"{member.name}: {error}") from None
    if not isinstance(value, dict):
        raise Rejection("not an object", f"{member.name}: a {type(value).__name__}")
    return value


def _text(data: bytes, member: TarMember) -> Any:
    """A text; bytes where it is none, since shards may hold anything."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if member.name.lower().endswith((".txt", ".cls", ".text")):
            raise Rejection("wrong encoding", f"{member.name}: not UTF-8 ({error.reason})") from None
        return data
