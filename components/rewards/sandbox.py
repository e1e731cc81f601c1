"""Sandbox: computer algebra on text that a model wrote, with hard limits on time and memory.

One helper process with a pool of workers (`sandbox_server`), started when it is first needed and used by all threads
of a process. A worker over its limit is killed and replaced; its item has no verdict and a flag, and the others are
unharmed. After a fork the child starts a helper of its own.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import IO, Any

from pydantic import Field

from components.core.config import Config
from components.core.errors import HarmoError
from components.rewards.algebra import FAILED

_GRACE_SECONDS = 30  # for the helper to start, and beyond an item's own limit before it is given up


def _processors() -> int:
    """How many this process may use; not every system can tell, then those of the machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class VerifierConfig(Config):
    """Limits of the computer algebra behind the rule verifier."""

    seconds: float = Field(default=1.0, gt=0, le=60)
    """Wall time of one comparison, after which its worker is killed; on a quiet machine an honest one takes 0.2 s."""
    memory_mb: int = Field(default=512, ge=384, le=16384)
    """Address space of a worker in MiB, of which 300 are taken before it begins."""


class SandboxConfig(VerifierConfig):
    """How a sandbox works: its limits, and where it runs."""

    workers: int = Field(default_factory=lambda: min(8, _processors()), ge=1, le=64)
    """Processes that compare at the same time; the processors of this process by default, eight at most."""


class VerifierError(HarmoError):
    """The sandbox cannot be started."""


@dataclass(frozen=True)
class Comparison:
    """Two expressions to compare, in LaTeX."""

    target: str
    gold: str
    precision: int | None


@dataclass(frozen=True)
class Outcome:
    """What computer algebra found."""

    correct: bool | None
    reason: str = ""
    """Why there is no verdict."""
    flag: str = ""
    """"time limit", "memory limit" or "verifier failed"; "" where nothing went wrong."""


Algebra = Callable[[Comparison], Outcome]
"""Compares two expressions by computer algebra."""


class Sandbox:
    """Compares expressions in worker processes; may be used by many threads at once.

    Args:
        config: Limits.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self._lock = threading.Lock()
        self._helper: _Helper | None = None

    def compare(self, items: Sequence[Comparison]) -> list[Outcome]:
        """Compare all items, in parallel.

        Args:
            items: Shape (N,).

        Returns:
            One outcome an item, in order. An item whose worker or helper died has no verdict.

        Raises:
            VerifierError: The helper cannot be started.
        """
        helper = self._running()
        futures = [helper.ask(item) for item in items]
        # Each worker handles its share one after the other, each item within its limit.
        patience = self.config.seconds * (len(items) / self.config.workers + 1) + _GRACE_SECONDS
        wait(futures, timeout=patience)
        return [future.result() if future.done() else _SILENT for future in futures]

    def close(self) -> None:
        """End the helper and its workers; the next comparison starts new ones."""
        with self._lock:
            if self._helper:
                self._helper.close()
            self._helper = None

    def forget(self) -> None:
        """Drop the helper without touching it: after a fork it belongs to the parent."""
        self._lock = threading.Lock()
        if self._helper:
            self._helper.let_go()
        self._helper = None

    def _running(self) -> "_Helper":
        with self._lock:
            if self._helper is None or not self._helper.is_alive():
                self._helper = _Helper(self.config)
            return self._helper


_SILENT = Outcome(None, "the sandbox did not answer", FAILED)


class _Helper:
    """The helper process and the thread that reads its replies."""

    def __init__(self, config: SandboxConfig) -> None:
        limits = (str(config.workers), str(config.seconds), str(config.memory_mb))
        command = [sys.executable, "-m", "components.rewards.sandbox_server", *limits]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_clean_environment(),
                start_new_session=True,
                text=True,
            )
        except OSError as error:
            raise _cannot_start(str(error)) from error
        assert self._process.stdin
        assert self._process.stdout
        self._requests: IO[str] = self._process.stdin
        self._replies: IO[str] = self._process.stdout
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Outcome]] = {}
        self._asked = 0
        self._is_over = False
        if not self._replies.readline():
            raise _cannot_start(f"it ended with status {self._process.wait()}")
        threading.Thread(target=self._read, daemon=True, name="harmo-sandbox").start()

    def ask(self, item: Comparison) -> "Future[Outcome]":
        """Send an item; its outcome comes by the future."""
        future: Future[Outcome] = Future()
        with self._lock:
            if self._is_over:
                future.set_result(_died())
                return future
            self._asked += 1
            self._waiting[self._asked] = future
            request = {"id": self._asked, "target": item.target, "gold": item.gold, "precision": item.precision}
            with contextlib.suppress(OSError):  # it died: the reader sees the end of the replies and says so
                self._requests.write(json.dumps(request) + "\n")
                self._requests.flush()
        return future

    def is_alive(self) -> bool:
        """Whether items can be sent."""
        return not self._is_over and self._process.poll() is None

    def close(self) -> None:
        """End the process: it stops when its input ends."""
        with contextlib.suppress(OSError):
            self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        if self._process.poll() is None:
            self._process.kill()

    def let_go(self) -> None:
        """Close this process's ends of the pipes; the helper lives on."""
        for stream in (self._requests, self._replies):
            with contextlib.suppress(OSError):
                os.close(stream.fileno())

    def _read(self) -> None:
        for line in self._replies:
            reply: dict[str, Any] = json.loads(line)
            with self._lock:
                future = self._waiting.pop(reply["id"])
            future.set_result(Outcome(reply["correct"], reply["reason"], reply["flag"]))
        with self._lock:
            self._is_over = True
            left, self._waiting = list(self._waiting.values()), {}
        for future in left:
            future.set_result(_died())


def _died() -> Outcome:
    return Outcome(None, "the sandbox died", FAILED)


def _cannot_start(reason: str) -> VerifierError:
    return VerifierError(
        "the verifier's sandbox", f"its process cannot be started ({reason})", "Allow this process to start others"
    )


def _clean_environment() -> dict[str, str]:
    """What a worker needs and nothing else: no tokens, no keys."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}


@lru_cache(maxsize=16384)
def compare(item: Comparison) -> Outcome:
    """One comparison in this process's sandbox; equal ones are made once, and so are their failures.

    Raises:
        VerifierError: The sandbox cannot be started.
    """
    return current_sandbox().compare([item])[0]


class _Current:
    """The sandbox that this process uses."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(SandboxConfig())


@cache
def _current() -> _Current:
    current = _Current()
    os.register_at_fork(after_in_child=lambda: current.sandbox.forget())
    atexit.register(lambda: current.sandbox.close())
    return current


def current_sandbox() -> Sandbox:
    """The sandbox that verifiers use; made with default limits when it was not set."""
    return _current().sandbox


def set_sandbox(sandbox: Sandbox) -> None:
    """Use another sandbox from now on; the one before is closed."""
    current = _current()
    current.sandbox.close()
    current.sandbox = sandbox
    compare.cache_clear()


def set_limits(limits: VerifierConfig) -> None:
    """Hold this process's sandbox to these limits from now on."""
    config = SandboxConfig(**limits.model_dump())
    if current_sandbox().config != config:
        set_sandbox(Sandbox(config))
