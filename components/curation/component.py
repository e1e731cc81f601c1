"""The curation stage as Kubeflow sees it: one step, or the same work shared by pods."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def curate(
    curation: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    benchmarks: dsl.Input[dsl.Dataset],
    written: list,  # type: ignore[type-arg]
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
    from components.curation.fan_out import print_said

    with failure_note("curate", Path(dataset.path).parent):
        config = parse_config(CurationConfig, curation, "curation")
        print_said(written)
        result = curate(Path(dataset.path), Path(quarantine.path), config, int(seed), Path(benchmarks.path))
        write_data_card(Path(dataset.path), result.summary, Path(data_card.path), Path(quarantine.path))
        describe(dataset, result.dataset.flat())
        describe(quarantine, result.quarantine.flat())
        counts = ("rows_in", "rows_kept", "rows_quarantined", "rows_duplicate")
        log_metrics(metrics, {name: float(result.summary[name]) for name in counts})


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def map_rows(
    curation: dict,  # type: ignore[type-arg]
    seed: int,
    pod: int,
    pods: int,
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Take a share of the rows through the row steps; what becomes of them lies in the scratch that pods share."""
    from pathlib import Path

    from components.core.failures import failure_note
    from components.core.kfp_facts import log_metrics
    from components.curation.fan_out import map_share

    with failure_note("map-rows", Path(metrics.path).parent):
        share = map_share(curation, int(seed), int(pod), int(pods))
        log_metrics(metrics, share.metrics)
        return share.said


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def judge_rows(
    curation: dict,  # type: ignore[type-arg]
    seed: int,
    benchmarks: dsl.Input[dsl.Dataset],
    mapped: list,  # type: ignore[type-arg]
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Hold all rows against each other and against the benchmarks, once every pod has mapped its share."""
    from pathlib import Path

    from components.core.failures import failure_note
    from components.core.kfp_facts import log_metrics
    from components.curation.fan_out import judge_all, print_said

    with failure_note("judge-rows", Path(metrics.path).parent):
        print_said(mapped)
        share = judge_all(curation, int(seed), Path(benchmarks.path))
        log_metrics(metrics, share.metrics)
        return share.said


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def write_examples(
    curation: dict,  # type: ignore[type-arg]
    seed: int,
    benchmarks: dsl.Input[dsl.Dataset],
    judged: str,
    pod: int,
    pods: int,
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Write a share of the dataset's shards into the scratch, once all rows are judged."""
    from pathlib import Path

    from components.core.failures import failure_note
    from components.core.kfp_facts import log_metrics
    from components.curation.fan_out import print_said, write_share

    with failure_note("write-examples", Path(metrics.path).parent):
        print_said([judged])
        share = write_share(curation, int(seed), Path(benchmarks.path), int(pod), int(pods))
        log_metrics(metrics, share.metrics)
        return share.said


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
