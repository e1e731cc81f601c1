"""A tiny policy, its surrogate and a training of it; made once a session, never written to."""

from pathlib import Path

import pytest

from components.rewards.config import RewardsConfig
from components.surrogate.config import SurrogateConfig
from components.surrogate.fit import fit_surrogate
from components.training.config import PolicySection
from components.training.grpo import TrainingInputs, TrainingResult
from components.training.warm_start import warm_start
from tests.training.runs import run_training


@pytest.fixture(scope="session")
def surrogate(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "surrogate"
    fit_surrogate(dataset, folder, SurrogateConfig(max_examples=10), seed=0)
    return folder


@pytest.fixture(scope="session")
def inputs(dataset: Path, surrogate: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingInputs:
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
    return TrainingInputs(dataset, surrogate, folder / "base")


@pytest.fixture(scope="session")
def trained(inputs: TrainingInputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    folder = tmp_path_factory.mktemp("trained")
    return folder, run_training(inputs, folder, RewardsConfig())
