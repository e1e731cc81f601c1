"""Curation: sources in, a dataset and a quarantine out, every row accounted for."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core.artifact import InputRef, Manifest, seal
from components.core.errors import EmptyDatasetError, QuarantineLimitError
from components.core.example import Example, Split, write_examples
from components.core.lineage import SOURCE_KIND
from components.curation.candidate import RawRow, Rejection
from components.curation.config import CurationConfig, QuickstartSource
from components.curation.sources import OpenSource, open_source
from components.curation.split import divide, drop_duplicates
from components.curation.validate import validate

SUMMARY = "summary.json"


@dataclass(frozen=True)
class CurationResult:
    """What curation reports."""

    dataset: Manifest
    quarantine: Manifest
    summary: dict[str, Any]
    """Counts: rows_in = rows_kept + rows_quarantined; by reason, split, family, answer type and source."""


@dataclass
class _Ledger:
    """Where every row went."""

    rows_in: int = 0
    kept: list[Example] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    demonstrations: dict[str, str] = field(default_factory=dict)

    def quarantine(self, source: str, row: int, rejection: Rejection, question: Any) -> None:
        record = {"source": source, "row": row, "reason": rejection.reason, "evidence": rejection.evidence}
        self.quarantined.append({**record, "question": str(question)[:500]})


def curate(dataset: Path, quarantine: Path, config: CurationConfig, seed: int) -> CurationResult:
    """Curate.

    Args:
        dataset: Folder for the dataset artifact.
        quarantine: Folder for the quarantine artifact.
        config: Sources and limits.
        seed: Decides what the quickstart corpus draws and which groups are held out.

    Raises:
        SourceError: A source cannot be read.
        QuarantineLimitError: More rows were quarantined than allowed; nothing is written as finished.
        EmptyDatasetError: No training row is left.
    """
    ledger = _Ledger()
    opened = [_curate_source(source, config, seed, ledger) for source in config.sources]
    _drop_duplicates(ledger)
    summary = _summarise(ledger, opened)
    _check_limits(ledger, summary, config)
    for folder in (dataset, quarantine):
        folder.mkdir(parents=True, exist_ok=True)
    _write_dataset(dataset, ledger, summary)
    _write_parquet(quarantine / "quarantine.parquet", ledger.quarantined, _QUARANTINE_COLUMNS)
    identity = {"curation": config.identity(), "seed": seed}
    inputs = {source.name: InputRef(SOURCE_KIND, source.fingerprint) for source in opened}
    return CurationResult(
        seal(dataset, "dataset", identity, inputs), seal(quarantine, "quarantine", identity, inputs), summary
    )


def _curate_source(source: Any, config: CurationConfig, seed: int, ledger: _Ledger) -> OpenSource:
    opened = open_source(source, seed)
    validated = list(_validated(opened, config, ledger))
    divided_already = isinstance(source, QuickstartSource)
    ledger.kept += validated if divided_already else divide(validated, config.heldout_fraction, seed)
    return opened


def _validated(opened: OpenSource, config: CurationConfig, ledger: _Ledger) -> Iterator[Example]:
    for row in opened.rows():
        ledger.rows_in += 1
        values = row.values if isinstance(row.values, dict) else {}
        try:
            if isinstance(row.values, Rejection):
                raise row.values
            example = validate(values, opened.name, config)
        except Rejection as rejection:
            ledger.quarantine(opened.name, row.place, rejection, values.get("question"))
            continue
        _keep_demonstration(values, example, ledger)
        yield example


def _keep_demonstration(row: RawRow, example: Example, ledger: _Ledger) -> None:
    if row.get("demonstration"):
        ledger.demonstrations[example.id] = str(row["demonstration"])


def _drop_duplicates(ledger: _Ledger) -> None:
    kept = []
    for number, (example, rejection) in enumerate(drop_duplicates(ledger.kept)):
        if rejection is None:
            kept.append(example)
        else:
            ledger.quarantine(example.source, number, rejection, example.question)
    ledger.kept = kept


def _summarise(ledger: _Ledger, opened: Sequence[OpenSource]) -> dict[str, Any]:
    kept = ledger.kept
    return {
        "rows_in": ledger.rows_in,
        "rows_kept": len(kept),
        "rows_quarantined": len(ledger.quarantined),
        "quarantined_by_reason": dict(sorted(Counter(row["reason"] for row in ledger.quarantined).items())),
        "by_split": dict(sorted(Counter(example.split.value for example in kept).items())),
        "by_family": dict(sorted(Counter(example.family.value for example in kept).items())),
        "by_answer_type": dict(sorted(Counter(example.answer_type.value for example in kept).items())),
        "demonstrations": len(ledger.demonstrations),
        "sources": [
            {"name": source.name, "licence": source.licence, "fingerprint": source.fingerprint} for source in opened
        ],
    }


def _check_limits(ledger: _Ledger, summary: dict[str, Any], config: CurationConfig) -> None:
    lost = len(ledger.quarantined)
    if lost > config.max_quarantined_fraction * ledger.rows_in:
        first = ledger.quarantined[0]
        reasons = ", ".join(f"{count} x {reason}" for reason, count in summary["quarantined_by_reason"].items())
        raise QuarantineLimitError(
            "curation",
            f"{lost} of {ledger.rows_in} rows quarantined ({reasons}; first: {first['source']} row {first['row']}, "
            f"{first['reason']}: {first['evidence']}), at most {config.max_quarantined_fraction:.0%} are allowed",
            "Mend the source, or raise curation.max_quarantined_fraction",
        )
    if not any(example.split is Split.TRAIN for example in ledger.kept):
        names = ", ".join(source["name"] for source in summary["sources"])
        raise EmptyDatasetError(
            f"the dataset from {names}",
            f"no training row is left of {ledger.rows_in}",
            "Give sources with rows, or loosen the limits of the recipe's curation",
        )


_QUARANTINE_COLUMNS = ("source", "row", "reason", "evidence", "question")


def _write_dataset(folder: Path, ledger: _Ledger, summary: dict[str, Any]) -> None:
    for split in Split:
        write_examples((item for item in ledger.kept if item.split is split), folder / f"{split.value}.parquet")
    train_ids = {example.id for example in ledger.kept if example.split is Split.TRAIN}
    rows = [{"id": key, "completion": text} for key, text in ledger.demonstrations.items() if key in train_ids]
    _write_parquet(folder / "demonstrations.parquet", rows, ("id", "completion"))
    (folder / SUMMARY).write_text(json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False), encoding="utf-8")


def _write_parquet(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name == "row" else pa.string()) for name in columns])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
