"""Annotation budget: how held-out accuracy grows with the number of labelled rows.

For each seed the groups are shuffled, and the rows in each; a budget of n is the first n rows of that order. So the
samples of one seed are nested, and what a larger budget adds is only more rows.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from statistics import fmean, stdev
from typing import Any

from components.core.errors import EmptyDatasetError, HarmoError, SourceError
from components.surrogate.ordering import Fit, auc, pairwise_accuracy
from components.surrogate.rows import AnswerRow

_SMALLEST = 50


@dataclass(frozen=True)
class BudgetPoint:
    """How good a scorer is that was fitted on so many rows."""

    rows: int
    pairwise: tuple[float, ...]
    """Held-out pairwise accuracy (0..1), one a seed for which fitting succeeded."""
    auc: tuple[float, ...]
    """Held-out area under the ROC curve (0..1), of the same seeds."""
    failures: tuple[str, ...]
    """Why fitting failed, for each seed for which it did."""

    @property
    def mean(self) -> float | None:
        """Of the pairwise accuracy over seeds; None where no seed could be fitted."""
        return fmean(self.pairwise) if self.pairwise else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the pairwise accuracy over seeds; None below two seeds."""
        return stdev(self.pairwise) if len(self.pairwise) > 1 else None

    @property
    def mean_auc(self) -> float | None:
        """Of the area under the ROC curve over seeds."""
        return fmean(self.auc) if self.auc else None

    @property
    def spread_auc(self) -> float | None:
        """Standard deviation of the area under the ROC curve over seeds."""
        return stdev(self.auc) if len(self.auc) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """With means and spreads, for a report."""
        derived = {name: getattr(self, name) for name in ("mean", "spread", "mean_auc", "spread_auc")}
        return {**asdict(self), **derived}


def budget_curve(
    rows: Sequence[AnswerRow],
    heldout: Sequence[AnswerRow],
    fit: Fit,
    budgets: Sequence[int] = (),
    seeds: Sequence[int] = (0, 1, 2),
) -> list[BudgetPoint]:
    """Measure how accuracy grows with annotation.

    Args:
        rows: To fit on, all with scores.
        heldout: To measure on, of other groups: right and wrong rows, and a question with answers of several scores.
        fit: Fits a scorer.
        budgets: Numbers of rows; without them 50, 100, 200 … and all. Those beyond the rows there are are left out.
        seeds: One nested series of samples each.

    Returns:
        A point a budget, rising.

    Raises:
        SourceError: A row has no score, or a group is in both sets.
        EmptyDatasetError: Nothing held out can be ordered.
    """
    _check(rows, heldout)
    sizes = sorted({size for size in budgets or doubling(len(rows)) if 0 < size <= len(rows)})
    orders = [nested_order(rows, seed) for seed in seeds]
    return [_point(size, orders, heldout, fit) for size in sizes]


def doubling(count: int) -> list[int]:
    """50, 100, 200 … below a number, and the number itself."""
    sizes, size = [], _SMALLEST
    while size < count:
        sizes.append(size)
        size *= 2
    return [*sizes, count]


def nested_order(rows: Sequence[AnswerRow], seed: int) -> list[AnswerRow]:
    """Shuffle groups, and the rows in each; a group's rows stay together.

    Does not depend on the order in which the rows are given.
    """
    random = Random(seed)
    groups: dict[str, list[AnswerRow]] = {}
    for row in sorted(rows, key=lambda row: (row.group, row.question, row.references, row.answer, row.kind)):
        groups.setdefault(row.group, []).append(row)
    names = list(groups)
    random.shuffle(names)
    return [row for name in names for row in random.sample(groups[name], len(groups[name]))]


def hold_out(rows: Sequence[AnswerRow], share: float = 0.25, seed: int = 0) -> tuple[list[AnswerRow], list[AnswerRow]]:
    """Divide rows by group into those to fit on and those to measure on.

    Args:
        rows: Of two groups at least.
        share: Of the rows to measure on, above 0; whole groups are drawn until it is reached or one is left.
        seed: Decides which; the order of the rows does not.

    Raises:
        SourceError: There are fewer than two groups.
    """
    order, sizes = nested_order(rows, seed), Counter(row.group for row in rows)
    names, held, count = list(dict.fromkeys(row.group for row in order)), set(), 0
    if len(names) < 2:
        problem = f"the {len(rows)} rows are all of one group, so that none can be held out"
        raise SourceError("annotation budget", problem, "Give rows of more groups, or held-out rows of their own")
    while len(names) > 1 and count < share * len(rows):
        held.add(name := names.pop())
        count += sizes[name]
    return [row for row in order if row.group not in held], [row for row in order if row.group in held]


def enough(curve: Sequence[BudgetPoint], tolerance: float = 0.01) -> int | None:
    """The smallest budget from which on no budget is worse than the best by more than a tolerance.

    Args:
        curve: As `budget_curve` gives it.
        tolerance: Of the mean pairwise accuracy.

    Returns:
        Rows; None where the largest budget itself falls short, or nothing was measured.
    """
    best = max((point.mean for point in curve if point.mean is not None), default=None)
    found = None
    for point in reversed(curve):
        if best is None or point.mean is None or point.mean < best - tolerance:
            break
        found = point.rows
    return found


def _point(size: int, orders: Sequence[Sequence[AnswerRow]], heldout: Sequence[AnswerRow], fit: Fit) -> BudgetPoint:
    pairwise, areas, failures = [], [], []
    for order in orders:
        try:
            scores = [estimate.score for estimate in fit(order[:size])(heldout)]
        except HarmoError as error:
            failures.append(str(error))
            continue
        accuracy, area = pairwise_accuracy(heldout, scores), auc(heldout, scores)
        assert accuracy is not None
        assert area is not None  # both are defined by the held-out rows, which were checked
        pairwise.append(accuracy)
        areas.append(area)
    return BudgetPoint(size, tuple(pairwise), tuple(areas), tuple(failures))


def _check(rows: Sequence[AnswerRow], heldout: Sequence[AnswerRow]) -> None:
    unscored = sum(row.score is None for row in (*rows, *heldout))
    if unscored:
        raise SourceError("annotation budget", f"{unscored} rows have no score", "Give scored rows alone")
    both = {row.group for row in rows} & {row.group for row in heldout}
    if both:
        problem = f"{len(both)} groups are both fitted and held out, such as {min(both)[:60]!r}"
        raise SourceError("annotation budget", problem, "Divide the rows by group")
    level = [0.0] * len(heldout)
    if pairwise_accuracy(heldout, level) is None or auc(heldout, level) is None:
        raise EmptyDatasetError(
            "annotation budget",
            "the held-out rows are all right or all wrong, or no question has answers of several scores",
            "Hold out questions with right and wrong answers",
        )
