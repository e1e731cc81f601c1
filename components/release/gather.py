"""Gather what the report shows from the artifacts of a run."""

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import TIMINGS, Manifest, verify
from components.core.comparison import BASELINE, CANDIDATE, CONTROL, Comparison
from components.core.config import parse_config
from components.core.errors import ArtifactError
from components.core.example import Split, read_split
from components.core.rollouts import read_curves, read_rollouts, reward_time
from components.core.sample import read_samples
from components.core.suite import read_suite
from components.release.images import with_images
from components.release.limits import benchmark_limits, limits_of
from components.release.report_data import ArtifactRow, ReportData, RolloutGroupView, RolloutView
from components.release.samples import health, sample_views
from components.release.thumbnail import thumbnail
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import PARTS
from components.rewards.surrogate import SurrogateScorer

COST = "cost.json"
_GROUPS_SHOWN = 24


@dataclass(frozen=True)
class RunArtifacts:
    """The artifact folders of a run."""

    dataset: Path
    suite: Path
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
    "suite": "suite",
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
    comparison, suite = Comparison.load(run.comparison), read_suite(run.suite)
    _check_suite(comparison, {info.name for info in suite})
    heldout = {example.id: example for example in read_split(run.dataset, Split.HELD_OUT)}
    samples = {policy: read_samples(folder) for policy, folder in _evaluations(run).items()}
    rewards = parse_config(RewardsConfig, manifests["rollouts"].identity["rewards"], "the rewards of the run")
    curves = {CANDIDATE: read_curves(run.rollouts), CONTROL: read_curves(run.control_rollouts)}
    views = sample_views(samples, heldout, rewards, SurrogateScorer.load(run.surrogate))
    data = ReportData(
        pipeline=pipeline,
        run_id=run_id,
        created_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        seed=int(manifests["rollouts"].identity["seed"]),
        recipe={role: manifest.identity for role, manifest in manifests.items()},
        comparison=comparison,
        suite=suite,
        cost=_cost(run),
        artifacts=[_artifact(role, manifest) for role, manifest in manifests.items()],
        libraries=manifests["comparison"].library_versions,
        curves=curves,
        reward_time={policy: reward_time(points) for policy, points in curves.items()},
        lengths={policy: [sample.length_tokens for sample in rows] for policy, rows in samples.items()},
        health={policy: health(rows) for policy, rows in samples.items()},
        dataset=_read(run.dataset / "summary.json"),
        surrogate=_read(run.surrogate / "metrics.json"),
        samples=with_images(views, run.suite, comparison.metric),
        rollout_groups=list(_rollout_groups(run, int(manifests["rollouts"].identity["training"]["num_generations"]))),
        limits=limits_of(manifests),
        benchmark_limits={info.name: benchmark_limits(info) for info in suite},
    )
    return data, manifests


def _check_suite(comparison: Comparison, names: set[str]) -> None:
    unknown = sorted(set(comparison.benchmarks) - names)
    if unknown:
        raise ArtifactError(
            "the comparison artifact",
            f"its benchmarks {', '.join(unknown)} are not in the suite, which has {', '.join(sorted(names))}",
            "Give the suite that the policies were evaluated on",
        )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _evaluations(run: RunArtifacts) -> dict[str, Path]:
    folders = (run.baseline_evaluation, run.candidate_evaluation, run.control_evaluation)
    return dict(zip((BASELINE, CANDIDATE, CONTROL), folders, strict=True))


def _cost(run: RunArtifacts) -> dict[str, dict[str, dict[str, float]]]:
    """What generating took, by benchmark and policy, as far as it was kept."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for policy, folder in _evaluations(run).items():
        path = folder / TIMINGS / COST
        for benchmark, cost in (_read(path) if path.is_file() else {}).items():
            found.setdefault(benchmark, {})[policy] = cost
    return found


def _artifact(role: str, manifest: Manifest) -> ArtifactRow:
    return ArtifactRow(role, manifest.kind, manifest.fingerprint, manifest.code_version)


def _rollout_groups(run: RunArtifacts, group_size: int) -> Iterator[RolloutGroupView]:
    """Groups spread evenly over training, in order of steps."""
    examples = {example.id: example for example in read_split(run.dataset, Split.TRAIN)}
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
