"""Operations: what a formula is made of, as functions that evaluate themselves at a point.

Evaluation is bounded: a power, factorial or function argument that would take long is refused before it is computed,
so that any formula costs microseconds.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

DIGITS = 40
"""Decimal digits that values are computed to."""
_MAX_EXPONENT = 2000
_MAX_FACTORIAL = 170
_MAX_ARGUMENT = 1e6  # of a function; a larger one costs time to reduce

Value = Any
"""An mpmath number, real or complex."""
Node = Callable[[Mapping[str, Value]], Value]
"""Evaluates itself at a point: a value for each variable."""


@cache
def numbers() -> Any:
    """The arithmetic that formulas are evaluated in: mpmath at 40 digits, apart from its global context."""
    import mpmath

    context = mpmath.MPContext()
    context.dps = DIGITS
    return context


class Unreadable(Exception):
    """The text is not in the grammar, or too large to be evaluated; not an error of the answer."""


def constant(text: str) -> Node:
    """A number as it is written; digits under a line repeat for ever."""
    value = _repeating(text) if "overline" in text else numbers().mpf(f"0{text}")
    return lambda _point: value


def _repeating(text: str) -> Value:
    r"""The value of `0.1\overline{6}`: digits that repeat for ever."""
    whole, _, rest = text.partition(".")
    fixed, _, repeated = rest.partition(r"\overline")
    repeated = repeated.strip("{}")
    scale = 10 ** len(fixed)
    cycle = numbers().mpf(int(repeated)) / (10 ** len(repeated) - 1)
    return (int((whole or "0") + fixed) + cycle) / scale


def named(name: str) -> Node:
    """e, pi, or j, the imaginary unit."""
    value = +getattr(numbers(), name)
    return lambda _point: value


def added(left: Node, right: Node) -> Node:
    """Left + right."""
    return lambda point: left(point) + right(point)


def subtracted(left: Node, right: Node) -> Node:
    """Left - right."""
    return lambda point: left(point) - right(point)


def multiplied(left: Node, right: Node) -> Node:
    """Left * right."""
    return lambda point: left(point) * right(point)


def negated(node: Node) -> Node:
    """-node."""
    return lambda point: -node(point)


def absolute(node: Node) -> Node:
    """The absolute value, or modulus."""
    return lambda point: abs(node(point))


def divided(top: Node, bottom: Node) -> Node:
    """Top / bottom; refused where bottom is 0."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        divisor = bottom(point)
        if divisor == 0:
            raise Unreadable("a division by zero")
        return top(point) / divisor

    return evaluate


def raised(base: Node, exponent: Node) -> Node:
    """Base ^ exponent, the principal value; refused where it is too large or not defined."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        low, high = base(point), exponent(point)
        if abs(high) > _MAX_EXPONENT or abs(low) > 10.0**100:
            raise Unreadable("a power is too large")
        if low == 0 and not (_is_real(high) and high > 0):
            raise Unreadable("zero to a power that is not positive")
        return numbers().power(low, high)

    return evaluate


def factorial(node: Node) -> Node:
    """n!, and the gamma function between the integers, where variables are evaluated."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        value = node(point)
        if not _is_real(value) or abs(value) > _MAX_FACTORIAL or (value < 0 and value == int(value)):
            raise Unreadable("a factorial that is large or not defined")
        return numbers().factorial(value)

    return evaluate


def binomial(top: Node, bottom: Node) -> Node:
    """N over k, between the integers by the gamma function."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        n, k = top(point), bottom(point)
        if not (_is_real(n) and _is_real(k)) or max(abs(n), abs(k)) > _MAX_EXPONENT:
            raise Unreadable("a binomial that is large or not defined")
        return numbers().binomial(n, k)

    return evaluate


def root_of(node: Node, index: Node) -> Node:
    """The root of a degree; the real one where the degree is odd and the value negative."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        value, degree = node(point), index(point)
        if not _is_real(degree) or degree != int(degree) or not 1 <= degree <= 100:
            raise Unreadable("a root of a strange degree")
        if int(degree) % 2 and _is_real(value) and value < 0:
            return -numbers().root(-value, int(degree))
        return numbers().root(value, int(degree))

    return evaluate


def applied(name: str, argument: Node, base: Node | None) -> Node:
    """A function by its name; a logarithm without a base is the natural one."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        value = argument(point)
        if abs(value) > _MAX_ARGUMENT and name not in ("ln", "log"):
            raise Unreadable("an argument is too large")
        if name == "exp" and abs(value) > _MAX_EXPONENT:
            raise Unreadable("a power is too large")
        try:
            return _call(name, value, base(point) if base else None)
        except (ValueError, ZeroDivisionError):
            raise Unreadable(f"{name} is not defined there") from None

    return evaluate


def _call(name: str, value: Value, base: Value | None) -> Value:
    context = numbers()
    if name in ("ln", "log"):
        # log without a base is the natural one, as in computer algebra; a text that means base 10 says so.
        return context.log(value) if base is None else context.log(value) / context.log(base)
    return getattr(context, _MPMATH_NAMES.get(name, name))(value)


_MPMATH_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}


def function_power(name: str, node: Node, exponent: Node) -> Node:
    """`sin^2 x` is a square; `sin^{-1} x` may mean the inverse or the reciprocal and is refused."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        power = exponent(point)
        if not _is_real(power) or power <= 0:
            raise Unreadable(f"{name} to a power that is not positive")
        return numbers().power(node(point), power)

    return evaluate


def _is_real(value: Value) -> bool:
    return bool(numbers().im(value) == 0)
