"""The alignment pipeline: curate, fit the surrogate, warm-start, train, evaluate, decide, register, export.

One definition for a laptop and for Kubeflow; only the placement of its steps differs.
"""

from collections.abc import Callable
from typing import Any

from kfp import dsl

from components.curation.component import curate, judge_rows, map_rows, measure_difficulty, write_examples
from components.evaluation.component import decide, evaluate, gather_suite, prepare_benchmarks
from components.release.component import export, finish, register
from components.surrogate.component import fit_surrogate
from components.training.component import train, warm_start
from pipelines.placement import Placement
from pipelines.recipe import Recipe

PIPELINE = "harmo-alignment"


def curated(curation: Any, seed: Any, benchmarks: Any, pods: int, place: Callable[..., Any]) -> Any:
    """The curation: one step, or with more than one pod the same work shared by them before it.

    Args:
        curation: Settings, a pipeline parameter.
        seed: A pipeline parameter.
        benchmarks: The benchmarks artifact.
        pods: That share the rows.
        place: Puts a task somewhere.

    Returns:
        The task that has the dataset.
    """
    common = {"curation": curation, "seed": seed}
    if pods == 1:
        return place(curate(**common, benchmarks=benchmarks, written=[]), "curation")
    numbers = list(range(pods))

    def shared(step: Any, **inputs: Any) -> Any:
        """Never cached: what is made is found in the scratch, and the scratch may have been emptied."""
        return place(step(**common, **inputs), "curation").set_caching_options(False)

    with dsl.ParallelFor(numbers, name="map-rows") as pod:
        mapped = shared(map_rows, pod=pod, pods=pods)
    judged = shared(judge_rows, benchmarks=benchmarks, mapped=dsl.Collected(mapped.outputs["Output"]))
    with dsl.ParallelFor(numbers, name="write-examples") as pod:
        written = shared(write_examples, benchmarks=benchmarks, judged=judged.outputs["Output"], pod=pod, pods=pods)
    return place(curate(**common, benchmarks=benchmarks, written=dsl.Collected(written.outputs["Output"])), "curation")


def alignment_pipeline(recipe: Recipe, placement: Placement, run_id: str = dsl.PIPELINE_JOB_ID_PLACEHOLDER) -> Any:
    """Build the pipeline with a recipe's values as the defaults of its parameters.

    Args:
        recipe: Gives the defaults and the name of the registered model.
        placement: Where the steps run.
        run_id: Names the run's report; on a cluster KFP's own run id.

    Returns:
        The KFP pipeline.
    """
    values = recipe.identity()
    # A parameter of their own: other settings of the evaluation leave the data, and all that is made of it, alone.
    public = values["evaluation"].pop("benchmarks")
    place = placement.place

    @dsl.pipeline(name=PIPELINE, description="Align a vision-language model with GRPO on a portfolio of rewards.")
    def harmo_alignment(
        curation: dict = values["curation"],  # type: ignore[type-arg]  # KFP reads the bare type
        surrogate: dict = values["surrogate"],  # type: ignore[type-arg]
        policy: dict = values["policy"],  # type: ignore[type-arg]
        training: dict = values["training"],  # type: ignore[type-arg]
        rewards: dict = values["rewards"],  # type: ignore[type-arg]
        evaluation: dict = values["evaluation"],  # type: ignore[type-arg]
        decision: dict = values["decision"],  # type: ignore[type-arg]
        benchmarks: list = public,  # type: ignore[type-arg]
        seed: int = values["seed"],
        reports_uri: str = "",
    ) -> None:
        end = place(finish(run_id=run_id), "release").set_caching_options(False)
        with dsl.ExitHandler(end, name="run"):
            prepared = place(prepare_benchmarks(benchmarks=benchmarks, seed=seed), "evaluation", "curation")
            published = prepared.outputs["prepared"]
            dataset = curated(curation, seed, published, recipe.curation.pods, place).outputs["dataset"]
            fitted = place(fit_surrogate(dataset=dataset, surrogate=surrogate, seed=seed), "surrogate")
            scorer = fitted.outputs["surrogate_model"]
            suite = place(
                gather_suite(dataset=dataset, benchmarks=published, evaluation=evaluation), "evaluation", "curation"
            ).outputs["suite"]
            start = place(warm_start(dataset=dataset, policy=policy, seed=seed), "training", "warm_start")
            base = start.outputs["base_policy"]
            if recipe.curation.enabled:
                measured = measure_difficulty(
                    dataset=dataset,
                    surrogate_model=scorer,
                    base_policy=base,
                    curation=curation,
                    rewards=rewards,
                    seed=seed,
                )
                dataset = place(measured, "measuring").outputs["measured"]

            def trained(name: str, control: bool) -> Any:
                task = train(
                    dataset=dataset,
                    surrogate_model=scorer,
                    base_policy=base,
                    training=training,
                    rewards=rewards,
                    control=control,
                    seed=seed,
                )
                return place(task, "training").set_display_name(name)

            def evaluated(name: str, model: Any) -> Any:
                task = evaluate(suite=suite, policy=model, evaluation=evaluation)
                return place(task, "evaluation").set_display_name(name).outputs["samples"]

            candidate, control = trained("train", False), trained("train control", True)
            samples = {
                "baseline": evaluated("evaluate baseline", base),
                "candidate": evaluated("evaluate candidate", candidate.outputs["aligned_policy"]),
                "control": evaluated("evaluate control", control.outputs["aligned_policy"]),
            }
            verdict = place(decide(**samples, decision=decision), "evaluation", "release")
            comparison = verdict.outputs["comparison"]
            with dsl.If(verdict.outputs["Output"] == True, name="promoted"):  # noqa: E712  # KFP overloads ==
                place(
                    register(policy=candidate.outputs["aligned_policy"], comparison=comparison, name=recipe.name),
                    "release",
                )
            place(
                export(
                    dataset=dataset,
                    suite=suite,
                    surrogate_model=scorer,
                    base_policy=base,
                    aligned_policy=candidate.outputs["aligned_policy"],
                    rollouts=candidate.outputs["rollouts"],
                    control_policy=control.outputs["aligned_policy"],
                    control_rollouts=control.outputs["rollouts"],
                    baseline_samples=samples["baseline"],
                    candidate_samples=samples["candidate"],
                    control_samples=samples["control"],
                    comparison=comparison,
                    pipeline=PIPELINE,
                    run_id=run_id,
                    reports_uri=reports_uri,
                ),
                "release",
            )

    return harmo_alignment
