"""The planted faults of planted.py through the whole stage, as a user runs it.

    python -m tests.curation.planted_stage FOLDER [--rows 20000] [--seed 0]

writes the set into the folder, curates it, and prints precision and recall by class, and the speed.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import seal
from components.core.config import parse_config
from components.core.suite import BENCHMARKS
from components.curation.config import CurationConfig
from components.curation.curate import curate
from components.curation.ledger import QUARANTINE
from tests.curation.planted import Score, lines, plant, read_labels, score, write


@dataclass(frozen=True)
class Outcome:
    """What became of a set."""

    scores: list[Score]
    summary: dict[str, Any]
    seconds: float
    """Wall time of the curation."""


def planted_through_the_stage(folder: Path, rows: int, seed: int) -> Outcome:
    """Write a set and curate it; no loss is too large here, since a quarter of the rows is planted."""
    import pyarrow.parquet as pq

    write(plant(rows, seed), folder)
    seal(folder / "suite", BENCHMARKS, {})
    columns = {"choices": "choices", "split": "split", "answer_type": "answer_type"}
    path = str(folder / "source.jsonl")
    source = {"kind": "jsonl", "path": path, "task": "vqa", "licence": "CC0-1.0", "columns": columns}
    settings = {
        "sources": [source],
        "max_quarantined_fraction": 1.0,
        "decontamination": {"max_contaminated_fraction": 1.0},
    }
    config = parse_config(CurationConfig, settings, "planted")
    start = time.perf_counter()
    summary = curate(folder / "dataset", folder / "quarantine", config, seed, folder / "suite").summary
    seconds = time.perf_counter() - start
    steps = [""] * summary["rows_in"]
    for lost in pq.read_table(folder / "quarantine" / QUARANTINE).to_pylist():
        steps[lost["place"]] = lost["step"]
    return Outcome(score(read_labels(folder), steps), summary, seconds)


def main() -> None:
    """Write, curate and print."""
    parser = argparse.ArgumentParser(description="Planted faults through the whole curation")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found = planted_through_the_stage(arguments.folder, arguments.rows, arguments.seed)
    print("\n".join(lines(found.scores)))
    rows = found.summary["rows_in"]
    print(f"{rows} rows in {found.seconds:.1f} s, {rows / found.seconds:.0f} a second")


if __name__ == "__main__":
    main()
