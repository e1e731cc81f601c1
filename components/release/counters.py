"""Health counters and error categories, put into the order in which the report shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.core.comparison import POLICIES, GroupRow
from components.core.sample import (
    CATEGORIES,
    FALLBACK,
    NO_ANSWER,
    NOT_GENERATED,
    REPETITION,
    RESIZED,
    SCORER_FAILED,
    TRUNCATED,
    UNDECIDED,
)

FORMAT, TOKENS, PROMPT_TOKENS = "format", "length_tokens", "prompt_tokens"
_FLAGS = (NO_ANSWER, FALLBACK, TRUNCATED, REPETITION, UNDECIDED, NOT_GENERATED, RESIZED, SCORER_FAILED)
_Health = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True)
class CategoryRow:
    """What came of the questions of a benchmark under one policy."""

    benchmark: str
    policy: str
    n: int
    counts: Mapping[str, int]
    """Of the categories that occur, in their order."""


def counters_of(health: _Health) -> list[str]:
    """The flags that the health table has a column for: the known ones, and behind them any other that occurs."""
    found = {key for policies in health.values() for shares in policies.values() for key in shares}
    return [*_FLAGS, *sorted(found - {*_FLAGS, FORMAT, TOKENS, PROMPT_TOKENS})]


def category_rows(categories: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[CategoryRow]:
    """A row a benchmark and policy."""
    return [
        CategoryRow(benchmark, policy, sum(policies[policy].values()), _in_order(policies[policy]))
        for benchmark, policies in categories.items()
        for policy in POLICIES
        if policy in policies
    ]


def span_of(rows: Iterable[GroupRow]) -> float:
    """The largest distance from 0 that an interval of differences reaches, so that bars share a scale; above 0."""
    return max((abs(bound) for row in rows for bound in row.difference_ci95), default=0.0) or 1.0


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    order = [*CATEGORIES, *sorted(set(counts) - set(CATEGORIES))]
    return {category: counts[category] for category in order if counts.get(category)}
