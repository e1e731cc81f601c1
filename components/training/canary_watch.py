"""Canary watch: probes the rewards again while a training runs, each time on other examples.

The portfolio does not change while it trains, but what it stands on can fail: a verifier without its sandbox, a
surrogate that saw nothing like these examples.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from components.core.example import Example
from components.rewards.canaries import CanariesConfig, Images, canary_gate
from components.rewards.checkable import Checkable
from components.rewards.picture import picture_of
from components.rewards.portfolio import Portfolio

if TYPE_CHECKING:
    from transformers import TrainerCallback


def pictures_of(examples: Iterable[Example]) -> dict[Checkable, bytes]:
    """A picture of each example that has one, to probe it with; of examples that are alike but for it, the first's."""
    found: dict[Checkable, bytes] = {}
    for example in examples:
        picture = picture_of(example.images)
        if picture is not None:
            found.setdefault(Checkable.of(example), picture)
    return found


def canary_watch(
    portfolio: Portfolio, examples: Sequence[Checkable], config: CanariesConfig, images: Images | None = None
) -> "TrainerCallback":
    """A callback that probes after every `config.every` optimizer steps.

    Args:
        portfolio: What the policy is trained on.
        examples: To probe it on.
        images: Pictures of examples, for a portfolio that looks at them.
        config: Policies; with "raise", the step in which a probe pays ends the training with RewardHackingError.
    """
    from transformers import TrainerCallback

    class CanaryWatch(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        def on_step_end(self, _arguments: Any, state: Any, _control: Any, **_others: Any) -> None:
            step = state.global_step
            if config.every and step % config.every == 0:
                turn = step // config.every % len(examples)
                canary_gate(portfolio, [*examples[turn:], *examples[:turn]], config, images)

    return CanaryWatch()
