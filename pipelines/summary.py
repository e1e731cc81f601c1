"""What the command line prints: the outcome of a run, and a lineage tree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from components.core.lineage import Ancestor, folders_by_fingerprint
from pipelines.local import LocalRun

_LOCAL_ROOT = "artifacts"
_FILE_WIDTH = 160


def wide_console() -> Console:
    """A console that breaks no line of text, and no table where the output is a file."""
    console = Console(soft_wrap=True, highlight=False)
    return console if console.is_terminal else Console(soft_wrap=True, highlight=False, width=_FILE_WIDTH)


def print_summary(run: LocalRun) -> None:
    """Print scores before and after, the decision, and where everything is."""
    content: dict[str, Any] = json.loads((run.report / "report.json").read_text(encoding="utf-8"))
    console = wide_console()
    console.print(_score_table(content))
    console.print("promoted" if content["promoted"] else "not promoted", style="bold")
    for reason in content["reasons"]:
        console.print(f"  {reason}")
    console.print(f"model:  {run.registered_model or 'none registered'}")
    console.print(f"report: {run.report / 'report.html'}")


def _score_table(content: dict[str, Any]) -> Table:
    table = Table("benchmark", "n", "baseline", "candidate", "control", "gain (paired 95 % CI)")
    for name, row in {**content["benchmarks"], "overall": content["overall"]}.items():
        low, high = row["ci95"]
        scores = [f"{100 * row[policy]:.1f}" for policy in ("baseline", "candidate", "control")]
        table.add_row(
            name, str(row["n"]), *scores, f"{100 * row['difference']:+.1f} [{100 * low:.1f}, {100 * high:.1f}]"
        )
    return table


def artifacts_root(artifact: Path) -> Path:
    """The artifacts folder of the local run that an artifact lies in, else the artifact's own folder."""
    return next((parent for parent in artifact.resolve().parents if parent.name == _LOCAL_ROOT), artifact)


def run_artifacts(artifact: Path, root: Path | None) -> dict[str, Path]:
    """Where the artifacts of a run lie, by fingerprint.

    Args:
        artifact: One of them.
        root: The folder that holds them; None finds that of a local run.
    """
    return folders_by_fingerprint(root or artifacts_root(artifact))


def lineage_lines(ancestor: Ancestor, seen: set[str], indent: str = "") -> Iterator[str]:
    """A lineage tree as text, a line an artifact with its whole fingerprint; an ancestor's inputs are told once.

    Args:
        ancestor: The root of the tree.
        seen: Fingerprints whose inputs have been told; added to.
        indent: Spaces before the line.
    """
    fingerprint = ancestor.reference.fingerprint
    told = fingerprint in seen and ancestor.inputs
    seen.add(fingerprint)
    role = f"{ancestor.role}: " if ancestor.role else ""
    state = f"  verified, code {ancestor.manifest.code_version}" if ancestor.manifest else ""
    yield f"{indent}{role}{ancestor.reference.kind} {fingerprint}{'  (as above)' if told else state}"
    if not told:
        for item in ancestor.inputs:
            yield from lineage_lines(item, seen, indent + "  ")
