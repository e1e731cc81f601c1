"""The surrogate stage as Kubeflow sees it."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def fit_surrogate(
    dataset: dsl.Input[dsl.Dataset],
    surrogate: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    surrogate_model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Fit the embedding-based surrogate reward model on the dataset's open-ended examples."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.surrogate.config import SurrogateConfig
    from components.surrogate.fit import fit_surrogate

    with failure_note("fit-surrogate", Path(surrogate_model.path).parent):
        config = parse_config(SurrogateConfig, surrogate, "surrogate")
        result = fit_surrogate(Path(dataset.path), Path(surrogate_model.path), config, seed)
        describe(surrogate_model, result.manifest.flat())
        log_metrics(metrics, result.metrics)
