"""Prepare: a published set becomes a benchmark artifact: its questions as they are asked, and what is known of it.

Every row is accounted for: it becomes a question or is quarantined with its reason, and a set that is not complete is
refused unless a part of it is asked for.
"""

import json
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, InputRef, Manifest, seal, verify
from components.core.errors import EmptyDatasetError, SourceError, StorageError
from components.core.lineage import SOURCE_KIND
from components.core.question import Question, write_questions
from components.core.suite import BENCHMARK, QUESTIONS, BenchmarkInfo
from components.evaluation.benchmark import Benchmark
from components.evaluation.benchmarks.registry import load_benchmark
from components.evaluation.benchmarks.rows import ROW_NUMBER
from components.evaluation.config import BenchmarkEntry
from components.evaluation.published import PublishedSet, Row, open_published

KIND = "benchmark"
QUARANTINE = "quarantine.jsonl"
_OWN = (QUESTIONS, BENCHMARK, QUARANTINE)


def prepare(
    entry: BenchmarkEntry,
    output: Path,
    seed: int = 0,
    partial: bool = False,
    advance: Callable[[int], object] = lambda _: None,
) -> Manifest:
    """Prepare a benchmark.

    Args:
        entry: Which one, and where its published set is; with a limit, that many rows are drawn at random, in order.
        output: Folder for the artifact, new or empty.
        seed: Decides what is drawn.
        partial: Whether a set that is not complete will do; a limit implies it.
        advance: Called with the number of rows that have just been read.

    Returns:
        The artifact's manifest.

    Raises:
        SourceError: There is no such benchmark, its set cannot be read, lacks a column, or is not complete.
        EmptyDatasetError: No row became a question.
        StorageError: The output holds something already.
    """
    benchmark = load_benchmark(entry.name)
    published = open_published(benchmark, entry.path, entry.revision)
    _check_columns(benchmark, published)
    whole = not partial and not entry.limit
    if whole and entry.path and published.count is not None:  # what the hub says of it may be out of date
        _check_count(benchmark, published.name, published.count, [])
    _make_room(output)
    ledger = _Ledger(benchmark)
    rows = published.rows(_drawn(published.count or benchmark.expected, entry.limit, seed))
    count = write_questions(ledger.questions(rows, advance), output / QUESTIONS)
    if whole:
        _check_count(benchmark, published.name, count, ledger.quarantined)
    if not count:
        raise EmptyDatasetError(
            f"benchmark {benchmark.name} from {published.name}",
            f"none of {ledger.rows} rows became a question{_first(ledger.quarantined)}",
            "Give the benchmark's own published set",
        )
    _write(output, ledger.quarantined, info_of(benchmark, count, published.name))
    identity = {
        "name": benchmark.name,
        "version": benchmark.version,
        "source": benchmark.hub.dataset if not entry.path else "local files",
        "commit": published.fingerprint if not entry.path else "",
        "limit": entry.limit,
        "seed": seed if entry.limit else 0,  # which decides nothing where all is taken
    }
    return seal(output, KIND, identity, {"source": InputRef(SOURCE_KIND, published.fingerprint)})


def read_prepared(folder: Path) -> tuple[BenchmarkInfo, Path]:
    """What is known of a prepared benchmark, and where its questions lie.

    Raises:
        ArtifactError: The folder is no benchmark artifact, or is not what was written.
    """
    verify(folder, KIND)
    values = json.loads((folder / BENCHMARK).read_text(encoding="utf-8"))
    return BenchmarkInfo.from_json(values), folder / QUESTIONS


def info_of(benchmark: Benchmark, questions: int, source: str) -> BenchmarkInfo:
    """What is to be known of a benchmark.

    Args:
        benchmark: Which one.
        questions: How many of it there are here.
        source: Where they came from.
    """
    return BenchmarkInfo(
        name=benchmark.name,
        family=benchmark.family,
        version=benchmark.version,
        questions=questions,
        expected=benchmark.expected,
        split=benchmark.hub.split,
        source=source,
        licence=benchmark.licence,
        scoring=benchmark.scoring,
        chance=benchmark.chance,
        out_of=benchmark.out_of,
        breakdowns=benchmark.breakdowns,
        notes=benchmark.notes,
    )


