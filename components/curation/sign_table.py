"""Sign table: what all candidates are compared by, a few hundred bytes each and no image among them.

All work on texts is done where a row is added, in the processes of the map step; the reduce steps see columns.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.example import AnswerType
from components.curation.candidate import Candidate
from components.curation.comparable import comparable, content
from components.curation.golds import Gold, gold_key, option_set
from components.curation.shingles import BINS, SCHEME, digest64, signatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIXELS = 16  # bytes of a digest


class SignTable:
    """The signs of N candidates in source order.

    Args:
        columns: A pyarrow table of `sign_schema()`.

    Raises:
        ValueError: The columns are others, or were signed in another way (`shingles.SCHEME`).
    """

    def __init__(self, columns: Any) -> None:
        if columns.schema.metadata != sign_schema().metadata or columns.schema != sign_schema():
            raise ValueError(f"not a table of signs of the scheme {SCHEME!r}: sign the rows anew")
        self.columns = columns.combine_chunks()

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> "SignTable":
        """Sign candidates; a shard at a time."""
        import pyarrow as pa

        texts = [comparable(candidate.example.question) for candidate in candidates]
        rows = [_to_row(candidate, text) for candidate, text in zip(candidates, texts, strict=True)]
        signed = pa.array(signatures(texts).ravel())
        shingles = pa.FixedSizeListArray.from_arrays(signed, BINS)
        schema = sign_schema()
        columns = [
            shingles if field.name == "shingles" else pa.array([row[field.name] for row in rows], type=field.type)
            for field in schema
        ]
        return cls(pa.Table.from_arrays(columns, schema=schema))

    @classmethod
    def concatenated(cls, tables: Sequence["SignTable"]) -> "SignTable":
        """The tables of shards, one after another."""
        import pyarrow as pa

        return cls(pa.concat_tables([sign_schema().empty_table(), *(table.columns for table in tables)]))

    @classmethod
    def read(cls, paths: Iterable[Path]) -> "SignTable":
        """Read the tables of shards, in the order given.

        Raises:
            ValueError: One was signed in another way.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = cls.concatenated([cls(pq.read_table(path)) for path in paths])
        # What reading took stays with the allocator otherwise: 1.5 times as much as the table.
        pa.default_memory_pool().release_unused()
        return table

    def write(self, path: Path) -> None:
        """Write it as Parquet."""
        import pyarrow.parquet as pq

        pq.write_table(self.columns, path, compression="zstd")

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def key(self, row: int) -> str:
        """The address of a row: source#place."""
        return f"{self.columns['source'][row].as_py()}#{self.columns['place'][row].as_py()}"

    def value(self, name: str, row: int) -> Any:
        """One value of a column, as Python has it."""
        return self.columns[name][row].as_py()

    def texts(self, name: str) -> list[str]:
        """A column of texts."""
        values: list[str] = self.columns[name].to_pylist()
        return values

    def gold(self, row: int) -> Gold:
        """The answer that a row claims."""
        return Gold(
            tuple(self.value("references", row)),
            AnswerType(self.value("answer_type", row)),
            tuple(self.value("choices", row)),
            self.value("unit", row),
            self.value("precision", row),
        )

    @cached_property
    def starts(self) -> "NDArray[np.int64]":
        """Where the images of each row begin among all images, and their number; shape (N + 1,)."""
        import numpy as np

        lists = self._single("pixels")
        offsets = np.asarray(lists.offsets, dtype=np.int64)[: len(self) + 1] if len(self) else np.zeros(1, np.int64)
        return np.asarray(offsets - offsets[0])

    @cached_property
    def pixels(self) -> "NDArray[np.void]":
        """Digest of each image's pixels, as 16 bytes that compare as one; shape (M,)."""
        import numpy as np

        flat = b"".join(self._single("pixels").flatten().to_pylist())
        return np.frombuffer(flat, dtype=f"V{_PIXELS}")

    def looks(self, places: "NDArray[np.int64]") -> list[bytes]:
        """Perceptual hashes of the images at some places among all; b"" where rows have none.

        Raises:
            ValueError: Rows have looks, and not one an image.
        """
        values = self._single("looks").flatten()
        if not len(values):
            return [b""] * len(places)
        if len(values) != int(self.starts[-1]):
            raise ValueError(f"{len(values)} looks of {int(self.starts[-1])} images: sign the rows anew")
        found: list[bytes] = values.take(places).to_pylist()
        return found

    @cached_property
    def shingles(self) -> "NDArray[np.uint32]":
        """Signatures of the questions; shape (N, 64)."""
        import numpy as np

        return np.asarray(self._single("shingles").flatten(), dtype=np.uint32).reshape(len(self), BINS)

    def hashes(self, name: str) -> "NDArray[np.uint64]":
        """A column of 64-bit hashes: question, content or answer; shape (N,)."""
        import numpy as np

        return np.asarray(self._single(name), dtype=np.uint64)

    def _single(self, name: str) -> Any:
        """A column in one piece."""
        import pyarrow as pa

        chunks = self.columns[name].chunks
        return chunks[0] if chunks else pa.array([], type=self.columns.schema.field(name).type)


def sign_schema() -> Any:
    """The columns of a table of signs.

    question, content and answer are hashes: of the question with its options in any order, of what carries its meaning
    (`comparable.content`), and of the accepted answers (`golds.gold_key`). text is `comparable.comparable`.
    """
    import pyarrow as pa

    text, names = pa.large_string(), pa.list_(pa.large_string())
    columns = {
        "source": text,
        "place": pa.int64(),
        "id": text,
        "pixels": pa.list_(pa.binary(_PIXELS)),
        "looks": pa.list_(pa.large_binary()),
        "text": text,
        "question": pa.uint64(),
        "content": pa.uint64(),
        "answer": pa.uint64(),
        "shingles": pa.list_(pa.field("item", pa.uint32()), BINS),
        "references": names,
        "choices": names,
        "unit": text,
        "precision": pa.int64(),
        "group": text,
        "task": text,
        "answer_type": text,
        "split": text,
    }
    return pa.schema(list(columns.items()), metadata={"signs": SCHEME})


def question_hash(text: str, choices: Sequence[str]) -> int:
    """Of a comparable text and its options, whatever their order."""
    return digest64(f"{text}\n\n{option_set(choices)}")


def _to_row(candidate: Candidate, text: str) -> dict[str, Any]:
    example, signs = candidate.example, candidate.signs
    return {
        "source": candidate.source,
        "place": candidate.place,
        "id": example.id,
        "pixels": [bytes.fromhex(digest) for digest in signs.pixels],
        "looks": list(signs.looks),
        "text": text,
        "question": question_hash(text, example.choices),
        "content": digest64(content(text)),
        "answer": digest64(gold_key(example.references, example.choices, example.unit)),
        "references": list(example.references),
        "choices": list(example.choices),
        "unit": example.unit,
        "precision": example.precision,
        "group": example.group,
        "task": example.task.value,
        "answer_type": example.answer_type.value,
        "split": candidate.stated_split,
    }
