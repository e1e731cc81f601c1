"""The report's numbers for machines: what report.json holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from components.core.comparison import POLICIES, GroupRow, ScoreRow
from components.release.report_data import ReportData


def report_json(data: ReportData) -> dict[str, Any]:
    """The report without its samples, rollouts and plots, as JSON values.

    Args:
        data: The whole report.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts. `overall` and each of `families` and `benchmarks`
        hold scores (0..1) by policy, `difference` (candidate minus baseline) with its paired 95 % interval `ci95`,
        `over_control` (candidate minus control) with `over_control_ci95`, and what else there is of ScoreRow;
        `breakdowns` holds such rows by benchmark, name and value. `metric` is the score that all of them show,
        `other_scores` the means under the other one. A number that is not finite becomes None.
    """
    comparison = data.comparison
    content: dict[str, Any] = finite(
        {
            "pipeline": data.pipeline,
            "run_id": data.run_id,
            "created_at": data.created_at,
            "seed": data.seed,
            "promoted": comparison.promoted,
            "reasons": comparison.reasons,
            "metric": comparison.metric,
            "overall": _row(comparison.overall),
            "families": {family: _row(row) for family, row in comparison.families.items()},
            "benchmarks": {benchmark: _row(row) for benchmark, row in comparison.benchmarks.items()},
            "other_scores": comparison.other_scores,
            "breakdowns": {
                benchmark: {name: {value: _group(row) for value, row in rows.items()} for name, rows in names.items()}
                for benchmark, names in comparison.breakdowns.items()
            },
            "benchmark_health": comparison.health,
            "categories": comparison.categories,
            "cost": data.cost,
            "suite": [info.to_json() for info in data.suite],
            "benchmark_limits": data.benchmark_limits,
            "health": data.health,
            "reward_time": data.reward_time,
            "dataset": data.dataset,
            "surrogate": data.surrogate,
            "artifacts": [asdict(artifact) for artifact in data.artifacts],
            "libraries": data.libraries,
            "recipe": data.recipe,
            "limits": data.limits,
        }
    )
    return content


def finite(value: Any) -> Any:
    """A copy made of JSON's own types: mappings and sequences unfolded, numbers that are not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _row(row: ScoreRow) -> dict[str, Any]:
    return {
        "n": row.n,
        **{policy: row.scores[policy] for policy in POLICIES},
        "score_ci95": row.ci95,
        "difference": row.difference,
        "ci95": row.difference_ci95,
        "over_control": row.over_control,
        "over_control_ci95": row.over_control_ci95,
        "wins": row.wins,
        "losses": row.losses,
        "ties": row.ties,
        "clusters": row.clusters,
        "relative": row.relative,
        "p_value": row.p_value,
        "p_adjusted": row.p_adjusted,
        "minimal_detectable": row.minimal_detectable,
    }


def _group(row: GroupRow) -> dict[str, Any]:
    scores = {policy: row.scores[policy] for policy in POLICIES}
    return {"n": row.n, **scores, "difference": row.difference, "ci95": row.difference_ci95}
