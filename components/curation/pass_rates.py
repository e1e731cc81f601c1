"""Pass rates: how often a base policy is right about an example, and what that says of the example.

GRPO learns from groups whose completions differ: an example that is always or never right teaches nothing. Pass rates
of a base policy heap up at both ends (a U), so what lies between is what a dataset is worth.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.example import Example
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.hybrid import Accuracy, AnswerScorer, hybrid_accuracy


@dataclass(frozen=True)
class PassCounts:
    """How many generations about one example were what."""

    right: int = 0
    wrong: int = 0
    undecided: int = 0
    """That neither the rule nor a model could judge; never counted as wrong."""

    @property
    def judged(self) -> int:
        """Generations that were judged."""
        return self.right + self.wrong

    @property
    def rate(self) -> float | None:
        """Share (0..1) of the judged ones that were right; None where none was judged."""
        return self.right / self.judged if self.judged else None

    @property
    def is_telling(self) -> bool:
        """Whether at least half of the generations were judged: from fewer nothing is concluded. Our choice."""
        return 0 < self.undecided + self.judged <= 2 * self.judged


def count_passes(
    answered: Sequence[tuple[Example, Sequence[str]]], scorer: AnswerScorer | None, rewards: RewardsConfig
) -> list[PassCounts]:
    """Judge generations by the reward engine.

    Args:
        answered: An example and the completions about it; shape (N,), any number of completions each.
        scorer: Scores open-ended answers; without one they stay undecided.
        rewards: How answers are read, and from which score on an open-ended one is right.

    Returns:
        One count an example, in order.
    """
    items = [(Checkable.of(example), text) for example, texts in answered for text in texts]
    verdicts = iter([_is_right(item, rewards) for item in hybrid_accuracy(items, scorer, rewards)])
    return [_count([next(verdicts) for _ in texts]) for _, texts in answered]


def _is_right(accuracy: Accuracy, rewards: RewardsConfig) -> bool | None:
    if accuracy.value is None:
        return None
    if accuracy.verdict is not None or accuracy.extracted is None:
        return bool(accuracy.verdict)
    return accuracy.value >= rewards.correct_at


def _count(verdicts: Sequence[bool | None]) -> PassCounts:
    return PassCounts(verdicts.count(True), verdicts.count(False), verdicts.count(None))


def pass_at_k(judged: int, right: int, k: int) -> float:
    """Probability that at least one of k generations is right, estimated without bias from more of them.

    1 - C(n - c, k) / C(n, k), of Chen et al. 2021, "Evaluating Large Language Models Trained on Code"
    (arXiv:2107.03374), equation 1. With 1 - (1 - c / n) ** k instead it would come out too low.

    Args:
        judged: n, generations, >= k.
        right: c of them, 0 .. n.
        k: >= 1.

    Raises:
        ValueError: k or c is out of range.
    """
    if not 1 <= k <= judged or not 0 <= right <= judged:
        raise ValueError(f"pass@{k} of {right} right in {judged}: k must be in 1..{judged} and right in 0..{judged}")
    return 1.0 - math.comb(judged - right, k) / math.comb(judged, k)


def learning_gap(judged: int, right: int, k: int) -> float:
    """pass@k - pass@1: what k attempts find that one does not; 0 where an example is always or never right.

    Args:
        judged: Generations, >= k.
        right: Of them.
        k: >= 1.
    """
    return pass_at_k(judged, right, k) - pass_at_k(judged, right, 1)


def chance_of_as_many(judged: int, right: int, chance: float) -> float:
    """p-value of the exact one-sided binomial test: probability of at least so many right by guessing.

    Args:
        judged: Guesses, each independent of the others.
        right: Of them, 0 .. judged.
        chance: Of one guess to be right, 0..1.
    """
    terms = (
        math.comb(judged, hits) * chance**hits * (1 - chance) ** (judged - hits) for hits in range(right, judged + 1)
    )
    return min(1.0, math.fsum(terms))


def summarise_rates(counts: Iterable[tuple[str, PassCounts]], generations: int, k: int) -> dict[str, Any]:
    """What a report says of pass rates.

    Args:
        counts: Task and counts of each example.
        generations: About each example, >= 1.
        k: Of pass@k; examples with fewer judged generations are left out of its mean.

    Returns:
        Of all and `by_task`: measured and unmeasured examples, histogram (examples by number of right generations,
        0..generations; where not all were judged, by the nearest share), the shares that were never and always right,
        u_shape (by how much these two together exceed what examples of one and the same difficulty would give: 0 where
        all are alike, near 1 where hardly any lies between; our measure), means of pass@1, pass@k and their gap. A mean
        of nothing is None.
    """
    listed = list(counts)
    by_task: dict[str, list[PassCounts]] = {}
    for task, item in listed:
        by_task.setdefault(task, []).append(item)
    return {
        **_summary([item for _, item in listed], generations, k),
        "by_task": {task: _summary(items, generations, k) for task, items in sorted(by_task.items())},
    }


def _summary(items: Sequence[PassCounts], generations: int, k: int) -> dict[str, Any]:
    measured = [item for item in items if item.judged]
    rates = [item.right / item.judged for item in measured]
    enough = [item for item in measured if item.judged >= k]
    histogram = [0] * (generations + 1)
    for item in measured:
        histogram[(2 * item.right * generations + item.judged) // (2 * item.judged)] += 1
    never, always = _mean([rate == 0 for rate in rates]), _mean([rate == 1 for rate in rates])
    return {
        "measured": len(measured),
        "unmeasured": len(items) - len(measured),
        "histogram": histogram,
        "never_right": never,
        "always_right": always,
        "u_shape": None if never is None or always is None else never + always - _expected_at_ends(measured),
        "pass_at_1": _mean(rates),
        "k": k,
        "pass_at_k": _mean([pass_at_k(item.judged, item.right, k) for item in enough]),
        "gap": _mean([learning_gap(item.judged, item.right, k) for item in enough]),
        "undecided": sum(item.undecided for item in items),
    }


def _expected_at_ends(measured: Sequence[PassCounts]) -> float:
    """Share of examples that would be always or never right if all had the mean pass rate."""
    mean = sum(item.right for item in measured) / sum(item.judged for item in measured)
    return math.fsum(mean**item.judged + (1 - mean) ** item.judged for item in measured) / len(measured)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def flat_metrics(report: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """The numbers of a report as scalars; nested ones and None are left out."""
    return {f"{prefix}_{name}": float(value) for name, value in report.items() if isinstance(value, int | float)}
