"""The audit: every rollout with its reward breakdown, written so that a killed training loses whole batches only.

A batch is a Parquet file of its own, written under another name, flushed to the disk and renamed: at any moment the
folder holds finished files, and at most one leftover that readers do not see.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import TIMINGS
from components.core.breakdown import RewardBreakdown
from components.core.code import code_fingerprint
from components.core.rollouts import ROLLOUTS, batch_name
from components.rewards.portfolio import PARTS

if TYPE_CHECKING:
    import pyarrow as pa

CREDITED = {part: f"credited_{part}" for part in PARTS}
ALTERED = "audit_altered"
"""Flag of a completion that could not be stored as it was: what was judged is what is stored."""


@dataclass(frozen=True)
class ScoredBatch:
    """Rollouts as they were judged; every sequence has one entry a rollout, shape (B * G,)."""

    step: int
    """Optimizer steps done when the rollouts were made."""
    example_ids: Sequence[str]
    completions: Sequence[str]
    """What was judged: without lone surrogates."""
    altered: Sequence[bool]
    """Whether a completion held lone surrogates, which were replaced."""
    lengths: Sequence[int]
    """Tokens."""
    truncated: Sequence[bool]
    """Whether a completion was cut at the longest length allowed."""
    breakdowns: Sequence[RewardBreakdown]
    advantages: Sequence[float]
    """Against the group."""

    def rows(self) -> list[dict[str, Any]]:
        """The columns of the audit, one row a rollout."""
        return [self._row(place) for place in range(len(self.completions))]

    def _row(self, place: int) -> dict[str, Any]:
        breakdown = self.breakdowns[place]
        return {
            "step": self.step,
            "example_id": self.example_ids[place],
            "completion": self.completions[place],
            "length_tokens": self.lengths[place],
            "truncated": self.truncated[place],
            "total": breakdown.total,
            **{part: breakdown.parts.get(part) for part in PARTS},
            **{column: breakdown.credited[part] for part, column in CREDITED.items()},
            "not_applicable": dict(breakdown.not_applicable),
            "verdict": breakdown.verdict,
            "confidence": breakdown.confidence,
            "extracted": breakdown.extracted,
            "rule": breakdown.rule,
            "flags": [*breakdown.flags, *([ALTERED] if self.altered[place] else [])],
            "advantage": self.advantages[place],
            "verifier": verifier_version(),
        }


class RolloutAudit:
    """Writes the audit of a training.

    A resumed training goes on in the same folder: from the step of its first batch on, what an earlier process left
    is replaced.

    Args:
        folder: The rollouts artifact that is being made.
        process: Which of the training's processes writes; each writes files of its own.
    """

    def __init__(self, folder: Path, process: int = 0) -> None:
        self._folder = folder
        self._process = process
        self._step: int | None = None
        self._batches = 0
        for name in (ROLLOUTS, TIMINGS):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for leftover in (folder / name).glob(f"{self._pattern()}.partial"):
                leftover.unlink()

    def append(self, batch: ScoredBatch, seconds: float) -> None:
        """Add a batch; when this returns, it is on the disk.

        Args:
            batch: The rollouts.
            seconds: What judging all of them took.
        """
        if self._step is None:
            self._drop_from(batch.step)
        self._batches = self._batches + 1 if batch.step == self._step else 0
        self._step = batch.step
        name = batch_name(batch.step, self._process, self._batches)
        count = len(batch.completions)
        timings = [
            {"step": batch.step, "example_id": example_id, "seconds": seconds / count}
            for example_id in batch.example_ids
        ]
        # The batch comes last: where it is, its timings are.
        _write(timings, _timings_schema(), self._folder / TIMINGS / name)
        _write(batch.rows(), _rollouts_schema(), self._folder / ROLLOUTS / name)

    def _drop_from(self, step: int) -> None:
        for name in (ROLLOUTS, TIMINGS):
            for path in (self._folder / name).glob(self._pattern()):
                if int(path.name.partition("-")[0]) >= step:
                    path.unlink()

    def _pattern(self) -> str:
        return f"*-{self._process:03d}-*.parquet"


@functools.cache
def verifier_version() -> str:
    """12 hexadecimal digits that name the code of the rewards."""
    return code_fingerprint("rewards")[:12]


def _rollouts_schema() -> "pa.Schema":
    import pyarrow as pa

    columns = {
        "step": pa.int64(),
        "example_id": pa.string(),
        "completion": pa.string(),
        "length_tokens": pa.int64(),
        "truncated": pa.bool_(),
        "total": pa.float64(),
        **{part: pa.float64() for part in PARTS},
        **{column: pa.float64() for column in CREDITED.values()},
        # Not a map, which `datasets` cannot read.
        "not_applicable": pa.struct([(part, pa.string()) for part in PARTS]),
        "verdict": pa.bool_(),
        "confidence": pa.float64(),
        "extracted": pa.string(),
        "rule": pa.string(),
        "flags": pa.list_(pa.string()),
        "advantage": pa.float64(),
        "verifier": pa.string(),
    }
    return pa.schema(list(columns.items()))


def _timings_schema() -> "pa.Schema":
    import pyarrow as pa

    return pa.schema([("step", pa.int64()), ("example_id", pa.string()), ("seconds", pa.float64())])


def _write(rows: list[dict[str, Any]], schema: "pa.Schema", path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as stream:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Flush a rename to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
