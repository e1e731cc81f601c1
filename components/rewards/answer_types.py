"""Answer types: which rule can compare an answer, told from the references where nobody stated it.

The policy is ours: options make a choice, plain numbers a number, LaTeX an expression, a few words a short text, and
only what is left is open-ended.
"""

import re
from collections.abc import Sequence

from components.core.example import AnswerType

_MAX_SHORT_WORDS = 5
_NUMBER = re.compile(r"[-+]?\$?\d[\d,]*(\.\d+)?(\s?%)?$|[-+]?\d+/\d+$")
_LATEX = re.compile(r"\\[a-zA-Z]+|[\^_={}]")


def infer_answer_type(references: Sequence[str], choices: Sequence[str]) -> AnswerType:
    """The type of an example's answer.

    Args:
        references: The accepted answers without surrounding whitespace, at least one.
        choices: Texts of the options; empty where there are none.
    """
    if choices:
        return AnswerType.CHOICE
    if all(_NUMBER.match(reference) for reference in references):
        return AnswerType.NUMBER
    if any(_LATEX.search(reference) for reference in references):
        return AnswerType.EXPRESSION
    if all(len(reference.split()) <= _MAX_SHORT_WORDS for reference in references):
        return AnswerType.SHORT_TEXT
    return AnswerType.OPEN_ENDED
