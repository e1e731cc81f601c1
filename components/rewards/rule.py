"""Rule: is an extracted answer right, by the rule of its answer type?

That verifiable answers are judged by rules is the paper's; which rules, and the types, are ours. An answer is right
if any reference accepts it, wrong if all refuse it, and undecided otherwise: a verifier that could not judge says so
and is never counted as a wrong answer.
"""

from collections.abc import Iterable, Sequence

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.choice import verify_choice
from components.rewards.expression import verify_expression
from components.rewards.number import verify_number
from components.rewards.verdict import Verdict, decided, undecided
from components.rewards.wording import verify_short_text

__all__ = ["Verdict", "verify", "verify_all"]


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
    """
    references = [reference for reference in references if reference.strip()]
    if answer_type is AnswerType.OPEN_ENDED:
        return undecided("no rule", "an open-ended answer has no rule")
    if not references:
        return undecided("no rule", "the example has no reference")
    if not answer.strip():
        return decided("no answer", False)
    return _any(_verify_one(answer, reference, answer_type, choices, unit, precision) for reference in references)


def verify_all(items: Sequence[tuple[Checkable, str]]) -> list[Verdict]:
    """Judge many answers.

    Args:
        items: A verifiable example and an extracted answer to it; shape (N,).

    Returns:
        One verdict an item, in order.
    """
    return [
        verify(answer, item.references, item.answer_type, item.choices, item.unit, item.precision)
        for item, answer in items
    ]


def _verify_one(
    answer: str, reference: str, answer_type: AnswerType, choices: Sequence[str], unit: str, precision: int | None
) -> Verdict:
    if answer_type is AnswerType.NUMBER:
        return verify_number(answer, reference, unit, precision)
    if answer_type is AnswerType.CHOICE:
        return verify_choice(answer, reference, choices)
    if answer_type is AnswerType.EXPRESSION:
        return verify_expression(answer, reference, unit, precision)
    return verify_short_text(answer, reference)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    """The first that is right; else the first undecided one; else the last wrong one."""
    judged: list[Verdict] = []
    for verdict in verdicts:
        if verdict.correct:
            return verdict
        judged.append(verdict)
    return next((verdict for verdict in judged if verdict.correct is None), judged[-1])
