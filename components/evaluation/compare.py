"""Compare baseline, candidate and control on the same questions, and decide on promotion.

All that a comparison says is computed from samples alone, so that it can be made again from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.core.artifact import Manifest, seal, verify
from components.core.comparison import BASELINE, CANDIDATE, POLICIES, Comparison, ScoreRow
from components.core.errors import ArtifactError
from components.core.sample import METRICS, Sample, read_samples
from components.evaluation.config import DecisionConfig
from components.evaluation.decision import decide
from components.evaluation.rows import Measured, combined_row, group_rows, measure, measured_row
from components.evaluation.significance import holm
from components.evaluation.tallies import category_counts, health, means

Samples = Mapping[str, Sequence[Sample]]
"""By policy, in one order of questions."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ComparisonResult:
    """What the decision reports."""

    manifest: Manifest
    promoted: bool
    reasons: list[str]
    metrics: dict[str, float]
    """Scalars for Kubeflow's run comparison, see `flat_metrics`."""


def compare(evaluations: Mapping[str, Path], output: Path, config: DecisionConfig) -> ComparisonResult:
    """Compare the policies and decide.

    Args:
        evaluations: Evaluation artifacts of baseline, candidate and control.
        output: Folder for the comparison artifact.
        config: When to promote.

    Raises:
        ArtifactError: An evaluation is not whole, or the three are not of the same questions.
    """
    inputs = {policy: verify(evaluations[policy], "evaluation") for policy in POLICIES}
    comparison = comparison_of({policy: read_samples(evaluations[policy]) for policy in POLICIES}, config)
    output.mkdir(parents=True, exist_ok=True)
    comparison.save(output)
    manifest = seal(output, "comparison", {"decision": config.identity()}, inputs)
    return ComparisonResult(manifest, comparison.promoted, list(comparison.reasons), flat_metrics(comparison))


def comparison_of(samples: Samples, config: DecisionConfig) -> Comparison:
    """Compare samples: a pure function, whose resamples depend on nothing but the benchmark's name.

    Args:
        samples: By policy: baseline, candidate and control.
        config: Which score counts, and when to promote.

    Raises:
        ArtifactError: The policies did not answer the same questions, or a score is not in 0..1.
    """
    _check(samples)
    parts = {name: {p: [samples[p][i] for i in places] for p in POLICIES} for name, places in _places(samples).items()}
    measured = {name: measure(name, part, config) for name, part in parts.items()}
    benchmarks = _benchmark_rows(measured)
    families = {family: combined_row([measured[name] for name in names]) for family, names in _families(parts).items()}
    overall = combined_row(list(measured.values()))
    promoted, reasons = decide(overall, benchmarks, config)
    (other,) = (metric for metric in METRICS if metric != config.metric)
    return Comparison(
        metric=config.metric,
        overall=overall,
        families=families,
        benchmarks=benchmarks,
        promoted=promoted,
        reasons=reasons,
        other_scores={name: means(part, other) for name, part in parts.items()},
        breakdowns={name: group_rows(part[BASELINE], measured[name], config) for name, part in parts.items()},
        health={name: health(part) for name, part in parts.items()},
        categories={name: category_counts(part) for name, part in parts.items()},
    )


def flat_metrics(comparison: Comparison) -> dict[str, float]:
    """The scores (0..1) of baseline and candidate and the gain: overall, and of each family and benchmark.

    Keys are {name}_baseline, {name}_candidate and {name}_gain. A benchmark that is named as a family is, or
    "overall", has "benchmark_" before its name.
    """
    rows: dict[str, ScoreRow] = {"overall": comparison.overall, **comparison.families}
    for name, row in comparison.benchmarks.items():
        key = name
        while key in rows:
            key = f"benchmark_{key}"
        rows[key] = row
    return {
        f"{name}_{key}": value
        for name, row in rows.items()
        for key, value in (
            ("baseline", row.scores[BASELINE]),
            ("candidate", row.scores[CANDIDATE]),
            ("gain", row.difference),
        )
    }


def _check(samples: Samples) -> None:
    asked = {policy: [(sample.benchmark, sample.id) for sample in samples[policy]] for policy in POLICIES}
    expected = asked[BASELINE]
    if not expected:
        raise ArtifactError("the baseline evaluation", "it has no sample", "Evaluate on at least one question")
    for policy in POLICIES:
        if asked[policy] != expected:
            raise ArtifactError(
                f"the {policy} evaluation",
                f"its {len(asked[policy])} questions are not the {len(expected)} of the baseline evaluation"
                + _first_difference(asked[policy], expected),
                "Evaluate all policies on one suite with the same settings",
            )
        _check_scores(policy, samples[policy])


def _check_scores(policy: str, samples: Sequence[Sample]) -> None:
    for sample in samples:
        for metric in METRICS:
            value = getattr(sample, metric)
            if not -_ROUNDING <= value <= 1 + _ROUNDING:
                raise ArtifactError(
                    f"the {policy} evaluation, {sample.benchmark}, question {sample.id}",
                    f"its {metric} is {value}, not a number from 0 to 1",
                    "Score the samples again",
                )


def _first_difference(found: Sequence[tuple[str, str]], expected: Sequence[tuple[str, str]]) -> str:
    for (benchmark, question), (other, wanted) in zip(found, expected, strict=False):
        if (benchmark, question) != (other, wanted):
            return f": the first that differs is {question!r} of {benchmark}, in place of {wanted!r} of {other}"
    return ""


def _places(samples: Samples) -> dict[str, list[int]]:
    """Where each benchmark's samples stand; benchmarks in the order in which they first come."""
    found: dict[str, list[int]] = {}
    for place, sample in enumerate(samples[BASELINE]):
        found.setdefault(sample.benchmark, []).append(place)
    return found


def _families(parts: Mapping[str, Samples]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, part in parts.items():
        found.setdefault(part[BASELINE][0].family, []).append(name)
    return found


def _benchmark_rows(measured: Mapping[str, Measured]) -> dict[str, ScoreRow]:
    adjusted = holm({name: each.gain.p_value for name, each in measured.items()})
    return {name: measured_row(each, adjusted[name]) for name, each in measured.items()}
