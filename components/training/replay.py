"""Replay: compute an audit's rewards again from the artifacts of its run, and derive a single one.

Nothing is taken from the audit but what was judged (completions, their lengths, whether they were cut): examples,
surrogate and portfolio come from the artifacts that the audit names as its inputs, verified.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import MANIFEST, InputRef, Manifest, read_manifest, verify
from components.core.config import parse_config
from components.core.errors import ArtifactError, HarmoError
from components.core.example import Example
from components.core.rollouts import read_batches
from components.core.scratch import scratch_folder
from components.rewards.advantage import group_advantages
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.embedding_cache import EMBEDDINGS
from components.rewards.length import length_reference
from components.rewards.picture import picture_of
from components.rewards.portfolio import PARTS, Portfolio
from components.rewards.surrogate import SurrogateScorer
from components.training.audit import CREDITED, ScoredBatch
from components.training.config import TrainingConfig
from components.training.data import read_train
from components.training.grpo import audit_scale

NUMBERS = ("total", *PARTS, *CREDITED.values(), "verdict", "confidence", "advantage")
"""The columns that a replay compares."""

Row = dict[str, Any]


class RolloutNumberError(HarmoError):
    """An audit has no rollout of that number."""


@dataclass(frozen=True)
class Difference:
    """A number that a replay did not give again."""

    rollout: int
    """The rollout's number: its place in the audit, from 0."""
    column: str
    stored: float | bool | None
    recomputed: float | bool | None

    @property
    def size(self) -> float:
        """How far apart the two are; infinite where one of them is missing or a verdict changed."""
        if self.stored is None or self.recomputed is None or isinstance(self.stored, bool):
            return math.inf
        return abs(self.stored - self.recomputed)


@dataclass(frozen=True)
class Replay:
    """What a replay found."""

    num_rollouts: int
    differences: Sequence[Difference]
    """Every number that is not the same to the last bit, in the order of the audit."""
    judged_by: frozenset[str]
    """Versions of the rewards' code that the audit names."""
    replayed_by: frozenset[str]
    """The version that computed it again."""

    @property
    def num_equal(self) -> int:
        """Rollouts of which every number is the same to the last bit."""
        return self.num_rollouts - len({difference.rollout for difference in self.differences})

    @property
    def largest_difference(self) -> float:
        """0 where all numbers are the same."""
        return max((difference.size for difference in self.differences), default=0.0)

    def beyond(self, tolerance: float) -> list[Difference]:
        """The differences that are larger than a tolerance."""
        return [difference for difference in self.differences if difference.size > tolerance]


@dataclass(frozen=True)
class Derivation:
    """How one rollout came by its reward."""

    rollout: int
    example: Example
    group: Sequence[Row]
    """The rows of its group, as they are stored."""
    place: int
    """Its place in the group."""
    correct: Sequence[bool | None]
    """Which of the group count as correct for the length penalty; None where that is not known."""
    reference_length: float | None
    """What the lengths of the group are held against, in tokens; None where nothing correct was finished."""
    recomputed: Row
    """The same row, computed again."""
    rewards: RewardsConfig
    scale: str
    """What the trainer divides an advantage by: "none", "group" or "batch"."""

    @property
    def stored(self) -> Row:
        """The rollout's row."""
        return self.group[self.place]

    @property
    def mean_total(self) -> float:
        """Of the group, as it is stored."""
        return math.fsum(row["total"] for row in self.group) / len(self.group)


