"""The numbers of a dataset: what its data card and its Croissant metadata say, as JSON values.

They are counted from the dataset and the quarantine themselves, so that a card shows what there is; where that is not
what curation reports, `problems` says so.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

NUMBERS = "numbers.json"
BREAKDOWNS = ("split", "family", "answer_type", "task", "source", "licence")
"""What the examples are counted by."""


@dataclass(frozen=True)
class StepCount:
    """The account of a step: rows_in = rows_kept + rows_quarantined + rows_duplicate."""

    step: str
    rows_in: int
    rows_kept: int
    rows_quarantined: int
    rows_duplicate: int

    @property
    def adds_up(self) -> bool:
        """Whether no row is missing."""
        return self.rows_in == self.rows_kept + self.rows_quarantined + self.rows_duplicate


@dataclass(frozen=True)
class LostRow:
    """A row of the quarantine, as an example of why rows were taken out."""

    source: str
    place: int
    evidence: str
    question: str


@dataclass(frozen=True)
class ReasonCount:
    """Rows that one step took out for one reason."""

    step: str
    reason: str
    rows: int
    is_duplicate: bool
    examples: tuple[LostRow, ...] = ()


@dataclass(frozen=True)
class SourceCount:
    """A source and what became of its rows."""

    name: str
    licence: str
    fingerprint: str
    rows_kept: int
    rows_quarantined: int
    rows_duplicate: int

    @property
    def rows_in(self) -> int:
        """All of its rows."""
        return self.rows_kept + self.rows_quarantined + self.rows_duplicate


@dataclass(frozen=True)
class BenchmarkCount:
    """What decontamination found of a benchmark."""

    name: str
    questions: int
    leaked_questions: int
    """Of its questions, those that a row repeats."""
    leaking_rows: int
    """Rows that repeat one; a row that repeats questions of two benchmarks counts for both."""


@dataclass(frozen=True)
class Histogram:
    """Counts of whole numbers by ranges that double in width."""

    lows: tuple[int, ...] = ()
    """The first number of each range; a range ends before the next one begins, the last one nowhere."""
    counts: tuple[int, ...] = ()
    median: int = 0
    p95: int = 0
    """95 of a hundred values are at most this."""
    largest: int = 0

    @property
    def n(self) -> int:
        """How many values were counted."""
        return sum(self.counts)


@dataclass(frozen=True)
class Difficulty:
    """Pass rates: the share of a base policy's generations that were right."""

    counts: tuple[int, ...]
    """Examples whose rate is in each tenth of 0..1; 1 is in the last one."""
    never: int
    """Of them, those whose rate is 0."""
    always: int
    """Of them, those whose rate is 1."""
    unmeasured: int
    """Examples without a rate."""
    mean: float = 0.0

    @property
    def n(self) -> int:
        """Examples with a rate."""
        return sum(self.counts)


@dataclass(frozen=True)
class Groups:
    """Groups of examples, which belong on one side of the split."""

    n: int
    sizes: Histogram
    crossing: int
    """Groups with examples on both sides: 0, or evaluation is not on unseen images."""
    ungrouped: int
    """Examples without a stated group, which count as a group each."""


@dataclass(frozen=True)
class ImageSizes:
    """Images that were measured: all of a small dataset, a sample of the row groups of a large one."""

    longer_side: Histogram
    """Pixels."""
    images_a_row: Histogram
    formats: Mapping[str, int]
    rows: int
    """Rows whose images were measured."""
    rows_in_all: int
    unreadable: int = 0
    """Images whose header cannot be read."""


@dataclass(frozen=True)
class Picture:
    """An image as the card shows it."""

    uri: str
    """A data URI."""
    width: int
    """Pixels of the original."""
    height: int


@dataclass(frozen=True)
class Sample:
    """An example as the card shows it; texts are cut where they are long."""

    id: str
    split: str
    task: str
    answer_type: str
    question: str
    references: tuple[str, ...]
    more_references: int
    choices: tuple[str, ...]
    more_choices: int
    source: str
    licence: str
    pass_rate: float | None
    pictures: tuple[Picture, ...] = ()
    more_images: int = 0
    """Images that the card leaves out to stay small, or that cannot be decoded."""


@dataclass(frozen=True)
class CardNumbers:
    """Everything that the card and the metadata say of a dataset."""

    rows_in: int
    rows_kept: int
    rows_quarantined: int
    rows_duplicate: int
    steps: tuple[StepCount, ...]
    reasons: tuple[ReasonCount, ...]
    sources: tuple[SourceCount, ...]
    by: Mapping[str, Mapping[str, int]]
    """Examples by value, for each of BREAKDOWNS."""
    task_and_type: Mapping[str, Mapping[str, int]]
    """Examples by task, and by answer type within it."""
    verifiable: int
    """Examples that a rule can decide."""
    question_characters: Histogram
    answer_characters: Histogram
    """Of the canonical reference."""
    image_sizes: ImageSizes
    difficulty: Difficulty
    groups: Groups
    demonstrations: int
    flags: Mapping[str, int] | None = None
    """Examples by flag; None where flags are not on record."""
    benchmarks: tuple[BenchmarkCount, ...] | None = None
    """None where the dataset was not held against any benchmark."""
    broken_benchmark_images: int = 0
    """Images of benchmarks that cannot be decoded, so that no row could be held against them."""
    samples: tuple[Sample, ...] = ()
    problems: tuple[str, ...] = ()
    """What does not add up, a sentence each."""

    def leaked(self) -> int:
        """Rows that decontamination took out."""
        return sum(step.rows_quarantined for step in self.steps if step.step == "decontamination")


def write_numbers(numbers: CardNumbers, path: Path) -> None:
    """Write numbers as JSON: the same bytes for the same numbers."""
    text = json.dumps(asdict(numbers), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text, encoding="utf-8")


def read_numbers(path: Path) -> CardNumbers:
    """Read what `write_numbers` wrote."""
    return TypeAdapter(CardNumbers).validate_json(path.read_text(encoding="utf-8"))


class Tally:
    """Counts whole numbers for a histogram, in memory that does not grow with them.

    Args:
        cap: What is larger is counted as this: quantiles are exact below it.
    """

    def __init__(self, cap: int = 65_536) -> None:
        self._cap = cap
        self._counts: Counter[int] = Counter()
        self._largest = 0

    def add(self, values: Mapping[int, int] | Sequence[int]) -> None:
        """Count values: one each, or as often as a mapping says."""
        for value, count in values.items() if isinstance(values, Mapping) else Counter(values).items():
            self._counts[min(value, self._cap)] += count
            self._largest = max(self._largest, value)

    def histogram(self) -> Histogram:
        """The counts by ranges 0, 1, 2-3, 4-7 …, without the empty ones at both ends."""
        if not self._counts:
            return Histogram()
        ranges: Counter[int] = Counter()
        for value, count in self._counts.items():
            ranges[value.bit_length()] += count
        bits = range(min(ranges), max(ranges) + 1)
        return Histogram(
            lows=tuple(2 ** (bit - 1) if bit else 0 for bit in bits),
            counts=tuple(ranges[bit] for bit in bits),
            median=self._quantile(0.5),
            p95=self._quantile(0.95),
            largest=self._largest,
        )

    def _quantile(self, share: float) -> int:
        """The smallest value that this share of all values does not exceed."""
        total, seen = self._counts.total(), 0
        for value in sorted(self._counts):
            seen += self._counts[value]
            if seen >= share * total:
                return value
        return self._largest
