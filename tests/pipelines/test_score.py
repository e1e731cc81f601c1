import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from components.core.errors import HarmoError, RecipeError, SourceError, StorageError
from components.rewards.config import RewardsConfig
from pipelines.cli import app
from pipelines.score import score_to
from pipelines.section_file import load_section

GOOD = {"id": "a", "completion": "<think>2+3</think><answer>5</answer>", "references": ["5"]}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def test_scores_go_to_standard_output(tmp_path: Path) -> None:
    result = run(write(tmp_path / "in.jsonl", GOOD, {**GOOD, "id": "\ud800"}))
    assert result.exit_code == 0
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["a", "\ud800"]
    assert result.stderr == ""


def test_an_empty_file_has_no_scores(tmp_path: Path) -> None:
    result = run(write(tmp_path / "in.jsonl"))
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_bad_line_is_status_one_after_all_scores(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", GOOD, "bad", {"id": 2}, GOOD)
    result = run(file, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert isinstance(result.exception, SourceError)
    assert str(result.exception).startswith(f"{file}: 2 of 4 lines are bad, the first is line 2: 'bad' is not JSON")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("content", [None, b"\xff\n"], ids=["missing", "not UTF-8"])
def test_an_unreadable_file_writes_nothing(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "in.jsonl").write_bytes(content)
    (tmp_path / "out.jsonl").write_text("before")
    with pytest.raises(SourceError):
        score_to(tmp_path / "in.jsonl", None, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "before"


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "in.jsonl", GOOD)
    (tmp_path / "out.jsonl").write_text("before")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match="no space left"):
        score_to(file, None, tmp_path / "out.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    assert (tmp_path / "out.jsonl").read_text() == "before"


def test_a_file_may_be_scored_in_place(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", GOOD)
    score_to(file, None, file)
    assert json.loads(file.read_text())["verdict"] is True


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    score_to(write(tmp_path / "in.jsonl", GOOD), None, Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(("output", "message"), [(".", "is a folder"), ("no/out.jsonl", "there is no folder")])
def test_an_output_that_cannot_be_made_is_refused_at_once(output: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=message):
        score_to(tmp_path / "never read", None, tmp_path / output)


@pytest.mark.parametrize(
    "text", ["format: {reward: 0.1}", "rewards: {format: {reward: 0.1}}", "name: a\nrewards: {format: {reward: 0.1}}"]
)
def test_a_portfolio_may_stand_alone_or_in_a_recipe(text: str, tmp_path: Path) -> None:
    (tmp_path / "portfolio.yaml").write_text(text)
    result = run(write(tmp_path / "in.jsonl", GOOD), "--rewards", tmp_path / "portfolio.yaml")
    assert json.loads(result.stdout)["total"] == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fromat: {reward: 0.1}", "unknown key 'fromat', did you mean 'format'"),
        (b"rewards: {lenght: {}}", "unknown key 'lenght', did you mean 'length'"),
        (b"rewards: {}\nweights: {}", "unknown keys beside rewards: weights"),
        (b"rewards: {}\n5: {}", "unknown keys beside rewards: 5"),
        (b"5: 6", "5"),
        (b"", "holds NoneType, not keys and values"),
        (b"rewards:", "holds NoneType, not keys and values"),
        (b"[1, 2]", "holds list, not keys and values"),
        (b"a: [", "not YAML"),
        (b"[" * 5000, "not YAML"),
        (b"\xff", "not YAML"),
        (b"weights: {accuracy: 0.1}", "must be below weights.accuracy"),
    ],
)
def test_a_wrong_portfolio_is_a_named_error(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "portfolio.yaml").write_bytes(content)
    with pytest.raises(RecipeError) as error_info:
        load_section(tmp_path / "portfolio.yaml", "rewards", RewardsConfig)
    assert message in str(error_info.value)
    assert "portfolio.yaml" in str(error_info.value)


def test_a_missing_portfolio_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(HarmoError, match="No such file"):
        load_section(tmp_path / "portfolio.yaml", "rewards", RewardsConfig)


def test_many_lines_have_a_bar_on_standard_error(tmp_path: Path) -> None:
    result = run(write(tmp_path / "in.jsonl", *[GOOD] * 2001))
    assert "2001/2001" in result.stderr
    assert len(result.stdout.splitlines()) == 2001


def test_scoring_loads_no_model_library(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", GOOD, {**GOOD, "references": [r"\frac{10}{2}"], "answer_type": "expression"})
    code = (
        "import sys; from pathlib import Path; from pipelines.score import score_to; "
        f"score_to(Path({str(file)!r}), None, None); "
        "print(*{'torch', 'transformers', 'sentence_transformers', 'sklearn', 'trl', 'kfp'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *scores, loaded = output.splitlines()
    assert [json.loads(score)["verdict"] for score in scores] == [True, True]
    assert loaded == ""
