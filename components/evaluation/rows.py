"""Rows of a comparison: what the statistics say of a benchmark, of several, and of a benchmark's groups."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from components.core.comparison import BASELINE, CANDIDATE, CONTROL, POLICIES, GroupRow, ScoreRow
from components.core.sample import Sample
from components.evaluation.config import DecisionConfig
from components.evaluation.resampling import unit_numbers
from components.evaluation.statistics import (
    Difference,
    Estimate,
    mean_of_differences,
    mean_of_estimates,
    mean_score,
    paired_difference,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Measured:
    """A benchmark's scores by policy, and what is estimated from them."""

    name: str
    scores: Mapping[str, "NDArray[np.float64]"]
    """One a question, in 0..1."""
    units: "NDArray[np.int64]"
    """The number of each question's cluster."""
    means: Mapping[str, Estimate]
    gain: Difference
    """Candidate minus baseline."""
    over_control: Difference
    """Candidate minus control."""

    @property
    def clusters(self) -> int:
        """Independent units."""
        return int(self.units.max()) + 1


def measure(name: str, samples: Mapping[str, Sequence[Sample]], config: DecisionConfig) -> Measured:
    """Estimate all that a row says of a benchmark.

    Args:
        name: The benchmark; its resamples are drawn by a seed made of it, so that they are independent of those of
            other benchmarks, and the same whichever others there are.
        samples: Of the benchmark, at least one a policy, in one order of questions.
        config: Which score counts, and how many resamples.
    """
    import numpy as np

    scores = {
        policy: np.array([getattr(sample, config.metric) for sample in samples[policy]], dtype=np.float64)
        for policy in POLICIES
    }
    units = unit_numbers([sample.cluster for sample in samples[BASELINE]])
    random = _random(name)
    return Measured(
        name=name,
        scores=scores,
        units=units,
        means={policy: mean_score(scores[policy], units, config.resamples, random) for policy in POLICIES},
        gain=paired_difference(scores[CANDIDATE], scores[BASELINE], units, config.resamples, random),
        over_control=paired_difference(scores[CANDIDATE], scores[CONTROL], units, config.resamples, random),
    )


def measured_row(measured: Measured, p_adjusted: float | None) -> ScoreRow:
    """The row of a benchmark.

    Args:
        measured: The benchmark.
        p_adjusted: The p-value of its gain after the correction over all benchmarks.
    """
    return replace(combined_row([measured]), p_adjusted=p_adjusted)


def combined_row(parts: Sequence[Measured]) -> ScoreRow:
    """The row of the unweighted mean over benchmarks, at least one; that of a single one says what its own does."""
    means = {policy: mean_of_estimates([part.means[policy] for part in parts], (0.0, 1.0)) for policy in POLICIES}
    gain = mean_of_differences([part.gain for part in parts])
    over_control = mean_of_differences([part.over_control for part in parts])
    baseline = means[BASELINE].value
    return ScoreRow(
        n=sum(len(part.units) for part in parts),
        scores={policy: mean.value for policy, mean in means.items()},
        ci95={policy: mean.ci95 for policy, mean in means.items()},
        difference=gain.estimate.value,
        difference_ci95=gain.estimate.ci95,
        over_control=over_control.estimate.value,
        over_control_ci95=over_control.estimate.ci95,
        wins=gain.wins,
        losses=gain.losses,
        clusters=sum(part.clusters for part in parts),
        relative=gain.estimate.value / baseline if baseline else None,
        p_value=gain.p_value,
        minimal_detectable=gain.minimal_detectable,
    )


def group_rows(samples: Sequence[Sample], measured: Measured, config: DecisionConfig) -> dict[str, dict[str, GroupRow]]:
    """Rows by name and value of `Sample.groups`; names and values in the order in which they first come.

    A name that gives all questions one value says no more than the benchmark's row, and is left out.

    Args:
        samples: One policy's, whose groups stand for all.
        measured: Their benchmark.
        config: How many resamples.
    """
    places: dict[str, dict[str, list[int]]] = {}
    for place, sample in enumerate(samples):
        for name, value in sample.groups.items():
            places.setdefault(name, {}).setdefault(value, []).append(place)
    return {
        name: {value: _group_row(name, value, rows, measured, config) for value, rows in values.items()}
        for name, values in places.items()
        if any(len(rows) < len(samples) for rows in values.values())
    }


def _group_row(name: str, value: str, places: Sequence[int], measured: Measured, config: DecisionConfig) -> GroupRow:
    import numpy as np

    scores = {policy: measured.scores[policy][places] for policy in POLICIES}
    _, units = np.unique(measured.units[places], return_inverse=True)
    random = _random(f"{measured.name}\n{name}\n{value}")
    gain = paired_difference(scores[CANDIDATE], scores[BASELINE], units, config.resamples, random)
    return GroupRow(
        n=len(places),
        scores={policy: float(own.mean()) for policy, own in scores.items()},
        difference=gain.estimate.value,
        difference_ci95=gain.estimate.ci95,
    )


def _random(name: str) -> "np.random.Generator":
    import numpy as np

    return np.random.default_rng(zlib.crc32(name.encode()))