@dataclass
class _Ledger:
    """Where every row went."""

    benchmark: Benchmark
    rows: int = 0
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    def questions(self, rows: Iterator[tuple[int, Row]], advance: Callable[[int], object]) -> Iterator[Question]:
        """The questions of the rows that can be turned into one."""
        seen: dict[str, int] = {}
        for number, row in rows:
            self.rows += 1
            try:
                question = _question(self.benchmark, {**row, ROW_NUMBER: number})
                if question.id in seen:
                    raise ValueError(f"id: {question.id[:60]!r} is that of row {seen[question.id]}")
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                self.quarantined.append({"row": number, "reason": _reason(error)})
            else:
                seen[question.id] = number
                yield question
            advance(1)


def _question(benchmark: Benchmark, row: Row) -> Question:
    """A question that its own rule can mark and that can be written.

    Raises:
        ValueError: It cannot; or what the row's reader raises.
    """
    question = benchmark.to_question(row)
    benchmark.marker([question])(question, "")
    texts = [question.id, *question.parts, *question.references, question.cluster, question.meta, question.groups]
    json.dumps(texts, ensure_ascii=False, allow_nan=False).encode()  # a lone surrogate, or no number
    return question


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]}: there is no such column"
    return str(error)[:300] or type(error).__name__


def _drawn(rows: int, limit: int, seed: int) -> Collection[int] | None:
    """The numbers of the rows to take, the first ones where it is not known how many there are; None takes all."""
    if not rows and limit:
        return frozenset(range(limit))
    if not 0 < limit < rows:
        return None
    return frozenset(random.Random(seed).sample(range(rows), limit))


def _check_columns(benchmark: Benchmark, published: PublishedSet) -> None:
    missing = [f"{name} ({holds})" for name, holds in benchmark.columns.items() if name not in published.columns]
    if missing:
        raise SourceError(
            published.name,
            f"no column {', no column '.join(missing)}; it has {', '.join(sorted(published.columns)) or 'none'}",
            f"Give the published set of {benchmark.name}, {benchmark.hub.dataset}",
        )


def _check_count(benchmark: Benchmark, source: str, count: int, quarantined: list[dict[str, Any]]) -> None:
    if benchmark.expected and count != benchmark.expected:
        raise SourceError(
            f"benchmark {benchmark.name} from {source}",
            f"{count:,} questions, {benchmark.expected:,} are published{_first(quarantined)}",
            "Give the whole set, or allow a part of it (--partial)",
        )


def _first(quarantined: list[dict[str, Any]]) -> str:
    if not quarantined:
        return ""
    row = quarantined[0]
    return f"; {len(quarantined):,} rows are quarantined, the first is row {row['row']}: {row['reason']}"


def _make_room(output: Path) -> None:
    """Make the folder, and remove what an unfinished preparation left in it."""
    output.mkdir(parents=True, exist_ok=True)
    others = sorted(path.name for path in output.iterdir() if path.name not in _OWN)
    if others:
        problem = "holds a finished artifact" if MANIFEST in others else f"holds {others[0]}, which is not of this work"
        raise StorageError(str(output), problem, "Give a new folder")
    for name in _OWN:
        (output / name).unlink(missing_ok=True)


def _write(output: Path, quarantined: list[dict[str, Any]], info: BenchmarkInfo) -> None:
    lines = "".join(f"{json.dumps(record)}\n" for record in quarantined)
    (output / QUARANTINE).write_text(lines, encoding="utf-8")
    text = json.dumps(info.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (output / BENCHMARK).write_text(text, encoding="utf-8")
