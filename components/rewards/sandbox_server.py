"""The sandbox's own process: a pool of killable workers that compare expressions by computer algebra.

Reads one JSON request a line from standard input, writes one JSON reply a line to standard output, and ends when its
input does. It is a process of its own, so that workers are forked from something small and clean: no model, no GPU,
no threads of the trainer, no secrets of its environment, and neither the trainer's threads nor its way of starting
processes matter. pebble's pool kills a worker that exceeds its time and puts a new one in its place.

    python -m components.rewards.sandbox_server WORKERS SECONDS MEMORY_MB
"""

import contextlib
import json
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pebble import CONSTS, ProcessExpired, ProcessPool

from components.rewards.algebra import FAILED, MEMORY_LIMIT, NOT_READ, TIME_LIMIT, compare_latex

_POLL_SECONDS = 0.01  # how often pebble looks for tasks that are over their time
_TASKS_A_WORKER = 2000  # a worker is renewed after so many, since computer algebra keeps caches
_MIB = 2**20


def main(workers: int, seconds: float, memory_mb: int) -> None:
    """Serve until standard input ends."""
    CONSTS.sleep_unit = _POLL_SECONDS
    CONSTS.term_timeout = _POLL_SECONDS  # seconds between asking a worker to end and killing it
    # A new worker is forked while this thread reads: it must not find these streams, whose locks are held.
    requests, sys.stdin, sys.stdout = sys.stdin, None, None
    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that its own time limits are off
    _warm_up()
    replies = _Replies()
    pool = ProcessPool(workers, _TASKS_A_WORKER, _limit, (memory_mb * _MIB,), multiprocessing.get_context("fork"))
    replies.write({"ready": True})
    for line in requests:
        request = json.loads(line)
        arguments = (request["target"], request["gold"], request["precision"])
        pool.schedule(_compare, arguments, timeout=seconds).add_done_callback(replies.to(request["id"]))
    pool.stop()  # type: ignore[no-untyped-call]  # pebble has types in part
    pool.join(1)


class _Replies:
    """Writes replies, one at a time: the pool finishes tasks on threads of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write(self, reply: dict[str, Any]) -> None:
        """Write one line to the standard output."""
        line = json.dumps(reply).encode() + b"\n"
        with self._lock:
            os.write(1, line)  # shorter than a pipe's buffer, so written whole

    def to(self, number: int) -> "Callable[[Future[dict[str, Any]]], None]":
        """What writes the reply to a request when its future is done."""
        return lambda future: self.write({"id": number, **_outcome(future)})


def _outcome(future: "Future[dict[str, Any]]") -> dict[str, Any]:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TimeoutError):
        return {"correct": None, "reason": "computer algebra took longer than its limit", "flag": TIME_LIMIT}
    reason = "the worker died" if isinstance(error, ProcessExpired) else type(error).__name__
    return {"correct": None, "reason": reason, "flag": FAILED}


def _compare(target: str, gold: str, precision: int | None) -> dict[str, Any]:
    try:
        correct = compare_latex(target, gold, precision)
    except MemoryError:
        return {"correct": None, "reason": "computer algebra needs more memory than its limit", "flag": MEMORY_LIMIT}
    except Exception as error:  # sympy and its parser raise many kinds on text that they cannot handle
        return {"correct": None, "reason": f"computer algebra failed with {type(error).__name__}", "flag": FAILED}
    return {"correct": correct, "reason": NOT_READ if correct is None else "", "flag": ""}


def _limit(memory: int) -> None:
    """Runs in each new worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):  # macOS has no limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_WARM_UP = (
    (r"\frac{x}{2}+\sqrt{2}", r"\sqrt{2}+\frac{x}{2}"),
    ("(x+1)^2", "x^2+2x+2"),
    (r"\sin(2x)", r"2\sin(x)\cos(x)"),
    (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}"),
    (r"(-\infty,1)\cup(2,3]", "x<1"),
    (r"\{1,2\}", "x^2=4"),
    ("y=2x+1", "x=3y"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)"),
)


def _warm_up() -> None:
    """Load and fill what every worker needs, so that a new one is ready when it is forked."""
    for target, gold in _WARM_UP:
        _compare(target, gold, None)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
