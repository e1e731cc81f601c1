"""The portfolio as TRL reward functions, and the audit of every rollout.

TRL calls one function a part; all of them read one computation, made when the first is called. Their
weights are TRL's `reward_weights`, so what TRL logs per function is the unweighted part.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from components.core.breakdown import RewardBreakdown
from components.core.example import Example
from components.rewards.advantage import group_advantages
from components.rewards.checkable import Checkable
from components.rewards.portfolio import PARTS, Portfolio

if TYPE_CHECKING:
    from pathlib import Path

Scale = Literal["none", "group"]
RewardFunction = Callable[..., list[float | None]]


class PortfolioRewards:
    """Named TRL reward functions over one portfolio.

    Args:
        portfolio: Scores whole groups.
        examples: What the `example` column of the rollout dataset indexes.
        group_size: Completions a prompt.
        scale: How the advantage is scaled, for the audit.
        audit: Receives every rollout.
    """

    def __init__(
        self, portfolio: Portfolio, examples: Sequence[Example], group_size: int, scale: Scale, audit: "RolloutAudit"
    ) -> None:
        self._portfolio = portfolio
        self._examples = examples
        self._checkables = [Checkable.of(example) for example in examples]
        self._group_size = group_size
        self._scale: Scale = scale
        self._audit = audit
        self._scored: Any = None
        self._breakdowns: list[RewardBreakdown] = []

    def functions(self) -> list[RewardFunction]:
        """One function a part, in the order of PARTS, named after it."""
        return [self._function(part) for part in PARTS]

    def _function(self, part: str) -> RewardFunction:
        def reward(completions: list[Any], **columns: Any) -> list[float | None]:
            return [breakdown.parts.get(part) for breakdown in self._score_once(completions, columns)]

        reward.__name__ = part
        return reward

    def _score_once(self, completions: list[Any], columns: dict[str, Any]) -> list[RewardBreakdown]:
        """Breakdowns of a batch (B*G); computed and audited when the batch is first seen."""
        if completions is not self._scored:
            indices = [int(index) for index in columns["example"]]
            texts = [completion[0]["content"] for completion in completions]
            lengths = [len(ids) for ids in columns["completion_ids"]]
            checkables = [self._checkables[index] for index in indices]
            self._breakdowns = self._portfolio.score_groups(checkables, texts, lengths, self._group_size)
            advantages = group_advantages([item.total for item in self._breakdowns], self._group_size, self._scale)
            step = columns["trainer_state"].global_step
            ids = [self._examples[index].id for index in indices]
            self._audit.append(step, ids, texts, lengths, self._breakdowns, advantages)
            self._scored = completions
        return self._breakdowns


class RolloutAudit:
    """Every rollout with its reward breakdown, one Parquet row each, one row group a batch.

    Args:
        path: The Parquet file to write.
    """

    def __init__(self, path: "Path") -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "step": pa.int64(),
            "example_id": pa.string(),
            "completion": pa.string(),
            "length_tokens": pa.int64(),
            "total": pa.float64(),
            **{part: pa.float64() for part in PARTS},
            "not_applicable": pa.map_(pa.string(), pa.string()),
            "verdict": pa.bool_(),
            "extracted": pa.string(),
            "rule": pa.string(),
            "advantage": pa.float64(),
        }
        self._schema = pa.schema(list(columns.items()))
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self.num_rows = 0

    def __enter__(self) -> "RolloutAudit":
        """The audit itself; leaving the block finishes the file."""
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Write the footer."""
        self._writer.close()

    def append(
        self,
        step: int,
        example_ids: Sequence[str],
        completions: Sequence[str],
        lengths: Sequence[int],
        breakdowns: Sequence[RewardBreakdown],
        advantages: Sequence[float],
    ) -> None:
        """Add a batch.

        Args:
            step: Optimizer steps done when the rollouts were made.
            example_ids: One a rollout, like all that follow (B*G).
            completions: Texts.
            lengths: Tokens.
            breakdowns: What each earned.
            advantages: Against its group.
        """
        import pyarrow as pa

        rows = [
            {
                "step": step,
                "example_id": example_id,
                "completion": completion,
                "length_tokens": length,
                "total": breakdown.total,
                **{part: breakdown.parts.get(part) for part in PARTS},
                "not_applicable": list(breakdown.not_applicable.items()),
                "verdict": breakdown.verdict,
                "extracted": breakdown.extracted,
                "rule": breakdown.rule,
                "advantage": advantage,
            }
            for example_id, completion, length, breakdown, advantage in zip(
                example_ids, completions, lengths, breakdowns, advantages, strict=True
            )
        ]
        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))
        self.num_rows += len(rows)
