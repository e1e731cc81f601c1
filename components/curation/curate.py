"""Curation: sources in, a dataset and a quarantine out, every row accounted for.

Map, reduce, map: each row alone, by many processes; all that stays against each other, on its signs; then the shards
of the dataset, by many processes again. See components/curation/engine.py for what is kept of a run that is killed.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from components.core.artifact import MANIFEST, InputRef, Manifest, read_manifest, seal, verify
from components.core.cores import usable_cores
from components.core.errors import EmptyDatasetError, QuarantineLimitError, StorageError
from components.core.example import Split
from components.core.layout import ORDER, Shard, write_order
from components.core.lineage import SOURCE_KIND
from components.core.scratch import scratch_folder
from components.core.suite import BENCHMARKS, read_suite
from components.curation.candidate import Lost
from components.curation.comparison import PictureComparison
from components.curation.config import CurationConfig
from components.curation.croissant import CROISSANT, write_croissant
from components.curation.engine import WHOLE, Advance, Engine, Share, Tally, plan_splits
from components.curation.fates import FateFile, settled, write_fates
from components.curation.gathering import gather_numbers
from components.curation.judge import REDUCE_STEPS, Fate, Fates, judge
from components.curation.ledger import (
    DEMONSTRATIONS,
    PROVENANCE,
    QUARANTINE,
    Ledger,
    RecordWriter,
    write_quarantine,
)
from components.curation.numbers import NUMBERS, write_numbers
from components.curation.pictures import PictureStep
from components.curation.shards import Line, ShardFile, SourceRows, continued
from components.curation.sign_table import SignTable
from components.curation.source_config import Source
from components.curation.sources import OpenSource, open_source
from components.curation.steps import QUESTION_SHOWN, BuildSteps, row_steps
from components.curation.work_folder import WorkFolder, digest_of, key_of, take

SUMMARY = "summary.json"
_OF_MANIFEST = (MANIFEST, "manifest.partial")
_BESIDE_EXAMPLES = (ORDER, SUMMARY, DEMONSTRATIONS, PROVENANCE, NUMBERS, CROISSANT)
_OF_DATASET = (*_OF_MANIFEST, *(split.value for split in Split), *_BESIDE_EXAMPLES)


@dataclass(frozen=True)
class CurationResult:
    """What curation reports."""

    dataset: Manifest
    quarantine: Manifest
    summary: dict[str, Any]
    """Counts: rows_in = rows_kept + rows_quarantined + rows_duplicate, in all and by step; and of those kept and
    quarantined by reason, split, family, answer type and source."""
    mapped: Tally
    """Shards of source rows that were made, and found made."""
    written: Tally
    """Shards of examples that were made, and found made."""


def curate(
    dataset: Path,
    quarantine: Path,
    config: CurationConfig,
    seed: int,
    benchmarks: Path | None = None,
    work: Path | None = None,
    steps: BuildSteps = row_steps,
    advance: Advance = lambda _done, _rows: None,
) -> CurationResult:
    """Curate.

    Args:
        dataset: Folder for the dataset artifact.
        quarantine: Folder for the quarantine artifact.
        config: Sources, steps and limits.
        seed: Decides what the quickstart corpus draws and which groups are held out.
        benchmarks: A benchmarks artifact, whose questions no example may repeat.
        work: Folder that outlives a kill; the scratch of the step by default, and where there is none a folder beside
            the dataset, removed in the end.
        steps: Makes the row steps; importable.
        advance: Called with what was done (engine.LOOKED_AT, engine.WRITTEN) and with how many rows.

    Raises:
        SourceError: A source cannot be read.
        QuarantineLimitError: More rows were quarantined than allowed; nothing is written as finished.
        EmptyDatasetError: No training row is left.
        StorageError: The dataset's folder holds something else.
    """
    folder = work or scratch_folder("curation")
    beside = dataset.with_name(f"{dataset.name}.work")
    with Curation(config, seed, benchmarks, folder or beside, steps, advance) as curation:
        result = curation.run(dataset, quarantine)
    if folder is None:
        shutil.rmtree(beside)
    return result


class Curation:
    """One curation, phase by phase; a context manager, in which its processes live.

    Args:
        config: As for `curate`.
        seed: As for `curate`.
        benchmarks: As for `curate`.
        work: Folder for what is finished.
        steps: As for `curate`.
        advance: As for `curate`.
        trusted: As for `WorkFolder`.

    Raises:
        SourceError: A source cannot be read.
    """

    def __init__(
        self,
        config: CurationConfig,
        seed: int,
        benchmarks: Path | None,
        work: Path,
        steps: BuildSteps = row_steps,
        advance: Advance = lambda _done, _rows: None,
        trusted: bool = False,
    ) -> None:
        self._config, self._seed = config, seed
        self._sources = _named(open_source(source, seed) for source in config.sources)
        self._benchmarks = benchmarks if benchmarks is not None and read_suite(benchmarks) else None
        self._folder = WorkFolder(work, trusted)
        self.engine = Engine(config, self._folder, usable_cores(), steps, advance)

    def __enter__(self) -> "Curation":
        """Open the engine."""
        self.engine.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.engine.__exit__(kind, error, trace)

    def map(self, share: Share) -> list[ShardFile]:
        """The shards of source rows, each row of which has been looked at."""
        rows = [
            SourceRows(source.name, _identity(settings, source), continued(source.rows))
            for settings, source in zip(self._config.sources, self._sources, strict=True)
        ]
        return self.engine.map_sources(rows, share)

    def reduce(self, files: Sequence[ShardFile]) -> FateFile:
        """What becomes of each candidate of all shards."""
        benchmarks = self._benchmark_reference
        shards = [(file.key, file.source, file.start) for file in files]
        settings = (self._config.identity(), self._seed, benchmarks and benchmarks.fingerprint)
        key = self.engine.key("fates", shards, *settings)
        return FateFile(key, self._folder.make(key, lambda path: write_fates(self._judge(files), path)))

    def _judge(self, files: Sequence[ShardFile]) -> Fates:
        table = SignTable.read([file.signs for file in files])
        benchmarks = [self._benchmarks] if self._benchmarks else []
        with PictureStep(self._config.pictures) as step:
            comparison = PictureComparison(step)
            return judge(table, benchmarks, self._config.comparing(), comparison=comparison, seed=self._seed)

    def write(
        self, files: Sequence[ShardFile], fates: FateFile, share: Share = WHOLE
    ) -> tuple[dict[Split, list[Path]], list[int]]:
        """The shards of examples by split, and which of them each example that stays is in, in source order."""
        places: list[int] = []
        tasks = plan_splits(self.engine, files, iter(fates), places.append)
        return self.engine.write_splits(tasks, share), places

    def run(self, dataset: Path, quarantine: Path) -> CurationResult:
        """All of it; see `curate`."""
        self._make_room(dataset, quarantine)
        files = self.map(WHOLE)
        fates = self.reduce(files)
        ledger = self._account(files, fates, quarantine)
        written, places = self.write(files, fates)
        orders = {split: _place_shards(paths, dataset / split.value) for split, paths in written.items()}
        write_order(dataset, {split.value: shards for split, shards in orders.items()})
        ledger.demonstrations = _write_provenance(files, fates, orders, places, dataset)
        summary = {**fates.figures(), **self._summary(ledger)}
        text = json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False)
        (dataset / SUMMARY).write_text(text, encoding="utf-8")
        numbers = gather_numbers(dataset, summary, quarantine, self._seed)
        write_numbers(numbers, dataset / NUMBERS)
        write_croissant(dataset, numbers, self._config.texts, self._config.identity())
        sealed = self._seal(dataset, quarantine)
        self._folder.prune()
        return CurationResult(*sealed, summary, self.engine.mapped, self.engine.written)

    def _account(self, files: Sequence[ShardFile], fates: FateFile, quarantine: Path) -> Ledger:
        """Count every row, write the quarantine, and refuse a dataset that is not fit to be used."""
        ledger = Ledger((*self.engine.step_names(), *REDUCE_STEPS))

        def lost() -> Iterator[Lost]:
            for row, fate in settled(files, fates):
                if not isinstance(row, Lost) and not fate.step:
                    ledger.keep(row, fate.split)
                    continue
                gone = row if isinstance(row, Lost) else _lost(row, fate)
                ledger.lose(gone)
                yield gone

        write_quarantine(lost(), quarantine)
        _check_limits(ledger, self._config, [source.name for source in self._sources])
        return ledger

    def _summary(self, ledger: Ledger) -> dict[str, Any]:
        sources = [
            {"name": source.name, "licence": source.licence, "fingerprint": source.fingerprint}
            for source in self._sources
        ]
        return {**ledger.summary(), "demonstrations": ledger.demonstrations, "sources": sources}

    def _seal(self, dataset: Path, quarantine: Path) -> tuple[Manifest, Manifest]:
        identity, inputs = self._identity(), self._inputs()
        # The dataset last: where it is finished, so is its quarantine.
        second = seal(quarantine, "quarantine", identity, inputs)
        return seal(dataset, "dataset", identity, inputs), second

    def _identity(self) -> dict[str, Any]:
        return {"curation": self._config.identity(), "seed": self._seed}

    def _inputs(self) -> dict[str, InputRef]:
        benchmarks = self._benchmark_reference
        sources = {source.name: InputRef(SOURCE_KIND, source.fingerprint) for source in self._sources}
        return sources if benchmarks is None else {**sources, "benchmarks": benchmarks}

    def _make_room(self, dataset: Path, quarantine: Path) -> None:
        """Make the folders, and remove what a curation of the same that did not finish left in them."""
        if (dataset / MANIFEST).exists():
            raise StorageError(str(dataset), "holds a finished artifact", "Give a new folder")
        if (quarantine / MANIFEST).exists():
            found = read_manifest(quarantine)
            if (found.identity, found.inputs) != (self._identity(), self._inputs()):
                raise StorageError(str(quarantine), "holds the quarantine of another dataset", "Give a new folder")
        for folder, own in ((dataset, _OF_DATASET), (quarantine, (*_OF_MANIFEST, QUARANTINE))):
            folder.mkdir(parents=True, exist_ok=True)
            others = sorted(path.name for path in folder.iterdir() if path.name not in own)
            if others:
                raise StorageError(str(folder), f"holds {others[0]}, which is not of this work", "Give a new folder")
            shutil.rmtree(folder)
            folder.mkdir()

    @cached_property
    def _benchmark_reference(self) -> InputRef | None:
        return verify(self._benchmarks, BENCHMARKS).reference() if self._benchmarks else None


def _identity(settings: Source, source: OpenSource) -> str:
    """Of a source's rows; "" where images lie in a folder, whose content nothing tells."""
    return key_of(settings.identity(), source.settings, source.fingerprint) if source.is_covered else ""


