"""What a person sees of a local run: a bar (without a terminal, a line) a step; the whole log goes to a file.

kfp.local prints to standard output; this stands in for it while a pipeline runs. The line formats are
those of KFP 2.17; a line that is not recognised is only logged.
"""

import contextlib
import io
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_STARTED = re.compile(r"Executing task '([^']+)'")
_FINISHED = re.compile(r"Task '([^']+)' finished with status (\w+)")
_CACHED = re.compile(r"Task (\S+) cache hit")
_FAILED = re.compile(r"^\s*FAILED ([\w-]+): (.*)")
_STEP_OF = re.compile(r"\s(\d+)/(\d+) \[")


@contextlib.contextmanager
def _logging_to(stream: io.TextIOBase) -> Iterator[None]:
    """KFP tells of a cache hit by the root logger alone, which shows nothing below a warning by itself."""
    root, handler = logging.getLogger(), logging.StreamHandler(stream)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class StepConsole(io.TextIOBase):
    """Standard output of a pipeline run.

    Args:
        log: File for everything that is printed.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.seconds: dict[str, float] = {}
        self.failures: list[tuple[str, str]] = []
        """Step and message of every failure note that was printed."""
        self._line = ""
        self._started = 0.0
        self._task: TaskID | None = None
        self._stream: TextIO | None = None
        self._console = Console(file=sys.stderr, soft_wrap=True)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]:<12}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> "StepConsole":
        """Take the place of standard output."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._exit.enter_context(contextlib.suppress(OSError))
        self._stream = self._exit.enter_context(self.log.open("w", encoding="utf-8"))
        self._exit.enter_context(self._progress)
        self._exit.enter_context(contextlib.redirect_stdout(self))
        self._exit.enter_context(_logging_to(self))
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Give standard output back."""
        self._exit.close()

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Log the text and read the lines that it completes."""
        self._log(_ANSI.sub("", text))
        *lines, self._line = (self._line + _ANSI.sub("", text)).split("\n")
        for line in lines:
            self._read(line)
        return len(text)

    def _log(self, text: str) -> None:
        """A log that cannot be written (a full disk) must not hide what the run itself has to say."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self._stream = None
            self._console.print(f"{self.log}: {error.strerror}; going on without the log", highlight=False)

    def _read(self, line: str) -> None:
        if failed := _FAILED.search(line):
            self.failures.append((failed[1], failed[2]))
        if started := _STARTED.search(line):
            self._started = time.monotonic()
            self._task = self._progress.add_task(started[1], total=None, note="")
        elif finished := _FINISHED.search(line):
            self._finish(finished[1], "done" if finished[2] == "SUCCESS" else "FAILED")
        elif cached := _CACHED.search(line):
            self.seconds[cached[1]] = 0.0
            self._progress.add_task(cached[1], total=1, completed=1, note="cached")
            self._say(cached[1], "cached")
        elif self._task is not None and (step := _STEP_OF.search(line)):
            done, total = int(step[1]), int(step[2])
            self._progress.update(self._task, completed=done, total=total, note=f"{done}/{total}")

    def _finish(self, name: str, note: str) -> None:
        if self._task is not None:
            self.seconds[name] = time.monotonic() - self._started
            self._progress.update(self._task, total=1, completed=1, note=note)
            self._progress.stop_task(self._task)
            self._task = None
            self._say(name, f"{note} in {self.seconds[name]:.1f} s")

    def _say(self, name: str, note: str) -> None:
        """Where there is no terminal to draw bars on, a line a step."""
        if not self._console.is_terminal:
            self._console.print(f"{name}: {note}", highlight=False)
