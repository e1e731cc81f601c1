"""Compile the pipeline for Kubeflow, and lint what KFP 2.17 compiles but cannot run."""

from pathlib import Path
from typing import Any

import yaml
from kfp import compiler

from components.core.errors import RecipeError
from pipelines.alignment import alignment_pipeline
from pipelines.placement import ClusterPlacement
from pipelines.recipe import Recipe


def compile_recipe(recipe: Recipe, output: Path) -> None:
    """Compile a recipe to the YAML that Kubeflow's UI takes.

    Args:
        recipe: Gives the defaults of the pipeline's parameters and the resources of its steps.
        output: The YAML file.

    Raises:
        RecipeError: The compiled pipeline would not run on a cluster, or its pods could not share their work.
    """
    _check_scratch(recipe)
    output.parent.mkdir(parents=True, exist_ok=True)
    pipeline = alignment_pipeline(recipe, ClusterPlacement(recipe.resources))
    compiler.Compiler().compile(pipeline, package_path=str(output))
    problems = lint(next(yaml.safe_load_all(output.read_text(encoding="utf-8"))))
    if problems:
        raise RecipeError(
            f"recipe {recipe.name}", "; ".join(problems), "Report this: the pipeline must not compile to it"
        )


def _check_scratch(recipe: Recipe) -> None:
    if recipe.curation.pods > 1 and not recipe.resources.curation.scratch_claim:
        raise RecipeError(
            f"recipe {recipe.name}: curation.pods = {recipe.curation.pods}",
            "resources.curation.scratch_claim names no volume for what the pods make",
            "Name a claim that many pods can mount (ReadWriteMany), or set curation.pods to 1",
        )


def lint(spec: dict[str, Any]) -> list[str]:
    """What in a compiled PipelineSpec would fail on a cluster, or not do there what it says.

    Args:
        spec: The first document of a compiled pipeline.

    Returns:
        One sentence a problem: parameters that a nested group uses and does not declare, containers without
        resources, and pip at run time.
    """
    executors = spec["deploymentSpec"]["executors"]
    containers = {name: executor["container"] for name, executor in executors.items()}
    unresourced = [f"{name} has no resources" for name, container in containers.items() if "resources" not in container]
    pip = [f"{name} runs pip" for name, container in containers.items() if "pip install" in str(container["command"])]
    return [*_undeclared(spec), *unresourced, *pip]


def _undeclared(spec: dict[str, Any]) -> list[str]:
    problems = []
    for name, component in {**spec["components"], "root": spec["root"]}.items():
        declared = component.get("inputDefinitions", {}).get("parameters", {})
        for task_name, task in component.get("dag", {}).get("tasks", {}).items():
            for value in task.get("inputs", {}).get("parameters", {}).values():
                parameter = value.get("componentInputParameter")
                if parameter and parameter not in declared:
                    problems.append(f"{task_name} in {name} uses the undeclared parameter {parameter}")
    return problems
