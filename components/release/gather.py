"""Gather what the report shows from the artifacts of a run."""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import Manifest, verify
from components.core.comparison import BASELINE, CANDIDATE, COMPARISON, CONTROL, POLICIES, ScoreRow
from components.core.config import parse_config
from components.core.example import Example, read_examples
from components.core.rollouts import read_curves, read_rollouts, reward_time
from components.release.limits import limits_of
from components.release.report_data import (
    AnswerView,
    ArtifactRow,
    ReportData,
    RolloutGroupView,
    RolloutView,
    SampleView,
)
from components.release.thumbnail import thumbnail
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.format import format_reward
from components.rewards.hybrid import hybrid_accuracy
from components.rewards.portfolio import PARTS
from components.rewards.surrogate import SurrogateScorer

_GROUPS_SHOWN = 24
_NO_GROUP = "evaluation answers once, and the length penalty compares the answers of a group"


@dataclass(frozen=True)
class RunArtifacts:
    """The artifact folders of a run."""

    dataset: Path
    surrogate: Path
    base: Path
    policy: Path
    rollouts: Path
    control_policy: Path
    control_rollouts: Path
    baseline_evaluation: Path
    candidate_evaluation: Path
    control_evaluation: Path
    comparison: Path


_KINDS = {
    "dataset": "dataset",
    "surrogate": "surrogate",
    "base": "policy",
    "policy": "policy",
    "rollouts": "rollouts",
    "control_policy": "policy",
    "control_rollouts": "rollouts",
    "baseline_evaluation": "evaluation",
    "candidate_evaluation": "evaluation",
    "control_evaluation": "evaluation",
    "comparison": "comparison",
}


def gather(run: RunArtifacts, pipeline: str, run_id: str) -> tuple[ReportData, dict[str, Manifest]]:
    """Read everything that the report shows.

    Args:
        run: The artifact folders; each is verified.
        pipeline: Name of the pipeline.
        run_id: Name of the run.

    Returns:
        The report's data and the manifests by role.

    Raises:
        ArtifactError: An artifact is missing, of another kind, or changed since it was written.
    """
    manifests = {role: verify(getattr(run, role), kind) for role, kind in _KINDS.items()}
    comparison = _read(run.comparison / COMPARISON)
    heldout = {example.id: example for example in read_examples(run.dataset / "heldout.parquet")}
    samples = {policy: _rows(_evaluation(run, policy) / "samples.parquet") for policy in POLICIES}
    rewards = parse_config(RewardsConfig, manifests["rollouts"].identity["rewards"], "the rewards of the run")
    curves = {CANDIDATE: read_curves(run.rollouts), CONTROL: read_curves(run.control_rollouts)}
    data = ReportData(
        pipeline=pipeline,
        run_id=run_id,
        created_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        seed=int(manifests["rollouts"].identity["seed"]),
        recipe={role: manifest.identity for role, manifest in manifests.items()},
        overall=ScoreRow.from_json(comparison["overall"]),
        families={family: ScoreRow.from_json(row) for family, row in comparison["families"].items()},
        promoted=comparison["promoted"],
        reasons=comparison["reasons"],
        artifacts=[_artifact(role, manifest) for role, manifest in manifests.items()],
        libraries=manifests["comparison"].library_versions,
        curves=curves,
        reward_time={policy: reward_time(points) for policy, points in curves.items()},
        lengths={policy: [row["length_tokens"] for row in rows] for policy, rows in samples.items()},
        health={policy: _health(rows) for policy, rows in samples.items()},
        dataset=_read(run.dataset / "summary.json"),
        surrogate=_read(run.surrogate / "metrics.json"),
        samples=list(_samples(samples, heldout, rewards, SurrogateScorer.load(run.surrogate))),
        rollout_groups=list(_rollout_groups(run, int(manifests["rollouts"].identity["training"]["num_generations"]))),
        limits=limits_of(manifests),
    )
    return data, manifests


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _evaluation(run: RunArtifacts, policy: str) -> Path:
    folders = {
        BASELINE: run.baseline_evaluation,
        CANDIDATE: run.candidate_evaluation,
        CONTROL: run.control_evaluation,
    }
    return folders[policy]


def _artifact(role: str, manifest: Manifest) -> ArtifactRow:
    return ArtifactRow(role, manifest.kind, manifest.fingerprint, manifest.code_version)


def _health(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    def share(flags: Sequence[bool]) -> float:
        return sum(flags) / len(flags)

    return {
        "no_answer": share(["no answer" in row["flags"] for row in rows]),
        "truncated": share(["truncated" in row["flags"] for row in rows]),
        "format": share([bool(row["format"]) for row in rows]),
    }


def _samples(
    samples: Mapping[str, Sequence[Mapping[str, Any]]],
    heldout: Mapping[str, Example],
    rewards: RewardsConfig,
    scorer: SurrogateScorer,
) -> Iterator[SampleView]:
    answers = {policy: _answers(rows, heldout, rewards, scorer) for policy, rows in samples.items()}
    for row in samples[BASELINE]:
        example = heldout[row["id"]]
        yield SampleView(
            id=example.id,
            family=example.family.value,
            images=[thumbnail(image) for image in example.images],
            question=example.question,
            references=example.references,
            answers={policy: answers[policy][example.id] for policy in POLICIES},
        )


def _answers(
    rows: Sequence[Mapping[str, Any]],
    heldout: Mapping[str, Example],
    rewards: RewardsConfig,
    scorer: SurrogateScorer,
) -> dict[str, AnswerView]:
    """What a policy answered, and what the training reward would have paid for it."""
    checked = [(Checkable.of(heldout[row["id"]]), row["completion"]) for row in rows]
    views = {}
    for row, accuracy in zip(rows, hybrid_accuracy(checked, scorer, rewards), strict=True):
        parts = {"format": format_reward(row["completion"], rewards.format)}
        reasons = {"length": _NO_GROUP}
        if accuracy.value is None:
            reasons["accuracy"] = accuracy.reason
        else:
            parts["accuracy"] = accuracy.value
        views[row["id"]] = AnswerView(
            text=row["completion"],
            extracted=row["extracted"],
            score=row["score"],
            parts=parts,
            not_applicable=reasons,
            flags=row["flags"],
            length_tokens=row["length_tokens"],
        )
    return views


def _rollout_groups(run: RunArtifacts, group_size: int) -> Iterator[RolloutGroupView]:
    """Groups spread evenly over training, in order of steps."""
    examples = {example.id: example for example in read_examples(run.dataset / "train.parquet")}
    rows = read_rollouts(run.rollouts)
    groups = [rows[start : start + group_size] for start in range(0, len(rows), group_size)]
    shown = random.Random(0).sample(range(len(groups)), min(_GROUPS_SHOWN, len(groups)))
    for index in sorted(shown):
        group = groups[index]
        example = examples[group[0]["example_id"]]
        yield RolloutGroupView(
            step=int(group[0]["step"]),
            images=[thumbnail(image) for image in example.images],
            question=example.question,
            references=example.references,
            rollouts=[_rollout(row) for row in group],
        )


def _rollout(row: Mapping[str, Any]) -> RolloutView:
    return RolloutView(
        completion=row["completion"],
        total=row["total"],
        parts={part: row[part] for part in PARTS if row[part] is not None},
        not_applicable=row["not_applicable"],
        advantage=row["advantage"],
        rule=row["rule"],
    )
