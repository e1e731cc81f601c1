"""Judge: a whole completion to a verdict: its answer is found, then verified."""

from collections.abc import Sequence
from typing import NamedTuple

from components.rewards.checkable import Checkable
from components.rewards.extraction import extract
from components.rewards.rule import clear_caches, verify_all
from components.rewards.verdict import NO_ANSWER, UNDECIDED, Verdict

__all__ = ["Judgement", "clear_caches", "judge_all"]


class Judgement(NamedTuple):
    """What the rule verifier says of a completion."""

    verdict: bool | None
    """True right, False wrong, None undecided."""
    confidence: float
    """How sure the verdict is, in [0, 1]."""
    extracted: str | None
    """The answer that was judged; None where none was found."""
    rule: str
    """The rule that decided."""
    flags: tuple[str, ...]
    reason: str = ""
    """Why an undecided verdict is undecided."""


def judge_all(items: Sequence[tuple[Checkable, str]], strict: bool = False) -> list[Judgement]:
    """Judge completions of verifiable examples.

    Args:
        items: An example and a whole completion of it; shape (N,). Equal answers to one example are judged once.
        strict: Demand the template, as training does.

    Returns:
        One judgement an item, in order; a completion without an answer is wrong.
    """
    answers = [extract(completion, strict).answer for _, completion in items]
    pairs = [(item, answer) for (item, _), answer in zip(items, answers, strict=True) if answer is not None]
    verdicts = iter(verify_all(pairs))
    return [_WITHOUT_ANSWER if answer is None else _judgement(next(verdicts), answer) for answer in answers]


_WITHOUT_ANSWER = Judgement(False, 1.0, None, NO_ANSWER, (NO_ANSWER,))


def _judgement(verdict: Verdict, answer: str) -> Judgement:
    flags = verdict.flags if verdict.correct is not None else (UNDECIDED, *verdict.flags)
    return Judgement(verdict.correct, verdict.confidence, answer, verdict.rule, flags, verdict.reason)
