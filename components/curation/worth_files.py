"""The files of the model-based steps of curation: a dataset read, and written with what was found out.

Everything that knows how a dataset lies on disk is here.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, read_manifest
from components.core.errors import StorageError
from components.core.example import Example, Split, example_schema, read_split, to_row
from components.core.layout import ORDER, ROWS_OF_SHARD, split_shards, write_order, write_shards
from components.curation.candidate import Lost
from components.curation.curate import SUMMARY
from components.curation.difficulty import Doubt
from components.curation.ledger import DEMONSTRATIONS, PROVENANCE, QUARANTINE, write_quarantine
from components.curation.mixture import Kind
from components.curation.pass_rates import PassCounts

WORTH = "worth.parquet"
STEPS = ("difficulty", "blind", "mixture")
_QUESTION_SHOWN = 500  # characters
_UNKNOWN_PLACE = -1


@dataclass
class Worth:
    """What was found out about one training example; small, so that all are held."""

    id: str
    kind: Kind
    sighted: PassCounts | None = None
    """Of the generations with its images; None where it was not asked."""
    blind: PassCounts | None = None
    """Of those without."""
    chance: float = 0.0
    """Of a guess to be right."""
    flags: tuple[str, ...] = ()
    step: str = ""
    """Which took it out; "" where it stays."""
    doubt: Doubt | None = None
    """Why."""
    repeats: int = 1

    @property
    def reason(self) -> str:
        """Why it was taken out; "" where it stays."""
        return self.doubt.reason if self.doubt else ""

    @property
    def evidence(self) -> str:
        """What speaks for that."""
        return self.doubt.evidence if self.doubt else ""

    def lose(self, step: str, doubt: Doubt) -> None:
        """Take it out."""
        self.step, self.doubt = step, doubt


@dataclass(frozen=True)
class WorthInputs:
    """What is read."""

    dataset: Path
    surrogate: Path | None = None
    """Scores open-ended answers; without one they are not measured."""
    base: Path | None = None
    """The run's base policy; asked unless the recipe names another."""


@dataclass(frozen=True)
class WorthOutputs:
    """Where results go."""

    dataset: Path
    """The dataset without the rows that were taken out."""
    quarantine: Path
    """Those rows."""


def read_train(dataset: Path) -> Iterator[Example]:
    """The training examples of a dataset, in order."""
    return read_split(dataset, Split.TRAIN)


def write_worth(
    dataset: Path, outputs: WorthOutputs, worths: Mapping[str, Worth], report: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the dataset and the quarantine.

    Args:
        dataset: That was measured.
        outputs: Empty folders.
        worths: Of each training example, by id.
        report: What the steps report.

    Returns:
        The summary that was written.
    """
    lost: list[Example] = []

    def staying() -> Iterator[Example]:
        for example in read_train(dataset):
            worth = worths[example.id]
            rate = worth.sighted.rate if worth.sighted else None
            measured = replace(example, pass_rate=example.pass_rate if rate is None else rate, repeats=worth.repeats)
            if worth.step:
                lost.append(replace(measured, images=(), question=example.question[:_QUESTION_SHOWN]))
            else:
                yield measured

    _write_splits(staying(), dataset, outputs.dataset)
    demonstrations = _copy_demonstrations(dataset, outputs.dataset, worths)
    _write_worths(worths.values(), outputs.dataset / WORTH)
    write_quarantine(_lost(lost, worths, _places(dataset)), outputs.quarantine)
    summary = _summary(dataset, lost, worths, report) | {"demonstrations": demonstrations}
    text = json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False)
    (outputs.dataset / SUMMARY).write_text(text, encoding="utf-8")
    return summary


def _write_splits(train: Iterable[Example], dataset: Path, output: Path) -> None:
    """Write the training split in shards as long as the dataset's, and copy the held-out one."""
    import pyarrow as pa

    def rows() -> Iterator[tuple[str, int, pa.Table]]:
        for example in train:
            table = pa.Table.from_pylist([to_row(example)], schema=example_schema())
            yield example.id, sum(map(len, example.images)), table

    average = read_manifest(dataset).identity["curation"].get("shard_rows", ROWS_OF_SHARD)
    shards = write_shards(rows(), output / Split.TRAIN.value, example_schema(), average)
    heldout = Split.HELD_OUT.value
    shutil.copytree(dataset / heldout, output / heldout)
    write_order(output, {Split.TRAIN.value: shards, heldout: split_shards(dataset, heldout)})


def _copy_demonstrations(dataset: Path, output: Path, worths: Mapping[str, Worth]) -> int:
    """Copy the demonstrations of what stays, and return their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(dataset / DEMONSTRATIONS)
    stays = [id_ not in worths or not worths[id_].step for id_ in table["id"].to_pylist()]
    kept = table.filter(pa.array(stays, pa.bool_()))
    pq.write_table(kept, output / DEMONSTRATIONS)
    return int(kept.num_rows)


def _write_worths(worths: Iterable[Worth], path: Path) -> None:
    """Write what was found out about each training example, those included that are out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts = ("right", "wrong", "undecided")
    whole = [*counts, *(f"blind_{name}" for name in counts), "repeats"]
    columns = [("id", pa.string()), *((name, pa.int64()) for name in whole)]
    columns += [("chance", pa.float64()), ("flags", pa.list_(pa.string())), ("step", pa.string())]
    rows = [
        {
            "id": worth.id,
            **(asdict(worth.sighted) if worth.sighted else {}),
            **({f"blind_{name}": value for name, value in asdict(worth.blind).items()} if worth.blind else {}),
            "repeats": 0 if worth.step else worth.repeats,
            "chance": worth.chance if worth.blind else None,
            "flags": list(worth.flags),
            "step": worth.step,
        }
        for worth in worths
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(columns)), path, compression="zstd")


