"""The evaluation stage as Kubeflow sees it: scores, and the decision."""

from kfp import dsl


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def prepare_benchmarks(
    benchmarks: list,  # type: ignore[type-arg]  # KFP reads the bare type
    seed: int,
    prepared: dsl.Output[dsl.Dataset],
) -> None:
    """Prepare the public benchmarks: policies are evaluated on them, and no example may be from them."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe
    from components.evaluation.config import EvaluationConfig
    from components.evaluation.suite import prepare_benchmarks

    with failure_note("prepare-benchmarks", Path(prepared.path).parent):
        config = parse_config(EvaluationConfig, {"benchmarks": benchmarks}, "evaluation")
        describe(prepared, prepare_benchmarks(config.benchmarks, Path(prepared.path), int(seed)).flat())


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def gather_suite(
    dataset: dsl.Input[dsl.Dataset],
    benchmarks: dsl.Input[dsl.Dataset],
    evaluation: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    suite: dsl.Output[dsl.Dataset],
) -> None:
    """Gather what policies are evaluated on: the held-out families, and public benchmarks."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe
    from components.evaluation.config import EvaluationConfig
    from components.evaluation.suite import gather_suite

    with failure_note("gather-suite", Path(suite.path).parent):
        config = parse_config(EvaluationConfig, evaluation, "evaluation")
        manifest = gather_suite(Path(dataset.path), Path(benchmarks.path), Path(suite.path), config)
        describe(suite, manifest.flat())


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def evaluate(
    suite: dsl.Input[dsl.Dataset],
    policy: dsl.Input[dsl.Model],
    evaluation: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    samples: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Generate a policy's greedy answers to the suite's questions and score them, benchmark by benchmark."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.evaluation.config import EvaluationConfig
    from components.evaluation.evaluate import evaluate

    with failure_note("evaluate", Path(samples.path).parent):
        config = parse_config(EvaluationConfig, evaluation, "evaluation")
        result = evaluate(Path(suite.path), Path(policy.path), Path(samples.path), config)
        describe(samples, result.manifest.flat())
        log_metrics(metrics, result.metrics)


@dsl.component(base_image="harmo", install_kfp_package=False, packages_to_install=[])
def decide(
    baseline: dsl.Input[dsl.Dataset],
    candidate: dsl.Input[dsl.Dataset],
    control: dsl.Input[dsl.Dataset],
    decision: dict,  # type: ignore[type-arg]  # KFP reads the bare type
    comparison: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> bool:
    """Compare the policies on held-out scores and decide on promotion."""
    from pathlib import Path

    from components.core.config import parse_config
    from components.core.failures import failure_note
    from components.core.kfp_facts import describe, log_metrics
    from components.evaluation.compare import compare
    from components.evaluation.config import DecisionConfig

    with failure_note("decide", Path(comparison.path).parent):
        config = parse_config(DecisionConfig, decision, "decision")
        evaluations = {
            "baseline": Path(baseline.path),
            "candidate": Path(candidate.path),
            "control": Path(control.path),
        }
        result = compare(evaluations, Path(comparison.path), config)
        describe(comparison, result.manifest.flat())
        log_metrics(metrics, result.metrics)
        return result.promoted
