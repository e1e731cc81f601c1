"""Sources of small rows for the engine, and row steps that misbehave."""

import io
import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from components.core.config import parse_config
from components.curation.candidate import Candidate, RowStep
from components.curation.config import CurationConfig
from components.curation.steps import RowSteps, row_steps


def picture(number: int) -> bytes:
    """A picture of a few pixels, another one for each number up to 2**24."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, number // 65536)).save(buffer, format="PNG")
    return buffer.getvalue()


def row(number: int, question: str = "", **changes: Any) -> dict[str, Any]:
    """A row as a Parquet source has it."""
    return {
        "images": [picture(number)],
        "question": question or f"How many are there in {number}?",
        "references": [str(number % 7)],
        **changes,
    }


def write_rows(rows: Iterable[dict[str, Any]], path: Path) -> Path:
    """Rows as a Parquet file."""
    columns = [("images", pa.list_(pa.binary())), ("question", pa.string()), ("references", pa.list_(pa.string()))]
    pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(columns)), path)
    return path


def config_of(*paths: Path, **changes: Any) -> CurationConfig:
    """A configuration over Parquet files, with shards of a hundred examples."""
    sources = [{"kind": "parquet", "path": str(path), "task": "vqa", "licence": "CC0"} for path in paths]
    settings = {"sources": sources, "max_quarantined_fraction": 0.5, "shard_rows": 100, **changes}
    return parse_config(CurationConfig, settings, "test")


def _with_step(config: CurationConfig, name: str, step: RowStep) -> RowSteps:
    usual = row_steps(config)
    return RowSteps(usual.schema, (*usual.steps, (name, step)))


def deadly(config: CurationConfig) -> RowSteps:
    """A step whose process dies over some questions, as a decoder in C does."""

    def step(candidate: Candidate) -> Candidate:
        if "deadly" in candidate.example.question:
            os.kill(os.getpid(), signal.SIGSEGV)
        return candidate

    return _with_step(config, "decoder", step)


def deadly_once(config: CurationConfig) -> RowSteps:
    """A step whose process dies the first time that it sees a question, and never again: a machine short of memory."""

    def step(candidate: Candidate) -> Candidate:
        question = candidate.example.question
        if question.startswith("mark "):
            mark = Path(question.removeprefix("mark "))
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return candidate

    return _with_step(config, "decoder", step)


def hanging(config: CurationConfig) -> RowSteps:
    """A step that never comes to an end over some questions."""

    def step(candidate: Candidate) -> Candidate:
        while "hanging" in candidate.example.question:
            time.sleep(0.05)
        return candidate

    return replace(_with_step(config, "endless", step), seconds=1.0)


def faulty(config: CurationConfig) -> RowSteps:
    """A step with a fault that some questions bring to light."""

    def step(candidate: Candidate) -> Candidate:
        if "faulty" in candidate.example.question:
            raise KeyError("nothing there")
        return candidate.flagged("seen").changed(unit="cm")

    return _with_step(config, "fault", step)


def names(folder: Path, split: str) -> Sequence[str]:
    """The files of a split's folder."""
    return sorted(path.name for path in (folder / split).iterdir())
