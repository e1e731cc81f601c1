"""Survey of a dataset: one pass over its small columns, and a look at some of its images.

Everything but the images' sizes is counted over all examples. Images are most of a dataset's bytes, so of a large one
a sample of the row groups is measured, drawn by a seed.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from components.core.example import AnswerType, Example, Split, Task
from components.core.layout import split_files
from components.curation.card_images import Budget, size_and_format
from components.curation.numbers import Difficulty, Groups, ImageSizes, Sample, Tally

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MEASURED_BYTES, MEASURED_ROWS = 256 * 2**20, 10_000
"""Images that are measured at most, by whole row groups, the first of which is measured at any rate."""
SAMPLES_A_TYPE = 8
_CANDIDATES = 24  # of each task and answer type: among them are samples with different questions
_IMAGES_A_SAMPLE = 4
_QUESTION, _REFERENCE, _REFERENCES, _CHOICES = 1200, 300, 6, 12  # characters, and how many are shown
_KEYS = ("split", "answer_type", "task", "source", "licence", "verifiable")
_COUNTED = (*_KEYS, "id", "question", "references", "pass_rate", "group")
_BATCH = 4096


@dataclass(frozen=True, order=True)
class Place:
    """Where an example lies; places order by a hash of the seed and the example's id."""

    rank: int
    split: str
    file: int
    group: int
    row: int


@dataclass
class GroupTally:
    """Counts groups, by numbers instead of names: those may be as many and as long as the examples."""

    ungrouped: int = 0
    numbers: dict[str, list["NDArray[np.uint64]"]] = field(default_factory=dict)
    """By split, of each example that has a group."""

    def add(self, groups: "pa.Array", split: str) -> None:
        """Count examples by the names of their groups.

        Args:
            groups: Shape (N,), "" for an example without one.
            split: Theirs.
        """
        import numpy as np

        encoded = groups.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        hashes = np.array([short_hash(name) if name else 0 for name in names], dtype=np.uint64)
        of_rows = hashes[encoded.indices.to_numpy()]
        self.ungrouped += int(np.sum(of_rows == 0))
        self.numbers.setdefault(split, []).append(of_rows[of_rows != 0])

    def counts(self) -> Groups:
        """Groups of both splits, their sizes, and those that are on both sides."""
        import numpy as np

        empty = np.empty(0, dtype=np.uint64)
        found = {split: np.concatenate([empty, *parts]) for split, parts in self.numbers.items()}
        _, counts = np.unique(np.concatenate([empty, *found.values()]), return_counts=True)
        train, heldout = (np.unique(found.get(split.value, empty)) for split in Split)
        sizes = Tally()
        sizes.add({int(size): int(n) for size, n in zip(*np.unique(counts, return_counts=True), strict=True)})
        if self.ungrouped:
            sizes.add({1: self.ungrouped})
        crossing = len(np.intersect1d(train, heldout))
        return Groups(len(counts) + self.ungrouped, sizes.histogram(), crossing, self.ungrouped)


@dataclass
class Survey:
    """What was counted of the examples.

    Args:
        seed: Decides which examples are shown and which row groups' images are measured.
    """

    seed: int = 0
    rows: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    """Examples by the values of split, answer type, task, source, licence and verifiable."""
    questions: Tally = field(default_factory=Tally)
    answers: Tally = field(default_factory=Tally)
    tenths: Counter[int] = field(default_factory=Counter)
    never: int = 0
    always: int = 0
    unmeasured: int = 0
    rate_sum: float = 0.0
    groups: GroupTally = field(default_factory=GroupTally)
    candidates: dict[tuple[str, str], list[tuple[int, Place, str]]] = field(default_factory=dict)
    """By answer type and task, a heap of the lowest ranks with a hash of the question."""

    def by(self, name: str) -> dict[str, int]:
        """Examples by the value of one of the keys, or by family."""
        counts: Counter[str] = Counter()
        for values, count in self.rows.items():
            counts[_value(dict(zip(_KEYS, values, strict=True)), name)] += count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def task_and_type(self) -> dict[str, dict[str, int]]:
        """Examples by task, and by answer type within it."""
        counts: dict[str, dict[str, int]] = {}
        for values, count in self.rows.items():
            keys = dict(zip(_KEYS, values, strict=True))
            of_task = counts.setdefault(keys["task"], {})
            of_task[keys["answer_type"]] = of_task.get(keys["answer_type"], 0) + count
        return {task: dict(sorted(counts[task].items())) for task in sorted(counts)}

    def difficulty(self) -> Difficulty:
        """Pass rates."""
        measured = self.tenths.total()
        return Difficulty(
            counts=tuple(self.tenths[tenth] for tenth in range(10)),
            never=self.never,
            always=self.always,
            unmeasured=self.unmeasured,
            mean=self.rate_sum / measured if measured else 0.0,
        )


