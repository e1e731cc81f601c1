"""Output folders: refused before the work what would only be refused after it, and written whole or not at all."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.core.errors import StorageError


def check_folder(output: Path) -> None:
    """Refuse a folder that is not empty, or that cannot be made.

    Raises:
        StorageError: It says why.
    """
    check_parent(output)
    if output.is_dir() and any(output.iterdir()):
        raise StorageError(str(output), "the folder is not empty", "Give a new or an empty folder")


def check_parent(output: Path) -> None:
    """Refuse a folder that cannot be made.

    Raises:
        StorageError: It says why.
    """
    if output.exists() and not output.is_dir():
        raise StorageError(str(output), "is a file", "Give the path of a folder")
    if not output.parent.is_dir():
        raise StorageError(str(output), f"there is no folder {output.parent}", "Give a folder in one that exists")


@contextlib.contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """The path of a folder to make, which takes the output's place when all went well.

    Args:
        output: New or an empty folder.
    """
    output = output.resolve()
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
        made = Path(scratch) / output.name
        yield made
        if output.is_dir():
            output.rmdir()
        shutil.move(made, output)
