"""Settings of data curation: where rows come from and what is done with them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Task


class Columns(Config):
    """Names of a source's columns; "" where the source has none."""

    images: str = "images"
    """An image or a list of images (bytes, path, or the hub's image feature)."""
    question: str = "question"
    """The question."""
    references: str = "references"
    """One answer or a list of accepted answers."""
    choices: str = ""
    """List of options of a multiple-choice question."""
    demonstration: str = ""
    """A completion to imitate in a warm start."""


class QuickstartSource(Config):
    """The corpus that this project makes: handwritten digits and drawn pictures."""

    kind: Literal["quickstart"]
    """Selects this source."""
    train: int = Field(default=1500, ge=0, le=5000)
    """Training examples of each of the seven kinds; of the two maths kinds twice as many."""
    heldout: int = Field(default=60, ge=0, le=1000)
    """Held-out examples of each of the seven kinds."""


class ExternalSource(Config):
    """What every source from outside has to say about its rows."""

    task: Task
    """What its examples ask for."""
    answer_type: AnswerType | Literal["infer"] = "infer"
    """How its answers are compared; infer decides row by row from the references."""
    licence: str = Field(min_length=1)
    """Licence of the data, carried on every row."""
    columns: Columns = Columns()
    """Names of its columns."""
    max_rows: int = Field(default=0, ge=0)
    """Rows to read at most; 0 reads all."""


class HubSource(ExternalSource):
    """A data set of the Hugging Face hub."""

    kind: Literal["hub"]
    """Selects this source."""
    dataset: str = Field(min_length=1)
    """Id on the hub."""
    revision: str = "main"
    """Branch, tag or commit; it is resolved to a commit, which is recorded."""
    config: str = ""
    """Name of the data set's configuration; "" is its default."""
    split: str = "train"
    """Split of the data set to read."""


class ParquetSource(ExternalSource):
    """A Parquet file."""

    kind: Literal["parquet"]
    """Selects this source."""
    path: str = Field(min_length=1)
    """The file."""


class JsonlSource(ExternalSource):
    """A JSON Lines file whose images are paths relative to its folder."""

    kind: Literal["jsonl"]
    """Selects this source."""
    path: str = Field(min_length=1)
    """The file."""


Source = Annotated[QuickstartSource | HubSource | ParquetSource | JsonlSource, Field(discriminator="kind")]


_NOT_OF_ROWS = {"sources", "heldout_fraction", "max_quarantined_fraction", "shard_rows"}


class CurationConfig(Config):
    """What becomes of the sources' rows."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """Where rows come from, in order; the first of two equal rows is kept."""
    heldout_fraction: float = Field(default=0.1, ge=0, lt=1)
    """Share of groups that is held out, for sources that are not divided already."""
    max_quarantined_fraction: float = Field(default=0.05, ge=0, le=1)
    """Curation fails when more rows than this share are quarantined."""
    max_question_characters: int = Field(default=8000, ge=1)
    """Longer questions are quarantined."""
    max_pixels: int = Field(default=50_000_000, ge=1)
    """Images of more pixels are quarantined before they are decoded."""
    shard_rows: int = Field(default=1000, ge=1)
    """Examples of a shard of the dataset on average."""
    pods: int = Field(default=1, ge=1, le=1000)
    """Pods that share the rows on a cluster; where rows are looked at is no part of what becomes of them."""

    def identity(self) -> dict[str, Any]:
        """The settings that decide the dataset."""
        return self.model_dump(mode="json", exclude={"pods"})

    def row_identity(self) -> dict[str, Any]:
        """The settings that decide what the row steps make of a row; a field is one of them unless named here."""
        return self.model_dump(mode="json", exclude={"pods", *_NOT_OF_ROWS})
