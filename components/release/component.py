"""The release stage as Kubeflow sees it: register, export, and the exit task."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def register(
    policy: dsl.Input[dsl.Model],
    comparison: dsl.Input[dsl.Dataset],
    name: str,
    registered_model: dsl.Output[dsl.Model],
) -> None:
    """Turn a promoted policy into a versioned model folder with a model card."""
    from pathlib import Path

    from components.core.failures import failure_note
    from components.core.kfp_facts import describe
    from components.release.register import register

    with failure_note("register", Path(registered_model.path).parent):
        manifest = register(Path(policy.path), Path(comparison.path), Path(registered_model.path), name)
        describe(registered_model, {**manifest.flat(), "harmo_version": manifest.identity["version"]})


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def export(
    dataset: dsl.Input[dsl.Dataset],
    suite: dsl.Input[dsl.Dataset],
    surrogate_model: dsl.Input[dsl.Model],
    base_policy: dsl.Input[dsl.Model],
    aligned_policy: dsl.Input[dsl.Model],
    rollouts: dsl.Input[dsl.Dataset],
    control_policy: dsl.Input[dsl.Model],
    control_rollouts: dsl.Input[dsl.Dataset],
    baseline_samples: dsl.Input[dsl.Dataset],
    candidate_samples: dsl.Input[dsl.Dataset],
    control_samples: dsl.Input[dsl.Dataset],
    comparison: dsl.Input[dsl.Dataset],
    pipeline: str,
    run_id: str,
    reports_uri: str,
    bundle: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
) -> None:
    """Write the report, and copy it to reports/<pipeline>/<run_id>/ in the store ("" takes the run's own)."""
    import shutil
    from pathlib import Path

    from components.core.failures import failure_note
    from components.core.kfp_facts import describe
    from components.release.destination import publish, report_key, store_root
    from components.release.export import REPORT, write_bundle
    from components.release.gather import RunArtifacts

    with failure_note("export", Path(bundle.path).parent):
        inputs = (
            dataset, suite, surrogate_model, base_policy, aligned_policy, rollouts, control_policy, control_rollouts,
            baseline_samples, candidate_samples, control_samples, comparison,
        )  # fmt: skip
        run = RunArtifacts(*(Path(artifact.path) for artifact in inputs))
        manifest = write_bundle(run, Path(bundle.path), pipeline, run_id)
        shutil.copyfile(Path(bundle.path) / REPORT, report.path)
        address = report_key(reports_uri or store_root(bundle.uri), pipeline, run_id)
        publish(Path(bundle.path), address, dataset.metadata)
        describe(bundle, {**manifest.flat(), "harmo_address": address})
        describe(report, {"harmo_address": address})


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def finish(status: dsl.PipelineTaskFinalStatus, run_id: str, outcome: dsl.Output[dsl.HTML]) -> None:
    """Leave a readable page on how the run ended; runs whatever happened."""
    from pathlib import Path

    from components.release.failure_report import write_failure_report

    path = Path(outcome.path)
    write_failure_report(path.parent.parent, path, status.state, run_id)
