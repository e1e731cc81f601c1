from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from components.core.artifact import seal
from pipelines.cli import app, main


def test_command_line_is_pinned() -> None:
    assert _options(get_command(app)) == {
        "run": ["--output", "--set", "-o", "recipe"],
        "compile": ["--output", "--set", "-o", "recipe"],
        "curate run": ["--output", "--seed", "--set", "--work", "-o", "recipe"],
        "curate explain": ["--quarantine", "dataset", "name"],
        "lineage": ["--root", "artifact"],
        "score": ["--output", "--rewards", "-o", "file"],
        "grade": ["--benchmark", "--output", "--stage", "-o", "file"],
        "rescore": ["--output", "--root", "-o", "run"],
        "rewards explain": ["--root", "rollout", "run"],
        "rewards replay": ["--root", "--tolerance", "run"],
        "surrogate fit": ["--config", "--output", "--seed", "-o", "data"],
        "surrogate score": ["--output", "-o", "file", "surrogate"],
        "surrogate eval": ["--output", "-o", "data", "surrogate"],
        "surrogate pick": ["--budget", "--committee", "--output", "--surrogate", "-o", "rows"],
        "surrogate annotate": ["--output", "--rows", "-o", "file"],
        "surrogate distil": ["--count", "--dataset", "--output", "--seed", "--teacher", "-o", "rows"],
        "surrogate curve": ["--config", "--draws", "--heldout", "--output", "--seed", "--sizes", "-o", "data"],
        "surrogate refit": [
            "--annotated", "--config", "--output", "--rollouts", "--root", "--rows", "--seed", "-o", "surrogate",
        ],
        "surrogate decide": [
            "--config", "--output", "--root", "--rows", "--seed", "-o", "challenger", "champion", "data",
        ],
        "surrogate versions": ["--root", "surrogate"],
        "surrogate import": ["--format", "--output", "--quarantine", "--scale", "--score", "-o", "file"],
        "benchmarks list": [],
        "benchmarks prepare": ["--limit", "--output", "--partial", "--revision", "--source", "-o", "name"],
    }  # fmt: skip


def _options(group: Any, prefix: str = "") -> dict[str, list[str]]:
    """Options and arguments by command, those of a group of commands by their whole name."""
    found: dict[str, list[str]] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= _options(command, f"{prefix}{name} ")
        else:
            found[prefix + name] = sorted(option for parameter in command.params for option in parameter.opts)
    return found


def test_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.strip() == "0.1.0"


def test_named_error_is_one_line_and_status_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["harmo", "lineage", str(tmp_path)])

    with pytest.raises(SystemExit) as exit_info:
        main()

    assert exit_info.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path}: no manifest.json")
    assert error.count("\n") == 1


def test_lineage_prints_whole_fingerprints(tmp_path: Path) -> None:
    (tmp_path / "content").write_text("x")
    manifest = seal(tmp_path, "dataset", {})

    assert manifest.fingerprint in CliRunner().invoke(app, ["lineage", str(tmp_path)]).stdout


def test_output_that_cannot_be_made_is_a_named_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("sys.argv", ["harmo", "run", "quickstart", "--output", str(tmp_path / "file")])

    with pytest.raises(SystemExit):
        main()

    assert "error:" in capsys.readouterr().err
