"""Which teacher: a judge behind an endpoint, or a reward model's weights."""

from pathlib import Path

from pydantic import model_validator

from components.core.config import Config
from components.surrogate.judge import Judge, JudgeConfig
from components.surrogate.reward_model import RewardModel, RewardModelConfig
from components.surrogate.teacher import Images, Teacher


class TeacherConfig(Config):
    """Which teacher; one of the two."""

    judge: JudgeConfig | None = None
    """An endpoint that speaks OpenAI's chat completions."""
    reward_model: RewardModelConfig | None = None
    """Weights, of the hub or of a folder."""

    @model_validator(mode="after")
    def _check_one(self) -> "TeacherConfig":
        if (self.judge is None) == (self.reward_model is None):
            raise ValueError("give either judge or reward_model")
        return self


def load_teacher(config: TeacherConfig, journal: Path | None = None, images: Images | None = None) -> Teacher:
    """The teacher of a configuration.

    Args:
        config: Which one.
        journal: File of a judge's replies; weights have no use for it.
        images: Finds the images of a row; None where no question is about one.

    Raises:
        ModelError: The weights cannot be loaded, are no reward model, or have no use for images.
    """
    if config.judge is not None:
        return Judge(config.judge, journal, images)
    assert config.reward_model is not None
    return RewardModel(config.reward_model, images)
