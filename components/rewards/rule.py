"""Rule: is an extracted answer right, by the rule of its answer type?

That verifiable answers are judged by rules is the paper's; which rules, and the types, are ours. An answer is right
if any reference accepts it, wrong if all refuse it, and undecided otherwise: a verifier that could not judge says so
and is never counted as a wrong answer.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import cast

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.choice import verify_choice
from components.rewards.expression import verify_expression
from components.rewards.number import verify_number
from components.rewards.sandbox import Algebra, Comparison, Outcome, compare, current_sandbox
from components.rewards.verdict import Verdict, decided, undecided
from components.rewards.wording import verify_short_text

__all__ = ["Verdict", "clear_caches", "verify", "verify_all"]


def verify(
    answer: str,
    references: Sequence[str],
    answer_type: AnswerType,
    choices: Sequence[str] = (),
    unit: str = "",
    precision: int | None = None,
) -> Verdict:
    """Judge an answer against its references.

    Args:
        answer: The extracted answer; any length.
        references: The accepted answers, in any order; blank ones do not count.
        answer_type: Which rule judges.
        choices: Texts of the options, A first, for a choice.
        unit: Unit that the example states, for numbers and expressions; "" if none.
        precision: Decimals to agree to, for numbers and constants: they may differ by half a unit of the last.
            None asks for exact equality.

    Returns:
        The verdict; undecided for open-ended answers and where there is no reference.

    Raises:
        VerifierError: Computer algebra is needed and its sandbox cannot be started.
    """
    item = Checkable(
        question="",
        references=tuple(references),
        answer_type=answer_type,
        verifiable=True,
        choices=tuple(choices),
        unit=unit,
        precision=precision,
    )
    return _verified(item, answer, compare)


def verify_all(items: Sequence[tuple[Checkable, str]]) -> list[Verdict]:
    """Judge many answers; those that need computer algebra are judged in parallel, equal ones once.

    Args:
        items: A verifiable example and an extracted answer to it; shape (N,).

    Returns:
        One verdict an item, in order.

    Raises:
        VerifierError: Computer algebra is needed and its sandbox cannot be started.
    """
    verdicts = [_without_algebra(*item) for item in items]
    waiting = dict.fromkeys(item for item, verdict in zip(items, verdicts, strict=True) if verdict is None)
    if not waiting:
        return cast("list[Verdict]", verdicts)
    with ThreadPoolExecutor(current_sandbox().config.workers) as threads:
        found = dict(zip(waiting, threads.map(lambda item: _verified(*item, compare), waiting), strict=True))
    return [found[item] if verdict is None else verdict for item, verdict in zip(items, verdicts, strict=True)]


def clear_caches() -> None:
    """Forget every verdict and comparison that is kept; for measurements."""
    _verified.cache_clear()
    _without_algebra.cache_clear()
    compare.cache_clear()


class _NeedsAlgebra(Exception):  # no error: it tells which answers have to wait
    pass


def _postponed(_comparison: Comparison) -> Outcome:
    raise _NeedsAlgebra


@lru_cache(maxsize=65536)
def _without_algebra(item: Checkable, answer: str) -> Verdict | None:
    """The verdict, or None where it takes computer algebra, which many answers can have at the same time."""
    try:
        return _verified.__wrapped__(item, answer, _postponed)
    except _NeedsAlgebra:
        return None


@lru_cache(maxsize=65536)
def _verified(item: Checkable, answer: str, algebra: Algebra) -> Verdict:
    references = [reference for reference in item.references if reference.strip()]
    if item.answer_type is AnswerType.OPEN_ENDED:
        return undecided("no rule", "an open-ended answer has no rule")
    if not references:
        return undecided("no rule", "the example has no reference", "no reference")
    if not answer.strip():
        return decided("no answer", False)
    if item.answer_type is AnswerType.SHORT_TEXT:
        return verify_short_text(answer, references)
    return _any(_verify_one(item, answer, reference, algebra) for reference in references)


def _verify_one(item: Checkable, answer: str, reference: str, algebra: Algebra) -> Verdict:
    if item.answer_type is AnswerType.NUMBER:
        return verify_number(answer, reference, item.unit, item.precision, algebra)
    if item.answer_type is AnswerType.CHOICE:
        return verify_choice(answer, reference, item.choices)
    return verify_expression(answer, reference, item.unit, item.precision, algebra)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    """The first that is right; else the first undecided one; else the last wrong one."""
    judged: list[Verdict] = []
    for verdict in verdicts:
        if verdict.correct:
            return verdict
        judged.append(verdict)
    return next((verdict for verdict in judged if verdict.correct is None), judged[-1])
