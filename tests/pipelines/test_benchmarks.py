from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from components.core.errors import SourceError
from components.evaluation.benchmarks.registry import NAMES
from components.evaluation.prepare import read_prepared
from pipelines.cli import app
from tests.evaluation.fixtures import write_fixture


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["benchmarks", *map(str, arguments)])


def test_list_has_a_row_for_each_benchmark() -> None:
    lines = run("list").stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]
    named = {row[0]: row for row in rows if row[0]}
    assert tuple(named) == NAMES
    assert named["mathverse_testmini"] == ["mathverse_testmini", "math", "3,940", "AI4Math/MathVerse testmini", "MIT"]
    assert named["vqav2_val"][2] == "214,354"


def test_prepare_says_what_came_of_it(tmp_path: Path) -> None:
    source = write_fixture("ocrbench", tmp_path / "source")
    result = run("prepare", "ocrbench", "--source", source, "--output", tmp_path / "out", "--partial")
    assert result.exit_code == 0
    assert "ocrbench: 11 of 1,000 questions from local files, sha-256 " in result.stdout
    assert f"1 rows quarantined (see {tmp_path / 'out' / 'quarantine.jsonl'})" in result.stdout
    assert read_prepared(tmp_path / "out")[0].questions == 11


def test_limit_takes_a_part(tmp_path: Path) -> None:
    source = write_fixture("ai2d", tmp_path / "source")
    assert run("prepare", "ai2d", "--source", source, "-o", tmp_path / "out", "--limit", "4").exit_code == 0
    assert read_prepared(tmp_path / "out")[0].questions in (3, 4)  # the odd row may be among the four


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mathvista", "--source", "SOURCE"], "benchmark 'mathvista': unknown"),
        (["ai2d", "--source", "SOURCE"], "12 questions, 3,088 are published"),
        (["ai2d", "--source", "NOWHERE"], "NOWHERE: no such file or folder"),
    ],
)
def test_what_cannot_be_prepared_is_a_named_error(arguments: list[str], message: str, tmp_path: Path) -> None:
    source = write_fixture("ai2d", tmp_path / "source")
    given = [str(source) if argument == "SOURCE" else argument for argument in arguments]
    result = run("prepare", *given, "--output", tmp_path / "out")
    assert isinstance(result.exception, SourceError)
    assert message in str(result.exception)