def _named(sources: Iterable[OpenSource]) -> list[OpenSource]:
    """Sources whose names tell them apart: two files may be called the same."""
    named: list[OpenSource] = []
    counts: Counter[str] = Counter()
    for source in sources:
        counts[source.name] += 1
        number = counts[source.name]
        named.append(source if number == 1 else replace(source, name=f"{source.name} ({number})"))
    return named


def _place_shards(paths: Sequence[Path], folder: Path) -> list[Shard]:
    """Put shards of examples into their split's folder, under the digest of their content."""
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    shards = []
    for path in paths:
        shard = Shard(f"{digest_of(path)}.parquet", pq.read_metadata(path).num_rows)
        if not (folder / shard.name).exists():  # two shards of equal content are one file
            take(path, folder / shard.name)
        shards.append(shard)
    return shards


def _write_provenance(
    files: Sequence[ShardFile],
    fates: FateFile,
    orders: Mapping[Split, Sequence[Shard]],
    places: Iterable[int],
    dataset: Path,
) -> int:
    """Write where each example came from and lies, and the demonstrations of the training examples.

    Returns:
        The number of demonstrations.
    """
    texts = ("id", "source", "split", "shard", "group", "kind", "gold")
    columns = {**dict.fromkeys(texts, "text"), "place": "integer", "flags": "texts", "changes": "texts"}
    shard_of, count = iter(places), 0
    with (
        RecordWriter(dataset / PROVENANCE, columns) as provenance,
        RecordWriter(dataset / DEMONSTRATIONS, {"id": "text", "completion": "text"}) as demonstrations,
    ):
        for row, fate in settled(files, fates):
            if isinstance(row, Lost) or fate.step:
                continue
            split = Split(fate.split)
            provenance.add(
                id=row.id,
                source=row.source,
                place=row.place,
                split=split.value,
                shard=orders[split][next(shard_of)].name,
                group=fate.group,
                kind=row.kind,
                gold=row.gold,
                flags=[*row.flags, *fate.flags],
                changes=row.changes,
            )
            if row.demonstration and split is Split.TRAIN:
                demonstrations.add(id=row.id, completion=row.demonstration)
                count += 1
    return count


def _lost(row: Line, fate: Fate) -> Lost:
    return Lost(
        source=row.source,
        place=row.place,
        step=fate.step,
        reason=fate.reason,
        evidence=fate.evidence,
        question=row.question[:QUESTION_SHOWN],
        is_duplicate=fate.is_duplicate,
        id=row.id,
    )


def _check_limits(ledger: Ledger, config: CurationConfig, sources: Sequence[str]) -> None:
    lost, first = ledger.rows_quarantined, ledger.first
    if first is not None and lost > config.max_quarantined_fraction * ledger.rows_in:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(ledger.reasons.items()))
        raise QuarantineLimitError(
            "curation",
            f"{lost} of {ledger.rows_in} rows quarantined ({reasons}; first: {first.source} row {first.place}, "
            f"{first.reason}: {first.evidence}), at most {config.max_quarantined_fraction:.0%} are allowed",
            "Mend the source, or raise curation.max_quarantined_fraction",
        )
    if not ledger.by["split"][Split.TRAIN.value]:
        raise EmptyDatasetError(
            f"the dataset from {', '.join(sources)}",
            f"no training row is left of {ledger.rows_in}",
            "Give sources with rows, or loosen the limits of the recipe's curation",
        )
