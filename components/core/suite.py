"""A suite on disk: the benchmarks that a run evaluates, each with its questions and what is to be known of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.core.example import Family

QUESTIONS, BENCHMARK, SUITE = "questions.parquet", "benchmark.json", "suite.json"
BENCHMARKS = "benchmarks"
"""Kind of the artifact that holds a recipe's public benchmarks alone, in the format of a suite."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkInfo:
    """What is to be known of a benchmark: how it is judged, and what a reader of its score should know."""

    name: str
    """mathvista_testmini, heldout_math …"""
    family: Family
    version: float
    """Version of prompts and judging: another one makes the scores incomparable, and answers are generated anew."""
    questions: int
    """How many there are here."""
    expected: int = 0
    """How many the published set has; 0 where there is no such number."""
    split: str = ""
    source: str = ""
    """Where the data came from: hub id and commit, file, or this project's own corpus."""
    licence: str = ""
    scoring: str = ""
    """The rule, in a sentence: whose script, and which judge or none."""
    policy_prompt: bool = True
    """Whether the policy's own prompt template is put around the benchmark's prompt."""
    chance: float | None = None
    """Score (0..1) of guessing, where it is known."""
    out_of: int | None = None
    """What the official total is out of, where it is a sum of points (OCRBench: 1000)."""
    breakdowns: tuple[str, ...] = ()
    """Names of the groups that its score is broken down by."""
    notes: tuple[str, ...] = ()
    """Deviations from the official protocol, and limits of its rule, a sentence each."""

    @property
    def is_whole(self) -> bool:
        """Whether all questions of the published set are here."""
        return not self.expected or self.questions == self.expected

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "BenchmarkInfo":
        """What `to_json` made, read back from JSON, where a tuple is a list."""
        tuples = {name: tuple(values[name]) for name in ("breakdowns", "notes")}
        return cls(**{**values, **tuples, "family": Family(values["family"])})


def write_suite(folder: Path, benchmarks: Sequence[BenchmarkInfo]) -> None:
    """Write which benchmarks lie in a suite's folder, in order; the questions are at `questions_path`."""
    text = json.dumps([info.to_json() for info in benchmarks], indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUITE).write_text(text, encoding="utf-8")


def read_suite(folder: Path) -> list[BenchmarkInfo]:
    """The benchmarks of a suite, in order."""
    return [BenchmarkInfo.from_json(values) for values in json.loads((folder / SUITE).read_text(encoding="utf-8"))]


def questions_path(suite: Path, name: str) -> Path:
    """Where a benchmark's questions lie in a suite."""
    return suite / name / QUESTIONS
