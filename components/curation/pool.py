"""Pool: processes that work on one task at a time, of which one may die without harm to the others.

A pool of the standard library breaks with its first dead process. Here the death costs the task at hand alone, and the
process leaves word of where in its task it was, so that the row that killed it can be named.
"""

import contextlib
import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

from components.core.errors import HarmoError

Task = TypeVar("Task")

_PRELOADED = ["pyarrow.parquet", "PIL.Image", "numpy", "components.curation.engine"]
_CLOSING_SECONDS = 5.0


class WorkerError(HarmoError):
    """A worker process died again and again."""


class Progress:
    """Where a worker is in its task, in memory that outlives it.

    Args:
        cells: Two shared integers.
    """

    def __init__(self, cells: Any) -> None:
        self._cells = cells

    def at(self, row: int, step: int) -> None:
        """Leave word.

        Args:
            row: Number of the row in the task.
            step: Number of the step that the row is in.
        """
        self._cells[0], self._cells[1] = row, step


@dataclass(frozen=True)
class Death:
    """How a worker died."""

    row: int
    """Of its task, where it was; -1 before the first one."""
    step: int
    exit_code: int | None
    """Negative for a signal."""

    def __str__(self) -> str:
        code = self.exit_code
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"


class WorkerPool:
    """A context manager; processes start when there is something to do.

    Args:
        work: Does a task; importable, as other processes call it. A HarmoError or OSError of its own ends the run.
        workers: Processes.
    """

    def __init__(self, work: Callable[[Any, Progress], Any], workers: int) -> None:
        self._work, self._limit = work, workers
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, Any] = {}

    def __enter__(self) -> "WorkerPool":
        """Nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; those at work are not waited for."""
        for worker in (*self._idle, *self._busy):
            worker.close()
        self._idle, self._busy = [], {}

    def run(self, tasks: Iterable[Task], died: Callable[[Task, Death], Task]) -> Iterator[tuple[Task, Any]]:
        """Do tasks, as many at a time as there are workers; the next one is drawn when a worker is free.

        Args:
            tasks: What to do. When drawing one fails, those at work are finished first.
            died: Says what to do instead of a task that a worker died over, or raises.

        Yields:
            Task and result, in the order in which they are done.

        Raises:
            Exception: Drawing a task, `died` or a task's work failed.
        """
        queue = _Queue(tasks)
        while True:
            while len(self._busy) < self._limit and (task := queue.next()) is not None:
                self._start(task)
            if not self._busy:
                break
            for task, outcome in self._finished():
                if isinstance(outcome, Death):
                    queue.put_back(task, outcome, died)
                elif isinstance(outcome, Exception):
                    queue.fail(outcome)
                else:
                    yield task, outcome
        queue.check()

    def _start(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._context, self._work)
        if not worker.give(task):  # it died while it had nothing to do
            worker.close()
            worker = _Worker(self._context, self._work)
            worker.give(task)
        self._busy[worker] = task

    def _finished(self) -> Iterator[tuple[Task, Any]]:
        waited: dict[Any, _Worker] = {}
        for worker in self._busy:
            waited[worker.connection] = waited[worker.sentinel] = worker
        for worker in dict.fromkeys(waited[item] for item in wait(list(waited))):
            outcome = worker.take()
            task = self._busy.pop(worker)
            if isinstance(outcome, Death):
                worker.close()
            else:
                self._idle.append(worker)
            yield task, outcome


class _Queue(Generic[Task]):
    """Tasks that are still to be done; none is given out any more behind the first failure."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._drawn, self._again = iter(tasks), deque[Task]()
        self._failure: Exception | None = None

    def next(self) -> Task | None:
        """The next task; None where there is none for now."""
        if self._failure is not None:
            return None
        if self._again:
            return self._again.popleft()
        try:
            return next(self._drawn, None)
        except Exception as error:  # raised by `check`, when what is under way has been kept
            self.fail(error)
            return None

    def put_back(self, task: Task, death: Death, died: Callable[[Task, Death], Task]) -> None:
        """Have something done instead of a task that a worker died over."""
        try:
            self._again.append(died(task, death))
        except HarmoError as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Note why the run fails; the first reason counts."""
        self._failure = self._failure or error

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self._failure is not None:
            raise self._failure


class _Worker:
    """One process, its pipe and its progress."""

    def __init__(self, context: Any, work: Callable[[Any, Progress], Any]) -> None:
        self._cells = context.RawArray("q", 2)
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._cells, work))
        self._process.start()
        theirs.close()

    @property
    def sentinel(self) -> int:
        """Ready when the process has ended."""
        return int(self._process.sentinel)

    def give(self, task: Any) -> bool:
        """Hand over a task; False where the process is dead."""
        self._cells[0] = self._cells[1] = -1
        try:
            self.connection.send(task)
        except (BrokenPipeError, ConnectionResetError):
            # Without a task it cannot have died over one; with a part of it, it did.
            return self._process.exitcode is None
        return True

    def take(self) -> Any:
        """The result of the task, the exception that it raised, or how the process died."""
        try:
            if self.connection.poll() or self._process.exitcode is None:
                return self.connection.recv()
        except (EOFError, ConnectionResetError):
            pass
        self._process.join()
        return Death(self._cells[0], self._cells[1], self._process.exitcode)

    def close(self) -> None:
        """End the process: at once where it is at work, else by the end of its pipe."""
        self.connection.close()
        self._process.terminate()
        self._process.join(_CLOSING_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, cells: Any, work: Callable[[Any, Progress], Any]) -> None:
    """What a worker does until its pipe ends, which it does too when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    progress = Progress(cells)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = connection.recv()
            try:
                answer = work(task, progress)
            except (HarmoError, OSError) as error:
                answer = error
            except Exception:  # a fault of ours: its trace has to cross over as text
                answer = RuntimeError(traceback.format_exc())
            connection.send(answer)
