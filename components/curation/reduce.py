"""Reduce: what becomes of candidates when they are held against all others and against the benchmarks.

Decided on signs, which are small whatever the images weigh, in the order of the sources: the first of equal candidates
stays.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.core.example import Split
from components.core.question import QuestionFile
from components.core.suite import questions_path, read_suite
from components.curation.candidate import Candidate
from components.curation.config import CurationConfig
from components.curation.validate import pixel_sign, question_sign

REDUCE_STEPS = ("exact duplicates", "conflicts", "decontamination")
"""In the order in which candidates pass them."""


@dataclass
class SignTable:
    """What is known of the N candidates, in source order; a column a sign."""

    key: list[str] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    pixels: list[tuple[str, ...]] = field(default_factory=list)
    question: list[str] = field(default_factory=list)
    references: list[frozenset[str]] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    """As given; "" where the source is not divided."""

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "SignTable":
        """The table of candidates, whose images are not needed."""
        table = cls()
        for candidate in candidates:
            example, signs = candidate.example, candidate.signs
            table.key.append(candidate.key)
            table.id.append(example.id)
            table.pixels.append(signs.pixels)
            table.question.append(signs.question)
            table.references.append(frozenset(example.references))
            table.group.append(example.group or _group(signs.pixels))
            table.split.append(candidate.given_split)
        return table


@dataclass(frozen=True)
class Fate:
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


def judge(table: SignTable, benchmarks: Sequence[Path], config: CurationConfig, seed: int) -> Iterator[Fate]:
    """Decide what becomes of each candidate.

    Args:
        table: N candidates.
        benchmarks: Folders in the format of components/core/suite.py, which no example may be from.
        config: Which share is held out.
        seed: Decides which groups are held out.

    Yields:
        N fates, in order.
    """
    leaks = _benchmark_questions(benchmarks)
    first: dict[tuple[tuple[str, ...], str], int] = {}
    for place, asked in enumerate(zip(table.pixels, table.question, strict=True)):
        earlier = first.setdefault(asked, place)
        key = table.key[earlier]
        if earlier == place:
            leak = leaks.get(asked)
            yield Fate("decontamination", "benchmark question", leak) if leak else _kept(table, place, config, seed)
        elif table.references[earlier] == table.references[place]:
            yield Fate("exact duplicates", "duplicate", f"of {key}", is_duplicate=True)
        else:
            given = sorted(table.references[earlier])[0]
            yield Fate("conflicts", "conflicting answer", f"{key} gives {given!r}")


def _kept(table: SignTable, place: int, config: CurationConfig, seed: int) -> Fate:
    group = table.group[place]
    return Fate(split=table.split[place] or _split(group, config.heldout_fraction, seed), group=group)


def _split(group: str, heldout_fraction: float, seed: int) -> str:
    """By a hash of the group, so that new rows do not move old ones."""
    place = int.from_bytes(hashlib.sha256(f"{seed} {group}".encode()).digest()[:8]) / 2**64
    return (Split.HELD_OUT if place < heldout_fraction else Split.TRAIN).value


def _group(pixels: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(pixels).encode()).hexdigest()[:16]


def _benchmark_questions(benchmarks: Sequence[Path]) -> dict[tuple[tuple[str, ...], str], str]:
    """Names of the benchmarks' questions, by the signs of their images and text."""
    found = {}
    for folder in benchmarks:
        for info in read_suite(folder):
            for question in QuestionFile(questions_path(folder, info.name)):
                try:
                    pixels = tuple(pixel_sign(image) for image in question.open_images())
                except (OSError, ValueError):  # broken in the published set: no example can equal it
                    continue
                found[pixels, question_sign(" ".join(question.parts))] = f"{info.name} {question.id}"
    return found
