"""The training stage as Kubeflow sees it: warm start and GRPO."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def warm_start(
    dataset: dsl.Input[dsl.Dataset],
    policy: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    base_policy: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Make the base policy: teach a tiny one by demonstrations, or record a pretrained one by its commit."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.training.config import PolicySection
    from components.training.warm_start import warm_start

    with failure_note("warm-start", Path(base_policy.path).parent):
        section = parse_config(PolicySection, policy, "policy")
        result = warm_start(Path(dataset.path), Path(base_policy.path), section, seed)
        describe(base_policy, result.manifest.flat())
        log_metrics(metrics, result.metrics)


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def train(
    dataset: dsl.Input[dsl.Dataset],
    surrogate_model: dsl.Input[dsl.Model],
    base_policy: dsl.Input[dsl.Model],
    training: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    rewards: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    control: bool,
    seed: int,
    aligned_policy: dsl.Output[dsl.Model],
    rollouts: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Align the base policy with GRPO on the portfolio; the control has an accuracy weight of 0."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.rewards.config import RewardsConfig
    from components.training.config import TrainingConfig
    from components.training.grpo import TrainingInputs, TrainingOutputs, train

    with failure_note("train-control" if control else "train", Path(aligned_policy.path).parent):
        portfolio = parse_config(RewardsConfig, rewards, "rewards")
        result = train(
            TrainingInputs(Path(dataset.path), Path(surrogate_model.path), Path(base_policy.path)),
            TrainingOutputs(Path(aligned_policy.path), Path(rollouts.path)),
            parse_config(TrainingConfig, training, "training"),
            portfolio.without_accuracy() if control else portfolio,
            seed,
        )
        describe(aligned_policy, result.policy.flat())
        describe(rollouts, result.rollouts.flat())
        log_metrics(metrics, result.metrics)
