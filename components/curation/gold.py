"""Gold: what a reference is, more finely than its answer type, and how its rule reads it."""

from fractions import Fraction
from typing import NamedTuple

from components.core.example import AnswerType
from components.rewards.checkable import Checkable
from components.rewards.choice import named_options
from components.rewards.equality import compiled
from components.rewards.expression import as_latex
from components.rewards.latex import plain
from components.rewards.quantity import Quantity, read_quantity
from components.rewards.structure import Bracketed, Collection, Equation, Infinity, Matrix, read_term
from components.rewards.units import canonical_unit
from components.rewards.wording import normalised

_YES_NO = frozenset({"yes", "no", "true", "false"})
_MOST_DIGITS = 60  # of a number that is written out


class Gold(NamedTuple):
    """A reference as its rule reads it."""

    kind: str
    """integer, decimal, fraction, percent, quantity, constant, formula, equation, tuple, interval, set, union, matrix,
    expression, option, yes-no, text or free text."""
    canonical: str
    """Equal for references that say the same in another way, as far as that can be read off; "" for free text."""


def read_gold(item: Checkable) -> Gold:
    """Read the first reference of an example."""
    reference = item.references[0]
    if item.answer_type is AnswerType.NUMBER:
        return _number(reference, item.unit)
    if item.answer_type is AnswerType.EXPRESSION:
        return _expression(reference)
    if item.answer_type is AnswerType.CHOICE:
        options = sorted(named_options(reference, item.choices))
        return Gold("option", "".join(chr(ord("A") + option) for option in options))
    if item.answer_type is AnswerType.SHORT_TEXT:
        words = normalised(plain(reference) if "\\" in reference else reference)
        return Gold("yes-no" if words in _YES_NO else "text", words)
    return Gold("free text", "")


def _number(reference: str, unit: str) -> Gold:
    quantity = read_quantity(reference, decimal_comma=True)
    if quantity is None:
        return _expression(reference)
    unit = quantity.unit or canonical_unit(unit)
    return Gold(_kind_of_number(reference, quantity, unit), f"{_written(quantity.value)} {unit}".strip())


def _kind_of_number(reference: str, quantity: Quantity, unit: str) -> str:
    if unit:
        return "percent" if unit == "%" else "quantity"
    text = plain(reference)
    if "/" in text or r"\frac" in text:
        return "fraction"
    return "integer" if quantity.value.denominator == 1 and "." not in text else "decimal"


def _written(value: Fraction) -> str:
    """An exact number: as a decimal where it has one of few digits, else as a fraction, else its magnitude."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 3.4 * _MOST_DIGITS:
        return f"about 2^{value.numerator.bit_length() - value.denominator.bit_length()}"
    for decimals in range(_MOST_DIGITS):
        if 10**decimals % value.denominator == 0:
            return _decimal(value, decimals)
    return str(value)


def _decimal(value: Fraction, decimals: int) -> str:
    if not decimals:
        return str(value.numerator)
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).zfill(decimals + 1)
    return f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def _expression(reference: str) -> Gold:
    text = as_latex(reference)
    canonical = "".join(text.split())
    term = read_term(text)
    if isinstance(term, Bracketed):
        is_interval = (term.opening, term.closing) != ("(", ")") or any(
            isinstance(end, Infinity) for end in term.pieces
        )
        return Gold("interval" if is_interval or term.variable else "tuple", canonical)
    if isinstance(term, Collection):
        return Gold("union" if term.is_union else "set", canonical)
    if isinstance(term, Equation | Matrix):
        return Gold("equation" if isinstance(term, Equation) else "matrix", canonical)
    formula = compiled(text)
    if formula is None:
        return Gold("expression", canonical)
    return Gold("formula" if formula.variables else "constant", canonical)
