"""Settings of the evaluation and of the decision."""

from pydantic import Field

from components.core.config import Config


class EvaluationConfig(Config):
    """How policies are evaluated."""

    batch_size: int = Field(default=32, ge=1)
    """Examples generated at a time."""
    max_examples: int = Field(default=0, ge=0)
    """Held-out examples of each family at most, the first ones; 0 takes all."""


class DecisionConfig(Config):
    """When a candidate is promoted, judged on held-out scores."""

    min_gain: float = Field(default=0.0, ge=-1, le=1)
    """The lower end of the paired 95 % interval of the overall gain must lie above this (scores 0..1)."""
    max_family_loss: float = Field(default=0.02, ge=0, le=1)
    """A family may lose this much (scores 0..1); a larger loss that is significant blocks promotion."""
    resamples: int = Field(default=10000, ge=1000)
    """Bootstrap resamples of the intervals."""
