"""The portfolio as TRL reward functions.

TRL calls one function a part; all of them read one computation, made when the first is called. They return what each
part counted for, with the portfolio's weights as TRL's `reward_weights`, so that TRL's weighted sum is our total
whatever the policy for a part that does not apply. The parts as they were computed are logged beside it.
"""

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from components.core.breakdown import RewardBreakdown
from components.core.example import Example
from components.rewards.advantage import group_advantages
from components.rewards.checkable import Checkable
from components.rewards.picture import picture_of, wants_images
from components.rewards.portfolio import PARTS, Portfolio
from components.training.audit import RolloutAudit, ScoredBatch

Scale = Literal["none", "group"]
RewardFunction = Callable[..., list[float]]
AsyncRewardFunction = Callable[..., Awaitable[list[float]]]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SAME_REWARD = 1e-6


@dataclass(frozen=True)
class CompletionLimit:
    """When a completion counts as cut off."""

    tokens: int
    """The longest a completion may be."""
    stop_tokens: frozenset[int] = frozenset()
    """Ids of the tokens that end a completion."""

    def cut(self, completion_ids: Sequence[int]) -> bool:
        """Whether a completion reached the limit without an end."""
        return len(completion_ids) >= self.tokens and completion_ids[-1] not in self.stop_tokens


@dataclass(frozen=True)
class _Rollouts:
    """What tells one batch from another, and all that the portfolio reads."""

    step: int
    examples: tuple[int, ...]
    texts: tuple[str, ...]
    lengths: tuple[int, ...]
    truncated: tuple[bool, ...]


@dataclass
class _Judged:
    rollouts: _Rollouts
    breakdowns: list[RewardBreakdown]
    served: set[str] = field(default_factory=set)


class PortfolioRewards:
    """Named TRL reward functions over one portfolio.

    Args:
        portfolio: Scores whole groups.
        examples: What the `example` column of the rollout dataset indexes.
        group_size: Completions a prompt.
        scale: How the advantage is scaled, for the audit.
        audit: Receives every rollout.
        limit: Which completions were cut off.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        examples: Sequence[Example],
        group_size: int,
        scale: Scale,
        audit: RolloutAudit,
        limit: CompletionLimit,
    ) -> None:
        self._portfolio = portfolio
        self._ids = [example.id for example in examples]
        self._checkables = [Checkable.of(example) for example in examples]
        self._pictures = [picture_of(example.images) for example in examples] if wants_images(portfolio) else None
        self._group_size = group_size
        self._scale: Scale = scale
        self._audit = audit
        self._limit = limit
        self._lock = threading.Lock()
        self._judged: _Judged | None = None

    def functions(self) -> list[RewardFunction]:
        """One function a part, in the order of PARTS, named after it."""
        return [self._function(part) for part in PARTS]

    def async_functions(self) -> list[AsyncRewardFunction]:
        """The same as coroutines, which leave the event loop free for others; they compute in a thread."""
        return [self._async_function(part) for part in PARTS]

    def _function(self, part: str) -> RewardFunction:
        def reward(completions: list[Any], **columns: Any) -> list[float]:
            return self._values(part, completions, columns)

        reward.__name__ = part
        return reward

    def _async_function(self, part: str) -> AsyncRewardFunction:
        async def reward(completions: list[Any], **columns: Any) -> list[float]:
            return await asyncio.to_thread(self._values, part, completions, columns)

        reward.__name__ = part
        return reward

    def _values(self, part: str, completions: list[Any], columns: dict[str, Any]) -> list[float]:
        """What a part counted for, for each rollout of a batch (B * G)."""
        rollouts = self._read(completions, columns)
        with self._lock:
            judged = self._judged
            # A part is asked for once a batch: asked again, even for equal rollouts, it is another batch.
            if judged is None or judged.rollouts != rollouts or part in judged.served:
                judged = self._judged = _Judged(rollouts, self._judge(rollouts, columns))
            judged.served.add(part)
        return [breakdown.credited[part] for breakdown in judged.breakdowns]

    def _read(self, completions: list[Any], columns: dict[str, Any]) -> _Rollouts:
        return _Rollouts(
            step=columns["trainer_state"].global_step,
            examples=tuple(int(index) for index in columns["example"]),
            texts=tuple(completion[0]["content"] for completion in completions),
            lengths=tuple(len(ids) for ids in columns["completion_ids"]),
            truncated=tuple(self._limit.cut(ids) for ids in columns["completion_ids"]),
        )

    def _judge(self, rollouts: _Rollouts, columns: dict[str, Any]) -> list[RewardBreakdown]:
        start = time.perf_counter()
        # What cannot be stored is not judged either, so that the audit gives every number again.
        texts = [_LONE_SURROGATE.sub("\ufffd", text) for text in rollouts.texts]
        checkables = [self._checkables[index] for index in rollouts.examples]
        pictures = None if self._pictures is None else [self._pictures[index] for index in rollouts.examples]
        breakdowns = self._portfolio.score_groups(
            checkables, texts, rollouts.lengths, self._group_size, truncated=rollouts.truncated, images=pictures
        )
        seconds = time.perf_counter() - start
        batch = ScoredBatch(
            step=rollouts.step,
            example_ids=[self._ids[index] for index in rollouts.examples],
            completions=texts,
            altered=[text != original for text, original in zip(texts, rollouts.texts, strict=True)],
            lengths=rollouts.lengths,
            truncated=rollouts.truncated,
            breakdowns=breakdowns,
            advantages=group_advantages([item.total for item in breakdowns], self._group_size, self._scale),
        )
        self._audit.append(batch, seconds)
        _log_columns(columns.get("log_extra"), batch)
        _log_metrics(columns.get("log_metric"), self._metrics(breakdowns, checkables, seconds))
        return breakdowns

    def _metrics(
        self, breakdowns: Sequence[RewardBreakdown], checkables: Sequence[Checkable], seconds: float
    ) -> dict[str, float]:
        values = {part: [item.parts[part] for item in breakdowns if part in item.parts] for part in PARTS}
        undecided = [
            checkable.verifiable and breakdown.verdict is None
            for checkable, breakdown in zip(checkables, breakdowns, strict=True)
        ]
        return {
            **{f"parts/{part}": fmean(known) for part, known in values.items() if known},
            "rewards/undecided": fmean(undecided),
            "rewards/no_answer": fmean(item.extracted is None for item in breakdowns),
            "rewards/groups_without_signal": fmean(
                silent_groups([item.total for item in breakdowns], self._group_size)
            ),
            "rewards/seconds": seconds,
            "rewards/seconds_per_completion": seconds / len(breakdowns),
        }


def silent_groups(totals: Sequence[float], group_size: int) -> list[bool]:
    """Whether all completions of a group earned the same, by group.

    Args:
        totals: Rewards; shape (B * G,).
        group_size: G; consecutive rewards are a group's.
    """
    groups = (totals[start : start + group_size] for start in range(0, len(totals), group_size))
    return [max(group) - min(group) < _SAME_REWARD for group in groups]


def _log_columns(log_extra: Callable[[str, list[Any]], None] | None, batch: ScoredBatch) -> None:
    """Add to TRL's table of completions."""
    if log_extra is None:
        return
    rows = batch.rows()
    for column in ("total", "verdict", "rule", "confidence"):
        log_extra(column, [row[column] for row in rows])
    log_extra("flags", [", ".join(row["flags"]) for row in rows])


def _log_metrics(log_metric: Callable[[str, float], None] | None, metrics: dict[str, float]) -> None:
    if log_metric is None:
        return
    for name, value in metrics.items():
        log_metric(name, value)
