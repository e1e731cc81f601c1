"""Run a pipeline in this interpreter with kfp.local: same steps, same artifacts, no cluster.

Everything lies under one output folder: artifacts/ (KFP's pipeline root with its cache), reports/ (stable
keys), logs/ (all that the steps printed), scratch/ (what a killed step goes on from).
"""

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, read_manifest, verify
from components.core.code import code_fingerprint
from components.core.errors import ArtifactError, HarmoError
from components.core.scratch import VARIABLE as SCRATCH
from components.release.destination import report_key
from pipelines.progress import StepConsole
from pipelines.recipe import Recipe

_CACHE = ".kfp_cache"


class RunFailed(HarmoError):
    """A step of a local run failed."""


@dataclass(frozen=True)
class LocalRun:
    """Where a finished run left what people look for."""

    run_id: str
    report: Path
    """Folder with report.html, report.json and the samples."""
    registered_model: Path | None
    """The registered model; None where the candidate was not promoted."""
    seconds: dict[str, float]
    """Wall time by step; 0 for a cache hit."""


def run_local(recipe: Recipe, output: Path) -> LocalRun:
    """Run the alignment pipeline on this machine.

    Args:
        recipe: What to run.
        output: Folder of the run; steps whose inputs and code did not change are taken from its cache.

    Raises:
        RunFailed: A step failed; the message is the step's own.
        ArtifactError: A cached artifact's bytes changed; its cache entry is dropped, so a rerun works.
        StorageError: The output folder cannot be written.
    """
    from pipelines.alignment import PIPELINE, alignment_pipeline
    from pipelines.placement import LocalPlacement

    run_id = f"{recipe.name}-{run_digest(recipe)}"
    pipeline = alignment_pipeline(recipe, LocalPlacement(), run_id)
    seconds = run_pipeline(pipeline, output, run_id, reports_uri=str(output.resolve()))
    report = Path(report_key(str(output.resolve()), PIPELINE, run_id))
    return LocalRun(run_id, report, _registered_model(output.resolve() / "artifacts", report), seconds)


def run_pipeline(pipeline: Any, output: Path, run_id: str, **arguments: Any) -> dict[str, float]:
    """Run any pipeline of ours on this machine.

    Args:
        pipeline: The KFP pipeline.
        output: Folder of the run.
        run_id: Names its log.
        arguments: Of the pipeline.

    Returns:
        Wall time by step; 0 for a cache hit.

    Raises:
        RunFailed: A step failed; the message is the step's own.
        ArtifactError: A cached artifact's bytes changed; its cache entry is dropped, so a rerun works.
        StorageError: The output folder cannot be written.
    """
    from kfp import local

    artifacts = output.resolve() / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    evict_changed(artifacts)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(artifacts), enable_caching=True)
    with _step_environment(output.resolve() / "scratch"), StepConsole(output / "logs" / f"{run_id}.log") as console:
        try:
            pipeline(**arguments)
        except RuntimeError as error:
            raise _failure(console, error) from None
    return console.seconds


def run_digest(recipe: Recipe) -> str:
    """12 hexadecimal digits that name a run: its recipe's identity and our code."""
    content = json.dumps([recipe.identity(), code_fingerprint()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def evict_changed(artifacts: Path) -> None:
    """Verify every cached artifact; drop the cache entry of one whose bytes changed.

    Raises:
        ArtifactError: An artifact changed; its cache entry is gone, so that the next run makes it anew.
    """
    for entry in sorted((artifacts / _CACHE).glob("*.json")):
        for folder in _artifact_folders(entry):
            try:
                verify(folder)
            except ArtifactError as error:
                entry.unlink()
                raise ArtifactError(
                    error.thing, error.problem, "It was dropped from the cache: run again to make it anew"
                ) from None


def _artifact_folders(entry: Path) -> Iterator[Path]:
    for output in json.loads(entry.read_text(encoding="utf-8")).values():
        folder = Path(output["uri"]) if isinstance(output, dict) and output.get("uri") else None
        if folder and (folder / MANIFEST).is_file():
            yield folder


def _registered_model(artifacts: Path, report: Path) -> Path | None:
    """The registered model of the policy that a report is about."""
    content: dict[str, Any] = json.loads((report / "report.json").read_text(encoding="utf-8"))
    policy = next(item["fingerprint"] for item in content["artifacts"] if item["role"] == "policy")
    for path in sorted(artifacts.glob(f"*/register/registered_model/{MANIFEST}"), reverse=True):
        if read_manifest(path.parent).inputs["policy"].fingerprint == policy:
            return path.parent
    return None


def _failure(console: StepConsole, error: RuntimeError) -> RunFailed:
    if console.failures:
        step, message = console.failures[0]
        return RunFailed(f"step {step}", message.rstrip("."), f"The whole log is {console.log}")
    return RunFailed("the run", str(error).rstrip("."), f"The step's own message is in {console.log}")


@contextlib.contextmanager
def _step_environment(scratch: Path) -> Iterator[None]:
    """Settings that the steps inherit: one thread (two can be far slower on a busy machine), scratch, no noise."""
    defaults = {
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONWARNINGS": "ignore",
        SCRATCH: str(scratch),
    }
    added = {name: value for name, value in defaults.items() if name not in os.environ}
    os.environ.update(added)
    try:
        with warnings.catch_warnings():
            # Both say that this machine is no cluster, which is the point.
            warnings.filterwarnings("ignore", message="You may be attemping to run a task", category=RuntimeWarning)
            warnings.filterwarnings("ignore", message=".*have no effect in the current local runner")
            yield
    finally:
        for name in added:
            os.environ.pop(name, None)
