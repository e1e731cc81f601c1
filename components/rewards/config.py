"""What the rewards are worth: the weights of the portfolio and the shape of each part.

The paper names an unweighted sum of a hybrid accuracy, a length penalty (P_max, tau) and a format reward; the
text we could read gives none of their magnitudes, so every default but the unit weights is our choice. The one
rule between the parts, that no wrong answer may outrank a right one, is ours and is checked here.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.core.config import Config
from components.rewards.sandbox import VerifierConfig

Weight = Annotated[float, Field(ge=0, le=1e6)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]
Tokens = Annotated[int, Field(ge=0)]

_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_LEAST_ACCURACY = 1e-6  # below it, double precision no longer tells a right answer from a wrong one for certain
_WIDEST_STRATA = 0.95
_LARGEST_SHARE = 0.999  # of the gap in accuracy: keeps the order of totals through a trainer's float32 sums


class RewardWeights(Config):
    """How much each part counts in the total; the paper sums without weights (its Eq. 3), that is with ones."""

    accuracy: Weight = 1.0
    """Weight of the hybrid accuracy, which lies in [0, 1]; 0, or 1e-6 to 1e6. The paper's: 1. 0 is the control run."""
    length: Weight = 1.0
    """Weight of the length penalty, which lies in [-p_max, 0]; 0 to 1e6. The paper's: 1."""
    format: Weight = 1.0
    """Weight of the format reward, which lies in [0, format.reward]; 0 to 1e6. The paper's: 1."""

    @field_validator("accuracy")
    @classmethod
    def _check_accuracy(cls, value: float) -> float:
        if 0 < value < _LEAST_ACCURACY:
            raise ValueError(f"{value} is too small to tell right from wrong: give 0 or at least {_LEAST_ACCURACY}")
        return value


class AccuracyConfig(Config):
    """What the accuracy pays where the rule verifier has no verdict."""

    undecided: Literal["zero", "abstain", "surrogate"] = "zero"
    """What a verifiable completion earns that the verifier could not decide: "zero" pays 0; "abstain" leaves it to
    `abstention`; "surrogate" pays the reward model's score, and abstains where there is no model. Our choice."""


class LengthConfig(Config):
    """The penalty on length: the group rule for completions that are too short, or one of its public peers."""

    kind: Literal["group", "overlong", "cosine", "none"] = "group"
    """Which rule: "group" penalises completions shorter than the correct ones of their group (the paper's idea);
    "overlong" is DAPO's soft punishment of long ones (arXiv 2503.14476); "cosine" is the cosine length reward of
    arXiv 2502.03373, as a penalty; "none" leaves the part out."""
    p_max: UnitInterval = 0.3
    """Largest penalty, in units of reward, 0 to 1, of every kind. The parameter is the paper's, the value our
    choice."""
    tau: Annotated[float, Field(gt=0)] = 1.0
    """Kind group: relative shortfall at which the linear penalty is full (the scale of the exponential one), > 0 and
    without unit: 1.0 is full at length 0, 0.5 at half the reference. The parameter is the paper's, its role and
    value are our choice."""
    reference: Literal["mean", "min", "median"] = "mean"
    """Kind group: which length (in tokens) of the group's correct completions the others are held against. Our
    choice."""
    applies_to: Literal["incorrect", "all"] = "incorrect"
    """Kind group: which completions are penalised; "incorrect" leaves a short right answer alone. Our choice."""
    shape: Literal["linear", "exponential"] = "linear"
    """Kind group: how the penalty grows with the shortfall: up to p_max in a line, or towards p_max. Our choice."""
    max_length: Tokens = 0
    """Kinds overlong and cosine, which need it: tokens at which the penalty for length is full; as a rule the limit
    of generation. 0 is not set. DAPO's: 20480."""
    cache: Tokens = 0
    """Kind overlong, which needs it: tokens before max_length over which the penalty grows, 1 to max_length. 0 is
    not set. DAPO's: 4096."""

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.kind in ("overlong", "cosine") and not self.max_length:
            raise ValueError(
                f"kind {self.kind!r} needs max_length, which is {self.max_length}: give a number of tokens"
            )
        if self.kind == "overlong" and not 1 <= self.cache <= self.max_length:
            raise ValueError(f"cache {self.cache} must lie between 1 and max_length {self.max_length} for 'overlong'")
        return self

    @property
    def largest(self) -> float:
        """The largest penalty that can occur, in units of reward."""
        return 0.0 if self.kind == "none" else self.p_max


class FormatConfig(Config):
    """The reward for keeping to the template of thinking and answer."""

    reward: UnitInterval = 0.2
    """Reward of a completion that keeps to the template, 0 to 1. That there is one is the paper's, the value ours."""
    tags: tuple[str, ...] = ("think", "answer")
    """Names of the template's blocks in their order; the last one holds the answer. The default is R1's template."""
    grading: Literal["exact", "graded"] = "exact"
    """"exact" pays all or nothing; "graded" pays the share of the template's conditions that hold. Our choice."""

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        if not tags:
            raise ValueError("tags is empty: name at least the block of the answer")
        for tag in tags:
            if not _TAG_NAME.fullmatch(tag):
                raise ValueError(f"{tag!r} is no tag name: give a letter, then letters, digits, '_' or '-'")
        folded = [tag.casefold() for tag in tags]
        twice = sorted({tag for tag in folded if folded.count(tag) > 1})
        if twice:
            raise ValueError(f"tags {list(tags)} name {', '.join(twice)} more than once: each block has its own name")
        return tags


