"""What the rewards are worth: the weights of the portfolio and the shape of each part.

The paper names an unweighted sum of a hybrid accuracy, a length penalty (P_max, tau) and a format reward; the
text we could read gives none of their magnitudes, so every default but the unit weights is our choice. The one
rule between the parts, that no wrong answer may outrank a right one, is ours and is checked here.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.core.config import Config

Weight = Annotated[float, Field(ge=0)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]


class RewardWeights(Config):
    """How much each part counts in the total; the paper sums without weights (its Eq. 3), that is with ones."""

    accuracy: Weight = 1.0
    """Weight of the hybrid accuracy, which lies in [0, 1]; finite, >= 0. The paper's: 1. 0 is the control run."""
    length: Weight = 1.0
    """Weight of the length penalty, which lies in [-p_max, 0]; finite, >= 0. The paper's: 1."""
    format: Weight = 1.0
    """Weight of the format reward, which is 0 or format.reward; finite, >= 0. The paper's: 1."""


class LengthConfig(Config):
    """The penalty on completions that are too short beside the correct ones of their group."""

    p_max: UnitInterval = 0.3
    """Largest penalty, in units of reward, 0 to 1. The parameter is the paper's, the value our choice."""
    tau: Annotated[float, Field(gt=0)] = 1.0
    """Relative shortfall at which the linear penalty is full (the scale of the exponential one), > 0 and without
    unit: 1.0 is full at length 0, 0.5 at half the reference. The parameter is the paper's, its role and value are
    our choice."""
    reference: Literal["mean", "min", "median"] = "mean"
    """Which length (in tokens) of the group's correct completions the others are held against. Our choice."""
    applies_to: Literal["incorrect", "all"] = "incorrect"
    """Which completions are penalised; "incorrect" leaves a short right answer alone. Our choice."""
    shape: Literal["linear", "exponential"] = "linear"
    """How the penalty grows with the shortfall: up to p_max in a line, or towards p_max. Our choice."""


class FormatConfig(Config):
    """The reward for keeping to the template of thinking and answer."""

    reward: UnitInterval = 0.2
    """Reward of a completion that keeps to the template, 0 to 1. That there is one is the paper's, the value ours."""


class RewardsConfig(Config):
    """The whole portfolio.

    The guarantee: with `weights.length * length.p_max + weights.format * format.reward < weights.accuracy`, a
    completion that the rule verifier found right never totals less than one that it found wrong. It covers
    verifiable examples alone: an open-ended accuracy is continuous, so there two completions are ordered by accuracy
    for certain only where the weighted scores differ by more than that sum.
    """

    weights: RewardWeights = RewardWeights()
    """How much each part counts in the total. The paper's: all 1."""
    length: LengthConfig = LengthConfig()
    """The length penalty."""
    format: FormatConfig = FormatConfig()
    """The format reward."""
    correct_at: UnitInterval = 0.5
    """The surrogate's score (0 to 1) from which an open-ended completion counts as correct for the length penalty.
    Our choice."""

    @model_validator(mode="after")
    def _check_balance(self) -> Self:
        weights = self.weights
        if not (weights.accuracy or weights.length or weights.format):
            raise ValueError("the weights accuracy, length and format are all 0: give at least one a positive weight")
        others = weights.length * self.length.p_max + weights.format * self.format.reward
        if weights.accuracy and others >= weights.accuracy:
            raise ValueError(
                f"weights.length {weights.length} * length.p_max {self.length.p_max} + weights.format "
                f"{weights.format} * format.reward {self.format.reward} = {others} must be below weights.accuracy "
                f"{weights.accuracy}, or a wrong answer could outrank a right one: lower the first or raise the second"
            )
        return self

    def without_accuracy(self) -> "RewardsConfig":
        """The control: the same portfolio with an accuracy weight of 0.

        Raises:
            ValueError: No other part has a positive weight, so nothing would be left.
        """
        weights = RewardWeights(accuracy=0.0, length=self.weights.length, format=self.weights.format)
        return RewardsConfig(weights=weights, length=self.length, format=self.format, correct_at=self.correct_at)
