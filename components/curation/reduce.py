"""Reduce: what becomes of candidates when they are held against all others and against the benchmarks.

Decided on signs, which are small whatever the images weigh, in the order of the sources: the first of equal candidates
stays.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from components.core.example import Split
from components.core.question import QuestionFile
from components.core.suite import questions_path, read_suite
from components.curation.candidate import Candidate
from components.curation.config import CurationConfig
from components.curation.validate import pixel_sign, question_sign

REDUCE_STEPS = ("exact duplicates", "conflicts", "decontamination")
"""In the order in which candidates pass them."""


class SignTable:
    """The signs of N candidates, in source order; a column a sign.

    Args:
        columns: A pyarrow table.
    """

    def __init__(self, columns: Any) -> None:
        self._columns = columns

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> "SignTable":
        """The table of a shard's candidates, made where they are mapped."""
        import pyarrow as pa

        return cls(pa.Table.from_pylist([_signs(candidate) for candidate in candidates], schema=_schema()))

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "SignTable":
        """The tables of shards, one after another."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        return cls(pa.concat_tables([_schema().empty_table(), *(pq.read_table(path) for path in paths)]))

    def write(self, path: Path) -> None:
        """Write it as Parquet."""
        import pyarrow.parquet as pq

        pq.write_table(self._columns, path, compression="lz4")

    def __len__(self) -> int:
        return int(self._columns.num_rows)

    def texts(self, name: str) -> list[str]:
        """A column."""
        values: list[str] = self._columns[name].to_pylist()
        return values


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("key", "asked", "answer", "group", "split")])


def _signs(candidate: Candidate) -> dict[str, str]:
    example, signs = candidate.example, candidate.signs
    return {
        "key": candidate.key,
        "asked": _asked(signs.pixels, signs.question),
        "answer": " | ".join(sorted(set(example.references))),
        "group": example.group or _digest(*signs.pixels)[:16],
        "split": candidate.stated_split,
    }


def _asked(pixels: Sequence[str], question: str) -> str:
    """Equal for the same images and question."""
    return _digest(*pixels, question)


def _digest(*texts: str) -> str:
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:32]


class Fate(NamedTuple):
    """What becomes of a candidate."""

    step: str = ""
    """That took it out; "" for one that stays."""
    reason: str = ""
    evidence: str = ""
    """Names the candidate, by its key, or the benchmark's question that it is held against."""
    is_duplicate: bool = False
    split: str = ""
    """Of one that stays."""
    group: str = ""
    flags: tuple[str, ...] = ()
    """What is notable of one that stays."""


@dataclass(frozen=True)
class Fates:
    """What becomes of N candidates, in order, and figures for the summary."""

    fates: Sequence[Fate]
    figures: dict[str, Any]
    """JSON values by name: benchmarks …"""


def judge(table: SignTable, benchmarks: Sequence[Path], config: CurationConfig, seed: int) -> Fates:
    """Decide what becomes of each candidate.

    Args:
        table: N candidates.
        benchmarks: Folders in the format of components/core/suite.py, which no example may be from.
        config: Which share is held out.
        seed: Decides which groups are held out.
    """
    leaks = _benchmark_questions(benchmarks)
    columns = [table.texts(name) for name in ("key", "asked", "answer", "group", "split")]
    first: dict[str, tuple[str, str]] = {}
    fates, leaking = [], Counter[str]()
    for key, asked, answer, group, split in zip(*columns, strict=True):
        kept_key, kept_answer = first.setdefault(asked, (key, answer))
        if kept_key != key:
            fates.append(_repeated(kept_key, kept_answer == answer, kept_answer))
        elif asked in leaks:
            leaking[leaks[asked].split()[0]] += 1
            fates.append(Fate("decontamination", "benchmark question", leaks[asked]))
        else:
            fates.append(Fate(split=split or _split(group, config.heldout_fraction, seed), group=group))
    return Fates(fates, {"leaks": dict(sorted(leaking.items()))} if benchmarks else {})


def _repeated(key: str, agrees: bool, answer: str) -> Fate:
    if agrees:
        return Fate("exact duplicates", "duplicate", f"of {key}", is_duplicate=True)
    return Fate("conflicts", "conflicting answer", f"{key} gives {answer!r}")


def _split(group: str, heldout_fraction: float, seed: int) -> str:
    """By a hash of the group, so that new rows do not move old ones."""
    place = int.from_bytes(hashlib.sha256(f"{seed} {group}".encode()).digest()[:8]) / 2**64
    return (Split.HELD_OUT if place < heldout_fraction else Split.TRAIN).value


def _benchmark_questions(benchmarks: Sequence[Path]) -> dict[str, str]:
    """Names of the benchmarks' questions, by what is asked about which images."""
    found = {}
    for folder in benchmarks:
        for info in read_suite(folder):
            for question in QuestionFile(questions_path(folder, info.name)):
                try:
                    pixels = tuple(pixel_sign(image) for image in question.open_images())
                except (OSError, ValueError):  # broken in the published set: no example can equal it
                    continue
                found[_asked(pixels, question_sign(" ".join(question.parts)))] = f"{info.name} {question.id}"
    return found
