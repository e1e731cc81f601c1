r"""Quantity: is an answer the same number, in the same unit?

Only a number as such is read: an integer, a decimal with or without thousands separators, `1.5e3` or `1.5*10^3`, a
simple fraction (`3/4`, `\frac{3}{4}`, `2 3/4`), with a sign, a currency or a unit. A sum or a product is not one, so
copying `17*23` from a question earns nothing where 391 is asked for. Values are compared exactly, as rationals, and
only after their size is known to be harmless. The rules are ours.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from components.rewards.latex import plain
from components.rewards.units import canonical_unit, units_agree
from components.rewards.verdict import Verdict, decided

_MAX_CHARACTERS = 300
_MAX_EXPONENT = 5000  # exact values of this size are still compared in microseconds

_ASSIGNMENT = r"(?:(?:\\?[A-Za-z]{1,20}(?:_\{?\w{1,5}\}?)?\s*)?(?:=|≈|\\approx)\s*)?"
_DECIMAL = r"(?P<decimal>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
_TIMES_TEN = r"\s*(?:[\u00d7xX*·]|\\times|\\cdot)\s*10\s*\^"
_EXPONENT = rf"(?:[eE](?P<e>[+-]?[0-9]+)|{_TIMES_TEN}\s*(?:\{{\s*)?(?P<ten>[+-]?[0-9]+)\s*\}}?)?"
_SLASHED = r"(?P<top>[0-9]+)\s*/\s*(?P<bottom>[0-9]+)"
_STACKED = r"\\frac\s*\{\s*(?P<inner>[+-]?)\s*(?P<over>[0-9]+)\s*\}\s*\{\s*(?P<below>-?)\s*(?P<under>[0-9]+)\s*\}"
_FRACTION = rf"(?:(?:(?P<whole>[0-9]+)\s+)?{_SLASHED}|(?:(?P<units>[0-9]+)\s*)?{_STACKED})"
_UNIT_WORD = r"[^\W\d_²³]+|°\s?[CFK]\b|[°%$€£¥'\"]"
_UNIT_FACTOR = rf"(?:{_UNIT_WORD})(?:[²³]|\s?\^(?:\{{-?[1-9]\}}|-?[1-9])|-?[1-9])?"
_UNIT = rf"(?P<unit>{_UNIT_FACTOR}(?:\s*[/·*]\s*{_UNIT_FACTOR}|\s+{_UNIT_FACTOR})*)?"
_PLAIN = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DECIMAL_COMMA = re.compile(
    r"(?<![0-9.,])([0-9]+),([0-9]{1,2}(?![0-9,.])|[0-9]{4,}(?![,.])|(?<=\b0,)[0-9]{3}(?![0-9,.]))"
)
_RAISED = re.compile(r"(?<=[0-9])[⁻⁰¹²³⁴-⁹]+")
_RAISED_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_QUANTITY = re.compile(
    rf"{_ASSIGNMENT}(?P<sign>[+-]?)\s*(?P<currency>[$€£¥]?)\s*(?:{_FRACTION}|{_DECIMAL}{_EXPONENT})\s*{_UNIT}"
)


class Quantity(NamedTuple):
    """A number and the unit it is given in."""

    value: Fraction
    """The value as written: 50 % has the value 50 and the unit %."""
    unit: str
    """Canonical unit; empty where none is named."""


@lru_cache(maxsize=16384)
def read_quantity(text: str, decimal_comma: bool = False) -> Quantity | None:
    """Read a number with its unit.

    Args:
        text: An answer or a reference.
        decimal_comma: Read `2,74` as 2.74; only where a list of numbers is no possible answer.

    Returns:
        The exact quantity, or None where the text is not a number, is longer than 300 characters, divides by zero
        or has an exponent beyond 5,000.
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    text = plain(text)
    if _PLAIN.fullmatch(text):
        return Quantity(Fraction(text), "")
    if not text.isascii():
        text = _RAISED.sub(lambda match: f"^{{{match[0].translate(_RAISED_DIGITS)}}}", text)
    if decimal_comma and "," in text:
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    match = _QUANTITY.fullmatch(text)
    value = _value(match) if match else None
    if match is None or value is None:
        return None
    unit = f"{match['currency']} {match['unit'] or ''}".strip()
    return Quantity(-value if match["sign"] == "-" else value, canonical_unit(unit) if unit else "")


def compare_quantities(given: Quantity, expected: Quantity, unit: str, precision: int | None) -> Verdict:
    """Whether two quantities agree in value and unit; the arguments are those of `number.verify_number`, read."""
    if not values_agree(given.value, expected.value, precision):
        return decided("number", False)
    agree = given.unit == expected.unit or units_agree(given.unit, expected.unit, canonical_unit(unit))
    return decided("number", agree)


def values_agree(given: Fraction, expected: Fraction, precision: int | None) -> bool:
    """Whether two numbers agree to a number of decimals.

    Args:
        given: The answer.
        expected: The reference.
        precision: Decimals: the numbers may differ by half a unit of the last of them, which needs no rounding rule.
            None asks for exact equality.
    """
    if precision is None:
        return given == expected
    return abs(given - expected) <= Fraction(10) ** -precision / 2


def _value(match: re.Match[str]) -> Fraction | None:
    if match["decimal"]:
        exponent = int(match["e"] or match["ten"] or 0)
        if abs(exponent) > _MAX_EXPONENT:
            return None
        value = Fraction(match["decimal"].replace(",", "").replace(" ", ""))
        return value * Fraction(10) ** exponent if exponent else value
    top, bottom = int(match["top"] or match["over"]), int(match["bottom"] or match["under"])
    whole = match["whole"] or match["units"]
    if bottom == 0 or (whole and (match["inner"] or match["below"])):
        return None
    value = Fraction(-top if (match["inner"] == "-") != (match["below"] == "-") else top, bottom)
    return value if whole is None else int(whole) + value
