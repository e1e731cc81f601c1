"""The curation stage as Kubeflow sees it."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def curate(
    curation: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    dataset: dsl.Output[dsl.Dataset],
    quarantine: dsl.Output[dsl.Dataset],
    data_card: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Turn sources into a validated, typed, de-duplicated, split dataset; quarantine the rest with reasons."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.curation.card import write_data_card
    from components.curation.config import CurationConfig
    from components.curation.curate import curate

    with failure_note("curate", Path(dataset.path).parent):
        config = parse_config(CurationConfig, curation, "curation")
        result = curate(Path(dataset.path), Path(quarantine.path), config, seed)
        write_data_card(Path(dataset.path), result.summary, Path(data_card.path))
        describe(dataset, result.dataset.flat())
        describe(quarantine, result.quarantine.flat())
        log_metrics(
            metrics, {name: float(result.summary[name]) for name in ("rows_in", "rows_kept", "rows_quarantined")}
        )
