"""Settings of the steps that ask a base policy, as they stand in a recipe's curation."""

from collections.abc import Mapping
from typing import Any

from components.core.config import Config, parse_config
from components.curation.asking import AskingConfig
from components.curation.blind import BlindConfig
from components.curation.difficulty import DifficultyConfig
from components.curation.mixture import MixtureConfig


class WorthConfig(Config):
    """What training examples have to be worth; every step is off by default."""

    asking: AskingConfig = AskingConfig()
    """The base policy that is asked."""
    difficulty: DifficultyConfig = DifficultyConfig()
    """Which examples it is sometimes right about."""
    blind: BlindConfig = BlindConfig()
    """Which it solves without the image."""
    mixture: MixtureConfig = MixtureConfig()
    """How often training sees each kind of what is left."""

    @property
    def asks(self) -> bool:
        """Whether a step needs the policy."""
        return self.difficulty.enabled or self.blind.enabled

    @property
    def enabled(self) -> bool:
        """Whether there is anything to do."""
        return self.asks or self.mixture.enabled

    def identity(self) -> dict[str, Any]:
        """The settings that decide the result."""
        return {**self.model_dump(mode="json"), "asking": self.asking.identity()}

    @classmethod
    def of_curation(cls, curation: Mapping[str, Any]) -> "WorthConfig":
        """The part of a recipe's curation.

        Raises:
            RecipeError: A key of it is unknown or its value is not allowed.
        """
        return parse_config(cls, {name: curation[name] for name in cls.model_fields if name in curation}, "curation")
