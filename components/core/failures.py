"""Failure notes: what a step leaves when it fails, for the exit task to gather.

KFP does not pass a step's error on, neither locally nor on a cluster; locally the note lies beside the
step's outputs, on a cluster it is the end of the step's log.
"""

import contextlib
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from components.core.errors import HarmoError, as_storage_error

_NOTE = "failure.json"


@dataclass(frozen=True)
class FailureNote:
    """Why a step failed."""

    step: str
    error: str
    """Class of the error."""
    message: str
    mendable: bool
    """The user can mend it (a named error), as opposed to a fault of this project."""


@contextlib.contextmanager
def failure_note(step: str, folder: Path) -> Iterator[None]:
    """Run a step; when it fails, leave a note in the folder and on standard error, and fail.

    Args:
        step: The step's name.
        folder: Where the note goes: the folder that holds the step's output folders.

    Raises:
        SystemExit: The step failed; its status is 1.
    """
    try:
        yield
    except Exception as error:  # every failure is noted, and none is swallowed: the process exits with 1
        named = as_storage_error(error, str(folder)) if isinstance(error, OSError) else None
        shown = named or error
        mendable = isinstance(shown, HarmoError)
        if not mendable:
            traceback.print_exc()
        note = FailureNote(step, type(shown).__name__, str(shown), mendable)
        # One line, since whoever reads the log reads it line by line.
        print(f"FAILED {step}: {note.error}: {' '.join(note.message.split())}", file=sys.stderr, flush=True)
        _leave(note, folder)
        sys.exit(1)


def _leave(note: FailureNote, folder: Path) -> None:
    # A full disk may have been the failure itself: then the log has the only copy.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _NOTE).write_text(json.dumps(asdict(note), indent=2, ensure_ascii=False), encoding="utf-8")


def gather_failures(run: Path) -> list[FailureNote]:
    """The notes under a run's folder, in path order."""
    return [FailureNote(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(run.rglob(_NOTE))]
