from pathlib import Path

import pytest

from components.core.errors import SourceError
from components.core.failures import failure_note
from components.release.failure_report import write_failure_report


def _fail(run: Path) -> None:
    with pytest.raises(SystemExit), failure_note("curate", run / "curate"):
        raise SourceError("<b>rows</b>.parquet", "no such file", "Correct the path")


def test_failed_run_names_step_error_and_remedy_as_text(tmp_path: Path) -> None:
    _fail(tmp_path)

    notes = write_failure_report(tmp_path, tmp_path / "finish" / "outcome", "FAILED", "run-1")

    page = (tmp_path / "finish" / "outcome").read_text()
    assert [note.step for note in notes] == ["curate"]
    assert "Run run-1 failed" in page
    assert "&lt;b&gt;rows&lt;/b&gt;.parquet: no such file. Correct the path." in page


def test_failed_run_without_notes_says_where_the_logs_are(tmp_path: Path) -> None:
    write_failure_report(tmp_path, tmp_path / "outcome", "RUNNING", "run-1")

    page = (tmp_path / "outcome").read_text()
    assert "ended in state RUNNING" in page
    assert "executor-logs-0" in page


def test_succeeded_run_says_so(tmp_path: Path) -> None:
    _fail(tmp_path)

    assert write_failure_report(tmp_path, tmp_path / "outcome", "COMPLETE", "run-1") == []
    assert "Run run-1 succeeded" in (tmp_path / "outcome").read_text()
