"""`harmo curate` as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.core.artifact import verify
from pipelines.curation import load_curation
from tests.curation.engine_rows import row, write_rows


def _harmo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YAML file of a curation alone."""
    folder = tmp_path_factory.mktemp("recipe")
    path = write_rows(
        [*(row(number) for number in range(40)), row(3), row(50, "\x1b[2Jhow many?")], folder / "r.parquet"
    )
    source = {"kind": "parquet", "path": str(path), "task": "vqa", "licence": "CC0"}
    (folder / "curation.yaml").write_text(yaml.safe_dump({"sources": [source], "groups": {"heldout_fraction": 0.2}}))
    return folder / "curation.yaml"


@pytest.fixture(scope="module")
def output(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curated") / "output"
    done = _harmo("curate", "run", recipe, "--output", folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    counts = next(line.split("│")[2:-1] for line in lines if "exact duplicates" in line)
    assert [int(count) for count in counts] == [42, 41, 0, 1]
    assert f"wrote {folder / 'dataset'}, fingerprint {verify(folder / 'dataset', 'dataset').fingerprint[:12]}" in lines
    return folder


@pytest.mark.slow
def test_run_leaves_dataset_quarantine_and_card(output: Path) -> None:
    summary = json.loads((output / "dataset" / "summary.json").read_text())

    assert (summary["rows_in"], summary["rows_kept"], summary["rows_duplicate"]) == (42, 41, 1)
    assert verify(output / "quarantine", "quarantine").inputs == verify(output / "dataset", "dataset").inputs
    assert "<html" in (output / "data_card.html").read_text()


@pytest.mark.slow
def test_row_is_explained_without_letting_it_steer_the_terminal(output: Path) -> None:
    kept, hostile, none = (_harmo("curate", "explain", output, f"r.parquet#{place}") for place in (3, 41, 42))

    assert kept.returncode == 0, kept.stderr
    assert kept.stdout.startswith("r.parquet#3: kept\n")
    assert kept.stdout.endswith("duplicate   r.parquet#40 (exact duplicates: the same pixels, question and answer)\n")
    assert "\x1b" not in hostile.stdout
    assert "[2Jhow many?" in hostile.stdout  # the step on wording took the escape out
    assert none.returncode == 1
    assert none.stderr.startswith("error: r.parquet#42: neither an example of")


@pytest.mark.slow
def test_finished_output_is_left_alone_and_its_work_serves_the_next_run(
    output: Path, recipe: Path, tmp_path: Path
) -> None:
    again = _harmo("curate", "run", recipe, "--output", output)
    next_ = _harmo("curate", "run", recipe, "--output", tmp_path / "next", "--work", output / "work")

    assert again.returncode == 1
    assert "holds a finished curation. Give a new folder, and --work to go on from it." in again.stderr
    assert next_.returncode == 0, next_.stderr
    assert "shards of rows: 0 made, 1 found made" in next_.stdout


def test_curation_is_read_from_a_recipe_a_section_or_its_keys_alone(recipe: Path, tmp_path: Path) -> None:
    keys = yaml.safe_load(recipe.read_text())
    (tmp_path / "section.yaml").write_text(yaml.safe_dump({"seed": 3, "curation": keys}))

    alone, _, seed = load_curation(str(recipe), ["curation.groups.heldout_fraction=0.5", "seed=4"])
    section, _, other = load_curation(str(tmp_path / "section.yaml"), [])
    shipped, benchmarks, _ = load_curation("qwen2_5_vl_3b", [])

    assert (alone.groups.heldout_fraction, seed) == (0.5, 4)
    assert (section.groups.heldout_fraction, other) == (0.2, 3)
    assert section.sources == alone.sources
    assert shipped.sources
    assert benchmarks
