"""The report's numbers for machines: what report.json holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from components.core.comparison import POLICIES, ScoreRow
from components.release.report_data import ReportData


def report_json(data: ReportData) -> dict[str, Any]:
    """The report without its samples, rollouts and plots, as JSON values.

    Args:
        data: The whole report.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts. `overall` and each of `families` hold scores
        (0..1) by policy, `difference` (candidate minus baseline) with its paired 95 % interval `ci95`, and
        `over_control` (candidate minus control) with `over_control_ci95`. A number that is not finite becomes None.
    """
    content: dict[str, Any] = finite(
        {
            "pipeline": data.pipeline,
            "run_id": data.run_id,
            "created_at": data.created_at,
            "seed": data.seed,
            "promoted": data.promoted,
            "reasons": data.reasons,
            "overall": _row(data.overall),
            "families": {family: _row(row) for family, row in data.families.items()},
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
    }
