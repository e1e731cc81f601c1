from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components.core.code import code_fingerprint
from pipelines.compile import compile_recipe, lint
from pipelines.images import cluster_image, local_image
from pipelines.recipe import load_recipe

_COMPILED = Path(__file__).parents[2] / "pipelines" / "compiled"
_GOLDEN = {"quickstart": "alignment.yaml", "qwen2_5_vl_3b": "alignment_qwen2_5_vl_3b.yaml"}


def _documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module", params=sorted(_GOLDEN))
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Any]]:
    path = tmp_path_factory.mktemp("compiled") / "alignment.yaml"
    compile_recipe(load_recipe(request.param), path)
    return request.param, _documents(path)


def test_golden_is_what_the_code_compiles_to(compiled: tuple[str, list[Any]]) -> None:
    name, documents = compiled

    assert documents == _documents(_COMPILED / _GOLDEN[name]), "run make compile and look at the difference"


def test_every_compiled_pipeline_in_the_repository_is_tested() -> None:
    assert {path.name for path in _COMPILED.glob("*.yaml")} == set(_GOLDEN.values())


def test_spec_parses_strictly(compiled: tuple[str, list[Any]]) -> None:
    spec = json_format.ParseDict(compiled[1][0], pipeline_spec_pb2.PipelineSpec())

    assert spec.pipeline_info.name == "harmo-alignment"


def test_dag_edges_are_pinned(compiled: tuple[str, list[Any]]) -> None:
    spec = compiled[1][0]
    run = next(component for name, component in spec["components"].items() if name.startswith("comp-exit-handler"))
    edges = {name: sorted(task.get("dependentTasks", [])) for name, task in run["dag"]["tasks"].items()}

    assert edges == {
        "prepare-benchmarks": [],
        "curate": ["prepare-benchmarks"],
        "fit-surrogate": ["curate"],
        "warm-start": ["curate"],
        "train": ["curate", "fit-surrogate", "warm-start"],
        "train-2": ["curate", "fit-surrogate", "warm-start"],
        "gather-suite": ["curate", "prepare-benchmarks"],
        "evaluate": ["gather-suite", "warm-start"],
        "evaluate-2": ["gather-suite", "train"],
        "evaluate-3": ["gather-suite", "train-2"],
        "decide": ["evaluate", "evaluate-2", "evaluate-3"],
        "condition-2": ["decide", "train"],
        "export": sorted(
            [
                "curate",
                "fit-surrogate",
                "gather-suite",
                "warm-start",
                "train",
                "train-2",
                "evaluate",
                "evaluate-2",
                "evaluate-3",
                "decide",
            ]
        ),
    }
    assert spec["root"]["dag"]["tasks"]["finish"]["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"


def test_pipeline_parameters_are_pinned(compiled: tuple[str, list[Any]]) -> None:
    parameters = compiled[1][0]["root"]["inputDefinitions"]["parameters"]

    assert {name: value["parameterType"] for name, value in parameters.items()} == {
        **dict.fromkeys(("curation", "surrogate", "policy", "training", "rewards", "evaluation", "decision"), "STRUCT"),
        "benchmarks": "LIST",
        "seed": "NUMBER_INTEGER",
        "reports_uri": "STRING",
    }
    assert all("defaultValue" in value for value in parameters.values())


def test_containers_have_images_resources_and_no_pip(compiled: tuple[str, list[Any]]) -> None:
    spec = compiled[1][0]

    assert lint(spec) == []
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor["container"]
        assert container["image"] in {cluster_image("curation"), cluster_image("training")}
        assert set(container["resources"]) >= {
            "resourceCpuLimit",
            "resourceCpuRequest",
            "resourceMemoryLimit",
            "resourceMemoryRequest",
        }


def test_artifacts_are_typed_as_kubeflow_shows_them(compiled: tuple[str, list[Any]]) -> None:
    types = {
        f"{name.removeprefix('comp-')}.{output}": value["artifactType"]["schemaTitle"].removeprefix("system.")
        for name, component in compiled[1][0]["components"].items()
        if "executorLabel" in component
        for output, value in component["outputDefinitions"]["artifacts"].items()
    }

    expected = {
        "curate": {"dataset": "Dataset", "quarantine": "Dataset", "data_card": "HTML", "metrics": "Metrics"},
        "fit-surrogate": {"surrogate_model": "Model", "report": "HTML", "metrics": "Metrics"},
        "warm-start": {"base_policy": "Model", "metrics": "Metrics"},
        "train": {"aligned_policy": "Model", "rollouts": "Dataset", "metrics": "Metrics"},
        "evaluate": {"samples": "Dataset", "metrics": "Metrics"},
        "decide": {"comparison": "Dataset", "metrics": "Metrics"},
        "register": {"registered_model": "Model"},
        "export": {"bundle": "Dataset", "report": "HTML"},
        "finish": {"outcome": "HTML"},
    }
    for step, outputs in expected.items():
        assert {name.split(".")[1]: type_ for name, type_ in types.items() if name.split(".")[0] == step} == outputs


def test_gpu_steps_ask_for_gpus_by_constant(tmp_path: Path) -> None:
    compile_recipe(load_recipe("qwen2_5_vl_3b"), tmp_path / "a.yaml")
    executors = _documents(tmp_path / "a.yaml")[0]["deploymentSpec"]["executors"]

    asking = {
        name: executor["container"]["resources"]["accelerator"]
        for name, executor in executors.items()
        if "accelerator" in executor["container"]["resources"]
    }
    assert set(asking) == {"exec-train", "exec-train-2", "exec-evaluate", "exec-evaluate-2", "exec-evaluate-3"}
    assert all(accelerator["resourceCount"] == "1" for accelerator in asking.values())


def test_images_can_be_overridden_by_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = f"registry.example/harmo@sha256:{'0' * 64}"
    monkeypatch.setenv("HARMO_IMAGE_CPU", pinned)
    monkeypatch.setenv("HARMO_IMAGE_GPU", pinned)

    compile_recipe(load_recipe("quickstart"), tmp_path / "a.yaml")

    executors = _documents(tmp_path / "a.yaml")[0]["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {pinned}


def test_exit_task_is_never_cached(compiled: tuple[str, list[Any]]) -> None:
    assert "enableCache" not in compiled[1][0]["root"]["dag"]["tasks"]["finish"].get("cachingOptions", {})


def test_lint_finds_what_a_cluster_would_refuse() -> None:
    spec = {
        "deploymentSpec": {"executors": {"exec-a": {"container": {"command": ["sh", "-c", "pip install x"]}}}},
        "components": {
            "comp-group": {
                "dag": {"tasks": {"a": {"inputs": {"parameters": {"x": {"componentInputParameter": "cpu"}}}}}}
            }
        },
        "root": {},
    }

    assert lint(spec) == [
        "a in comp-group uses the undeclared parameter cpu",
        "exec-a has no resources",
        "exec-a runs pip",
    ]


def test_code_of_a_stage_changes_its_local_image_and_only_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("core", "rewards", "curation", "training"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("1")
    monkeypatch.setattr("components.core.code._COMPONENTS", tmp_path)
    before = {stage: local_image(stage) for stage in ("curation", "training")}

    (tmp_path / "training" / "a.py").write_text("2")

    assert local_image("curation") == before["curation"]
    assert local_image("training") != before["training"]


def test_code_fingerprint_sees_names_as_well_as_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.core.code._COMPONENTS", tmp_path)
    (tmp_path / "a.py").write_text("1")
    before = code_fingerprint()
    (tmp_path / "a.py").rename(tmp_path / "b.py")

    assert code_fingerprint() != before
