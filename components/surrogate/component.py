"""The surrogate stage as Kubeflow sees it."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def fit_surrogate(
    dataset: dsl.Input[dsl.Dataset],
    surrogate: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    surrogate_model: dsl.Output[dsl.Model],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Fit the embedding-based surrogate reward model on the dataset's open-ended examples, and report on it."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.surrogate.config import SurrogateConfig
    from components.surrogate.fit import fit_surrogate
    from components.surrogate.fit_report import write_fit_report

    with failure_note("fit-surrogate", Path(surrogate_model.path).parent):
        config = parse_config(SurrogateConfig, surrogate, "surrogate")
        result = fit_surrogate(Path(dataset.path), Path(surrogate_model.path), config, seed)
        describe(surrogate_model, result.manifest.flat())
        measured = write_fit_report(Path(surrogate_model.path), Path(dataset.path), config, seed, Path(report.path))
        cache = {f"features_from_{source}": count for source, count in result.cache.items()}
        log_metrics(metrics, {**result.metrics, **measured, **cache})
