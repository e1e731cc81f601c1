import errno
import io
import sys
from pathlib import Path

import pytest

from pipelines.progress import StepConsole

_LINES = (
    "04:19:12.067 - INFO - Executing task \x1b[96m'curate'\x1b[0m\n",
    "    rows of a step\n",
    " 50%|█████     | 1/2 [00:00<00:00,  7.5it/s]\n",
    "04:19:17.703 - INFO - Task \x1b[96m'curate'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m\n",
    "04:19:17.703 - INFO - Task warm-start cache hit (key=0123456789ab); reusing outputs\n",
    "04:19:18.000 - INFO - Executing task 'train'\n",
    "    FAILED train: StorageError: policy: no space left on the device. Free space there.\n",
    "04:19:19.000 - ERROR - Task 'train' finished with status FAILURE\n",
)


def test_steps_are_told_apart_and_everything_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StepConsole(tmp_path / "logs" / "run.log") as console:
        for line in _LINES:
            sys.stdout.write(line[:10])
            sys.stdout.write(line[10:])

    told = capsys.readouterr().err
    assert "curate: done in" in told
    assert "warm-start: cached" in told
    assert "train: FAILED in" in told
    assert console.failures == [("train", "StorageError: policy: no space left on the device. Free space there.")]
    assert set(console.seconds) == {"curate", "warm-start", "train"}
    log = (tmp_path / "logs" / "run.log").read_text()
    assert "rows of a step" in log
    assert "\x1b" not in log


class FullDisk(io.StringIO):
    """A log file on a disk without space."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, f"No space left on device for {len(text)} characters")


def test_log_that_cannot_be_written_does_not_hide_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StepConsole(tmp_path / "run.log") as console:
        console._stream = FullDisk()
        for line in _LINES:
            sys.stdout.write(line)

    told = capsys.readouterr().err
    assert told.count("going on without the log") == 1
    assert "train: FAILED in" in told
    assert console.failures
