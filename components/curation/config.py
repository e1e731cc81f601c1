"""Settings of data curation: where rows come from and what is done with them."""

from typing import Any

from pydantic import Field

from components.curation.dataset_texts import DatasetTexts
from components.curation.judge import JudgeConfig
from components.curation.language import LanguageConfig
from components.curation.leakage import LeakageConfig
from components.curation.licences import LicenceConfig
from components.curation.personal_data import PersonalDataConfig
from components.curation.pictures import PictureConfig
from components.curation.schema import SchemaConfig
from components.curation.source_config import Source
from components.curation.typing_step import TypingConfig
from components.curation.wording_step import WordingConfig
from components.curation.worth_config import WorthConfig

_NOT_OF_ROWS = {
    "sources", "max_quarantined_fraction", "shard_rows", "texts", *JudgeConfig.model_fields, *WorthConfig.model_fields,
}  # fmt: skip


class CurationConfig(WorthConfig, JudgeConfig):
    """What becomes of the sources' rows; each step has its own settings, under its name."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """Where rows come from, in order; the first of two equal rows is kept."""
    max_quarantined_fraction: float = Field(default=0.05, ge=0, le=1)
    """Curation fails when more rows than this share are quarantined."""
    shard_rows: int = Field(default=1000, ge=1)
    """Examples of a shard of the dataset on average."""
    pods: int = Field(default=1, ge=1, le=1000)
    """Pods that share the rows on a cluster; where rows are looked at is no part of what becomes of them."""
    row: SchemaConfig = SchemaConfig()
    """What a row may hold."""
    pictures: PictureConfig = PictureConfig()
    """Images decoded whole."""
    wording: WordingConfig = WordingConfig()
    """Texts cleaned."""
    typing: TypingConfig = TypingConfig()
    """Answer types told and proven."""
    leakage: LeakageConfig = LeakageConfig()
    """Answers given away."""
    language: LanguageConfig = LanguageConfig()
    """Languages of questions."""
    personal_data: PersonalDataConfig = PersonalDataConfig()
    """E-mail addresses, numbers of people and cards …"""
    licences: LicenceConfig = LicenceConfig()
    """Licences that may be trained on."""
    texts: DatasetTexts = DatasetTexts()
    """What the data card says besides what is counted."""

    def identity(self) -> dict[str, Any]:
        """The settings that decide the dataset."""
        return self.model_dump(mode="json", exclude={"pods", *WorthConfig.model_fields}, exclude_none=True)

    def row_identity(self) -> dict[str, Any]:
        """The settings that decide what the row steps make of a row; a field is one of them unless named here."""
        return self.model_dump(mode="json", exclude={"pods", *_NOT_OF_ROWS})

    def comparing(self) -> JudgeConfig:
        """The settings of the steps that compare candidates with all others."""
        return JudgeConfig(**{name: getattr(self, name) for name in JudgeConfig.model_fields})