def _value(keys: dict[str, Any], name: str) -> str:
    if name != "family":
        return str(keys[name])
    example = Example(
        id="",
        images=(),
        question="",
        references=(),
        answer_type=AnswerType(keys["answer_type"]),
        task=Task(keys["task"]),
        verifiable=bool(keys["verifiable"]),
    )
    return example.family.value


def survey(dataset: Path, seed: int = 0) -> Survey:
    """Count everything but images.

    Args:
        dataset: The folder of a dataset.
        seed: Another seed shows other samples.
    """
    found = Survey(seed)
    for split in Split:
        for number, path in enumerate(split_files(dataset, split.value)):
            _survey_file(path, number, split.value, found)
    return found


def _survey_file(path: Path, number: int, split: str, found: Survey) -> None:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        row = 0
        for batch in file.iter_batches(batch_size=_BATCH, row_groups=[group], columns=list(_COUNTED)):
            _count(batch, split, found)
            _nominate(batch, (split, number, group, row), found)
            row += batch.num_rows


def _count(batch: "pa.RecordBatch", split: str, found: Survey) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pa.Table.from_batches([batch]).group_by(list(_KEYS)).aggregate([([], "count_all")]).to_pylist()
    for record in counted:
        found.rows[tuple(record[key] for key in _KEYS)] += record["count_all"]
    found.questions.add(_lengths(batch["question"]))
    answers = batch["references"]
    first = pc.list_element(answers.filter(pc.greater(pc.list_value_length(answers), 0)), 0)
    found.answers.add(_lengths(first))
    _count_rates(batch["pass_rate"], found)
    found.groups.add(batch["group"], split)


def _lengths(texts: "pa.Array") -> dict[int, int]:
    import pyarrow.compute as pc

    return {item["values"]: item["counts"] for item in pc.value_counts(pc.utf8_length(texts)).to_pylist()}


def _count_rates(rates: "pa.Array", found: Survey) -> None:
    found.unmeasured += rates.null_count
    for rate in rates.drop_null().to_pylist():
        found.tenths[min(int(10 * rate), 9)] += 1
        found.never += rate <= 0
        found.always += rate >= 1
        found.rate_sum += rate


def short_hash(*texts: str) -> int:
    """64 bits, never 0."""
    digest = hashlib.blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) or 1


def _nominate(batch: "pa.RecordBatch", start: tuple[str, int, int, int], found: Survey) -> None:
    """Keep the examples with the lowest ranks of each task and answer type: a uniform draw that no order disturbs."""
    split, number, group, first = start
    columns = (batch[name].to_pylist() for name in ("id", "question", "answer_type", "task"))
    for row, (id_, question, type_, task) in enumerate(zip(*columns, strict=True)):
        rank = short_hash(str(found.seed), id_)
        heap = found.candidates.setdefault((type_, task), [])
        if len(heap) == _CANDIDATES and rank >= -heap[0][0]:
            continue
        entry = (-rank, Place(rank, split, number, group, first + row), f"{short_hash(question):016x}")
        (heapq.heapreplace if len(heap) == _CANDIDATES else heapq.heappush)(heap, entry)


def choose(found: Survey) -> list[Place]:
    """The examples to show: a few of each answer type, of its tasks in turn, of different questions if there are."""
    chosen: list[Place] = []
    for type_ in sorted({type_ for type_, _ in found.candidates}):
        by_task = [
            _different_first(entries) for (of_type, _), entries in sorted(found.candidates.items()) if of_type == type_
        ]
        turns = (queue[turn] for turn in range(_CANDIDATES) for queue in by_task if turn < len(queue))
        chosen += [place for place, _ in zip(turns, range(SAMPLES_A_TYPE), strict=False)]
    return chosen


def _different_first(entries: Sequence[tuple[int, Place, str]]) -> list[Place]:
    """By rank, the questions that are asked again behind the others."""
    seen: Counter[str] = Counter()
    keyed = []
    for _, place, question in sorted(entries, key=lambda entry: entry[1]):
        keyed.append((seen[question], place))
        seen[question] += 1
    return [place for _, place in sorted(keyed)]


