"""The model-based steps of curation as Kubeflow sees them: one step, on a GPU."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def measure_difficulty(
    dataset: dsl.Input[dsl.Dataset],
    surrogate_model: dsl.Input[dsl.Model],
    base_policy: dsl.Input[dsl.Model],
    curation: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    rewards: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    measured: dsl.Output[dsl.Dataset],
    quarantine: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Ask the base policy about every training example; leave out what is not worth training on, and mix the rest."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.curation.worth import measure_worth
    from components.curation.worth_config import WorthConfig
    from components.curation.worth_files import WorthInputs, WorthOutputs
    from components.rewards.config import RewardsConfig

    with failure_note("measure-difficulty", Path(measured.path).parent):
        result = measure_worth(
            WorthInputs(Path(dataset.path), Path(surrogate_model.path), Path(base_policy.path)),
            WorthOutputs(Path(measured.path), Path(quarantine.path)),
            WorthConfig.of_curation(curation),
            parse_config(RewardsConfig, rewards, "rewards"),
            int(seed),
        )
        describe(measured, result.dataset.flat())
        describe(quarantine, result.quarantine.flat())
        log_metrics(metrics, result.metrics)
