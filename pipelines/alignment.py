"""The alignment pipeline: curate, fit the surrogate, warm-start, train, evaluate, decide, register, export.

One definition for a laptop and for Kubeflow; only the placement of its steps differs.
"""

from typing import Any

from kfp import dsl

from components.curation.component import curate
from components.evaluation.component import decide, evaluate, gather_suite
from components.release.component import export, finish, register
from components.surrogate.component import fit_surrogate
from components.training.component import train, warm_start
from pipelines.placement import Placement
from pipelines.recipe import Recipe

PIPELINE = "harmo-alignment"


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
        seed: int = values["seed"],
        reports_uri: str = "",
    ) -> None:
        end = place(finish(run_id=run_id), "release").set_caching_options(False)
        with dsl.ExitHandler(end, name="run"):
            data = place(curate(curation=curation, seed=seed), "curation")
            dataset = data.outputs["dataset"]
            fitted = place(fit_surrogate(dataset=dataset, surrogate=surrogate, seed=seed), "surrogate")
            scorer = fitted.outputs["surrogate_model"]
            suite = place(
                gather_suite(dataset=dataset, evaluation=evaluation, seed=seed), "evaluation", "curation"
            ).outputs["suite"]
            start = place(warm_start(dataset=dataset, policy=policy, seed=seed), "training", "warm_start")
            base = start.outputs["base_policy"]

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
