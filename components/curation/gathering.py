"""Gathering of a dataset's numbers from the dataset, its quarantine and what curation reports."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.core.example import Split
from components.curation.card_images import Budget
from components.curation.losses import Losses, read_losses, step_counts
from components.curation.numbers import BREAKDOWNS, BenchmarkCount, CardNumbers, ReasonCount, SourceCount, StepCount
from components.curation.survey import GroupTally, Survey, choose, measure_images, samples, survey

PROVENANCE = "provenance.parquet"
_BATCH = 8192


def gather_numbers(dataset: Path, summary: Mapping[str, Any], quarantine: Path | None, seed: int = 0) -> CardNumbers:
    """Count what a dataset holds and what was left out, in memory that does not grow with its images.

    Args:
        dataset: The folder of a dataset.
        summary: What curation reports: the content of its summary.json.
        quarantine: The folder of its quarantine; None where it is not at hand: then there are no examples of it.
        seed: Another seed shows other samples.

    Raises:
        OSError: A file is missing.
        pyarrow.ArrowException: A file is not whole, or not of this project.
    """
    found, losses = survey(dataset, seed), read_losses(quarantine, seed)
    kept = found.rows.total()
    # A summary that counts duplicates among the quarantined rows is of a version that did not tell them apart.
    duplicates = summary.get("rows_duplicate", losses.rows_duplicate if losses else 0)
    quarantined = summary["rows_quarantined"] - (0 if "rows_duplicate" in summary else duplicates)
    steps = step_counts(summary, losses)
    benchmarks = summary.get("benchmarks")
    return CardNumbers(
        rows_in=summary["rows_in"],
        rows_kept=kept,
        rows_quarantined=quarantined,
        rows_duplicate=duplicates,
        steps=steps,
        reasons=losses.reasons() if losses else _reported_reasons(summary),
        sources=tuple(_sources(summary, found, losses)),
        by={name: found.by(name) for name in BREAKDOWNS},
        task_and_type=found.task_and_type(),
        verifiable=found.by("verifiable").get("True", 0),
        question_characters=found.questions.histogram(),
        answer_characters=found.answers.histogram(),
        image_sizes=measure_images(dataset, seed),
        difficulty=found.difficulty(),
        groups=(_settled_groups(dataset) or found.groups).counts(),
        demonstrations=summary.get("demonstrations", 0),
        flags=_flags(dataset),
        benchmarks=None if benchmarks is None else tuple(_benchmarks(benchmarks)),
        broken_benchmark_images=summary.get("broken_benchmark_images", 0),
        samples=tuple(samples(dataset, choose(found), Budget())),
        problems=tuple(_problems(summary, kept, (quarantined, duplicates), steps, losses)),
    )


def _reported_reasons(summary: Mapping[str, Any]) -> tuple[ReasonCount, ...]:
    """Without the quarantine, the reasons are known and neither their steps nor examples."""
    reasons = summary.get("quarantined_by_reason", {})
    return tuple(ReasonCount("", reason, rows, is_duplicate=False) for reason, rows in reasons.items())


def _sources(summary: Mapping[str, Any], found: Survey, losses: Losses | None) -> Iterator[SourceCount]:
    kept = found.by("source")
    lost = losses.by_source if losses else Counter[tuple[str, bool]]()
    stated = {source["name"]: source for source in summary.get("sources", ())}
    others = {*kept, *(name for name, _ in lost)} - set(stated)
    for name in (*stated, *sorted(others)):
        source = stated.get(name, {})
        yield SourceCount(
            name=name,
            licence=source.get("licence", ""),
            fingerprint=source.get("fingerprint", ""),
            rows_kept=kept.get(name, 0),
            rows_quarantined=lost[name, False],
            rows_duplicate=lost[name, True],
        )


def _benchmarks(found: Mapping[str, Mapping[str, int]]) -> Iterator[BenchmarkCount]:
    for name, counts in sorted(found.items()):
        yield BenchmarkCount(name, counts["questions"], counts["leaked_questions"], counts["leaking_rows"])


def _flags(dataset: Path) -> dict[str, int] | None:
    """Examples by flag, most frequent first; what a flag says behind a colon is about the one row."""
    import pyarrow.parquet as pq

    path = dataset / PROVENANCE
    if not path.is_file():
        return None
    counts: Counter[str] = Counter()
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=["flags"]):
        for flags in batch["flags"].to_pylist():
            counts.update({flag.split(":")[0] for flag in flags or ()})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _settled_groups(dataset: Path) -> GroupTally | None:
    """The groups that the split went by, where they are on record: an example itself knows its source's alone."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = dataset / PROVENANCE
    if not path.is_file() or not {"group", "split"} <= set(pq.read_schema(path).names):
        return None
    tally = GroupTally()
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=["split", "group"]):
        for split in Split:
            tally.add(batch["group"].filter(pc.equal(batch["split"], split.value)), split.value)
    return tally


def _problems(
    summary: Mapping[str, Any],
    kept: int,
    lost: tuple[int, int],
    steps: tuple[StepCount, ...],
    losses: Losses | None,
) -> Iterator[str]:
    """Sentences on what does not add up."""
    reported = summary["rows_kept"]
    if kept != reported:
        yield f"Curation reports {reported:,} rows kept; the dataset holds {kept:,}."
    if summary["rows_in"] != reported + sum(lost):
        yield (
            f"{summary['rows_in']:,} rows in are not {reported:,} kept + {lost[0]:,} quarantined + {lost[1]:,} "
            "duplicates."
        )
    for step in steps:
        if not step.adds_up:
            yield f"The account of the step {step.step} does not add up."
    if losses is not None and (losses.rows_quarantined, losses.rows_duplicate) != lost:
        yield (
            f"Curation reports {lost[0]:,} quarantined rows and {lost[1]:,} duplicates; the quarantine holds "
            f"{losses.rows_quarantined:,} and {losses.rows_duplicate:,}."
        )
