import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from components.core.errors import SourceError
from components.evaluation.grade import Grade
from components.evaluation.grade_file import grade_lines
from components.evaluation.graders.registry import NAMES
from pipelines.cli import app

GOOD = {"id": "a", "prediction": "(B)", "references": ["B"], "meta": {"options": ["x", "y"]}}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def run(*arguments: object, benchmark: str = "mmmu_multichoice") -> Result:
    return CliRunner().invoke(app, ["grade", *map(str, arguments), "--benchmark", benchmark])


def test_grades_go_to_standard_output(tmp_path: Path) -> None:
    lines = [GOOD, {**GOOD, "id": "\ud800", "prediction": "A"}, {**GOOD, "id": 3, "prediction": "?"}]
    result = run(write(tmp_path / "in.jsonl", *lines))
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": "a", "score": 1.0, "extraction": "B", "flags": []},
        {"id": "\ud800", "score": 0.0, "extraction": "A", "flags": []},
        {"id": 3, "score": None, "extraction": None, "flags": ["no answer", "fallback"]},
    ]
    assert result.stderr == "mmmu_multichoice: 2 of 3 scored, mean score 0.5000, 2 flags\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prediction": "A', "is not JSON"),
        ("", "is not JSON"),
        ("[]", "is not an object"),
        ({"references": ["B"]}, "prediction is missing"),
        ({"prediction": "B"}, "references is missing"),
        ({"prediction": "B", "references": []}, "references is missing"),
        ({"prediction": "B", "references": [5]}, "references[0] is 5: write it as a string"),
        ({"prediction": "B", "references": "B", "meta": 5}, "meta is 5"),
        ({"prediction": "B", "references": "B"}, "meta options: give the texts"),
    ],
)
def test_a_bad_line_harms_no_other(line: object, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", GOOD, line, GOOD | {"id": "c"})
    result = run(file, "--output", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert str(result.exception).startswith(f"{file}: 1 of 3 lines are bad, the first is line 2: ")
    first, bad, last = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["score"], bad["score"], last["score"]) == (1.0, None, 1.0)
    assert bad["flags"][0].startswith("bad line: line 2: ")
    assert message in bad["flags"][0]


def graded(*lines: dict[str, Any], grader: Any = lambda text, *_: Grade(1.0, text)) -> list[dict[str, Any]]:
    return [json.loads(line) for line in grade_lines([json.dumps(line) for line in lines], grader).lines]


@pytest.mark.parametrize("prediction", [None, ["B"], 5])
def test_a_prediction_that_is_not_text_is_graded_as_empty(prediction: object) -> None:
    [line] = graded({"prediction": prediction, "references": "B"})
    assert line == {"score": 1.0, "extraction": "", "flags": ["prediction is not text"]}


def test_lines_of_one_id_are_graded_and_flagged() -> None:
    lines = graded(GOOD, GOOD, {**GOOD, "id": None}, {**GOOD, "id": None}, {**GOOD, "id": "b"})
    assert [line["flags"] for line in lines] == [["duplicate id"], ["duplicate id"], [], [], []]
    assert all(line["score"] == 1.0 for line in lines)


def test_a_rule_that_fails_costs_its_line_alone() -> None:
    [line] = graded(GOOD, grader=lambda *_: 1 / 0)
    assert line["score"] is None
    assert "the rule failed with ZeroDivisionError" in line["flags"][0]


def test_normalize_reads_the_extraction_and_tells_the_rule() -> None:
    text = json.dumps({"extraction": "5", "references": "5", "meta": {"x": 1}})
    seen: list[Any] = []
    grade_lines([text], lambda *arguments: (seen.append(arguments), Grade(1.0, "5"))[1], "normalize")
    assert seen == [("5", ("5",), {"x": 1, "stage": "normalize"})]


def test_an_unknown_benchmark_lists_the_names(tmp_path: Path) -> None:
    error = run(tmp_path / "none", benchmark="mmmu").exception
    assert isinstance(error, SourceError)
    assert "'mmmu': unknown" in str(error)
    assert ", ".join(NAMES) in str(error)


@pytest.mark.parametrize(("stage", "message"), [("normalize", "mmmu_multichoice has no such"), ("x", "unknown")])
def test_a_stage_that_is_not_the_benchmarks_is_refused(stage: str, message: str, tmp_path: Path) -> None:
    assert message in str(run(tmp_path / "none", "--stage", stage).exception)


def test_a_missing_file_is_a_named_error(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path / "none").exception, SourceError)
