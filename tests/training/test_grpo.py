"""GRPO on a tiny policy: what TRL computes from our rewards is what we recorded."""

from pathlib import Path
from statistics import mean

import pytest

from components.core.artifact import verify
from components.core.policy import Policy
from components.core.rollouts import read_curves, read_rollouts
from components.rewards.config import RewardsConfig
from components.training.config import TrainingConfig
from components.training.grpo import TrainingInputs, TrainingResult, grpo_arguments, timing_points
from components.training.rewarding import PortfolioRewards
from pipelines.recipe import load_recipe, recipe_names
from tests.training.runs import TRAINING, run_training

pytestmark = pytest.mark.slow


def _rows(folder: Path) -> list[dict]:
    return read_rollouts(folder / "rollouts")


def test_every_rollout_is_in_the_audit_once(trained: tuple[Path, TrainingResult]) -> None:
    rows = _rows(trained[0])

    assert len(rows) == TRAINING.steps * TRAINING.batch_size == trained[1].metrics["rollouts"]
    assert sorted({row["step"] for row in rows}) == [0, 1]


def test_audit_totals_are_weighted_sums_and_advantages_are_differences_to_the_group_mean(
    trained: tuple[Path, TrainingResult],
) -> None:
    rows = _rows(trained[0])
    for start in range(0, len(rows), 4):
        group = rows[start : start + 4]
        assert len({row["example_id"] for row in group}) == 1
        baseline = mean(row["total"] for row in group)
        for row in group:
            assert row["total"] == pytest.approx(sum(row[part] or 0.0 for part in ("accuracy", "length", "format")))
            assert row["advantage"] == pytest.approx(row["total"] - baseline)


def test_reward_that_trl_logged_is_the_mean_of_the_audit(trained: tuple[Path, TrainingResult]) -> None:
    curves = read_curves(trained[0] / "rollouts")
    rows = _rows(trained[0])

    for point in curves:
        step = [row for row in rows if row["step"] == point["step"] - 1]
        assert point["reward"] == pytest.approx(mean(row["total"] for row in step), abs=1e-5)
        assert point["completion_length"] == pytest.approx(mean(row["length_tokens"] for row in step))
        assert point["truncated_share"] == pytest.approx(mean(row["truncated"] for row in step))
        assert point["format"] == pytest.approx(mean(row["format"] for row in step))


def test_share_of_the_rewards_in_a_step_is_recorded(trained: tuple[Path, TrainingResult]) -> None:
    curves = read_curves(trained[0] / "rollouts")

    for point in curves:
        step = [row for row in _rows(trained[0]) if row["step"] == point["step"] - 1]
        assert point["reward_seconds"] == pytest.approx(sum(row["seconds"] for row in step))
        assert point["reward_share"] == pytest.approx(point["reward_seconds"] / point["step_seconds"])
        assert 0 < point["reward_share"] < 1
    assert 0 < trained[1].metrics["reward_share"] < 1


def test_timings_are_of_the_steps_since_the_point_before() -> None:
    entries = [{"step": 2, "step_time": 4.0}, {"step": 5}, {"step": 6, "step_time": 1.0}]

    points = timing_points(entries, {0: 1.0, 1: 3.0, 2: 1.0, 3: 1.0, 4: 4.0})

    assert points == [
        {"step": 2.0, "reward_seconds": 2.0, "step_seconds": 4.0, "reward_share": 0.5},
        {"step": 5.0, "reward_seconds": 2.0},
        {"step": 6.0, "reward_seconds": 0.0, "step_seconds": 1.0, "reward_share": 0.0},
    ]


def test_policy_was_changed_and_is_whole(inputs: TrainingInputs, trained: tuple[Path, TrainingResult]) -> None:
    policy = verify(trained[0] / "policy", "policy")

    assert policy.files["model.safetensors"] != verify(inputs.base).files["model.safetensors"]
    assert policy.inputs["base"] == verify(inputs.base).reference()


def test_same_seed_trains_the_same_policy_and_rollouts(
    inputs: TrainingInputs, trained: tuple[Path, TrainingResult], tmp_path: Path
) -> None:
    again = run_training(inputs, tmp_path, RewardsConfig())

    assert again.policy.fingerprint == trained[1].policy.fingerprint
    assert again.rollouts.fingerprint == trained[1].rollouts.fingerprint


def test_control_records_the_accuracy_and_does_not_pay_it(inputs: TrainingInputs, tmp_path: Path) -> None:
    run_training(inputs, tmp_path, RewardsConfig().without_accuracy())

    for row in _rows(tmp_path):
        assert row["total"] == pytest.approx((row["length"] or 0.0) + row["format"])


def test_reward_weights_reach_trl_in_the_order_of_the_functions(tmp_path: Path) -> None:
    rewards = RewardsConfig.model_validate({"weights": {"accuracy": 2.0, "length": 0.5, "format": 0.25}})

    arguments = grpo_arguments(TRAINING, rewards, Policy("{question}", 7, 3136), 3, tmp_path)

    assert arguments.reward_weights == [2.0, 0.5, 0.25]
    assert (arguments.loss_type, arguments.scale_rewards, arguments.max_completion_length) == ("dr_grpo", "none", 7)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_makes_a_trl_configuration(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    prompt = recipe.policy.base.prompt
    policy = Policy(prompt.template, prompt.max_completion_length, recipe.policy.base.max_pixels)

    arguments = grpo_arguments(recipe.training, recipe.rewards, policy, recipe.seed, tmp_path)

    assert arguments.num_generations == recipe.training.num_generations
    assert arguments.generation_batch_size % arguments.num_generations == 0
    assert arguments.max_completion_length == prompt.max_completion_length


def test_functions_as_coroutines_give_the_same_training(
    inputs: TrainingInputs, trained: tuple[Path, TrainingResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PortfolioRewards, "functions", PortfolioRewards.async_functions)

    again = run_training(inputs, tmp_path, RewardsConfig())

    assert again.rollouts.fingerprint == trained[1].rollouts.fingerprint


def test_batch_that_splits_groups_is_refused() -> None:
    with pytest.raises(
        ValueError, match="batch_size 6 x gradient_accumulation_steps 1 is not a multiple of num_generations 4"
    ):
        TrainingConfig(batch_size=6, num_generations=4)
