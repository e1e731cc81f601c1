"""Curation shared by pods: the same steps in a pipeline of their own, run in processes as `kfp.local` runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.artifact import read_manifest
from components.core.errors import RecipeError, StorageError
from components.curation.curate import curate
from components.curation.fan_out import map_share
from pipelines.compile import compile_recipe, lint
from pipelines.local import run_pipeline
from pipelines.recipe import load_recipe
from tests.curation.engine_rows import config_of, row, write_rows

_PODS, _ROWS = 2, 2500


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows for three ranges, some of them equal."""
    path = tmp_path_factory.mktemp("source") / "rows.parquet"
    return write_rows([row(number % 2400) for number in range(_ROWS)], path)


@pytest.fixture(scope="module")
def shared(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a curation by two pods."""
    from kfp import dsl

    from components.evaluation.component import prepare_benchmarks
    from pipelines.alignment import curated
    from pipelines.placement import LocalPlacement

    place = LocalPlacement().place
    settings = config_of(source).identity()

    @dsl.pipeline(name="shared-curation")
    def shared_curation(curation: dict = settings, seed: int = 0) -> None:  # type: ignore[type-arg]
        prepared = place(prepare_benchmarks(benchmarks=[], seed=seed), "evaluation")
        curated(curation, seed, prepared.outputs["prepared"], _PODS, place)

    output = tmp_path_factory.mktemp("shared")
    run_pipeline(shared_curation, output, "shared")
    return output


def _metrics(output: Path, step: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(output.glob(f"artifacts/*/**/{step}/metrics"))]


@pytest.mark.slow
def test_pods_make_the_dataset_that_one_step_makes(shared: Path, source: Path, tmp_path: Path) -> None:
    alone = curate(tmp_path / "dataset", tmp_path / "quarantine", config_of(source), seed=0)

    dataset = read_manifest(next(shared.glob("artifacts/*/curate/dataset")))

    assert dataset.fingerprint == alone.dataset.fingerprint


@pytest.mark.slow
def test_each_pod_makes_its_share_and_later_steps_find_it(shared: Path) -> None:
    mapped, written = _metrics(shared, "map-rows"), _metrics(shared, "write-examples")

    assert sorted(pod["row_shards_made"] for pod in mapped) == [1.0, 2.0]
    assert [pod["row_shards_made"] for pod in (*written, *_metrics(shared, "judge-rows"))] == [0.0] * 3
    assert all(pod["example_shards_made"] > 0 for pod in written)
    assert len(list((shared / "scratch" / "curation").glob("*.partial"))) == 0


def test_pods_without_a_scratch_say_what_to_do(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARMO_SCRATCH", raising=False)

    with pytest.raises(StorageError, match=r"Set resources\.curation\.scratch_claim"):
        map_share(config_of(source).identity(), 0, 0, 2)


_CLAIM = "resources.curation.scratch_claim=work"


def test_pods_of_a_cluster_need_a_volume_that_they_share(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"scratch_claim names no volume"):
        compile_recipe(load_recipe("quickstart", ["curation.pods=3"]), tmp_path / "a.yaml")


def test_pods_compile_to_loops_over_their_numbers(tmp_path: Path) -> None:
    compile_recipe(load_recipe("quickstart", ["curation.pods=3", _CLAIM]), tmp_path / "a.yaml")

    spec = next(yaml.safe_load_all((tmp_path / "a.yaml").read_text()))

    run = next(component for name, component in spec["components"].items() if name.startswith("comp-exit-handler"))
    tasks = run["dag"]["tasks"]
    loops = {name: task for name, task in tasks.items() if name.startswith("for-loop")}
    assert [json.loads(loop["parameterIterator"]["items"]["raw"]) for loop in loops.values()] == [[0, 1, 2]] * 2
    assert lint(spec) == []
    first, second = loops
    assert tasks["judge-rows"]["dependentTasks"] == [first, "prepare-benchmarks"]
    assert "judge-rows" in loops[second]["dependentTasks"]
    assert tasks["curate"]["dependentTasks"] == [second, "prepare-benchmarks"]


def test_number_of_pods_decides_nothing_about_the_data() -> None:
    one, many = (load_recipe("quickstart", [f"curation.pods={pods}"]) for pods in (1, 20))

    assert one.identity() == many.identity()
    assert one.curation.identity() == many.curation.identity()
