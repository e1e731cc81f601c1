"""Canary watch: probes the rewards again while a training runs, each time on other examples.

The portfolio does not change while it trains, but what it stands on can fail: a verifier without its sandbox, a
surrogate that saw nothing like these examples.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.rewards.canaries import CanariesConfig, canary_gate
from components.rewards.checkable import Checkable
from components.rewards.portfolio import Portfolio

if TYPE_CHECKING:
    from transformers import TrainerCallback


def canary_watch(portfolio: Portfolio, examples: Sequence[Checkable], config: CanariesConfig) -> "TrainerCallback":
    """A callback that probes after every `config.every` optimizer steps.

    Args:
        portfolio: What the policy is trained on.
        examples: To probe it on.
        config: Policies; with "raise", the step in which a probe pays ends the training with RewardHackingError.
    """
    from transformers import TrainerCallback

    class CanaryWatch(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        def on_step_end(self, _arguments: Any, state: Any, _control: Any, **_others: Any) -> None:
            step = state.global_step
            if config.every and step % config.every == 0:
                turn = step // config.every % len(examples)
                canary_gate(portfolio, [*examples[turn:], *examples[:turn]], config)

    return CanaryWatch()
