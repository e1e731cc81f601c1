import math

import pytest
from pydantic import ValidationError

from components.core.config import Config, parse_config
from components.core.errors import RecipeError
from components.rewards.config import FormatConfig, LengthConfig, RewardsConfig, RewardWeights


@pytest.mark.parametrize("model", [RewardWeights, LengthConfig, FormatConfig, RewardsConfig])
def test_rewards_config_every_field_is_documented(model: type[Config]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_rewards_config_defaults_are_the_unweighted_sum() -> None:
    assert RewardsConfig().weights == RewardWeights(accuracy=1, length=1, format=1)


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
@pytest.mark.parametrize("name", ["accuracy", "length", "format"])
def test_reward_weights_negative_or_not_finite_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        RewardWeights(**{name: value})


@pytest.mark.parametrize(
    ("key", "value"), [("p_max", -0.1), ("p_max", 1.1), ("tau", 0), ("reference", "max"), ("shape", "cosine")]
)
def test_length_config_out_of_range_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(RecipeError, match=f"length.{key}"):
        parse_config(RewardsConfig, {"length": {key: value}}, "recipe")


def test_rewards_config_other_parts_that_reach_accuracy_are_refused_with_their_values() -> None:
    values = {"weights": {"length": 2.0}, "length": {"p_max": 0.4}, "format": {"reward": 0.2}}
    with pytest.raises(RecipeError, match=r"2\.0 \* length\.p_max 0\.4 .* format\.reward 0\.2 = 1\.0 must be below"):
        parse_config(RewardsConfig, values, "recipe")


def test_rewards_config_other_parts_just_below_accuracy_are_accepted() -> None:
    config = RewardsConfig(length=LengthConfig(p_max=0.5), format=FormatConfig(reward=0.499))
    assert config.length.p_max == 0.5


def test_rewards_config_without_any_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one"):
        RewardsConfig(weights=RewardWeights(accuracy=0, length=0, format=0))


def test_without_accuracy_keeps_everything_else() -> None:
    config = RewardsConfig(length=LengthConfig(p_max=0.1), format=FormatConfig(reward=0.3), correct_at=0.7)
    control = config.without_accuracy()
    assert control.weights == RewardWeights(accuracy=0, length=1, format=1)
    assert (control.length, control.format, control.correct_at) == (config.length, config.format, 0.7)


def test_without_accuracy_nothing_left_is_refused() -> None:
    alone = RewardsConfig(weights=RewardWeights(accuracy=1, length=0, format=0))
    with pytest.raises(ValidationError, match="at least one"):
        alone.without_accuracy()
