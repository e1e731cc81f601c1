"""Explain: what became of one row, step by step, from what a curation left on disk."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.artifact import Manifest, read_manifest
from components.core.errors import ArtifactError, SourceError
from components.curation.curate import SUMMARY
from components.curation.ledger import PROVENANCE, QUARANTINE

if TYPE_CHECKING:
    import pyarrow as pa

PASSED, NOT_REACHED = "passed", "not reached"


@dataclass(frozen=True)
class Step:
    """What a step made of the row."""

    name: str
    words: tuple[str, ...]
    """PASSED, what it changed, why it took the row out, or NOT_REACHED."""


@dataclass(frozen=True)
class Mention:
    """A lost row that was held against this one."""

    key: str
    step: str
    reason: str
    is_duplicate: bool


@dataclass(frozen=True)
class Explanation:
    """What became of one source row."""

    source: str
    place: int
    id: str
    """Of the example; "" where it became none."""
    question: str
    steps: tuple[Step, ...]
    kept: dict[str, str]
    """split, shard, group, answer (its kind and how its rule reads it) and flags; empty for a row that was lost."""
    lost: dict[str, str]
    """step, reason and evidence; empty for a row that was kept."""
    mentions: tuple[Mention, ...]
    """Rows that were lost because of it."""

    @property
    def key(self) -> str:
        """source#place."""
        return f"{self.source}#{self.place}"


def explain(dataset: Path, name: str, quarantine: Path | None = None) -> list[Explanation]:
    """What became of a row.

    Args:
        dataset: A dataset artifact, or the folder that holds it as `dataset`.
        name: The id of an example, which several rows may have had, or source#place.
        quarantine: The quarantine artifact; by default that beside the dataset.

    Returns:
        One explanation a row, kept ones first.

    Raises:
        ArtifactError: The folders are not a dataset and the quarantine of the same curation.
        SourceError: No row is called that.
    """
    dataset = dataset / "dataset" if (dataset / "dataset").is_dir() else dataset
    quarantine = quarantine or dataset.with_name("quarantine")
    _check(dataset, quarantine)
    steps = [item["step"] for item in json.loads((dataset / SUMMARY).read_text(encoding="utf-8"))["steps"]]
    lost = _table(quarantine / QUARANTINE)
    kept = [_kept(row, steps, dataset, lost) for row in _named(_table(dataset / PROVENANCE), name)]
    found = [*kept, *(_lost(row, steps, lost) for row in _named(lost, name))]
    if not name or not found:
        remedy = "Give the id of an example (16 hexadecimal digits), or source#place with a row number from 0"
        raise SourceError(name, f"neither an example of {dataset} nor a row of its sources", remedy)
    return found


def _check(dataset: Path, quarantine: Path) -> None:
    data, other = _manifest(dataset, "dataset"), _manifest(quarantine, "quarantine")
    if (data.identity, data.inputs) != (other.identity, other.inputs):
        raise ArtifactError(
            str(quarantine), f"not the quarantine of the dataset {dataset}", "Give that of the same curation"
        )


def _manifest(folder: Path, kind: str) -> Manifest:
    manifest = read_manifest(folder)
    if manifest.kind != kind:
        raise ArtifactError(str(folder), f"holds a {manifest.kind}, a {kind} is needed", f"Give the folder of a {kind}")
    return manifest


def _table(path: Path) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _named(table: "pa.Table", name: str) -> list[dict[str, Any]]:
    """The rows of an id or an address."""
    import pyarrow.compute as pc

    chosen = pc.equal(table["id"], name)
    source, separator, place = name.rpartition("#")
    if separator and place.isascii() and place.isdigit() and len(place) < len(str(2**63)):
        at = pc.and_(pc.equal(table["source"], source), pc.equal(table["place"], int(place)))
        chosen = pc.or_(chosen, at)
    rows: list[dict[str, Any]] = table.filter(chosen).to_pylist()
    return rows


def _kept(row: dict[str, Any], steps: Sequence[str], dataset: Path, lost: "pa.Table") -> Explanation:
    changes = [change.partition(": ") for change in row["changes"]]
    words = {name: tuple(what for step, _, what in changes if step == name) or (PASSED,) for name in steps}
    return Explanation(
        source=row["source"],
        place=row["place"],
        id=row["id"],
        question=_question(dataset / row["split"] / row["shard"], row["id"]),
        steps=tuple(Step(name, said) for name, said in words.items()),
        kept={
            "split": row["split"],
            "shard": row["shard"],
            "group": row["group"],
            "answer": f"{row['kind']} {row['gold']}".strip() or "not typed",
            "flags": ", ".join(row["flags"]) or "none",
        },
        lost={},
        mentions=tuple(_mentions(lost, f"{row['source']}#{row['place']}", row["id"])),
    )


def _lost(row: dict[str, Any], steps: Sequence[str], lost: "pa.Table") -> Explanation:
    place = steps.index(row["step"])
    words = (
        [(PASSED,)] * place + [(f"{row['reason']}: {row['evidence']}",)] + [(NOT_REACHED,)] * len(steps[place + 1 :])
    )
    return Explanation(
        source=row["source"],
        place=row["place"],
        id=row["id"],
        question=row["question"],
        steps=tuple(Step(name, said) for name, said in zip(steps, words, strict=True)),
        kept={},
        lost={"step": row["step"], "reason": row["reason"], "evidence": row["evidence"]},
        mentions=tuple(_mentions(lost, f"{row['source']}#{row['place']}", "")),
    )


def _mentions(lost: "pa.Table", key: str, id_: str) -> Iterator[Mention]:
    """Lost rows whose evidence names a row, by its address or its id."""
    import pyarrow.compute as pc

    for name in filter(None, (key, id_)):
        whole = re.compile(rf"(?<![\w#]){re.escape(name)}(?!\w)")
        for row in lost.filter(pc.match_substring(lost["evidence"], name)).to_pylist():
            if whole.search(row["evidence"]):
                yield Mention(f"{row['source']}#{row['place']}", row["step"], row["reason"], row["is_duplicate"])


def _question(shard: Path, id_: str) -> str:
    import pyarrow.parquet as pq

    table = pq.read_table(shard, columns=["id", "question"], filters=[("id", "=", id_)])
    return str(table["question"][0].as_py())
