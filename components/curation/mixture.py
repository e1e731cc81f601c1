"""Mixture: how often training sees each kind of example.

The share of a kind is proportional to weight x n^alpha, n being its number of examples: alpha 1 leaves sizes as they
are, alpha 0 makes kinds equal, in between small ones gain (exponential smoothing, as multilingual BERT and mT5 do for
languages). It is realised by seeded sampling: an example is left out, or repeated; its id decides, so that new examples
change the fate of old ones only as far as the shares change. Repeats are a number on the example, never a second row.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Task

LEFT_OUT = "left out by the mixture"
Weight = Annotated[float, Field(ge=0)]


class MixtureConfig(Config):
    """How often training sees each kind of example."""

    enabled: bool = False
    """Whether the training split is mixed anew."""
    task: dict[Task, Weight] = Field(default_factory=dict)
    """Weight by task; 1 where none is given, 0 leaves the task out. An example of weight 2 is seen twice as often as
    one of weight 1."""
    answer_type: dict[AnswerType, Weight] = Field(default_factory=dict)
    """Weight by answer type; it is multiplied with that of the task."""
    alpha: float = Field(default=1.0, ge=0, le=1)
    """Exponent of a kind's size."""
    kinds: Literal["task", "answer_type", "both"] = "task"
    """What alpha takes for a kind."""
    by: Literal["leaving out", "repeating", "both"] = "both"
    """Whether examples are left out until no kind is repeated, repeated until none is left out, or both so that an
    epoch stays as long as it was."""
    maximum_repeats: int = Field(default=4, ge=1)
    """Times that an example is seen in an epoch at most; beyond about four, repetition was found to add little
    (Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", for pretraining)."""


@dataclass(frozen=True)
class Kind:
    """What the mixture knows of an example."""

    task: Task
    answer_type: AnswerType


def multiplicities(kinds: Sequence[Kind], config: MixtureConfig) -> dict[Kind, float]:
    """How often an example of each kind is to be seen in an epoch, on average.

    Args:
        kinds: Of each training example; shape (N,).
        config: Weights.

    Returns:
        A number in 0..maximum_repeats by kind; where `maximum_repeats` binds, a kind gets less than its share.
    """
    counts = Counter(kinds)
    sizes: Counter[object] = Counter()
    for kind, count in counts.items():
        sizes[_smoothed(kind, config)] += count
    raw = {kind: _weight(kind, config) * sizes[_smoothed(kind, config)] ** (config.alpha - 1) for kind in counts}
    once = _seen_once(raw, counts, config)
    return {kind: min(config.maximum_repeats, value / once) for kind, value in raw.items()}


def _smoothed(kind: Kind, config: MixtureConfig) -> object:
    return {"task": kind.task, "answer_type": kind.answer_type, "both": kind}[config.kinds]


def _weight(kind: Kind, config: MixtureConfig) -> float:
    return config.task.get(kind.task, 1.0) * config.answer_type.get(kind.answer_type, 1.0)


def _seen_once(raw: Mapping[Kind, float], counts: Mapping[Kind, int], config: MixtureConfig) -> float:
    """The raw value of a kind whose examples are seen once each."""
    positive = [value for value in raw.values() if value > 0]
    if not positive:
        return 1.0
    if config.by == "leaving out":
        return max(positive)
    if config.by == "repeating":
        return min(positive)
    return math.fsum(raw[kind] * count for kind, count in counts.items()) / sum(counts.values())


def repeats(example_id: str, multiplicity: float, seed: int) -> int:
    """How often an example is seen in an epoch; the mean over ids is the multiplicity.

    Grows with the multiplicity for each example alone: a kind that is to be seen more often keeps what it had.

    Args:
        example_id: Decides.
        multiplicity: >= 0.
        seed: Another seed leaves out others.
    """
    digest = hashlib.sha256(f"mixture {seed} {example_id}".encode()).digest()
    place = (int.from_bytes(digest[:8]) >> 11) / 2**53  # in [0, 1), exactly
    return math.floor(multiplicity) + (place < multiplicity - math.floor(multiplicity))


def summarise_mixture(kinds: Sequence[Kind], seen: Sequence[int], wanted: Mapping[Kind, float]) -> list[dict[str, Any]]:
    """What a report says of a mixture.

    Args:
        kinds: Of each training example before it; shape (N,).
        seen: How often each is seen in an epoch; shape (N,).
        wanted: Mean of that, by kind.

    Returns:
        By kind: task, answer_type, examples before, left_out, repeated (seen more than once), seen (in an epoch),
        share (0..1) of the epoch, and multiplicity as wanted.
    """
    total = sum(seen) or 1
    rows = []
    for kind in sorted(wanted, key=lambda item: (item.task, item.answer_type)):
        times = [count for other, count in zip(kinds, seen, strict=True) if other == kind]
        rows.append(
            {
                "task": kind.task.value,
                "answer_type": kind.answer_type.value,
                "examples": len(times),
                "left_out": times.count(0),
                "repeated": sum(count > 1 for count in times),
                "seen": sum(times),
                "share": sum(times) / total,
                "multiplicity": wanted[kind],
            }
        )
    return rows