class StrataConfig(Config):
    """How far a reward model may grade completions of one verdict (HERO, arXiv 2510.07242); 0 turns it off.

    Where the verifier has decided, the model's scores are rescaled inside the right and the wrong completions of the
    group apart, so that they order equals and never overrule the verifier.
    """

    right: UnitInterval = 0.0
    """Width of the right stratum: right completions earn 1 - right to 1. HERO's idea, the default our choice."""
    wrong: UnitInterval = 0.0
    """Width of the wrong stratum: wrong completions earn 0 to wrong. HERO's idea, the default our choice."""

    @model_validator(mode="after")
    def _check_gap(self) -> Self:
        both = self.right + self.wrong
        if both > _WIDEST_STRATA:
            raise ValueError(
                f"right {self.right} + wrong {self.wrong} = {both} must be at most {_WIDEST_STRATA}, or the strata of "
                "right and wrong answers touch"
            )
        return self


class RewardsConfig(Config):
    """The whole portfolio.

    The guarantee: with `weights.length * length.p_max + weights.format * format.reward + weights.accuracy *
    (strata.right + strata.wrong) < weights.accuracy`, a completion that the rule verifier found right always totals
    more than one of its group that it found wrong. The ranges of the parts give it for the plain sum; where parts are
    normalised, the composition keeps it by shrinking the others (composition.py). It covers verifiable examples
    alone: an open-ended accuracy is continuous, so there two completions are ordered by accuracy for certain only
    where the weighted scores differ by more than the other parts can.
    """

    weights: RewardWeights = RewardWeights()
    """How much each part counts in the total. The paper's: all 1."""
    accuracy: AccuracyConfig = AccuracyConfig()
    """The hybrid accuracy."""
    length: LengthConfig = LengthConfig()
    """The length penalty."""
    format: FormatConfig = FormatConfig()
    """The format reward."""
    strata: StrataConfig = StrataConfig()
    """What a reward model may add where the verifier has decided."""
    correct_at: UnitInterval = 0.5
    """The surrogate's score (0 to 1) from which an open-ended completion counts as correct for the length penalty.
    Our choice."""
    verifier: VerifierConfig = VerifierConfig()
    """Limits of the computer algebra that judges what values do not tell."""
    strict: bool = False
    """Whether only the answer block of the template counts as an answer. Our choice: false, so that a policy that
    does not know the template yet is paid for what it can do."""
    abstention: Literal["group_mean", "mask", "zero"] = "group_mean"
    """What a part counts for where it has no value. "group_mean": the mean of the group's members that have one, as
    if it had been measured; "mask": the same mean, taken after normalisation, so that the abstaining member enters
    no statistic; "zero": 0, as in TRL's sum, which lowers a right answer that a model did not score. 0 where nobody
    has a value. Our choice."""
    normalise: Literal["none", "group"] = "none"
    """"group" centres each part in its group and divides by its deviation before the sum (GDPO, arXiv 2601.05242);
    "none" is the paper's."""
    std_floor: Annotated[float, Field(ge=1e-6, le=1)] = 0.05
    """Smallest divisor of a normalised part and of the strata's rescaling, in units of the part, 1e-6 to 1: a
    reward model's noise of 0.001 then stays noise. Our choice."""

    @model_validator(mode="after")
    def _check_balance(self) -> Self:
        weights = self.weights
        if not (weights.accuracy or weights.length or weights.format):
            raise ValueError("the weights accuracy, length and format are all 0: give at least one a positive weight")
        if weights.accuracy and self._others + self._graded >= weights.accuracy:
            raise ValueError(self._imbalance())
        return self

    @property
    def _others(self) -> float:
        """The most by which the other parts can tell two completions apart."""
        return self.weights.length * self.length.largest + self.weights.format * self.format.reward

    @property
    def _graded(self) -> float:
        """The most by which the strata bring right and wrong answers closer."""
        return self.weights.accuracy * (self.strata.right + self.strata.wrong)

    @property
    def others_share(self) -> float:
        """The most that the other parts may take of the gap between a right and a wrong answer; in [0, 0.999].

        It is what their ranges allow in the plain sum; 0 where accuracy has no weight and there is no gap.
        """
        gap = self.weights.accuracy - self._graded
        return min(self._others / gap, _LARGEST_SHARE) if gap else 0.0

    def _imbalance(self) -> str:
        terms = f"weights.length {self.weights.length} * length.p_max {self.length.largest} + "
        terms += f"weights.format {self.weights.format} * format.reward {self.format.reward}"
        if self._graded:
            terms += f" + weights.accuracy * (strata.right {self.strata.right} + strata.wrong {self.strata.wrong})"
        return (
            f"{terms} = {self._others + self._graded} must be below weights.accuracy {self.weights.accuracy}, "
            "or a wrong answer could outrank a right one: lower the first or raise the second"
        )

    def without_accuracy(self) -> "RewardsConfig":
        """The control: the same portfolio with an accuracy weight of 0.

        Raises:
            ValueError: No other part has a positive weight, so nothing would be left.
        """
        values: dict[str, Any] = self.model_dump()
        return RewardsConfig.model_validate({**values, "weights": {**values["weights"], "accuracy": 0.0}})
