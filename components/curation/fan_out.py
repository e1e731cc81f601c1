"""Fan-out: the phases of a curation shared by pods, each of which leaves its share in the scratch that all have.

The pods do what the one step does, by the same code, for every n-th range of rows and every n-th shard of examples; the
curation at the end finds all of it made. What a step returns names what it made, so that Kubeflow's cache sees when it
is another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.config import parse_config
from components.core.errors import StorageError
from components.core.scratch import VARIABLE, scratch_folder
from components.curation.config import CurationConfig
from components.curation.curate import Curation
from components.curation.engine import WHOLE, Engine, Share
from components.curation.work_folder import key_of


@dataclass(frozen=True)
class Done:
    """What a pod has done."""

    said: str
    """Names what it made: another one where that is another."""
    metrics: dict[str, float]
    """Shards that it made, and that it found made."""


def map_share(curation: Mapping[str, Any], seed: int, pod: int, pods: int) -> Done:
    """The first map, for a share of the rows.

    Args:
        curation: Settings, as a recipe has them.
        seed: As for `curate`.
        pod: Number of this pod, from 0.
        pods: How many there are.

    Raises:
        StorageError: There is no scratch.
        SourceError: A source cannot be read.
    """
    with _open(curation, seed, None) as work:
        keys = [file.key for file in work.map(Share(pod, pods))]
        return Done(f"pod {pod}: {len(keys)} shards of rows, {key_of(keys)}", _metrics(work.engine))


def judge_all(curation: Mapping[str, Any], seed: int, benchmarks: Path) -> Done:
    """The reduction, after all rows are mapped; see `map_share` for arguments and errors.

    Args:
        curation: Settings.
        seed: As for `curate`.
        benchmarks: A benchmarks artifact.
    """
    with _open(curation, seed, benchmarks, trusted=True) as work:
        fates = work.reduce(work.map(WHOLE))
        return Done(f"fates {fates.key}", _metrics(work.engine))


def write_share(curation: Mapping[str, Any], seed: int, benchmarks: Path, pod: int, pods: int) -> Done:
    """The second map, for a share of the shards of examples; see `map_share` for arguments and errors."""
    with _open(curation, seed, benchmarks, trusted=True) as work:
        files = work.map(WHOLE)
        written, _ = work.write(files, work.reduce(files), Share(pod, pods))
        names = [path.name for paths in written.values() for path in paths]
        return Done(f"pod {pod}: {len(names)} shards of examples, {key_of(names)}", _metrics(work.engine))


def print_said(lines: Sequence[str]) -> None:
    """Print what the pods before this step have said, for its log."""
    for line in lines:
        print(line, flush=True)


def _metrics(engine: Engine) -> dict[str, float]:
    counts = {"row_shards": engine.mapped, "example_shards": engine.written}
    made = {f"{name}_made": float(tally.made) for name, tally in counts.items()}
    return {**made, **{f"{name}_found": float(tally.found) for name, tally in counts.items()}}


def _open(curation: Mapping[str, Any], seed: int, benchmarks: Path | None, trusted: bool = False) -> Curation:
    folder = scratch_folder("curation")
    if folder is None:
        raise StorageError(
            f"the scratch of the pods ({VARIABLE})",
            "there is none, so that they cannot share their work",
            "Set resources.curation.scratch_claim to a volume that many pods can mount, or curation.pods to 1",
        )
    return Curation(parse_config(CurationConfig, curation, "curation"), seed, benchmarks, folder, trusted=trusted)
