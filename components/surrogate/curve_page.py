"""The annotation budget curve as an HTML page that opens offline, as figures, and as the cells of a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.surrogate import words
from components.surrogate.budget import BudgetPoint, enough
from components.surrogate.plots import budget_plot
from components.surrogate.report import environment, safe, style

TOLERANCE = 0.01
"""By how much of the pairwise accuracy a budget may fall short of the best and still be enough."""
CURVE_HEADS = ("labels", "pairs ordered rightly \u00b1 sd", "AUC \u00b1 sd", "draws", "not fitted")


@dataclass(frozen=True)
class CurveFacts:
    """What a curve was measured with."""

    data: Mapping[str, str]
    """The name and the sha-256 of the file of rows to fit on."""
    heldout: Mapping[str, str]
    """The same of the rows to measure on; the same as `data` where these were divided by group."""
    rows: int
    """Rows to fit on at most."""
    groups: int
    """Of these rows."""
    heldout_rows: int
    heldout_groups: int
    settings: Mapping[str, Any]
    """Of each fit."""
    seed: int
    draws: int


def curve_values(facts: CurveFacts, curve: Sequence[BudgetPoint]) -> dict[str, Any]:
    """As JSON values: the facts, every point, and how many labels are enough."""
    points = [point.to_json() for point in curve]
    return {**asdict(facts), "tolerance": TOLERANCE, "enough": enough(curve, TOLERANCE), "points": points}


def curve_cells(curve: Sequence[BudgetPoint]) -> dict[str, list[str]]:
    """A row of CURVE_HEADS a budget; a dash where nothing could be fitted."""
    return {
        f"{point.rows:,}": [
            _with_spread("pairwise_accuracy", point.mean, point.spread),
            _with_spread("auc", point.mean_auc, point.spread_auc),
            str(len(point.pairwise)),
            str(len(point.failures) or ""),
        ]
        for point in curve
    }


def verdict(curve: Sequence[BudgetPoint]) -> str:
    """How many labels are enough, in a sentence."""
    labels, largest = enough(curve, TOLERANCE), curve[-1].rows
    if not any(point.pairwise for point in curve):
        return "Nothing could be fitted, so that nothing can be said of how many labels are enough."
    if labels is None:
        return f"The largest budget, {largest:,} labels, is not the best: the curve has not settled, draw more."
    if labels == largest:
        return f"More labels may help: {largest:,} are the most that were tried, and the curve has not levelled off."
    point = f"{100 * TOLERANCE:.0f} point of the pairs ordered rightly"
    return f"{labels:,} labels are enough: no larger budget is better by more than {point}."


def reasons(curve: Sequence[BudgetPoint]) -> dict[str, int]:
    """Why fits failed, with how often, the most frequent first."""
    return dict(Counter(reason for point in curve for reason in point.failures).most_common())


def render_curve(facts: CurveFacts, curve: Sequence[BudgetPoint]) -> str:
    """Render the page.

    Args:
        facts: What was measured with.
        curve: As `budget_curve` gives it, not empty.

    Returns:
        A whole HTML document, without any script and any reference to another file or host.
    """
    labels = enough(curve, TOLERANCE)
    is_level = labels is not None and labels < curve[-1].rows
    is_measured = any(point.pairwise for point in curve)
    return (
        environment()
        .get_template("curve.html.j2")
        .render(
            style=style(),
            facts=facts,
            heads=CURVE_HEADS,
            cells=curve_cells(curve),
            verdict=verdict(curve),
            reasons=reasons(curve),
            plot=safe(budget_plot(curve, labels if is_level else None)) if is_measured else None,
        )
    )


def _with_spread(name: str, mean: float | None, spread: float | None) -> str:
    if mean is None:
        return "\u2013"
    if spread is None:
        return words.value(name, mean)
    return f"{words.value(name, mean)} \u00b1 {words.value(name, spread).removesuffix(' %')}"
