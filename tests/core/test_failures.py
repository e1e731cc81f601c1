import errno
import pickle
from pathlib import Path

import pytest

from components.core.errors import SourceError, as_storage_error
from components.core.failures import failure_note, gather_failures


def test_named_error_leaves_a_note_and_exits_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info, failure_note("curate", tmp_path / "curate"):
        raise SourceError("rows.parquet", "no such file", "Correct the path")

    note = gather_failures(tmp_path)[0]
    assert exit_info.value.code == 1
    assert (note.step, note.error, note.mendable) == ("curate", "SourceError", True)
    assert note.message == "rows.parquet: no such file. Correct the path."
    assert "Traceback" not in capsys.readouterr().err


def test_unnamed_error_is_noted_with_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), failure_note("train", tmp_path):
        raise KeyError("x")

    assert gather_failures(tmp_path)[0].mendable is False
    assert "Traceback" in capsys.readouterr().err


def test_full_disk_is_a_storage_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), failure_note("train", tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device", "/data/policy/model.safetensors")

    note = gather_failures(tmp_path)[0]
    assert note.error == "StorageError"
    assert "/data/policy/model.safetensors: no space left on the device. Free space" in note.message


def test_success_leaves_no_note(tmp_path: Path) -> None:
    with failure_note("curate", tmp_path):
        pass

    assert gather_failures(tmp_path) == []


def test_other_operating_system_errors_are_not_renamed() -> None:
    assert as_storage_error(OSError(errno.EPIPE, "Broken pipe"), "x") is None


def test_named_errors_survive_a_process_boundary() -> None:
    error = SourceError("a", "b", "c")

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