@dataclass(frozen=True)
class AuditedRun:
    """An audit with all that it takes to judge its rollouts again."""

    folder: Path
    """The rollouts artifact."""
    portfolio: Portfolio
    rewards: RewardsConfig
    training: TrainingConfig
    examples: Mapping[str, Example]
    """By id."""

    @classmethod
    def load(cls, folder: Path, root: Path) -> "AuditedRun":
        """Verify an audit and the artifacts that it was made from, and load them.

        Args:
            folder: The rollouts artifact.
            root: Where the artifacts of its run lie; searched for the fingerprints of its inputs.

        Raises:
            ArtifactError: An artifact is missing, of another kind, or changed since it was written.
        """
        manifest = verify(folder, "rollouts")
        dataset, surrogate = (_input(manifest, role, root) for role in ("dataset", "surrogate"))
        rewards = parse_config(RewardsConfig, manifest.identity["rewards"], "the rewards of the run")
        return cls(
            folder=folder,
            portfolio=Portfolio(rewards, SurrogateScorer.load(surrogate, scratch_folder(EMBEDDINGS))),
            rewards=rewards,
            training=parse_config(TrainingConfig, manifest.identity["training"], "the training of the run"),
            examples={example.id: example for example in read_train(dataset)},
        )

    def replay(self) -> Replay:
        """Judge every rollout again, batch by batch as the training did."""
        return compare(read_batches(self.folder), self.recompute)

    def explain(self, rollout: int) -> Derivation:
        """Derive the reward of one rollout.

        Args:
            rollout: Its number: its place in the audit, from 0.

        Raises:
            RolloutNumberError: The audit has no such rollout.
        """
        first, rows = self._batch_of(rollout)
        place = rollout - first
        size = self.training.num_generations
        start = place - place % size
        group = rows[start : start + size]
        correct = [_is_correct(row, self.rewards) for row in group]
        return Derivation(
            rollout=rollout,
            example=self._example(rows[place]["example_id"]),
            group=group,
            place=place - start,
            correct=correct,
            reference_length=self._reference_length(group, correct),
            recomputed=self.recompute(rows)[place],
            rewards=self.rewards,
            scale=self.training.scale_rewards,
        )

    def recompute(self, rows: Sequence[Row]) -> list[Row]:
        """Judge the rollouts of one batch again.

        Args:
            rows: Whole groups, as the audit has them.

        Returns:
            Rows of the same columns.
        """
        examples = [self._example(row["example_id"]) for row in rows]
        size = self.training.num_generations
        completions, lengths, truncated = (
            [row[column] for row in rows] for column in ("completion", "length_tokens", "truncated")
        )
        breakdowns = self.portfolio.score_groups(
            [Checkable.of(example) for example in examples],
            completions,
            lengths,
            size,
            truncated=truncated,
            images=[picture_of(example.images) for example in examples],
        )
        scale = audit_scale(self.training.scale_rewards)
        batch = ScoredBatch(
            step=rows[0]["step"],
            example_ids=[example.id for example in examples],
            completions=completions,
            altered=[False] * len(rows),
            lengths=lengths,
            truncated=truncated,
            breakdowns=breakdowns,
            advantages=group_advantages([breakdown.total for breakdown in breakdowns], size, scale),
        )
        return batch.rows()

    def _reference_length(self, group: Sequence[Row], correct: Sequence[bool | None]) -> float | None:
        """L_ref of the group; the length of a completion that was cut off is not known, so it is none to others."""
        if self.rewards.length.kind != "group":
            return None
        counted = [bool(right) and not row["truncated"] for row, right in zip(group, correct, strict=True)]
        return length_reference([row["length_tokens"] for row in group], counted, self.rewards.length)

    def _example(self, example_id: str) -> Example:
        if example_id not in self.examples:
            raise ArtifactError(
                str(self.folder),
                f"its rollouts name the example {example_id}, which its dataset does not have",
                "Give the rollouts of a finished training",
            )
        return self.examples[example_id]

    def _batch_of(self, rollout: int) -> tuple[int, list[Row]]:
        """The batch that a rollout is in, and the number of the batch's first."""
        first = 0
        for rows in read_batches(self.folder):
            if first <= rollout < first + len(rows):
                return first, rows
            first += len(rows)
        raise RolloutNumberError(
            f"rollout {rollout}",
            f"the audit {self.folder} holds {first} rollouts",
            f"Give a number from 0 to {first - 1}",
        )


def find_rollouts(run: Path) -> Path:
    """The rollouts artifact that a person means by a folder.

    Args:
        run: A rollouts artifact itself, or a folder with a run's artifacts: then the newest rollouts in it whose
            portfolio pays for accuracy, which those of the control do not.

    Raises:
        ArtifactError: There is none.
    """
    if (run / MANIFEST).is_file():
        return run
    manifests = [(path.parent, read_manifest(path.parent)) for path in sorted(run.rglob(MANIFEST))]
    found = [(manifest.created_at, folder) for folder, manifest in manifests if _is_candidate(manifest)]
    if not found:
        raise ArtifactError(
            str(run),
            "no rollouts of a finished training were found there",
            "Give the output folder of a local run, or the folder of a rollouts artifact",
        )
    return max(found)[1]


def compare(batches: Iterable[Sequence[Row]], recompute: Callable[[Sequence[Row]], Sequence[Row]]) -> Replay:
    """Compare every number of an audit with the same computed again.

    Args:
        batches: The rows as they are stored.
        recompute: Gives the rows of a batch again.
    """
    differences: list[Difference] = []
    count = 0
    judged_by: set[str] = set()
    replayed_by: set[str] = set()
    for rows in batches:
        for stored, again in zip(rows, recompute(rows), strict=True):
            differences.extend(_differences(count, stored, again))
            judged_by.add(stored["verifier"])
            replayed_by.add(again["verifier"])
            count += 1
    return Replay(count, differences, frozenset(judged_by), frozenset(replayed_by))


def _differences(rollout: int, stored: Row, again: Row) -> Iterator[Difference]:
    for column in NUMBERS:
        if stored[column] != again[column]:
            yield Difference(rollout, column, stored[column], again[column])


def _is_candidate(manifest: Manifest) -> bool:
    return manifest.kind == "rollouts" and manifest.identity["rewards"]["weights"]["accuracy"] > 0


def _is_correct(row: Row, rewards: RewardsConfig) -> bool | None:
    """What the portfolio takes as correct for the length penalty."""
    if row["accuracy"] is None:
        return None
    if row["verdict"] is not None or row["extracted"] is None:
        return bool(row["verdict"])
    return bool(row["accuracy"] >= rewards.correct_at)


def _input(manifest: Manifest, role: str, root: Path) -> Path:
    """The folder of an input, verified."""
    reference: InputRef = manifest.inputs[role]
    for path in sorted(root.rglob(MANIFEST)):
        if read_manifest(path.parent).fingerprint == reference.fingerprint:
            verify(path.parent, reference.kind)
            return path.parent
    raise ArtifactError(
        f"{reference.kind} artifact {reference.fingerprint[:12]}",
        f"the input {role!r} of the rollouts {manifest.fingerprint[:12]} was not found under {root}",
        "Give the folder that holds the whole run with --root",
    )
