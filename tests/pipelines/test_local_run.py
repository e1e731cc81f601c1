"""The whole pipeline on this machine, through the command line, as a person runs it.

One output folder serves the module: later tests build on the first run's cache, as a person's would.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_SMOKE = Path(__file__).parents[1] / "recipes" / "smoke.yaml"
_PROMOTE = ("--set", "decision.min_gain=-1", "--set", "decision.max_benchmark_loss=1")
_STEPS = {
    *("prepare-benchmarks", "curate", "fit-surrogate", "gather-suite", "warm-start", "train", "train-2"),
    *("evaluate", "evaluate-2", "evaluate-3", "decide", "export"),
}


def _harmo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _steps(done: subprocess.CompletedProcess[str], note: str) -> set[str]:
    lines = (line.partition(": ") for line in done.stderr.splitlines())
    return {name.strip() for name, _, rest in lines if rest.startswith(note)}


def _first(output: Path, path: str) -> Path:
    """A path below the earliest run that has it."""
    return min(output.glob(f"artifacts/*/{path}"))


def _report(output: Path) -> dict:
    paths = sorted(output.glob("reports/harmo-alignment/*/report.json"), key=lambda path: path.stat().st_mtime)
    return json.loads(paths[-1].read_text())


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "output"


@pytest.fixture(scope="module")
def first(output: Path) -> subprocess.CompletedProcess[str]:
    return _harmo("run", _SMOKE, "--output", output, *_PROMOTE)


@pytest.fixture(scope="module")
def registered(output: Path, first: subprocess.CompletedProcess[str]) -> Path:
    return _first(output, "register/registered_model")


def test_run_ends_well_and_says_where_the_report_is(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    assert _steps(first, "done") == _STEPS | {"register", "finish"}
    report = next(line.removeprefix("report: ") for line in first.stdout.splitlines() if line.startswith("report: "))
    assert "<html" in Path(report).read_text()
    assert Path(report).is_relative_to(output / "reports" / "harmo-alignment")


def test_report_json_keeps_its_contract(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    report = _report(output)

    assert set(report["families"]) == {"math", "ocr", "vqa", "open_ended"}
    for row in (report["overall"], *report["families"].values()):
        assert row["difference"] == pytest.approx(row["candidate"] - row["baseline"])
        assert row["ci95"][0] <= row["difference"] <= row["ci95"][1]
        assert 0 <= row["baseline"] <= 1
    assert sum(row["n"] for row in report["families"].values()) == report["overall"]["n"] == 21
    assert report["promoted"] is True


def test_lineage_walks_from_the_registered_model_to_the_source(registered: Path, output: Path) -> None:
    done = _harmo("lineage", registered)

    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert {"registered_model", "policy", "dataset", "surrogate", "source", "comparison", "evaluation"} <= set(words)
    source = json.loads(_first(output, "curate/dataset/manifest.json").read_text())["inputs"]
    assert source["quickstart corpus"]["fingerprint"] in words


def test_model_card_names_version_scores_and_provenance(registered: Path) -> None:
    manifest = json.loads((registered / "manifest.json").read_text())
    card = (registered / "README.md").read_text()

    assert f"# smoke {manifest['identity']['version']}" in card
    assert manifest["inputs"]["policy"]["fingerprint"] in card
    assert "| overall | 21 |" in card


def test_every_reward_of_the_training_is_computed_again(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    done = _harmo("rewards", "replay", output, "--tolerance", "0")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["16 equal to the last bit", "largest difference 0.0"]


def test_one_reward_of_the_training_is_derived(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    done, none = (_harmo("rewards", "explain", output, number) for number in ("15", "16"))

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rollout 15: step 1, example ")
    assert "recomputed  every number the same to the last bit" in done.stdout
    assert none.returncode == 1
    assert none.stderr.startswith("error: rollout 16: the audit ")


def test_share_of_the_rewards_in_a_step_is_in_the_report(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    time = _report(output)["reward_time"]

    assert set(time) == {"candidate", "control"}
    assert all(0 < policy["reward_share"] < 1 for policy in time.values())


def test_rerun_with_nothing_changed_is_all_cache_hits(output: Path, first: subprocess.CompletedProcess[str]) -> None:
    again = _harmo("run", _SMOKE, "--output", output, *_PROMOTE)

    assert again.returncode == 0, again.stderr
    assert _steps(again, "cached") == _STEPS | {"register"}
    assert _steps(again, "done") == {"finish"}


def test_other_reward_weight_reruns_nothing_before_training(
    output: Path, first: subprocess.CompletedProcess[str]
) -> None:
    done = _harmo("run", _SMOKE, "--output", output, *_PROMOTE, "--set", "rewards.weights.length=0.5")

    assert done.returncode == 0, done.stderr
    assert _steps(done, "cached") == {
        *("prepare-benchmarks", "curate", "fit-surrogate", "gather-suite", "warm-start", "evaluate")
    }


@pytest.fixture
def copied(output: Path, first: subprocess.CompletedProcess[str], tmp_path: Path) -> Iterator[Path]:
    """The run's folder moved aside and back: its cache holds absolute paths, so a test that spoils it restores it."""
    backup = tmp_path / "backup"
    shutil.copytree(output, backup)
    yield output
    shutil.rmtree(output)
    shutil.copytree(backup, output)


def test_changed_byte_is_caught_by_name_and_a_rerun_mends_it(copied: Path) -> None:
    comparison = _first(copied, "decide/comparison/comparison.json")
    content = bytearray(comparison.read_bytes())
    content[-1] ^= 1
    comparison.write_bytes(content)

    caught = _harmo("run", _SMOKE, "--output", copied, *_PROMOTE)
    lineage = _harmo("lineage", _first(copied, "register/registered_model"))

    for done in (caught, lineage):
        assert done.returncode == 1
        assert "comparison artifact" in done.stderr
        assert "comparison.json changed" in done.stderr
        assert "Traceback" not in done.stderr
    mended = _harmo("run", _SMOKE, "--output", copied, *_PROMOTE)
    assert mended.returncode == 0, mended.stderr
    assert _steps(mended, "cached") == _STEPS - {"decide", "export"}
    assert {"decide", "register", "export"} <= _steps(mended, "done")


def test_failing_step_is_one_message_a_failure_report_and_a_rerun_works(tmp_path: Path) -> None:
    recipe = yaml.safe_load(_SMOKE.read_text())
    rows = tmp_path / "rows.jsonl"
    recipe["curation"]["sources"].append({"kind": "jsonl", "path": str(rows), "task": "vqa", "licence": "CC0"})
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(recipe))

    failed = _harmo("run", tmp_path / "mine.yaml", "--output", tmp_path / "out")

    assert failed.returncode == 1
    assert f"error: step curate: SourceError: {rows}: no such file" in failed.stderr
    assert "Traceback" not in failed.stderr
    page = next((tmp_path / "out").glob("artifacts/*/finish/outcome")).read_text()
    assert "failed</h1>" in page
    assert f"{rows}: no such file" in page


def test_wrong_recipe_is_one_message(tmp_path: Path) -> None:
    failed = _harmo("run", "quickstart", "--output", tmp_path, "--set", "training.stepz=1")

    assert failed.returncode == 1
    assert failed.stderr.strip() == (
        "error: recipe quickstart.yaml: unknown key 'training.stepz', did you mean 'steps'?. "
        "Correct the recipe and run again."
    )
    assert list(tmp_path.iterdir()) == []
