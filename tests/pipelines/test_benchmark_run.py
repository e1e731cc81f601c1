"""All public benchmarks through the whole pipeline, offline, on fixtures in the hub's schema; and rescoring the run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.core.lineage import folders_by_fingerprint
from components.core.sample import read_samples
from components.evaluation.benchmarks.registry import NAMES
from pipelines.rescore import find_report
from tests.evaluation.fixtures import write_fixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_SMOKE = Path(__file__).parents[1] / "recipes" / "smoke.yaml"
_ROWS, _QUESTIONS = 12, 11  # of each fixture: one row is no question


def _harmo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run over every benchmark."""
    folder = tmp_path_factory.mktemp("benchmarks")
    recipe = yaml.safe_load(_SMOKE.read_text())
    recipe["evaluation"] = {
        "benchmarks": [
            {"name": name, "path": str(write_fixture(name, folder / name)), "limit": _ROWS} for name in NAMES
        ]
    }
    (folder / "all.yaml").write_text(yaml.safe_dump(recipe))
    done = _harmo("run", folder / "all.yaml", "--output", folder / "output")
    assert done.returncode == 0, done.stderr
    return folder / "output"


def _report(output: Path) -> dict:
    return json.loads((find_report(output) / "report.json").read_text())


def test_every_benchmark_has_a_row_and_a_place_in_its_family(output: Path) -> None:
    report = _report(output)

    assert set(report["benchmarks"]) == {*NAMES, *(f"heldout_{family}" for family in report["families"])}
    assert all(report["benchmarks"][name]["n"] == _QUESTIONS for name in NAMES)
    assert report["overall"]["n"] == sum(row["n"] for row in report["benchmarks"].values())
    assert sum(row["n"] for row in report["families"].values()) == report["overall"]["n"]


def test_every_question_was_asked_with_its_image_and_answered_or_says_why_not(output: Path) -> None:
    folders = folders_by_fingerprint(output / "artifacts")
    manifest = json.loads((find_report(output) / "manifest.json").read_text())
    samples = read_samples(folders[manifest["inputs"]["candidate_evaluation"]["fingerprint"]])

    for sample in samples:
        if "not generated" in sample.flags:
            assert sample.problem
        else:
            assert sample.length_tokens >= 1
            assert "<|vision_start|><|image_pad|>" in sample.prompt.replace("<|image_pad|>" * 2, "<|image_pad|>")
    assert sum("not generated" in sample.flags for sample in samples) < len(samples) / 10


def test_rescoring_changes_nothing_where_the_rules_are_the_same(output: Path) -> None:
    done = _harmo("rescore", output, "--output", output / "again")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.endswith("0 marked otherwise than before")] == lines[:3]
    again = json.loads((output / "again" / "report" / "report.json").read_text())
    before = _report(output)
    for part in ("overall", "families", "benchmarks", "promoted", "reasons", "breakdowns", "categories"):
        assert again[part] == before[part]


def test_rescoring_does_not_write_over_what_is_there(output: Path) -> None:
    (output / "mine").mkdir()
    (output / "mine" / "notes.txt").write_text("keep me")

    done = _harmo("rescore", output, "--output", output / "mine")

    assert done.returncode == 1
    assert "it holds files already" in done.stderr
    assert [path.name for path in (output / "mine").iterdir()] == ["notes.txt"]


def test_rescoring_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    done = _harmo("rescore", tmp_path)

    assert done.returncode == 1
    assert "no report of a finished run was found there" in done.stderr
