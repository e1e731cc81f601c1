"""What a quarantine says: rows by step and reason, with a few examples of each."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.curation.ledger import QUARANTINE
from components.curation.numbers import LostRow, ReasonCount, StepCount
from components.curation.survey import clip, short_hash

STEPS = (
    *("schema", "pictures", "wording", "typing", "leakage", "language", "pii", "licence"),
    *("exact duplicates", "near duplicates", "conflicts", "decontamination", "difficulty", "blind", "mixture"),
)
"""The steps in the order in which rows pass them, where curation does not report its own."""
EXAMPLES = 3
_REASONS = 200
_EVIDENCE, _QUESTION = 500, 300
_BATCH = 8192
_Key = tuple[str, str, bool]


@dataclass
class Losses:
    """Rows that were taken out.

    Args:
        seed: Decides which of them are shown.
    """

    seed: int = 0
    counts: Counter[_Key] = field(default_factory=Counter)
    """Rows by step, reason and whether they duplicate one that stays."""
    by_source: Counter[tuple[str, bool]] = field(default_factory=Counter)
    examples: dict[_Key, list[tuple[int, LostRow]]] = field(default_factory=dict)

    @property
    def rows_duplicate(self) -> int:
        """Rows that duplicate one that stays."""
        return sum(count for (_, _, is_duplicate), count in self.counts.items() if is_duplicate)

    @property
    def rows_quarantined(self) -> int:
        """The other rows."""
        return self.counts.total() - self.rows_duplicate

    def of_step(self, step: str) -> tuple[int, int]:
        """Quarantined rows and duplicates of a step."""
        found = [0, 0]
        for (of_step, _, is_duplicate), count in self.counts.items():
            found[is_duplicate] += count if of_step == step else 0
        return found[0], found[1]

    def reasons(self) -> tuple[ReasonCount, ...]:
        """The reasons, the most frequent first, step by step; those beyond a limit as one."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        shown = [self._reason(key, count) for key, count in ranked[:_REASONS]]
        shown += _rest(ranked[_REASONS:])
        order = {step: number for number, step in enumerate(self.steps(()))}
        return tuple(sorted(shown, key=lambda reason: order[reason.step]))

    def steps(self, known: Sequence[str]) -> list[str]:
        """The known steps, in order, and behind them those that took rows out besides."""
        found = {step for step, _, _ in self.counts}
        first = known or [step for step in STEPS if step in found]
        return [*first, *sorted(found - set(first))]

    def _reason(self, key: _Key, count: int) -> ReasonCount:
        step, reason, is_duplicate = key
        examples = tuple(lost for _, lost in sorted(self.examples.get(key, ()), key=lambda item: -item[0]))
        return ReasonCount(step, reason, count, is_duplicate, examples)


def _rest(ranked: Sequence[tuple[_Key, int]]) -> list[ReasonCount]:
    rest: Counter[tuple[str, bool]] = Counter()
    for (step, _, is_duplicate), count in ranked:
        rest[step, is_duplicate] += count
    return [ReasonCount(step, "other reasons", count, duplicate) for (step, duplicate), count in sorted(rest.items())]


def read_losses(quarantine: Path | None, seed: int = 0) -> Losses | None:
    """Count what is in a quarantine.

    Args:
        quarantine: Its folder; None where it is not at hand.
        seed: Another seed shows other examples.

    Returns:
        None without a quarantine.
    """
    import pyarrow.parquet as pq

    if quarantine is None:
        return None
    found = Losses(seed)
    for batch in pq.ParquetFile(quarantine / QUARANTINE).iter_batches(batch_size=_BATCH):
        _count(batch.to_pylist(), found)
    return found


def _count(rows: Sequence[Mapping[str, Any]], found: Losses) -> None:
    for row in rows:
        key = (row["step"], row["reason"], bool(row["is_duplicate"]))
        found.counts[key] += 1
        found.by_source[row["source"], key[2]] += 1
        rank = -short_hash(str(found.seed), row["source"], str(row["place"]))
        # Where reasons have no end, the first ones have examples and the others are counted.
        if key in found.examples or len(found.examples) < 5 * _REASONS:
            _keep(found.examples.setdefault(key, []), rank, row)


def _keep(heap: list[tuple[int, LostRow]], rank: int, row: Mapping[str, Any]) -> None:
    if len(heap) == EXAMPLES and rank <= heap[0][0]:
        return
    lost = LostRow(
        row["source"], row["place"], clip(row["evidence"] or "", _EVIDENCE), clip(row["question"] or "", _QUESTION)
    )
    (heapq.heapreplace if len(heap) == EXAMPLES else heapq.heappush)(heap, (rank, lost))


def step_counts(summary: Mapping[str, Any], losses: Losses | None) -> tuple[StepCount, ...]:
    """The account of each step: as curation reports it, else from the quarantine.

    Args:
        summary: What curation reports.
        losses: What its quarantine says.
    """
    if "steps" in summary:
        return tuple(StepCount(**{name: item[name] for name in _STEP}) for item in summary["steps"])
    rows, accounts = summary["rows_in"], []
    for step in losses.steps(()) if losses else ():
        quarantined, duplicates = losses.of_step(step) if losses else (0, 0)
        accounts.append(StepCount(step, rows, rows - quarantined - duplicates, quarantined, duplicates))
        rows = accounts[-1].rows_kept
    return tuple(accounts)


_STEP = ("step", "rows_in", "rows_kept", "rows_quarantined", "rows_duplicate")
