"""Settings of the surrogate reward model."""

from pydantic import Field

from components.core.config import Config
from components.rewards.embedder import EmbedderConfig


class SurrogateConfig(Config):
    """How the surrogate is fitted."""

    embedder: EmbedderConfig = EmbedderConfig()
    """The frozen sentence embedding."""
    max_examples: int = Field(default=300, ge=5)
    """Open-ended training examples to fit on at most, the first ones."""
    neighbours: int = Field(default=15, ge=1)
    """Scored pairs of the index that vote on an answer."""
    regularisation: float = Field(default=0.1, gt=0)
    """Inverse strength of the logistic head's L2 penalty (scikit-learn's C)."""
    folds: int = Field(default=5, ge=2)
    """Folds of the out-of-fold scores that the calibration is fitted on; divided by question."""
