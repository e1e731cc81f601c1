"""What a person sees of `harmo rescore`: an old run's answers marked again, with statistics, decision and report."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from components.core.artifact import MANIFEST, Manifest, read_manifest, verify
from components.core.code import code_fingerprint
from components.core.comparison import POLICIES, Comparison
from components.core.config import parse_config
from components.core.errors import ArtifactError, StorageError
from components.core.lineage import folders_by_fingerprint
from components.core.sample import Sample
from components.evaluation.compare import compare
from components.evaluation.config import DecisionConfig
from components.evaluation.rescore import Rescored, rescore
from components.release.export import REPORT, write_bundle
from components.release.gather import RunArtifacts
from pipelines.alignment import PIPELINE
from pipelines.summary import artifacts_root

_SHOWN = 10


@dataclass(frozen=True)
class RescoredRun:
    """An old run, marked again."""

    before: Comparison
    after: Comparison
    evaluations: dict[str, Rescored]
    """By policy."""
    report: Path
    """Folder with report.html, report.json and the samples."""


def rescore_to(run: Path, output: Path | None, root: Path | None, console: Console) -> None:
    """Rescore a run and print what changed.

    Args:
        run: The output folder of a local run, or a report bundle.
        output: An empty or new folder; None takes one beside the bundle, named by the code that marks now.
        root: Folder that holds the artifacts of the run; None finds it in a local run.
        console: Where to print.

    Raises:
        ArtifactError: There is no report, or an artifact of the run is missing or changed.
        StorageError: The output folder holds files already.
    """
    bundle = find_report(run)
    folders = folders_by_fingerprint(root or artifacts_root(bundle))
    done = rescore_run(bundle, folders, output or run / "rescored" / code_fingerprint()[:12])
    for policy, rescored in done.evaluations.items():
        console.print(f"{policy}: {rescored.samples} samples, {len(rescored.changed)} marked otherwise than before")
        for before, after in rescored.changed[:_SHOWN]:
            console.print(f"  {_change(before, after)}", markup=False)
    console.print(_outcome("before", done.before))
    console.print(_outcome("now   ", done.after))
    console.print(f"report: {done.report / REPORT}", highlight=False)


def rescore_run(bundle: Path, folders: dict[str, Path], output: Path) -> RescoredRun:
    """Mark a run's answers again, and make its statistics, decision and report of them.

    Args:
        bundle: The run's report artifact.
        folders: Where the artifacts lie, by fingerprint.
        output: An empty or new folder.

    Raises:
        ArtifactError: An artifact of the run is missing or changed.
        StorageError: The output folder holds files already.
    """
    if output.exists() and any(output.iterdir()):
        raise StorageError(str(output), "it holds files already", "Give another folder with --output")
    old = _artifacts(verify(bundle, "report"), folders)
    evaluations = {policy: getattr(old, f"{policy}_evaluation") for policy in POLICIES}
    new = {policy: output / f"{policy}_evaluation" for policy in POLICIES}
    rescored = {policy: rescore(old.suite, evaluations[policy], new[policy]) for policy in POLICIES}
    decision = read_manifest(old.comparison).identity["decision"]
    compare(new, output / "comparison", parse_config(DecisionConfig, decision, "the decision of the run"))
    renewed = {f"{policy}_evaluation": folder for policy, folder in new.items()}
    run = replace(old, comparison=output / "comparison", **renewed)
    content: dict[str, Any] = json.loads((bundle / "report.json").read_text(encoding="utf-8"))
    write_bundle(run, output / "report", PIPELINE, f"{content['run_id']}-rescored")
    return RescoredRun(Comparison.load(old.comparison), Comparison.load(run.comparison), rescored, output / "report")


def find_report(run: Path) -> Path:
    """The report bundle that a person means by a folder: the bundle itself, or the newest of a local run.

    Raises:
        ArtifactError: There is none.
    """
    # Beside a local run's artifacts lie copies of its report, and reports of earlier rescorings.
    below = run / "artifacts" if (run / "artifacts").is_dir() else run
    manifests = [(path.parent, read_manifest(path.parent)) for path in sorted(below.rglob(MANIFEST))]
    found = [(manifest.created_at, folder) for folder, manifest in manifests if manifest.kind == "report"]
    if not found:
        raise ArtifactError(
            str(run), "no report of a finished run was found there", "Give the output folder of a local run"
        )
    return max(found)[1]


def _artifacts(report: Manifest, folders: dict[str, Path]) -> RunArtifacts:
    found = {}
    for role in (field.name for field in fields(RunArtifacts)):
        reference = report.inputs[role]
        folder = folders.get(reference.fingerprint)
        if folder is None:
            raise ArtifactError(
                f"{reference.kind} artifact {reference.fingerprint[:12]}",
                f"the {role.replace('_', ' ')} of the run was not found",
                "Give the folder that holds the whole run with --root",
            )
        found[role] = folder
    return RunArtifacts(**found)


def _change(before: Sample, after: Sample) -> str:
    return (
        f"{after.benchmark} {after.id}: score {before.score:g} to {after.score:g}, strict {before.strict:g} to "
        f"{after.strict:g}, extracted {before.extracted!r:.60} to {after.extracted!r:.60}"
    )


def _outcome(when: str, comparison: Comparison) -> str:
    row = comparison.overall
    low, high = row.difference_ci95
    verdict = "promoted" if comparison.promoted else "not promoted"
    return f"{when} {verdict}, overall gain {100 * row.difference:+.1f} [{100 * low:.1f}, {100 * high:.1f}] points"
