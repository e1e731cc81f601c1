"""What the orchestrator costs: the quickstart through KFP against plain calls of the same stages.

Peer: the stages' own functions, called one after the other in one Python process, without KFP, cache or
subprocesses. Same recipe, same inputs, same machine, same run. Prints wall times, the ratio, the peak
memory of any one process, and the times of a rerun and of a run with another reward weight.

    python tests/benchmarks/quickstart.py [recipe]
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from components.curation.curate import curate
from components.evaluation.compare import compare
from components.evaluation.evaluate import evaluate
from components.evaluation.suite import gather_suite, prepare_benchmarks
from components.release.export import write_bundle
from components.release.gather import RunArtifacts
from components.release.register import register
from components.surrogate.fit import fit_surrogate
from components.training.grpo import TrainingInputs, TrainingOutputs, train
from components.training.warm_start import warm_start
from pipelines.recipe import Recipe, load_recipe


def plain_calls(recipe: Recipe, root: Path) -> None:
    """The pipeline's work without the pipeline."""
    data, scorer, base = root / "dataset", root / "surrogate", root / "base"
    prepare_benchmarks(recipe.evaluation.benchmarks, root / "benchmarks", recipe.seed)
    curate(data, root / "quarantine", recipe.curation, recipe.seed, root / "benchmarks")
    fit_surrogate(data, scorer, recipe.surrogate, recipe.seed)
    warm_start(data, base, recipe.policy, recipe.seed)
    portfolios = {"candidate": recipe.rewards, "control": recipe.rewards.without_accuracy()}
    for name, rewards in portfolios.items():
        outputs = TrainingOutputs(root / name / "policy", root / name / "rollouts")
        train(TrainingInputs(data, scorer, base), outputs, recipe.training, rewards, recipe.seed)
    gather_suite(data, root / "benchmarks", root / "suite", recipe.evaluation)
    policies = {"baseline": base, "candidate": root / "candidate" / "policy", "control": root / "control" / "policy"}
    evaluations = {name: root / "evaluations" / name for name in policies}
    for name, policy in policies.items():
        evaluate(root / "suite", policy, evaluations[name], recipe.evaluation)
    if compare(evaluations, root / "comparison", recipe.decision).promoted:
        register(policies["candidate"], root / "comparison", root / "model", recipe.name)
    run = RunArtifacts(
        dataset=data,
        suite=root / "suite",
        surrogate=scorer,
        base=base,
        policy=policies["candidate"],
        rollouts=root / "candidate" / "rollouts",
        control_policy=policies["control"],
        control_rollouts=root / "control" / "rollouts",
        baseline_evaluation=evaluations["baseline"],
        candidate_evaluation=evaluations["candidate"],
        control_evaluation=evaluations["control"],
        comparison=root / "comparison",
    )
    write_bundle(run, root / "report", "plain", "plain")


def timed(*command: str) -> float:
    """Wall seconds of a command that has to succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(recipe: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        run = (sys.executable, "-m", "pipelines", "run", recipe, "--output", f"{folder}/run")
        plain = timed(sys.executable, __file__, "--plain", recipe, f"{folder}/plain")
        first = timed(*run)
        again = timed(*run)
        other_weight = timed(*run, "--set", "rewards.weights.length=0.5")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"plain calls in one process   {plain:8.1f} s")
    print(f"harmo run, first             {first:8.1f} s   ratio to plain calls {first / plain:.2f}")
    print(f"harmo run, nothing changed   {again:8.1f} s")
    print(f"harmo run, other weight      {other_weight:8.1f} s")
    print(f"peak memory of a process     {peak:8.2f} GiB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        plain_calls(load_recipe(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "quickstart")
