r"""Number: is an answer the number that was asked for?

A number as such is compared exactly. A constant that is no calculation (`\sqrt{16}`, `10^{-3}`) counts by its value;
a sum or product that was left to do does not. A reference that is no plain number is compared as an expression.
"""

from components.rewards.equality import compiled, near_value, same_value
from components.rewards.expression import verify_expression
from components.rewards.latex import plain
from components.rewards.quantity import compare_quantities, read_quantity
from components.rewards.sandbox import Algebra
from components.rewards.verdict import Verdict, decided

_RULE = "number"


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
    given = read_quantity(answer, decimal_comma=True)
    if given is not None:
        return compare_quantities(given, expected, unit, precision)
    formula = compiled(plain(answer))
    if formula is None or formula.variables or formula.is_arithmetic or expected.unit:
        return decided(_RULE, False)
    return decided(_RULE, bool(_is_constant_equal(plain(answer), plain(reference), precision)))


def _is_constant_equal(answer: str, reference: str, precision: int | None) -> bool | None:
    if precision is not None:
        return near_value(answer, reference, 10.0**-precision / 2)
    return same_value(answer, reference)
