"""A training in seconds."""

from pathlib import Path

from components.rewards.config import RewardsConfig
from components.training.config import TrainingConfig
from components.training.grpo import TrainingInputs, TrainingOutputs, TrainingResult, train

TRAINING = TrainingConfig(steps=2, batch_size=8, num_generations=4, learning_rate=1e-3, warmup_steps=0)


def run_training(inputs: TrainingInputs, folder: Path, rewards: RewardsConfig, seed: int = 0) -> TrainingResult:
    return train(inputs, TrainingOutputs(folder / "policy", folder / "rollouts"), TRAINING, rewards, seed)