def samples(dataset: Path, places: Sequence[Place], budget: Budget) -> list[Sample]:
    """The examples at places, with their images until the budget is spent."""
    shown: dict[Place, dict[str, Any]] = {}
    files = {split.value: split_files(dataset, split.value) for split in Split}
    by_group: dict[tuple[str, int, int], list[Place]] = {}
    for place in places:
        by_group.setdefault((place.split, place.file, place.group), []).append(place)
    for (split, number, group), wanted in sorted(by_group.items()):
        rows = _rows(files[split][number], group, {place.row for place in wanted})
        shown |= {place: rows[place.row] for place in wanted}
    return [_sample(shown[place], place.split, budget, waiting=len(places) - turn) for turn, place in enumerate(places)]


def _rows(path: Path, group: int, wanted: set[int]) -> dict[int, dict[str, Any]]:
    import pyarrow.parquet as pq

    found, start = {}, 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=64, row_groups=[group]):
        for row in sorted(wanted & set(range(start, start + batch.num_rows))):
            found[row] = batch.slice(row - start, 1).to_pylist()[0]
        start += batch.num_rows
    return found


def _sample(row: dict[str, Any], split: str, budget: Budget, waiting: int) -> Sample:
    images = [image["bytes"] for image in row["images"]]
    pictures = budget.take(images, _IMAGES_A_SAMPLE, waiting)
    return Sample(
        id=row["id"],
        split=split,
        task=row["task"],
        answer_type=row["answer_type"],
        question=clip(row["question"], _QUESTION),
        references=tuple(clip(text, _REFERENCE) for text in row["references"][:_REFERENCES]),
        more_references=max(0, len(row["references"]) - _REFERENCES),
        choices=tuple(clip(text, _REFERENCE) for text in row["choices"][:_CHOICES]),
        more_choices=max(0, len(row["choices"]) - _CHOICES),
        source=row["source"],
        licence=row["licence"],
        pass_rate=row["pass_rate"],
        pictures=tuple(pictures),
        more_images=len(images) - len(pictures),
    )


def clip(text: str, most: int) -> str:
    """A text, with a note where it is cut."""
    return text if len(text) <= most else f"{text[:most]}\u2026 ({len(text):,} characters)"


def measure_images(
    dataset: Path, seed: int = 0, most_bytes: int = MEASURED_BYTES, most_rows: int = MEASURED_ROWS
) -> ImageSizes:
    """Sizes and formats of images.

    Args:
        dataset: The folder of a dataset.
        seed: Another seed draws other row groups.
        most_bytes: Bytes of images to read at most, beside the first row group.
        most_rows: Rows to read at most, beside it.
    """
    groups = list(_row_groups(dataset))
    in_all = sum(rows for *_, rows, _ in groups)
    Random(seed).shuffle(groups)
    sides, counts, formats, measured, unreadable = Tally(), Tally(), Counter[str](), 0, 0
    for path, group, rows, size in groups:
        most_bytes -= size
        if measured and (most_bytes < 0 or measured + rows > most_rows):
            break
        measured += rows
        for images in _images(path, group):
            counts.add([len(images)])
            found = [size_and_format(image) for image in images]
            sides.add([max(item[:2]) for item in found if item])
            formats.update(item[2] for item in found if item)
            unreadable += found.count(None)
    ranked = dict(sorted(formats.items(), key=lambda item: (-item[1], item[0])))
    return ImageSizes(sides.histogram(), counts.histogram(), ranked, measured, in_all, unreadable)


def _row_groups(dataset: Path) -> Iterator[tuple[Path, int, int, int]]:
    """File, number, rows and bytes of every row group."""
    import pyarrow.parquet as pq

    for split in Split:
        for path in split_files(dataset, split.value):
            metadata = pq.read_metadata(path)
            for group in range(metadata.num_row_groups):
                found = metadata.row_group(group)
                columns = (found.column(number) for number in range(found.num_columns))
                size = sum(item.total_compressed_size for item in columns if item.path_in_schema.startswith("images."))
                yield path, group, found.num_rows, size


def _images(path: Path, group: int) -> Iterator[list[bytes]]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    for batch in file.iter_batches(batch_size=64, row_groups=[group], columns=["images"]):
        for images in batch["images"].to_pylist():
            yield [image["bytes"] for image in images]
