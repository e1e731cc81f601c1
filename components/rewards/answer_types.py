"""Answer types: which rule can compare an answer, told from the references where nobody stated it.

The policy is ours: options make a choice, numbers and quantities a number, formulas, lists and intervals an
expression, a few words a short text, and only what is left is open-ended.
"""

import re
from collections.abc import Sequence

from components.core.example import AnswerType
from components.rewards.quantity import read_quantity
from components.rewards.units import is_known_unit

_MAX_SHORT_WORDS = 5
_MATHS = re.compile(
    r".*(?:\\[a-zA-Z]+|[\^_={}]).*|"  # LaTeX or a formula
    r"[\[(]?\s*-?[\d./]+\s*(?:[,;]\s*-?[\d./]+\s*)+[\])]?",  # numbers in a list, a tuple or an interval
    re.DOTALL,
)


def infer_answer_type(references: Sequence[str], choices: Sequence[str]) -> AnswerType:
    """The type of an example's answer.

    Args:
        references: The accepted answers without surrounding whitespace, at least one.
        choices: Texts of the options; empty where there are none.
    """
    if choices:
        return AnswerType.CHOICE
    if all(_is_number(reference) for reference in references):
        return AnswerType.NUMBER
    if any(_MATHS.fullmatch(reference) for reference in references):
        return AnswerType.EXPRESSION
    if all(len(reference.split()) <= _MAX_SHORT_WORDS for reference in references):
        return AnswerType.SHORT_TEXT
    return AnswerType.OPEN_ENDED


def _is_number(reference: str) -> bool:
    """A number, or one with a unit that is known as such: `12 cm`, but not `4K` or `3 pm`."""
    quantity = read_quantity(reference)
    return quantity is not None and is_known_unit(quantity.unit)
