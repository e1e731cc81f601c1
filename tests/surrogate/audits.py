"""Datasets of a few lines and rollouts of theirs, as a training leaves them."""

from collections.abc import Sequence
from pathlib import Path

from components.core.artifact import seal, verify
from components.core.breakdown import RewardBreakdown
from components.core.example import AnswerType, Example, Split, Task, write_splits
from components.surrogate.rows import AnswerRow
from components.training.audit import RolloutAudit, ScoredBatch

Said = tuple[str, str | None, bool | None]
"""An example's id, the answer extracted, and the verdict."""


def example(name: str, answer_type: AnswerType = AnswerType.SHORT_TEXT, verifiable: bool = True) -> Example:
    return Example(
        id=name,
        images=(b"none",),
        question=f"question {name}",
        references=(f"reference {name}",),
        answer_type=answer_type,
        task=Task.VQA,
        verifiable=verifiable,
    )


def dataset(folder: Path, examples: Sequence[Example]) -> Path:
    folder.mkdir()
    write_splits({Split.TRAIN: examples}, folder)
    seal(folder, "dataset", {})
    return folder


def audit(folder: Path, data: Path, said: Sequence[Said], confidence: float = 1.0, step: int = 0) -> Path:
    """Rollouts as training leaves them."""
    writer = RolloutAudit(folder)
    count = len(said)
    breakdowns = [
        RewardBreakdown(0.0, {}, {"accuracy": 0.0, "length": 0.0, "format": 0.0}, {}, verdict, confidence, answer)
        for _, answer, verdict in said
    ]
    names, texts = [name for name, _, _ in said], ["a completion"] * count
    batch = ScoredBatch(
        step, names, texts, [False] * count, [3] * count, [False] * count, breakdowns, [0.0] * count
    )  # fmt: skip
    writer.append(batch, seconds=1.0)
    seal(folder, "rollouts", {}, {"dataset": verify(data)})
    return folder


def known(count: int) -> list[AnswerRow]:
    return [AnswerRow(f"known {place}", ("r",), "a", 1.0, str(place)) for place in range(count)]
