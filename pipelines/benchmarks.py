"""What a person sees of `harmo benchmarks`: the table of the public sets, and a bar while one is prepared."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.evaluation.benchmarks.registry import NAMES, load_benchmark
from components.evaluation.config import BenchmarkEntry
from components.evaluation.prepare import QUARANTINE, prepare, read_prepared

if TYPE_CHECKING:
    from rich.console import Console


def print_benchmarks(console: "Console") -> None:
    """Print the public benchmarks, one a row."""
    from rich.table import Table

    table = Table("name", "family", "questions", "hub id", "licence")
    table.columns[2].justify = "right"
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    for name in NAMES:
        benchmark = load_benchmark(name)
        hub = " ".join(part for part in (benchmark.hub.dataset, benchmark.hub.split) if part)
        table.add_row(name, benchmark.family.value, f"{benchmark.expected:,}", hub, benchmark.licence)
    console.print(table)


def prepare_to(entry: BenchmarkEntry, output: Path, partial: bool, console: "Console") -> None:
    """Prepare a benchmark and say what came of it.

    Args:
        entry: Which one, and where its published set is.
        output: Folder for the artifact.
        partial: Whether a set that is not complete will do.
        console: For the summary; the bar is on standard error.

    Raises:
        HarmoError: As `prepare`.
    """
    rows = entry.limit or load_benchmark(entry.name).expected
    with _bar(rows) as advance:
        manifest = prepare(entry, output, partial=partial, advance=advance)
    info, _ = read_prepared(output)
    quarantined = len((output / QUARANTINE).read_text(encoding="utf-8").splitlines())
    lost = f", {quarantined:,} rows quarantined (see {output / QUARANTINE})" if quarantined else ""
    of_all = "" if info.is_whole else f" of {info.expected:,}"
    console.print(
        f"{info.name}: {info.questions:,}{of_all} questions from {info.source}{lost}\n"
        f"wrote {output}, fingerprint {manifest.fingerprint[:12]}",
        highlight=False,
        soft_wrap=True,
    )


@contextlib.contextmanager
def _bar(rows: int) -> Iterator[Callable[[int], object]]:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("preparing", total=rows or None)
        yield lambda count: progress.advance(task, count)