def _places(dataset: Path) -> dict[str, tuple[str, int]]:
    """Source and place of each example by id, where the dataset says so."""
    import pyarrow.parquet as pq

    if not (dataset / PROVENANCE).is_file():
        return {}
    rows = pq.read_table(dataset / PROVENANCE, columns=["id", "source", "place"]).to_pylist()
    return {row["id"]: (row["source"], row["place"]) for row in rows}


def _lost(
    lost: Sequence[Example], worths: Mapping[str, Worth], places: Mapping[str, tuple[str, int]]
) -> Iterator[Lost]:
    for example in lost:
        source, place = places.get(example.id, (example.source, _UNKNOWN_PLACE))
        worth = worths[example.id]
        yield Lost(source, place, worth.step, worth.reason, worth.evidence, example.question, id=example.id)


_COUNTED = {
    "by_split": lambda example: example.split.value,
    "by_family": lambda example: example.family.value,
    "by_answer_type": lambda example: example.answer_type.value,
    "by_source": lambda example: example.source,
}


def _summary(
    dataset: Path, lost: Sequence[Example], worths: Mapping[str, Worth], report: Mapping[str, Any]
) -> dict[str, Any]:
    """The summary of the dataset with the rows that are out accounted for."""
    summary: dict[str, Any] = json.loads((dataset / SUMMARY).read_text(encoding="utf-8"))
    by_step = Counter(worths[example.id].step for example in lost)
    steps, rows = list(summary.get("steps", ())), summary["rows_kept"]
    for step in STEPS:
        count = by_step[step]
        kept = rows - count
        steps.append({"step": step, "rows_in": rows, "rows_kept": kept, "rows_quarantined": count, "rows_duplicate": 0})
        rows = kept
    reasons = Counter(worths[example.id].reason for example in lost)
    for name, value in _COUNTED.items():
        if name in summary:
            gone = Counter(map(value, lost))
            summary[name] = {key: count - gone[key] for key, count in summary[name].items()}
    for name, counts in (
        ("quarantined_by_reason", reasons),
        ("quarantined_by_source", Counter(item.source for item in lost)),
    ):
        if name in summary:
            summary[name] = dict(sorted((Counter(summary[name]) + counts).items()))
    return {
        **summary,
        "rows_kept": rows,
        "rows_quarantined": summary["rows_quarantined"] + len(lost),
        "steps": steps,
        "worth": dict(report),
    }


def make_room(outputs: WorthOutputs) -> None:
    """Make the output folders, and empty them of what a run that was killed left in them.

    Raises:
        StorageError: One holds something else, or the dataset is finished.
    """
    if (outputs.dataset / MANIFEST).exists():
        raise StorageError(str(outputs.dataset), "holds a finished artifact", "Give a new folder")
    own = {split.value for split in Split} | {ORDER, WORTH, SUMMARY, DEMONSTRATIONS, QUARANTINE}
    # The quarantine is sealed first: by itself its manifest says nothing.
    own |= {MANIFEST, Path(MANIFEST).with_suffix(".partial").name}
    for folder in (outputs.dataset, outputs.quarantine):
        others = sorted(path.name for path in folder.iterdir() if path.name not in own) if folder.exists() else []
        if others:
            raise StorageError(str(folder), f"holds {others[0]}, which is not of this work", "Give a new folder")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
