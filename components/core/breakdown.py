"""RewardBreakdown: what one completion earned, part by part."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RewardBreakdown:
    """The total reward of a completion and the unweighted value of each part.

    A part that did not apply is missing from `parts` and has its reason in `not_applicable`. What it counts for in
    the total is the portfolio's policy, and stands in `credited` like what every other part counted for.
    """

    total: float
    """Weighted sum of what the parts counted for."""
    parts: Mapping[str, float]
    """Unweighted value by part name (accuracy, length, format), as the part itself computed it."""
    credited: Mapping[str, float] = field(default_factory=dict)
    """What each part counted for before its weight: its value, unless a policy put another in its place (an
    abstaining part's group mean, a normalised value). The total is the sum of weight * credited."""
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """Why a part has no value, by part name."""
    verdict: bool | None = None
    """What the rule verifier decided; None where no rule could."""
    confidence: float | None = None
    """How sure the verdict is, in [0, 1]; None where no rule judged."""
    extracted: str | None = None
    """The answer that was judged; None where none was found."""
    rule: str = ""
    """Which rule, or the surrogate, decided the accuracy."""
    flags: tuple[str, ...] = ()
    """What a reader should know of: "no answer", "time limit", "truncated" …"""

    @classmethod
    def weighted(
        cls,
        parts: Mapping[str, float],
        weights: Mapping[str, float],
        not_applicable: Mapping[str, str],
        credited: Mapping[str, float] | None = None,
        **details: object,
    ) -> "RewardBreakdown":
        """Sum what the parts count for by their weights.

        Args:
            parts: Unweighted value by part name; every one must be finite.
            weights: Weight by part name; must name every part.
            not_applicable: Reason by part name, for parts without a value.
            credited: What each part counts for, by part name; must name every part that has a weight, and be finite.
                None counts each part for its value, and 0 where it has none.
            **details: verdict, confidence, extracted, rule and flags.

        Raises:
            ValueError: A part is not finite, has no weight, is both valued and not applicable, or a part that has a
                weight is not credited.
        """
        for name, value in parts.items():
            if name in not_applicable:
                raise ValueError(f"reward part {name!r} has the value {value} and a reason for having none")
        missing = sorted(set(parts) - set(weights))
        if missing:
            raise ValueError(f"reward parts {missing} have no weight: give each part one")
        counts = {name: parts.get(name, 0.0) for name in weights} if credited is None else dict(credited)
        if set(counts) != set(weights):
            raise ValueError(f"reward parts {sorted(counts)} are credited, {sorted(weights)} have weights: give both")
        for name, value in (*parts.items(), *counts.items()):
            if not math.isfinite(value):
                raise ValueError(f"reward part {name!r} is {value}: parts must be finite")
        total = math.fsum(weights[name] * value for name, value in counts.items())
        return cls(total, dict(parts), counts, dict(not_applicable), **details)  # type: ignore[arg-type]  # details are checked by the constructor's own types
