r"""Mutations: answers that are nearly the gold and have to be wrong.

Each changes what its answer type is about: the last digit, the sign, the size or the unit of a number, a coefficient,
a bracket or a piece of an expression, the letter of an option, a word of a text. What a reference accepts by design
(another reference, a value within the precision) is no mutation and is left out, told without the rule on trial.
"""

import re
from collections.abc import Iterator

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.choice import named_options
from components.rewards.latex import plain
from components.rewards.quantity import read_quantity, values_agree
from components.rewards.units import is_known_unit
from components.rewards.wording import normalised
from components.rewards.wrong_answer import mistakes

_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*|\.[0-9]+")
_LONGEST_NUMBER = 40  # digits of a number that is changed
_OTHER_UNITS = ("kg", "s")
_PAIR = re.compile(r"([(\[])([^()\[\],]+),([^()\[\],]+)([)\]])")
_OTHER_BRACKETS = {"(": "[", "[": "(", ")": "]", "]": ")"}
_CLOSING = re.compile(r"(?=\\?[)\]}]$)")
_LETTER = re.compile(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])")
_STRUCTURED = re.compile(
    r"[=<>,;]|\\(?:leq?|geq?|lt|gt|in|pm|cup|cap|begin)(?![A-Za-z])|[\u2264\u2265\u00b1\u222a\u2208]"
)
_OTHER_WORDS = ("zebra", "umbrella")


def mutations(item: Checkable) -> Iterator[str]:
    """Wrong answers near the first reference, likely slips first, none twice.

    Args:
        item: An example of any type that a rule checks.
    """
    seen: set[str] = set()
    for text in _MUTATIONS[item.answer_type](item):
        if text.strip() and text not in seen and not _is_accepted(text, item):
            seen.add(text)
            yield text


def _is_accepted(text: str, item: Checkable) -> bool:
    """Whether an answer says the same as a reference, or a value within the precision of one."""
    if any(_squeezed(text) == _squeezed(reference) for reference in item.references):
        return True
    if item.answer_type in (AnswerType.SHORT_TEXT, AnswerType.CHOICE):
        return any(normalised(text) == normalised(reference) for reference in item.references)
    given = read_quantity(text, decimal_comma=True)
    expected = [read_quantity(reference, decimal_comma=True) for reference in item.references]
    return given is not None and any(
        other is not None and other.unit == given.unit and values_agree(given.value, other.value, item.precision)
        for other in expected
    )


def _squeezed(text: str) -> str:
    return "".join(plain(text).casefold().split())


def _of_number(item: Checkable) -> Iterator[str]:
    reference = item.references[0]
    quantity = read_quantity(reference, decimal_comma=True)
    if quantity is None:
        yield from _of_expression(item)
        return
    first = _NUMBER.search(reference)
    if first:
        yield f"{reference[: first.start()]}{_next(first[0])}{reference[first.end() :]}"
    yield _negated(reference)
    if quantity.unit and first and not is_known_unit(quantity.unit):
        yield first[0]  # 5 for 5 million
    if quantity.unit == "%" and first:
        yield first[0]
    elif quantity.unit and first:
        yield from (f"{first[0]} {unit}" for unit in _OTHER_UNITS if unit != quantity.unit)
    yield from mistakes(item)


def _next(number: str) -> str:
    """The number with its last digit one more: 3.14 to 3.15, 9 to 10, 0.99 to 1.00."""
    if len(number) > _LONGEST_NUMBER:
        return number[:-1] + str((int(number[-1]) + 1) % 10)
    digits = re.sub(r"[.,]", "", number)
    raised = str(int(digits) + 1).zfill(len(digits))
    marks = [(place, mark) for place, mark in enumerate(reversed(number)) if not mark.isdigit()]
    figures = list(reversed(raised))
    for place, mark in marks:
        figures.insert(place, mark)
    return "".join(reversed(figures))


def _negated(text: str) -> str:
    bare = text.lstrip()
    return bare[1:].lstrip() if bare[:1] in ("-", "\u2212") else f"-{bare}"


def _of_expression(item: Checkable) -> Iterator[str]:
    reference = plain(item.references[0])
    numbers = list(_NUMBER.finditer(reference))
    for match in (*numbers[-1:], *numbers[:1]):
        yield f"{reference[: match.start()]}{_next(match[0])}{reference[match.end() :]}"
    yield from _restructured(reference)
    if not _STRUCTURED.search(reference):
        yield f"-({reference})"
        yield f"({reference})+1"
        yield f"2({reference})"
    yield from _with_another_piece(reference)
    letter = _LETTER.search(reference)
    if letter:
        yield f"{reference[: letter.start()]}{'z' if letter[0] != 'z' else 'w'}{reference[letter.end() :]}"
    yield from (f"{reference[: match.start()]}{_next(match[0])}{reference[match.end() :]}" for match in numbers[1:-1])
    yield from mistakes(item)


def _restructured(reference: str) -> Iterator[str]:
    """A pair the other way round, and with another bracket where it may be an interval."""
    pair = _PAIR.fullmatch(reference)
    if not pair:
        return
    opening, left, right, closing = pair.groups()
    yield f"{opening}{right.strip()}, {left.strip()}{closing}"
    if (opening, closing) != ("(", ")"):
        yield f"{_OTHER_BRACKETS[opening]}{left},{right}{closing}"
        yield f"{opening}{left},{right}{_OTHER_BRACKETS[closing]}"


def _with_another_piece(reference: str) -> Iterator[str]:
    if "infty" in reference or "\u221e" in reference:
        return  # one more than infinity is infinity
    closing = _CLOSING.search(reference)
    if closing:
        yield f"{reference[: closing.start()]}+1{reference[closing.start() :]}"
    yield f"{reference}+1"
    if "," in reference and not closing:
        yield reference.rpartition(",")[0]


def _of_choice(item: Checkable) -> Iterator[str]:
    yield from mistakes(item)
    right = named_options(item.references[0], item.choices)
    others = [option for option in range(len(item.choices)) if option not in right]
    yield from (item.choices[option] for option in others[:2])
    letter = chr(ord("A") + min(right, default=0))
    other = chr(ord("A") + (others[0] if others else min(right, default=0) + 1))
    yield f"{letter} or {other}"
    yield f"{letter}, {other}"


def _of_text(item: Checkable) -> Iterator[str]:
    reference = item.references[0]
    others = list(mistakes(item))
    yield from others[:1]  # no for yes; something else for other words
    digit = re.search(r"[0-9](?![0-9])", reference)
    if digit:
        yield f"{reference[: digit.start()]}{(int(digit[0]) + 1) % 10}{reference[digit.end() :]}"
    yield from (f"{reference} or {word}" for word in _OTHER_WORDS[:1])
    yield f"not {reference}"
    if reference[-1:].isalpha():
        yield f"{reference[:-1]}{'q' if reference[-1:] != 'q' else 'k'}"
    yield from _OTHER_WORDS
    yield from others[1:]


_MUTATIONS = {
    AnswerType.NUMBER: _of_number,
    AnswerType.EXPRESSION: _of_expression,
    AnswerType.CHOICE: _of_choice,
    AnswerType.SHORT_TEXT: _of_text,
}
