"""Compare baseline, candidate and control on the same held-out examples, and decide on promotion.

The decision rests on held-out scores and their intervals, never on the training reward.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import Manifest, seal, verify
from components.core.comparison import BASELINE, CANDIDATE, COMPARISON, CONTROL, POLICIES, ScoreRow
from components.core.errors import ArtifactError
from components.evaluation.config import DecisionConfig
from components.evaluation.evaluate import read_samples
from components.evaluation.statistics import Estimate, differences, macro_mean, mean_score

Scores = dict[str, dict[str, list[float]]]
"""Scores by policy and family, in one order of examples."""


@dataclass(frozen=True)
class ComparisonResult:
    """What the decision reports."""

    manifest: Manifest
    promoted: bool
    reasons: list[str]
    metrics: dict[str, float]


def compare(evaluations: Mapping[str, Path], output: Path, config: DecisionConfig) -> ComparisonResult:
    """Compare the policies and decide.

    Args:
        evaluations: Evaluation artifacts of baseline, candidate and control.
        output: Folder for the comparison artifact.
        config: When to promote.

    Raises:
        ArtifactError: An evaluation is not whole, or the three are not of the same examples.
    """
    inputs = {policy: verify(evaluations[policy], "evaluation") for policy in POLICIES}
    scores = _scores({policy: read_samples(evaluations[policy]) for policy in POLICIES})
    families = {family: _family_row(scores, family, config.resamples) for family in scores[BASELINE]}
    overall = _row(
        scores, {policy: macro_mean(scores[policy], config.resamples) for policy in POLICIES}, config.resamples
    )
    promoted, reasons = decide(overall, families, config)
    content = {
        "overall": asdict(overall),
        "families": {family: asdict(row) for family, row in families.items()},
        "promoted": promoted,
        "reasons": reasons,
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / COMPARISON).write_text(json.dumps(content, indent=2, allow_nan=False), encoding="utf-8")
    manifest = seal(output, "comparison", {"decision": config.identity()}, inputs)
    return ComparisonResult(manifest, promoted, reasons, _metrics(overall, families))


def decide(overall: ScoreRow, families: Mapping[str, ScoreRow], config: DecisionConfig) -> tuple[bool, list[str]]:
    """Whether to promote the candidate, and why.

    Promotion needs the lower end of the overall gain's interval above `min_gain`, and no family with a
    significant loss (its interval wholly below 0) of more than `max_benchmark_loss`.

    Returns:
        The decision and its reasons, one sentence each.
    """
    low, high = overall.difference_ci95
    gained = low > config.min_gain
    relation = "lies above" if gained else "does not lie wholly above"
    reasons = [
        f"The overall gain is {_points(overall.difference)} points; its 95 % interval "
        f"[{_points(low)}, {_points(high)}] {relation} the required {_points(config.min_gain)}."
    ]
    fallen = [name for name, row in families.items() if _fell(row, config)]
    for name in fallen:
        row = families[name]
        reasons.append(
            f"The family {name} lost {_points(-row.difference)} points, significantly and more than the "
            f"{_points(config.max_benchmark_loss)} that are allowed."
        )
    if not fallen:
        reasons.append(
            f"No family lost significantly more than the allowed {_points(config.max_benchmark_loss)} points."
        )
    return gained and not fallen, reasons


def _fell(row: ScoreRow, config: DecisionConfig) -> bool:
    return row.difference_ci95[1] < 0 and row.difference < -config.max_benchmark_loss


def _points(score: float) -> str:
    return f"{100 * score:.1f}"


def _scores(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Scores:
    ids = {policy: [row["id"] for row in rows] for policy, rows in samples.items()}
    for policy in POLICIES:
        if ids[policy] != ids[BASELINE]:
            raise ArtifactError(
                f"the {policy} evaluation",
                f"its {len(ids[policy])} examples are not the {len(ids[BASELINE])} of the baseline evaluation",
                "Evaluate all policies on one dataset with the same settings",
            )
    return {policy: _by_family(rows) for policy, rows in samples.items()}


def _by_family(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["family"], []).append(row["score"])
    return found


def _family_row(scores: Scores, family: str, resamples: int) -> ScoreRow:
    own = {policy: {family: scores[policy][family]} for policy in POLICIES}
    means = {policy: mean_score(scores[policy][family], resamples) for policy in POLICIES}
    return _row(own, means, resamples)


def _row(scores: Scores, means: Mapping[str, Estimate], resamples: int) -> ScoreRow:
    gain = _paired(scores[CANDIDATE], scores[BASELINE])
    over_control = _paired(scores[CANDIDATE], scores[CONTROL])
    difference, above = macro_mean(gain, resamples), macro_mean(over_control, resamples)
    steps = [step for family in gain.values() for step in family]
    return ScoreRow(
        n=len(steps),
        scores={policy: mean.value for policy, mean in means.items()},
        ci95={policy: mean.ci95 for policy, mean in means.items()},
        difference=difference.value,
        difference_ci95=difference.ci95,
        over_control=above.value,
        over_control_ci95=above.ci95,
        wins=sum(step > 0 for step in steps),
        losses=sum(step < 0 for step in steps),
    )


def _paired(new: Mapping[str, list[float]], old: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {family: differences(new[family], old[family]) for family in old}


def _metrics(overall: ScoreRow, families: Mapping[str, ScoreRow]) -> dict[str, float]:
    """The scalars that Kubeflow's run comparison shows."""
    rows = {"overall": overall, **families}
    return {
        f"{name}_{key}": value
        for name, row in rows.items()
        for key, value in (
            ("baseline", row.scores[BASELINE]),
            ("candidate", row.scores[CANDIDATE]),
            ("gain", row.difference),
        )
    }
