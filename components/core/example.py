"""Example: one question about images, with its reference answers and how an answer can be checked.

Glossary of the project's nouns:
    example     one row of a dataset
    references  the accepted answers (VQA sets give ten)
    verifiable  a rule can decide an answer; a property of the data item, never of a response
    family      the group of examples that one score is reported for
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.layout import split_files, write_order, write_shards

if TYPE_CHECKING:
    from PIL.Image import Image


class AnswerType(StrEnum):
    """How an answer is compared with its references."""

    NUMBER = "number"
    EXPRESSION = "expression"
    CHOICE = "choice"
    SHORT_TEXT = "short_text"
    OPEN_ENDED = "open_ended"


class Task(StrEnum):
    """What an example asks for."""

    MATH = "math"
    OCR = "ocr"
    CHART = "chart"
    DOCUMENT = "document"
    VQA = "vqa"
    GENERAL = "general"


class Split(StrEnum):
    """Whether training may see an example."""

    TRAIN = "train"
    HELD_OUT = "heldout"


class Family(StrEnum):
    """The groups that evaluation reports one score for."""

    MATH = "math"
    OCR = "ocr"
    VQA = "vqa"
    OPEN_ENDED = "open_ended"


_FAMILY_OF_TASK = {
    Task.MATH: Family.MATH,
    Task.OCR: Family.OCR,
    Task.DOCUMENT: Family.OCR,
    Task.CHART: Family.VQA,
    Task.VQA: Family.VQA,
    Task.GENERAL: Family.VQA,
}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row of a dataset."""

    id: str
    """Content hash: the same images, question and references give the same id."""
    images: tuple[bytes, ...]
    """Encoded images (PNG, JPEG …), at least one."""
    question: str
    references: tuple[str, ...]
    """Accepted answers, the canonical one first."""
    answer_type: AnswerType
    task: Task
    verifiable: bool
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question, in order; empty otherwise."""
    unit: str = ""
    """Unit that the answer is given in; empty when the answer has none."""
    precision: int | None = None
    """Decimals that a number has to agree to; None asks for exact equality."""
    source: str = ""
    licence: str = ""
    split: Split = Split.TRAIN
    pass_rate: float | None = None
    """Share of base-policy generations that were right (0..1), where it was measured."""
    facts: tuple[str, ...] = ()
    """Statements true of the images; evaluation of open-ended answers only, never shown to training."""
    repeats: int = 1
    """Times that an epoch of GRPO sees it, at least 1: the mixture's over-sampling."""
    group: str = ""
    """Examples of one group (a source image, a scene) never cross splits; empty stands for the images' hash."""

    @property
    def family(self) -> Family:
        """The family that evaluation counts this example under."""
        return family_of(self.task, self.answer_type)

    def with_split(self, split: Split) -> "Example":
        """The same example in another split; its id does not change."""
        return replace(self, split=split)

    def open_images(self) -> list["Image"]:
        """The images, decoded to RGB."""
        from PIL import Image as pil_image

        return [pil_image.open(io.BytesIO(data)).convert("RGB") for data in self.images]


def family_of(task: Task, answer_type: AnswerType) -> Family:
    """The family that evaluation counts examples of a task and an answer type under."""
    return Family.OPEN_ENDED if answer_type is AnswerType.OPEN_ENDED else _FAMILY_OF_TASK[task]


def example_id(images: Sequence[bytes], question: str, references: Sequence[str]) -> str:
    """Content hash of an example: 16 hexadecimal digits of a sha-256.

    Args:
        images: Encoded images.
        question: The question as asked.
        references: The accepted answers, in order.
    """
    digest = hashlib.sha256()
    for image in images:
        digest.update(hashlib.sha256(image).digest())
    digest.update(json.dumps([question, list(references)], ensure_ascii=False).encode())
    return digest.hexdigest()[:16]


def write_examples(examples: Iterable[Example], path: Path) -> int:
    """Write examples as Parquet that `datasets.load_dataset("parquet")` reads with decoded images.

    Args:
        examples: The rows, written in this order.
        path: The Parquet file; its folder must exist.

    Returns:
        The number of rows written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [to_row(example) for example in examples]
    table = pa.Table.from_pylist(rows, schema=example_schema())
    pq.write_table(table, path, compression="zstd")
    return len(rows)


def read_examples(path: Path) -> Iterator[Example]:
    """Read the examples that `write_examples` wrote, in order."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(batch_size=256):
        for row in batch.to_pylist():
            yield _from_row(row)


def read_split(dataset: Path, split: Split) -> Iterator[Example]:
    """Read the examples of a split of a dataset, in order.

    Args:
        dataset: The folder of a dataset; see components/core/layout.py.
        split: Which one.

    Raises:
        ArtifactError: The folder holds no dataset.
    """
    for path in split_files(dataset, split.value):
        yield from read_examples(path)


def write_splits(splits: Mapping[Split, Iterable[Example]], dataset: Path) -> None:
    """Write the splits of a dataset, as `read_split` reads them.

    Args:
        splits: The examples of each split, in order; a split that is not named has none.
        dataset: The folder of the dataset.
    """
    import pyarrow as pa

    def rows(examples: Iterable[Example]) -> Iterator[tuple[str, int, pa.Table]]:
        for example in examples:
            table = pa.Table.from_pylist([to_row(example)], schema=example_schema())
            yield example.id, sum(map(len, example.images)), table

    shards = {
        split.value: write_shards(rows(splits.get(split, ())), dataset / split.value, example_schema())
        for split in Split
    }
    write_order(dataset, shards)


def to_row(example: Example) -> dict[str, Any]:
    """An example as a row of `example_schema`."""
    row = dict(example.__dict__)
    row["images"] = [{"bytes": data, "path": None} for data in example.images]
    return row


def _from_row(row: dict[str, Any]) -> Example:
    return Example(
        **{
            **row,
            "images": tuple(image["bytes"] for image in row["images"]),
            "references": tuple(row["references"]),
            "choices": tuple(row["choices"]),
            "facts": tuple(row["facts"]),
            "answer_type": AnswerType(row["answer_type"]),
            "task": Task(row["task"]),
            "split": Split(row["split"]),
        }
    )


def example_schema() -> Any:
    """The columns of an example, with the metadata by which `datasets` knows that `images` holds images."""
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "id": pa.string(),
        "images": pa.list_(image),
        "question": pa.string(),
        "references": pa.list_(pa.string()),
        "answer_type": pa.string(),
        "task": pa.string(),
        "verifiable": pa.bool_(),
        "choices": pa.list_(pa.string()),
        "unit": pa.string(),
        "precision": pa.int64(),
        "source": pa.string(),
        "licence": pa.string(),
        "split": pa.string(),
        "pass_rate": pa.float64(),
        "facts": pa.list_(pa.string()),
        "group": pa.string(),
        "repeats": pa.int64(),
    }
    features = {name: _feature(type_) for name, type_ in columns.items()}
    features["images"] = {"feature": {"_type": "Image"}, "_type": "List"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(list(columns.items()), metadata=metadata)


def _feature(type_: Any) -> dict[str, Any]:
    """The `datasets` description of an arrow type."""
    import pyarrow as pa

    if pa.types.is_list(type_):
        return {"feature": _feature(type_.value_type), "_type": "List"}
    names = {"double": "float64"}
    return {"dtype": names.get(str(type_), str(type_)), "_type": "Value"}
