"""The commands on a surrogate that is really fitted; needs no network."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from components.core.artifact import MANIFEST, seal
from components.core.errors import ArtifactError, HarmoError, ModelError, SourceError
from components.surrogate.builtin import CORPUS
from components.surrogate.fit import fit_surrogate
from components.surrogate.fit_report import write_fit_report
from pipelines.cli import app
from tests.surrogate.quick import QUICK

pytestmark = pytest.mark.slow


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["surrogate", *map(str, arguments)])


def succeed(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result


def _lines(topic: str, questions: slice) -> list[dict[str, Any]]:
    texts = (CORPUS / "textbook" / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()[questions]
    return [
        {"question": own["question"], "references": own["references"], "answer": answer, "label": label}
        for own in map(json.loads, texts)
        for key, label in (("right", 1), ("wrong", 0))
        for answer in own[key]
    ]


def _write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = _lines("physics", slice(0, 6)) + _lines("geography", slice(0, 6))
    lines.append({**lines[0], "label": 1 - lines[0]["label"]})
    return _write(tmp_path_factory.mktemp("data") / "data.jsonl", lines)


@pytest.fixture(scope="module")
def fitted(data: Path) -> Path:
    folder = data.parent / "fitted"
    result = succeed("fit", data, "--output", folder, "--seed", 3)
    assert (
        f"wrote {folder}, fingerprint {json.loads((folder / MANIFEST).read_text())['fingerprint'][:12]}"
        in result.stdout
    )
    assert "contradict" in result.stderr
    assert sorted(path.name for path in data.parent.iterdir()) == ["data.jsonl", "fitted"]
    return folder


def test_same_rows_and_seed_give_the_same_fingerprint(data: Path, fitted: Path, tmp_path: Path) -> None:
    succeed("fit", data, "--output", tmp_path / "again", "--seed", 3)
    first, second = (json.loads((folder / MANIFEST).read_text()) for folder in (fitted, tmp_path / "again"))
    assert first["fingerprint"] == second["fingerprint"]
    assert first["inputs"]["rows"]["kind"] == "source"


def test_a_second_fit_finds_the_features_of_the_first_in_the_scratch(
    data: Path, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARMO_SCRATCH", str(tmp_path / "scratch"))
    first = succeed("fit", data, "--output", tmp_path / "first", "--seed", 3)
    second = succeed("fit", data, "--output", tmp_path / "second", "--seed", 3)

    assert "of 0 known from earlier runs" in first.stdout
    assert "features of 0 rows computed" in second.stdout
    manifests = [json.loads((folder / MANIFEST).read_text()) for folder in (fitted, tmp_path / "second")]
    assert manifests[0]["fingerprint"] == manifests[1]["fingerprint"]
    scores = [succeed("score", fitted, data).stdout for _ in range(2)]
    monkeypatch.delenv("HARMO_SCRATCH")
    assert scores == [succeed("score", fitted, data).stdout] * 2


@pytest.mark.parametrize("name", ["fitted", "builtin"])
def test_a_file_is_scored_line_by_line(name: str, fitted: Path, tmp_path: Path) -> None:
    right = {"id": 1, "question": "Why does ice float?", "references": ["Ice is less dense than water."]}
    lines = [
        {**right, "answer": "Because ice has a lower density than water."},
        {**right, "answer": ""},
        {**right, "answer": "It is not true that ice is less dense than water."},
        {**right, "answer": "water " * 150_000},
    ]
    file, surrogate = _write(tmp_path / "in.jsonl", lines), fitted if name == "fitted" else name
    result = run("score", surrogate, file, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert "1 of 4 lines are bad, the first is line 2: answer is blank" in str(result.exception)
    good, bad, denied, long = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert set(good) - {"reason", "flags"} == {"id", "score", "low", "high", "abstain", "neighbours"}
    assert 0 <= good["low"] <= good["score"] <= good["high"] <= 1
    assert [set(own) for own in good["neighbours"]] == [{"question", "answer", "score", "distance"}] * 3
    assert (bad["score"], bad["abstain"]) == (None, True)
    assert name == "fitted" or good["score"] > denied["score"]  # twelve questions teach little
    assert long["score"] is not None


def test_scores_are_the_same_in_a_batch_and_one_by_one(fitted: Path, tmp_path: Path) -> None:
    lines = _lines("physics", slice(12, 15))
    together = succeed("score", fitted, _write(tmp_path / "all.jsonl", lines)).stdout.splitlines()
    for line, found in list(zip(lines, together, strict=True))[::5]:
        [alone] = succeed("score", fitted, _write(tmp_path / "one.jsonl", [line])).stdout.splitlines()
        assert json.loads(alone)["score"] == pytest.approx(json.loads(found)["score"], abs=1e-6)


def test_a_surrogate_is_measured_and_reported(fitted: Path, tmp_path: Path) -> None:
    lines = _lines("physics", slice(12, 17)) + _lines("astronomy", slice(0, 5))
    file = _write(tmp_path / "test.jsonl", [*lines, {"question": "no answer"}])
    result = run("eval", fitted, file, "--output", tmp_path / "report")
    assert f"1 of {len(lines) + 1} lines are bad" in str(result.exception)
    assert "pairs ordered rightly" in result.stdout
    assert "kept out" in result.stdout
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (metrics["n"], metrics["questions"]) == (len(lines), 10)
    assert metrics["surrogate"] == json.loads((fitted / MANIFEST).read_text())["fingerprint"]
    assert {own["trained"] for own in metrics["canaries"]} == {True, False}
    assert "1 lines of the data could not be read" in (tmp_path / "report" / "report.html").read_text()


def test_a_changed_byte_or_another_embedder_is_refused(data: Path, fitted: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(fitted, tmp_path / "copy")
    largest = max(copy.iterdir(), key=lambda path: path.stat().st_size)
    content = largest.read_bytes()
    largest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    error = run("score", copy, data).exception
    assert isinstance(error, ArtifactError)
    assert f"{largest.name} changed" in str(error)
    largest.write_bytes(content)
    settings = json.loads((copy / "surrogate.json").read_text())
    settings["embedder"]["sha256"] = "0" * 64
    (copy / "surrogate.json").write_text(json.dumps(settings))
    seal(copy, "surrogate", {})
    error = run("score", copy, data).exception
    assert isinstance(error, ModelError | ArtifactError)


@pytest.mark.parametrize("case", ["one class", "one question"])
def test_rows_that_teach_nothing_are_refused(case: str, tmp_path: Path) -> None:
    lines = _lines("physics", slice(0, 3))
    chosen = [line for line in lines if line["label"]] if case == "one class" else lines[:7]
    error = run("fit", _write(tmp_path / "in.jsonl", chosen), "--output", tmp_path / "out").exception
    assert isinstance(error, SourceError)
    assert case in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_the_pipelines_report_is_of_the_heldout_examples(dataset: Path, tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"max_examples": 20})
    fit_surrogate(dataset, tmp_path / "surrogate", config, seed=0)
    figures = write_fit_report(tmp_path / "surrogate", dataset, config, 0, tmp_path / "out" / "report.html")
    assert {"heldout_auc", "heldout_cosine_auc", "heldout_ece", "heldout_canary_kept_out_pass_share"} <= set(figures)
    assert "How far its scores can be trusted" in (tmp_path / "out" / "report.html").read_text()


def test_a_folder_that_was_never_fitted_says_so(tmp_path: Path, data: Path) -> None:
    error = run("eval", tmp_path, data).exception
    assert isinstance(error, HarmoError)
    assert "no manifest.json" in str(error)
