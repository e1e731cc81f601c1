"""Wrong answer: a plausible mistake for an example, to hold other completions against.

It has the form of the reference: a number is some other number, a letter some other letter, words are the words of
another example. How the mistakes are made is our choice.
"""

import re
from collections.abc import Iterator, Sequence

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.choice import named_options
from components.rewards.rule import verify
from components.rewards.wording import normalised

_DIGITS = re.compile(r"[0-9]{1,15}")
_STEPS = {AnswerType.NUMBER: (1, 2, 10, 1000, 10**6), AnswerType.EXPRESSION: (7, 1, 100)}
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
_LETTERS = 4  # options where only letters are known
_OTHER_WORDS = ("something else", "none of these")


def honest_wrong_answer(example: Checkable, others: Sequence[str] = ()) -> str | None:
    """A plausible wrong answer.

    Args:
        example: What is asked.
        others: References of other examples of the same answer type, to choose from.

    Returns:
        An answer that no reference words so and, where the example is verifiable, the rule finds wrong: one that is
        undecided would be no measure. None where the example has no reference or nothing plausible was found.
    """
    return next((text for text in mistakes(example, others) if _is_wrong(text, example)), None)


def _is_wrong(candidate: str, example: Checkable) -> bool:
    if any(normalised(candidate) == normalised(reference) for reference in example.references):
        return False
    if not example.verifiable:
        return True
    verdict = verify(
        candidate, example.references, example.answer_type, example.choices, example.unit, example.precision
    )
    return verdict.correct is False


def mistakes(example: Checkable, others: Sequence[str] = ()) -> Iterator[str]:
    """Answers that look plausible and should be wrong; the rule has not been asked.

    Args:
        example: What is asked.
        others: References of other examples of the same answer type, to choose from.
    """
    reference = next((text for text in example.references if text.strip()), None)
    if reference is None:
        return
    if example.answer_type is AnswerType.CHOICE:
        yield from _other_letters(reference, example.choices)
        return
    if example.answer_type in _STEPS:
        yield from _other_values(reference, example.answer_type)
        yield from others
        return
    opposite = _OPPOSITES.get(normalised(reference))
    yield from (opposite,) if opposite else ()
    yield from others
    yield from _OTHER_WORDS


def _other_letters(reference: str, choices: Sequence[str]) -> Iterator[str]:
    right = min(named_options(reference, choices), default=0)
    count = len(choices) or max(_LETTERS, right + 1)
    yield from (chr(ord("A") + (right + step) % count) for step in range(1, count))


def _other_values(reference: str, answer_type: AnswerType) -> Iterator[str]:
    digits = _DIGITS.search(reference)
    for step in _STEPS[answer_type]:
        if digits is None:
            yield f"{reference} + {step}"
        else:
            yield f"{reference[: digits.start()]}{int(digits[0]) + step}{reference[digits.end() :]}"
