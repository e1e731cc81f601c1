"""What there is to count in samples: means under a metric, the health of the responses, categories."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from components.core.comparison import POLICIES
from components.core.sample import CATEGORIES, Sample

Samples = Mapping[str, Sequence[Sample]]
"""Of one benchmark, by policy."""


def means(samples: Samples, metric: str) -> dict[str, float]:
    """Mean (0..1) of `score` or `strict`, by policy."""
    return {policy: fmean(getattr(sample, metric) for sample in samples[policy]) for policy in POLICIES}


def health(samples: Samples) -> dict[str, dict[str, float]]:
    """What the responses are like, by policy.

    Returns:
        The share (0..1) of samples with each flag that occurs under any policy, and of those in the `format`; the mean
        `length_tokens` and `prompt_tokens`.
    """
    flags = sorted({flag for policy in POLICIES for sample in samples[policy] for flag in sample.flags})
    return {policy: _health(samples[policy], flags) for policy in POLICIES}


def _health(samples: Sequence[Sample], flags: Sequence[str]) -> dict[str, float]:
    counts = Counter(flag for sample in samples for flag in set(sample.flags))
    return {
        **{flag: counts[flag] / len(samples) for flag in flags},
        "format": fmean(sample.format for sample in samples),
        "length_tokens": fmean(sample.length_tokens for sample in samples),
        "prompt_tokens": fmean(sample.prompt_tokens for sample in samples),
    }


def category_counts(samples: Samples) -> dict[str, dict[str, int]]:
    """Samples by policy and category: all of CATEGORIES in their order, behind them any other that occurs."""
    counts = {policy: Counter(sample.category for sample in samples[policy]) for policy in POLICIES}
    return {policy: {**dict.fromkeys(CATEGORIES, 0), **counted} for policy, counted in counts.items()}
