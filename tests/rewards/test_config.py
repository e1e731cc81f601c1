import math

import pytest
from pydantic import ValidationError

from components.core.config import Config, parse_config
from components.core.errors import RecipeError
from components.rewards.config import (
    AccuracyConfig,
    FormatConfig,
    LengthConfig,
    RewardsConfig,
    RewardWeights,
    StrataConfig,
)


@pytest.mark.parametrize(
    "model", [RewardWeights, AccuracyConfig, LengthConfig, FormatConfig, StrataConfig, RewardsConfig]
)
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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weights": {"length": -0.5}}, r"weights\.length = -0\.5"),
        ({"weights": {"format": 2e6}}, r"weights\.format = 2000000\.0"),
        ({"weights": {"accuracy": 1e-9}}, r"weights\.accuracy: 1e-09 is too small"),
        ({"accuracy": {"undecided": "half"}}, r"accuracy\.undecided = 'half'"),
        ({"abstention": "nan"}, "abstention = 'nan'"),
        ({"normalise": "batch"}, "normalise = 'batch'"),
        ({"std_floor": 0}, "std_floor = 0"),
        ({"length": {"kind": "overlong"}}, r"'overlong' needs max_length, which is 0"),
        ({"length": {"kind": "cosine"}}, r"'cosine' needs max_length, which is 0"),
        ({"length": {"kind": "overlong", "max_length": 9}}, "cache 0 must lie between 1 and max_length 9"),
        ({"length": {"kind": "overlong", "max_length": 9, "cache": 10}}, "cache 10 must lie between 1"),
        ({"length": {"max_length": -1}}, r"length\.max_length = -1"),
        ({"format": {"tags": []}}, "tags is empty"),
        ({"format": {"tags": ["think", "Think"]}}, "name think more than once"),
        ({"format": {"tags": ["<think>"]}}, "'<think>' is no tag name"),
        ({"format": {"grading": "soft"}}, r"format\.grading = 'soft'"),
        ({"strata": {"right": 1.5}}, r"strata\.right = 1\.5"),
        ({"strata": {"right": 0.5, "wrong": 0.5}}, r"right 0\.5 \+ wrong 0\.5 = 1\.0 must be at most 0\.95"),
        (
            {"strata": {"right": 0.3, "wrong": 0.2}},
            r"\(strata\.right 0\.3 \+ strata\.wrong 0\.2\) = 1\.0 must be below",
        ),
    ],
)
def test_rewards_config_bad_values_are_refused_by_name_and_value(values: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_config(RewardsConfig, values, "recipe")


def test_rewards_config_a_length_rule_that_is_off_takes_no_room() -> None:
    config = RewardsConfig.model_validate({"length": {"kind": "none", "p_max": 1.0}, "format": {"reward": 0.9}})
    assert config.others_share == pytest.approx(0.9)


def test_others_share_is_what_the_ranges_leave_of_the_gap() -> None:
    assert RewardsConfig().others_share == pytest.approx(0.5)
    assert RewardsConfig(strata=StrataConfig(right=0.2, wrong=0.2)).others_share == pytest.approx(0.5 / 0.6)
    assert RewardsConfig(format=FormatConfig(reward=0.7 - 1e-9)).others_share == 0.999
    assert RewardsConfig().without_accuracy().others_share == 0


def test_rewards_config_survives_json() -> None:
    config = RewardsConfig.model_validate({"format": {"tags": ["look", "final"]}, "strata": {"wrong": 0.1}})
    assert parse_config(RewardsConfig, config.identity(), "json") == config


def test_rewards_config_without_any_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one"):
        RewardsConfig(weights=RewardWeights(accuracy=0, length=0, format=0))


def test_without_accuracy_keeps_everything_else() -> None:
    values = {
        "length": {"kind": "overlong", "p_max": 0.1, "max_length": 100, "cache": 10},
        "format": {"reward": 0.3, "tags": ["look", "final"]},
        "strata": {"wrong": 0.1},
        "correct_at": 0.7,
        "abstention": "mask",
    }
    control = RewardsConfig.model_validate(values).without_accuracy()
    assert control.weights == RewardWeights(accuracy=0, length=1, format=1)
    assert control == RewardsConfig.model_validate({**values, "weights": {"accuracy": 0}})


def test_without_accuracy_nothing_left_is_refused() -> None:
    alone = RewardsConfig(weights=RewardWeights(accuracy=1, length=0, format=0))
    with pytest.raises(ValidationError, match="at least one"):
        alone.without_accuracy()
