"""Settings of data curation: where rows come from and what is done with them."""

from typing import Any

from pydantic import Field

from components.core.config import Config
from components.curation.source_config import (
    Columns,
    CsvSource,
    ExternalSource,
    FileSource,
    HubSource,
    JsonlSource,
    JsonSource,
    ParquetSource,
    QuickstartSource,
    Source,
    WebDatasetSource,
)

__all__ = [
    "Columns",
    "CsvSource",
    "CurationConfig",
    "ExternalSource",
    "FileSource",
    "HubSource",
    "JsonSource",
    "JsonlSource",
    "ParquetSource",
    "QuickstartSource",
    "Source",
    "WebDatasetSource",
]


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
