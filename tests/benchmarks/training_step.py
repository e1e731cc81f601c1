"""What the portfolio costs in a training step: ours against TRL's own reward functions.

Peer: TRL's GRPOTrainer with its `accuracy_reward` (math-verify) and `think_format_reward`, same policy,
prompts, batch and seed, in the same process, in turns. Prints CPU seconds a step and the ratio, and the
share of a step that the portfolio takes by itself.

    python tests/benchmarks/training_step.py
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trl import GRPOTrainer
from trl.rewards import accuracy_reward, think_format_reward

from components.core.policy import Policy, load_model, load_processor
from components.curation.curate import curate
from components.rewards.portfolio import Portfolio
from components.rewards.surrogate import SurrogateScorer
from components.surrogate.fit import fit_surrogate
from components.training.audit import RolloutAudit
from components.training.data import read_train, rollout_dataset
from components.training.grpo import grpo_arguments
from components.training.rewarding import CompletionLimit, PortfolioRewards
from components.training.warm_start import warm_start
from pipelines.recipe import load_recipe

_STEPS = 10
_TURNS = 3


def main() -> None:
    """Measure and print."""
    settings = ["curation.sources=[{kind: quickstart, train: 200, heldout: 0}]", "policy.warm_start.steps=200"]
    recipe = load_recipe("quickstart", [*settings, f"training.steps={_STEPS}"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        curate(root / "dataset", root / "quarantine", recipe.curation, recipe.seed)
        fit_surrogate(root / "dataset", root / "surrogate", recipe.surrogate, recipe.seed)
        warm_start(root / "dataset", root / "base", recipe.policy, recipe.seed)
        policy, examples = Policy.load(root / "base"), read_train(root / "dataset")
        rows = rollout_dataset(examples, policy)
        rows = rows.add_column("solution", [example.references[0] for example in examples])
        scorer = SurrogateScorer.load(root / "surrogate")
        seconds_in_rewards: list[float] = []

        def cpu_seconds(rewards: list[Any], weights: list[float]) -> float:
            arguments = grpo_arguments(recipe.training, recipe.rewards, policy, recipe.seed, root / "checkpoints")
            arguments.reward_weights = weights
            trainer = GRPOTrainer(
                model=load_model(root / "base", policy),
                reward_funcs=[_clocked(function, seconds_in_rewards) for function in rewards],
                args=arguments,
                train_dataset=rows,
                processing_class=load_processor(root / "base", policy),
            )
            start = time.process_time()
            trainer.train()
            return (time.process_time() - start) / _STEPS

        ours, theirs, shares = [], [], []
        for turn in range(_TURNS):
            audit, group = RolloutAudit(root / f"rollouts-{turn}"), recipe.training.num_generations
            limit = CompletionLimit(policy.max_completion_length)
            adapter = PortfolioRewards(Portfolio(recipe.rewards, scorer), examples, group, "none", audit, limit)
            seconds_in_rewards.clear()
            ours.append(cpu_seconds(adapter.functions(), [1.0, 1.0, 1.0]))
            shares.append(sum(seconds_in_rewards) / _STEPS / ours[-1])
            theirs.append(cpu_seconds([accuracy_reward, think_format_reward], [1.0, 0.2]))
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"ours  {mine:.3f} CPU s a step (of {_TURNS}: {min(ours):.3f} to {max(ours):.3f})")
    print(f"TRL's {peer:.3f} CPU s a step (of {_TURNS}: {min(theirs):.3f} to {max(theirs):.3f})")
    print(f"ratio ours/TRL's {mine / peer:.2f}; the portfolio takes {statistics.median(shares):.1%} of our step")


def _clocked(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    def reward(**columns: Any) -> Any:
        start = time.process_time()
        try:
            return function(**columns)
        finally:
            seconds.append(time.process_time() - start)

    reward.__name__ = function.__name__
    return reward


if __name__ == "__main__":
    main()
