import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from components.core.artifact import seal
from components.core.errors import ArtifactError, RecipeError, SourceError, StorageError
from pipelines.cli import app
from pipelines.surrogate import load_surrogate

RIGHT = {"question": "Why?", "references": ["because of rain"], "answer": "it rained", "label": 1}
ROWS = [RIGHT, {**RIGHT, "answer": "the sun", "label": 0}, {**RIGHT, "question": "How?", "answer": "wet", "score": 0.2}]


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["surrogate", *map(str, arguments)])


def error(result: Result, kind: type[Exception]) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, kind)
    return str(result.exception)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no line"),
        ([*ROWS, {**RIGHT, "answer": "  "}], "1 of 4 lines are bad, the first is line 4: answer is blank"),
        ([*ROWS, {**RIGHT, "answer": "x" * 1_000_001}], "line 4: answer has 1000001 characters"),
        ([*ROWS, '{"question": "q", "references": ["r"], "answer": "a", "score": NaN}'], "line 4: .*NaN is no JSON"),
        ([*ROWS, {**RIGHT, "label": None}], "line 4: score is missing"),
        ([*ROWS, {**RIGHT, "label": 0.5}], "line 4: label is 0.5: give 0 or 1"),
    ],
)
def test_data_that_cannot_be_fitted_on_is_refused_and_nothing_written(
    lines: list[Any], message: str, tmp_path: Path
) -> None:
    data = write(tmp_path / "data.jsonl", *lines)
    found = error(run("fit", data, "--output", tmp_path / "fitted"), SourceError)
    assert found.startswith(str(data))
    assert re.search(message, found)
    assert [path.name for path in tmp_path.iterdir()] == ["data.jsonl"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_example: 3", "unknown key 'max_example', did you mean 'max_examples'"),
        ("surrogate: {}\nrewrds: {}", "unknown keys beside surrogate: rewrds"),
        ("[1]", "holds list, not keys and values"),
        (": :", "not YAML"),
    ],
)
def test_a_wrong_configuration_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(content)
    data = write(tmp_path / "data.jsonl", *ROWS)
    result = run("fit", data, "--output", tmp_path / "fitted", "--config", tmp_path / "config.yaml")
    assert message in error(result, RecipeError)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", *ROWS)
    assert "the folder is not empty" in error(run("fit", data, "--output", tmp_path), StorageError)
    assert "is a file" in error(run("fit", data, "--output", data), StorageError)
    assert "there is no folder" in error(run("fit", data, "--output", tmp_path / "a" / "b"), StorageError)


def _sealed(folder: Path, kind: str = "surrogate") -> Path:
    folder.mkdir()
    (folder / "surrogate.json").write_text('{"fitted": false, "neighbours": 15}')
    seal(folder, kind, {})
    return folder


def test_what_is_no_surrogate_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"nowhere: no such folder\. Give the folder .* or the word builtin"):
        load_surrogate(str(tmp_path / "nowhere"))
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        load_surrogate(str(tmp_path))
    with pytest.raises(ArtifactError, match="holds a dataset, a surrogate is needed"):
        load_surrogate(str(_sealed(tmp_path / "data", "dataset")))
    with pytest.raises(ArtifactError, match="no such folder"):
        load_surrogate(str(write(tmp_path / "file")))


@pytest.mark.parametrize("name", ["surrogate.json", "manifest.json"])
def test_a_changed_byte_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    """Of the manifest, anywhere but in the notes on when and with which code and libraries it was made."""
    content = (_sealed(tmp_path / "fitted") / name).read_bytes()
    refused = 0
    for place in range(len(content)):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        if name == "manifest.json" and _says(changed) == _says(content):
            continue
        (tmp_path / "fitted" / name).write_bytes(changed)
        with pytest.raises(ArtifactError):
            load_surrogate(str(tmp_path / "fitted"))
        refused += 1
    assert refused > 30


def _says(content: bytes) -> object:
    """What a manifest says of the artifact; None where it cannot be read."""
    try:
        values = json.loads(content)
    except ValueError:
        return None
    notes = ("code_version", "created_at", "library_versions")
    return {key: value if key not in notes else "" for key, value in values.items()}


@pytest.mark.parametrize("command", ["score", "eval"])
def test_bad_files_are_refused_before_anything_is_loaded(command: str, tmp_path: Path) -> None:
    assert "cannot be read" in error(run(command, "builtin", tmp_path / "none.jsonl"), SourceError)


def test_a_test_set_without_a_good_line_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl", {**RIGHT, "answer": ""}, {**RIGHT, "label": 2})
    assert "2 of 2 lines are bad, the first is line 1" in error(run("eval", "builtin", data), SourceError)
