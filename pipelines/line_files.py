"""Line files: what the commands share that turn a file of lines into another: a bar, the output, and its errors."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from components.core.errors import SourceError, StorageError, as_storage_error

_BAR_FROM = 2000  # lines; fewer are done before a bar could be read


def write_lines(lines: Iterable[str], output: Path | None) -> None:
    """Write lines.

    Args:
        lines: ASCII, without their line breaks.
        output: Written whole or not at all; None is standard output.

    Raises:
        StorageError: The output cannot be written.
    """
    if output is None:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    else:
        _write(lines, output)


def refuse_bad_lines(file: Path, problems: Sequence[str], lines: int) -> None:
    """Report bad lines, after all lines have been written.

    Args:
        file: Where they stand.
        problems: What is wrong with each, in order.
        lines: The number of all lines.

    Raises:
        SourceError: There are problems.
    """
    if problems:
        raise SourceError(
            str(file),
            f"{len(problems)} of {lines} lines are bad, the first is {problems[0]}",
            "The other lines are scored; mend the bad ones, which the output flags, and run again",
        )


@contextlib.contextmanager
def bar(lines: int) -> Iterator[Callable[[int], object]]:
    """A bar on standard error for a long file; what is given is called with the number of lines just done."""
    if lines <= _BAR_FROM:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("scoring", total=lines)
        yield lambda count: progress.advance(task, count)


def check_output(output: Path) -> None:
    """Refuse before the work what would only be refused after it."""
    if output.is_dir() or not output.parent.is_dir():
        problem = "is a folder" if output.is_dir() else f"there is no folder {output.parent}"
        raise StorageError(str(output), problem, "Give the path of a file in a folder that exists")


def _write(lines: Iterable[str], output: Path) -> None:
    is_special = output.exists() and not output.is_file()  # a pipe or a device is written to, never replaced
    temporary = output if is_special else output.with_name(f"{output.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="ascii", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        if not is_special:
            temporary.replace(output)
    except OSError as error:
        named = as_storage_error(error, str(output))
        raise named or StorageError(str(output), str(error.strerror), "Choose another place") from None
    finally:
        if not is_special:
            temporary.unlink(missing_ok=True)
