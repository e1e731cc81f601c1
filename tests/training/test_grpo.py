"""GRPO on a tiny policy: what TRL computes from our rewards is what we recorded."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.core.artifact import verify
from components.core.policy import Policy
from components.rewards.config import RewardsConfig
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import fit_surrogate
from components.training.config import PolicySection, TrainingConfig
from components.training.grpo import (
    TrainingInputs,
    TrainingOutputs,
    TrainingResult,
    groups_without_signal,
    grpo_arguments,
    train,
)
from components.training.rewarding import PortfolioRewards, RolloutAudit
from components.training.warm_start import warm_start
from pipelines.recipe import load_recipe, recipe_names

pytestmark = pytest.mark.slow

_TRAINING = TrainingConfig(steps=2, batch_size=8, num_generations=4, learning_rate=1e-3, warmup_steps=0)


@pytest.fixture(scope="module")
def inputs(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingInputs:
    folder = tmp_path_factory.mktemp("training")
    section = PolicySection.model_validate(
        {
            "base": {
                "kind": "tiny", "hidden_size": 32, "head_size": 16, "layers": 1,
                "prompt": {"max_completion_length": 24},
            },
            "warm_start": {"steps": 60, "batch_size": 16, "learning_rate": 5e-3},
        }
    )  # fmt: skip
    warm_start(dataset, folder / "base", section, seed=0)
    fit_surrogate(dataset, folder / "surrogate", SurrogateConfig(max_examples=10), seed=0)
    return TrainingInputs(dataset, folder / "surrogate", folder / "base")


def _train(inputs: TrainingInputs, folder: Path, rewards: RewardsConfig, seed: int = 0) -> TrainingResult:
    return train(inputs, TrainingOutputs(folder / "policy", folder / "rollouts"), _TRAINING, rewards, seed)


@pytest.fixture(scope="module")
def trained(inputs: TrainingInputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    folder = tmp_path_factory.mktemp("trained")
    return folder, _train(inputs, folder, RewardsConfig())


def _rows(folder: Path) -> list[dict]:
    return pq.read_table(folder / "rollouts" / "rollouts.parquet").to_pylist()


def test_every_rollout_is_in_the_audit_once(trained: tuple[Path, TrainingResult]) -> None:
    rows = _rows(trained[0])

    assert len(rows) == _TRAINING.steps * _TRAINING.batch_size == trained[1].metrics["rollouts"]
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
    curves = json.loads((trained[0] / "rollouts" / "curves.json").read_text())
    rows = _rows(trained[0])

    for point in curves:
        step = [row for row in rows if row["step"] == point["step"] - 1]
        assert point["reward"] == pytest.approx(mean(row["total"] for row in step), abs=1e-5)
        assert point["completion_length"] == pytest.approx(mean(row["length_tokens"] for row in step))


def test_policy_was_changed_and_is_whole(inputs: TrainingInputs, trained: tuple[Path, TrainingResult]) -> None:
    policy = verify(trained[0] / "policy", "policy")

    assert policy.files["model.safetensors"] != verify(inputs.base).files["model.safetensors"]
    assert policy.inputs["base"] == verify(inputs.base).reference()


def test_same_seed_trains_the_same_policy_and_rollouts(
    inputs: TrainingInputs, trained: tuple[Path, TrainingResult], tmp_path: Path
) -> None:
    again = _train(inputs, tmp_path, RewardsConfig())

    assert again.policy.fingerprint == trained[1].policy.fingerprint
    assert again.rollouts.fingerprint == trained[1].rollouts.fingerprint


def test_control_records_the_accuracy_and_does_not_pay_it(inputs: TrainingInputs, tmp_path: Path) -> None:
    _train(inputs, tmp_path, RewardsConfig().without_accuracy())

    for row in _rows(tmp_path):
        assert row["total"] == pytest.approx((row["length"] or 0.0) + row["format"])


def test_reward_weights_reach_trl_in_the_order_of_the_functions(tmp_path: Path) -> None:
    rewards = RewardsConfig.model_validate({"weights": {"accuracy": 2.0, "length": 0.5, "format": 0.25}})

    arguments = grpo_arguments(_TRAINING, rewards, Policy("{question}", 7, 3136), 3, tmp_path)

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


def test_functions_of_one_batch_share_one_computation(dataset: Path, tmp_path: Path) -> None:
    from components.rewards.portfolio import Portfolio
    from components.training.data import read_train

    class CountingScorer:
        calls = 0

        def score(
            self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
        ) -> list[float]:
            assert len(questions) == len(answers) == len(references)
            self.calls += 1
            return [0.5] * len(answers)

    class State:
        global_step = 7

    scorer = CountingScorer()
    examples = read_train(dataset)
    described = next(index for index, example in enumerate(examples) if not example.verifiable)
    completions = [[{"content": f"<think>x</think><answer>{word}</answer>"}] for word in ("a", "b")]
    with RolloutAudit(tmp_path / "rollouts.parquet") as audit:
        adapter = PortfolioRewards(Portfolio(RewardsConfig(), scorer), examples, 2, "none", audit)
        columns = {"example": [described] * 2, "completion_ids": [[1, 2], [1]], "trainer_state": State()}
        values = {function.__name__: function(completions=completions, **columns) for function in adapter.functions()}

    assert scorer.calls == 1
    assert list(values) == ["accuracy", "length", "format"]
    assert values["accuracy"] == [0.5, 0.5]
    assert [row["step"] for row in pq.read_table(tmp_path / "rollouts.parquet").to_pylist()] == [7, 7]


def test_groups_of_equal_rewards_are_without_signal_whatever_their_value(tmp_path: Path) -> None:
    rewards = [0.1 + 0.2] * 4 + [0.2] * 4 + [1.2] * 4 + [0.0, 0.0, 0.0, 1e-3]
    table = pa.table({"step": [0] * 8 + [1] * 8, "total": rewards})
    pq.write_table(table, tmp_path / "rollouts.parquet")

    assert groups_without_signal(tmp_path / "rollouts.parquet", 4) == {0: 1.0, 1: 0.5}


def test_batch_that_splits_groups_is_refused() -> None:
    with pytest.raises(
        ValueError, match="batch_size 6 x gradient_accumulation_steps 1 is not a multiple of num_generations 4"
    ):
        TrainingConfig(batch_size=6, num_generations=4)
