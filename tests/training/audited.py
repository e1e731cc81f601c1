"""What tests of the audit share: a portfolio's adapter without TRL, and batches made by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.core.breakdown import RewardBreakdown
from components.core.example import AnswerType, Example, Task
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.training.audit import RolloutAudit, ScoredBatch
from components.training.rewarding import CompletionLimit, PortfolioRewards

STOP = 9
LIMIT = CompletionLimit(4, frozenset({STOP}))


class CountingScorer:
    """Gives every answer the same score and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[float]:
        assert len(questions) == len(answers) == len(references)
        self.calls += 1
        return [0.5] * len(answers)


class State:
    """What an adapter reads of TRL's trainer state."""

    def __init__(self, step: int = 0) -> None:
        self.global_step = step


def example(reference: str = "7", verifiable: bool = True) -> Example:
    return Example(
        id=f"id-{reference}",
        images=(b"none",),
        question=f"Which? ({reference})",
        references=(reference,),
        answer_type=AnswerType.NUMBER if verifiable else AnswerType.OPEN_ENDED,
        task=Task.MATH,
        verifiable=verifiable,
    )


def adapter(folder: Path, examples: Sequence[Example], scorer: Any = None, group_size: int = 2) -> PortfolioRewards:
    portfolio = Portfolio(RewardsConfig(), scorer or CountingScorer())
    return PortfolioRewards(portfolio, examples, group_size, "none", RolloutAudit(folder), LIMIT)


def completion(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": f"<think>x</think><answer>{answer}</answer>"}]


def columns(count: int, step: int = 0, **others: Any) -> dict[str, Any]:
    """The columns that TRL passes beside the completions, for rollouts of the first example."""
    return {
        "example": [0] * count,
        "completion_ids": [[1, STOP]] * count,
        "trainer_state": State(step),
        **others,
    }


def batch(step: int, *totals: float) -> ScoredBatch:
    """Rollouts that earned these totals."""
    count = len(totals)
    return ScoredBatch(
        step=step,
        example_ids=["example"] * count,
        completions=[f"completion of step {step}"] * count,
        altered=[False] * count,
        lengths=[3] * count,
        truncated=[False] * count,
        breakdowns=[
            RewardBreakdown(
                total=total,
                parts={"accuracy": total},
                credited={"accuracy": total, "length": -0.0, "format": 0.0},
                not_applicable={"length": "no completion of the group is correct"},
                verdict=None,
                flags=("time limit",),
            )
            for total in totals
        ],
        advantages=[0.0] * count,
    )
