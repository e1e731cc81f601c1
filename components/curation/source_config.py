"""Settings of sources: where curation's rows come from."""

import difflib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.core.config import Config
from components.core.example import AnswerType, Task
from components.curation.archives import ArchiveLimits
from components.curation.mappings import MAPPINGS


class Columns(Config):
    """Names of a source's columns; "" where the source has none."""

    images: str = Field(default="images", min_length=1)
    """An image or a list of images (bytes, path, data URI, or the hub's image feature)."""
    question: str = Field(default="question", min_length=1)
    """The question."""
    references: str = Field(default="references", min_length=1)
    """One answer or a list of accepted answers."""
    choices: str = ""
    """List of options of a multiple-choice question."""
    demonstration: str = ""
    """A completion to imitate in a warm start."""
    licence: str = ""
    """Licence of the row; the source's where it is empty."""
    group: str = ""
    """What rows that must not be divided between splits have in common: a document, a scene."""
    split: str = ""
    """train or heldout, where the source is divided already; a blank leaves it open."""
    answer_type: str = ""
    """Answer type of the row, which typing checks; the source's where it is blank."""


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

    mapping: str = ""
    """A public set whose columns are known (geometry3k, mmk12 …), in place of `columns`; it also gives the task and
    the licence where they are left out."""
    task: Task | None = None
    """What its examples ask for."""
    answer_type: AnswerType | Literal["infer"] = "infer"
    """How its answers are compared; infer decides row by row from the references."""
    licence: str = ""
    """Licence of the data, carried on every row that states none of its own."""
    columns: Columns = Columns()
    """Names of its columns."""
    max_rows: int = Field(default=0, ge=0)
    """Rows to read at most; 0 reads all."""
    image_root: str = ""
    """Folder or archive (zip, tar, tar.gz …) that image paths are relative to, by its own path or address. "" is the
    folder of the source's file; of Parquet, WebDataset and the hub it says that images are in the rows. Of a hub data
    set, a path within it."""
    archive: ArchiveLimits = ArchiveLimits()
    """What archives and image files may unpack to."""

    @model_validator(mode="after")
    def _say_what_rows_are(self) -> "ExternalSource":
        if self.mapping and self.mapping not in MAPPINGS:
            near = difflib.get_close_matches(self.mapping, MAPPINGS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known ones: {', '.join(MAPPINGS)}"
            raise ValueError(f"mapping {self.mapping!r} is not known, {hint}")
        if self.mapping and self.columns != Columns():
            raise ValueError("give mapping or columns, not both")
        known = MAPPINGS.get(self.mapping)
        if self.task is None and known is None:
            raise ValueError("missing key 'task'")
        if not self.licence.strip() and not (known and known.licence):
            raise ValueError(f"missing key 'licence'{f', which {self.mapping} does not state' if known else ''}")
        return self


class HubSource(ExternalSource):
    """A data set of the Hugging Face hub."""

    kind: Literal["hub"]
    """Selects this source."""
    dataset: str = ""
    """Id on the hub; "" is the mapping's."""
    revision: str = "main"
    """Branch, tag or commit; it is resolved to a commit, which is recorded."""
    config: str = ""
    """Name of the data set's configuration; "" is its default."""
    split: str = "train"
    """Split of the data set to read."""
    streaming: bool = True
    """Read rows as they arrive; false downloads the whole split first, which makes going on in its middle quick."""

    @model_validator(mode="after")
    def _name_the_set(self) -> "HubSource":
        known = MAPPINGS.get(self.mapping)
        if not self.dataset and not (known and known.dataset):
            raise ValueError("missing key 'dataset'")
        return self


class _FileSource(ExternalSource):
    path: str = Field(min_length=1)
    """A file, a folder, or a pattern with *, ? and **; also in an object store (s3://bucket/key, gs://bucket/key)."""


class ParquetSource(_FileSource):
    """Parquet files."""

    kind: Literal["parquet"]
    """Selects this source."""


Encoding = Literal["utf-8", "latin-1", "cp1252", "gb18030"]


class JsonlSource(_FileSource):
    """JSON Lines files; images are paths, by default relative to the file's folder."""

    kind: Literal["jsonl"]
    """Selects this source."""
    encoding: Encoding = "utf-8"
    """Of the files; a line that is not of it is quarantined."""


class JsonSource(_FileSource):
    """JSON files that hold one list of objects each, as LLaVA's training sets do; read piece by piece."""

    kind: Literal["json"]
    """Selects this source."""


class CsvSource(_FileSource):
    """CSV files with a line of column names; lists are written as JSON inside a cell."""

    kind: Literal["csv"]
    """Selects this source."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What stands between two cells."""
    encoding: Encoding = "utf-8"
    """Of the files; a row that is not of it is quarantined."""


class WebDatasetSource(_FileSource):
    """WebDataset shards: tars whose members of one name make a row (000.json, 000.png).

    The fields of a row's .json are its columns, each other member is the column of its ending (txt, cls), and all of
    its images are the column images.
    """

    kind: Literal["webdataset"]
    """Selects this source."""


FileSource = ParquetSource | JsonlSource | JsonSource | CsvSource | WebDatasetSource
Source = Annotated[
    QuickstartSource | HubSource | ParquetSource | JsonlSource | JsonSource | CsvSource | WebDatasetSource,
    Field(discriminator="kind"),
]
