r"""Number: is an answer the number that was asked for?

A number as such is compared exactly, and `10^{-3}` is one; any other calculation (`17\times 23`, `\sqrt{16}`) is not,
so that copying it from the question earns nothing. A reference that is no plain number is compared as an expression.
"""

import re
from fractions import Fraction

from components.rewards.expression import verify_expression
from components.rewards.latex import plain
from components.rewards.quantity import Quantity, compare_quantities, read_quantity
from components.rewards.sandbox import Algebra
from components.rewards.verdict import Verdict, decided

_POWER_OF_TEN = re.compile(r"10\s*\^\s*(?:\{\s*)?([+-]?[0-9]{1,3})\s*\}?")


def verify_number(answer: str, reference: str, unit: str, precision: int | None, algebra: Algebra) -> Verdict:
    """Whether an answer is the reference's number.

    Args:
        answer: The extracted answer.
        reference: One accepted answer; undecided where it cannot be read at all.
        unit: Unit that the example states, "" if none.
        precision: Decimals to agree to, see `quantity.values_agree`; None asks for exact equality.
        algebra: Compares a reference that is an expression, where values do not tell.
    """
    expected = read_quantity(reference, decimal_comma=True)
    if expected is None:
        return verify_expression(answer, reference, unit, precision, algebra)
    given = read_quantity(answer, decimal_comma=True) or _power_of_ten(answer)
    return decided("number", False) if given is None else compare_quantities(given, expected, unit, precision)


def _power_of_ten(answer: str) -> Quantity | None:
    match = _POWER_OF_TEN.fullmatch(plain(answer)) if len(answer) <= 100 else None
    return Quantity(Fraction(10) ** int(match[1]), "") if match else None
