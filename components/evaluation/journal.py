"""Journal: responses on disk as they come, so that a killed evaluation goes on where it was.

A file for each policy, benchmark and version; a line for each response, under the digest of all that decided it. Only
answers are kept: what went wrong with a question (a broken image, a memory that was full) is tried again.
"""

import errno
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from components.core.errors import StorageError, as_storage_error
from components.evaluation.response import Response

_log = logging.getLogger(__name__)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
_KEPT = ("text", "prompt_tokens", "length_tokens", "truncated", "flags")


def request_digest(settings: Mapping[str, Any], question: str, prompt: str, images: Sequence[str]) -> str:
    """The key of a request.

    Args:
        settings: All that decides a response beside the question: policy, benchmark, version, how it is generated;
            JSON values.
        question: Id.
        prompt: As sent.
        images: Digests of the encoded images, in order.

    Returns:
        sha-256, 64 hexadecimal digits.
    """
    content = json.dumps([settings, question, prompt, list(images)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def journal_path(folder: Path, policy: str, benchmark: str, version: float) -> Path:
    """Where the responses of a policy to a benchmark lie.

    Args:
        folder: Of all journals.
        policy: Fingerprint.
        benchmark: Name.
        version: Of its prompts and marking.
    """
    return folder / policy / f"{quote(benchmark, safe='')}-{version}.jsonl"


class Journal:
    """The responses of one policy to one benchmark; a context manager that holds the file's lock.

    A last line without its line break was cut by a kill and is dropped. A line that is not readable is named in the
    log and in `unreadable`, and its question is asked again.

    Args:
        path: The file; it and its folder are made if need be.

    Raises:
        StorageError: Another process has it open, or it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unreadable: list[int] = []
        """Numbers, from 1, of lines that are no record of a response."""
        self._lines: dict[str, dict[str, Any]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b")
        except OSError as error:
            raise self._storage_error(error) from error
        try:
            self._lock()
            self._read()
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> "Journal":
        """Nothing is left to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, which gives its lock free."""
        self._stream.close()

    def __len__(self) -> int:
        """Responses that are kept."""
        return len(self._lines)

    def get(self, key: str, prompt: str) -> Response | None:
        """The response under a key, if there is one.

        Args:
            key: A request's digest.
            prompt: The request's prompt; it is part of the digest and not kept a second time.
        """
        record = self._lines.get(key)
        return None if record is None else Response(prompt=prompt, **{**record, "flags": tuple(record["flags"])})

    def add(self, responses: Iterable[tuple[str, str, Response]]) -> None:
        """Keep responses; they are on the disk when this returns.

        Args:
            responses: Key, question's id and response of each.

        Raises:
            StorageError: They cannot be written.
        """
        lines = []
        for key, question, response in responses:
            values = asdict(response)
            record = {name: values[name] for name in _KEPT}
            lines.append(json.dumps({"key": key, "id": question, **record}) + "\n")
            self._lines[key] = record
        try:
            self._stream.write("".join(lines).encode())
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise self._storage_error(error) from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"journal {self.path}",
                "another process is writing to it",
                "Wait for it or end it, then run again; or give this run a scratch folder of its own",
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise self._storage_error(error) from error
            _log.warning("%s lies on a file system without locks: let no second run write to it", self.path)

    def _read(self) -> None:
        self._stream.seek(0)
        end = 0
        for number, line in enumerate(self._stream, 1):
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                key, record = _parse(line)
            except (ValueError, KeyError, TypeError):
                self.unreadable.append(number)
            else:
                self._lines[key] = record
        self._stream.truncate(end)
        if self.unreadable:
            numbers = ", ".join(map(str, self.unreadable[:10])) + (" …" if len(self.unreadable) > 10 else "")
            _log.warning("%s: not readable, their questions are asked again: lines %s", self.path, numbers)

    def _storage_error(self, error: OSError) -> StorageError:
        named = as_storage_error(error, str(self.path))
        return named or StorageError(f"journal {self.path}", str(error), "Choose another scratch folder")


def _parse(line: bytes) -> tuple[str, dict[str, Any]]:
    values = json.loads(line)
    record = {name: values[name] for name in _KEPT}
    kinds = {"text": str, "prompt_tokens": int, "length_tokens": int, "truncated": bool, "flags": list}
    wrong = [name for name, kind in kinds.items() if type(record[name]) is not kind]
    if wrong or not isinstance(values["key"], str):
        raise ValueError(f"{', '.join(wrong) or 'key'}: of a wrong type")
    return values["key"], record
