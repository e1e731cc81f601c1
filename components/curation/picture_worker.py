"""The process in which pictures are decoded: it may be killed by what it is given, and whoever asks goes on.

Reads batches from standard input and answers each picture on standard output, in order, once the batch is read whole;
so neither side waits for the other's pipe, and the first picture without an answer is the one that killed it. Ends
when its input does. Address space is limited by the kernel, and so is time: an alarm that nobody handles ends the
process whatever a decoder does, by SIGPROF after processor seconds and by SIGALRM after seconds on the clock.

    python -m components.curation.picture_worker SETTINGS

SETTINGS is JSON: limits (fields of picture_decoding.Limits), seconds, memory_mb, and decoder: "module:function", which
takes the bytes and the limits as `picture_decoding.decode` does.

Batch:  count (u32), then for each picture its length (u32) and bytes.
Answer: length of the head (u32), length of the look (u32), length of the data (u32), head, look, data. The head is
JSON: {"pixels", "flags", "changed"} or {"reason", "evidence"}. Nothing is unpickled: a worker that hostile bytes have
taken over can answer wrongly, and do no more.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import struct
import sys
import warnings
from collections.abc import Callable
from typing import IO, Any

from PIL import Image

from components.curation.candidate import Rejection
from components.curation.picture_decoding import Limits, Picture

NUMBER = struct.Struct("<I")
ANSWER = struct.Struct("<III")
READY = b"\x01"
PATIENCE = 5
"""Seconds on the clock for each of processor time: a busy machine is no fault of a picture."""

Decoder = Callable[[bytes, Limits], Picture]


def main(settings: str) -> None:
    """Serve until standard input ends."""
    values = json.loads(settings)
    module, _, name = values["decoder"].partition(":")
    decoder: Decoder = getattr(importlib.import_module(module), name)
    limits = Limits(**values["limits"])
    _confine(values["memory_mb"])
    requests, answers = sys.stdin.buffer, _answers()
    answers.write(READY)
    answers.flush()
    while head := requests.read(NUMBER.size):
        for data in [_read(requests) for _ in range(NUMBER.unpack(head)[0])]:
            answers.write(_answer(data, decoder, limits, values["seconds"]))
            answers.flush()


def _answers() -> IO[bytes]:
    """Where answers go; what a decoder prints goes elsewhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read(requests: IO[bytes]) -> bytes:
    return requests.read(NUMBER.unpack(requests.read(NUMBER.size))[0])


def _confine(memory_mb: int) -> None:
    for number in (signal.SIGPROF, signal.SIGALRM):  # whoever started us may have ignored or blocked them
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF, signal.SIGALRM})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with its input
    with contextlib.suppress(ValueError, OSError):  # macOS has no limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = None  # our own limit is looked at before anything is decoded
    warnings.simplefilter("ignore")
    os.environ.clear()  # nothing here is for a decoder to know


def _answer(data: bytes, decoder: Decoder, limits: Limits, seconds: float) -> bytes:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
    try:
        picture = decoder(data, limits)
    except Rejection as rejection:
        return _packed({"reason": rejection.reason, "evidence": rejection.evidence})
    except MemoryError:
        return _packed({"reason": "image exceeds the memory limit", "evidence": f"{len(data)} bytes"})
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    head = {"pixels": picture.pixels, "flags": picture.flags, "changed": picture.data is not None}
    return _packed(head, picture.look, picture.data or b"")


def _packed(head: dict[str, Any], look: bytes = b"", data: bytes = b"") -> bytes:
    encoded = json.dumps(head).encode()
    return ANSWER.pack(len(encoded), len(look), len(data)) + encoded + look + data


if __name__ == "__main__":
    main(sys.argv[1])
