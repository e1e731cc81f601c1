"""Question: one item of a benchmark, as a policy is asked it and as its answer is judged.

Glossary, beside that of `example`:
    benchmark   a named set of questions with one way of judging, which one score is reported for
    suite       the benchmarks that a run evaluates
    group       a value that a benchmark's score is broken down by (skill, subject, problem version)
    cluster     questions that share an image, and are therefore not independent of each other
"""

import io
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE = "<image>"
"""Where an image stands in a prompt, for lm-eval."""
_ROW_GROUP = 16  # rows read at a time where one is wanted: pages of documents have a megabyte each
_GROUPS_HELD = 4


@dataclass(frozen=True, kw_only=True)
class Question:
    """One item of a benchmark."""

    id: str
    """The benchmark's own id of it; no two questions of a benchmark share one."""
    parts: tuple[str, ...]
    """The prompt's text before, between and behind the images: one part more than there are images."""
    images: tuple[bytes, ...]
    """Encoded images, at least one; they may be broken, which costs this question alone."""
    references: tuple[str, ...]
    """Accepted answers."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the benchmark's rule has to know besides, as JSON values."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Value by name of a breakdown."""
    cluster: str
    """Equal for questions that share an image."""

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.images) + 1:
            raise ValueError(
                f"question {self.id}: {len(self.parts)} parts of text around {len(self.images)} images; "
                f"{len(self.images) + 1} are needed"
            )

    @property
    def prompt(self) -> str:
        """The prompt with IMAGE where an image stands, and nowhere else."""
        return IMAGE.join(part.replace(IMAGE, "< image >") for part in self.parts)

    def open_images(self) -> list["Image"]:
        """The images, decoded to RGB.

        Raises:
            OSError: One is broken (PIL's UnidentifiedImageError is one).
            ValueError: One is broken.
        """
        from PIL import Image as pil_image

        return [pil_image.open(io.BytesIO(data)).convert("RGB") for data in self.images]


def write_questions(questions: Iterable[Question], path: Path) -> int:
    """Write questions as Parquet that `datasets.load_dataset("parquet")` reads with images.

    Args:
        questions: The rows, written in this order, in small row groups so that one can be read alone.
        path: The Parquet file; its folder must exist.

    Returns:
        The number of rows written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, count = _arrow_schema(), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _chunks((_to_row(question) for question in questions), _ROW_GROUP):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)
    return count


class QuestionFile(Sequence[Question]):
    """The questions that `write_questions` wrote, read when they are asked for: a set of pages exceeds the memory.

    Args:
        path: The Parquet file.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(path)
        self._held: OrderedDict[int, list[Question]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    @overload
    def __getitem__(self, index: int) -> Question: ...
    @overload
    def __getitem__(self, index: slice) -> list[Question]: ...
    def __getitem__(self, index: int | slice) -> Question | list[Question]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"question {index} of {len(self)}")
        return self._group(place // _ROW_GROUP)[place % _ROW_GROUP]

    def _group(self, number: int) -> list[Question]:
        if number not in self._held:
            self._held[number] = [_from_row(row) for row in self._file.read_row_group(number).to_pylist()]
        self._held.move_to_end(number)
        while len(self._held) > _GROUPS_HELD:
            self._held.popitem(last=False)
        return self._held[number]


def _chunks(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _to_row(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "parts": list(question.parts),
        "images": [{"bytes": data, "path": None} for data in question.images],
        "references": list(question.references),
        # JSON keeps apart what a Parquet column cannot: the benchmarks' meta data have different fields and types.
        "meta": json.dumps(dict(question.meta), ensure_ascii=False, sort_keys=True),
        "groups": json.dumps(dict(question.groups), ensure_ascii=False, sort_keys=True),
        "cluster": question.cluster,
    }


def _from_row(row: Mapping[str, Any]) -> Question:
    return Question(
        id=row["id"],
        parts=tuple(row["parts"]),
        images=tuple(image["bytes"] for image in row["images"]),
        references=tuple(row["references"]),
        meta=json.loads(row["meta"]),
        groups=json.loads(row["groups"]),
        cluster=row["cluster"],
    )


def _arrow_schema() -> Any:
    """The columns, with the metadata by which `datasets` knows that `images` holds images."""
    import pyarrow as pa

    texts, text = pa.list_(pa.string()), pa.string()
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "id": text,
        "parts": texts,
        "images": pa.list_(image),
        "references": texts,
        "meta": text,
        "groups": text,
        "cluster": text,
    }
    string = {"dtype": "string", "_type": "Value"}
    features = {
        name: {"feature": string, "_type": "List"} if type_ == texts else string for name, type_ in columns.items()
    }
    features["images"] = {"feature": {"_type": "Image"}, "_type": "List"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(list(columns.items()), metadata=metadata)
