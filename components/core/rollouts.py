"""Rollouts: how the audit of a training lies on disk, for the stage that writes it and those that read it.

The artifact has `rollouts/` with one Parquet file a batch, `curves.json`, and `timings/` with files of the same names
that say how long it took. Timings are beside the rest because they differ from run to run while the rest does not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from components.core.artifact import TIMINGS
from components.core.errors import ArtifactError

ROLLOUTS = "rollouts"
CURVES = "curves.json"


def batch_name(step: int, process: int, index: int) -> str:
    """File name of a batch; names sort in the order of training.

    Args:
        step: Optimizer steps done when the rollouts were made.
        process: Which of the training's processes made them.
        index: Batches that the process had made at this step.
    """
    return f"{step:08d}-{process:03d}-{index:03d}.parquet"


def batch_paths(folder: Path) -> list[Path]:
    """The batches of a rollouts artifact in the order of training.

    Raises:
        ArtifactError: There is none.
    """
    paths = sorted((folder / ROLLOUTS).glob("*.parquet"))
    if not paths:
        raise ArtifactError(
            str(folder), f"no Parquet file in its folder {ROLLOUTS}", "Give the folder of a training's rollouts"
        )
    return paths


def read_batches(folder: Path, columns: Sequence[str] | None = None) -> Iterator[list[dict[str, Any]]]:
    """The audit of a training, batch by batch in the order of training; consecutive rows are a group.

    Args:
        folder: The rollouts artifact.
        columns: Which to read; None reads all.

    Yields:
        The rows of one batch. `not_applicable` holds the reasons that there are, and `seconds`, the time a rollout
        took to judge (its share of the batch's), is None where it was not kept.

    Raises:
        ArtifactError: There is no batch.
    """
    for path in batch_paths(folder):
        rows = _read(path, columns)
        if columns is None:
            seconds = _seconds(folder / TIMINGS / path.name, len(rows))
            rows = [{**row, "seconds": value} for row, value in zip(rows, seconds, strict=True)]
        yield [_without_missing_reasons(row) for row in rows]


def read_rollouts(folder: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Every row of `read_batches` in one list; a rollout's number is its place in it."""
    return [row for batch in read_batches(folder, columns) for row in batch]


def seconds_by_step(folder: Path) -> dict[int, float]:
    """Seconds that judging took, by optimizer steps done; empty where no timings were kept."""
    totals: dict[int, float] = {}
    for path in sorted((folder / TIMINGS).glob("*.parquet")):
        for row in _read(path, ("step", "seconds")):
            totals[row["step"]] = totals.get(row["step"], 0.0) + row["seconds"]
    return totals


def write_curves(folder: Path, curves: Sequence[dict[str, float]], timings: Sequence[dict[str, float]]) -> None:
    """Write training curves.

    Args:
        folder: The rollouts artifact that is being made.
        curves: Points with "step" and what is the same each time the training is run.
        timings: As many points, of the same steps, with what is not.
    """
    (folder / TIMINGS).mkdir(exist_ok=True)
    for path, points in ((folder / CURVES, curves), (folder / TIMINGS / CURVES, timings)):
        path.write_text(json.dumps(points, indent=1), encoding="utf-8")


def read_curves(folder: Path) -> list[dict[str, float]]:
    """Training curves with their timings, as far as these were kept; a point may lack a value."""
    curves: list[dict[str, float]] = json.loads((folder / CURVES).read_text(encoding="utf-8"))
    timings = folder / TIMINGS / CURVES
    measured = json.loads(timings.read_text(encoding="utf-8")) if timings.is_file() else []
    by_step = {point["step"]: point for point in measured}
    return [{**point, **by_step.get(point["step"], {})} for point in curves]


def reward_time(curves: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What judging took, over all points of training curves that have timings.

    Returns:
        reward_seconds and step_seconds, means of a step, and reward_share (0..1), the first over the second; empty
        where no point has timings.
    """
    timed = [point for point in curves if "reward_seconds" in point and "step_seconds" in point]
    if not timed:
        return {}
    rewards, steps = (fmean(point[name] for point in timed) for name in ("reward_seconds", "step_seconds"))
    return {"reward_seconds": rewards, "step_seconds": steps, "reward_share": rewards / steps}


def _read(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns) if columns else None).to_pylist()
    return rows


def _seconds(path: Path, count: int) -> list[float | None]:
    return [row["seconds"] for row in _read(path, ("seconds",))] if path.is_file() else [None] * count


def _without_missing_reasons(row: dict[str, Any]) -> dict[str, Any]:
    if "not_applicable" not in row:
        return row
    reasons = {part: reason for part, reason in row["not_applicable"].items() if reason is not None}
    return {**row, "not_applicable": reasons}
