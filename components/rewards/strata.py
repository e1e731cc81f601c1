"""Strata: a reward model's word on completions that the rule verifier has already decided.

After HERO (arXiv 2510.07242, "when reward is sparse, it's better to be dense"): the model's scores are rescaled from
smallest to largest inside the right and the wrong completions of a group apart, so that the model orders equals and
never overrules the verifier. Departures: our strata are [1 - right, 1] and [0, wrong], inside the accuracy's range,
and the divisor has a floor, because a model's noise over equally good answers would otherwise fill a whole stratum.
"""

from collections.abc import Sequence
from statistics import fmean

from components.rewards.config import StrataConfig


def stratified(
    verdicts: Sequence[bool | None], scores: Sequence[float | None], config: StrataConfig, floor: float
) -> list[float | None]:
    """The accuracy of one group's completions where verifier and model both speak.

    Args:
        verdicts: What the verifier decided; shape (G,).
        scores: The model's score of each answer, in [0, 1]; None where it gave none; shape (G,).
        config: Widths of the strata.
        floor: Smallest divisor, in units of the score, > 0.

    Returns:
        For a right completion a value in [1 - right, 1], for a wrong one a value in [0, wrong], None where there is
        no verdict; shape (G,). A member without a score has the mean of its stratum, and where nobody there has a
        score all keep the verifier's 1 or 0.
    """
    best = _range([score for score, verdict in zip(scores, verdicts, strict=True) if verdict is True])
    worst = _range([score for score, verdict in zip(scores, verdicts, strict=True) if verdict is False])

    def value(verdict: bool | None, score: float | None) -> float | None:
        if verdict is None:
            return None
        low, mean, high = best if verdict else worst
        placed = mean if score is None else score
        divisor = max(high - low, floor)
        return 1 - config.right * ((high - placed) / divisor) if verdict else config.wrong * ((placed - low) / divisor)

    return [value(verdict, score) for verdict, score in zip(verdicts, scores, strict=True)]


def _range(scores: Sequence[float | None]) -> tuple[float, float, float]:
    """Smallest, mean and largest of the scores that there are."""
    known = [score for score in scores if score is not None]
    return (min(known), fmean(known), max(known)) if known else (0.0, 0.0, 0.0)
