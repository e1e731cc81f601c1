r"""Equality: are two formulas the same function, judged by their values at a few fixed points?

Two formulas that agree to 30 digits at every point are equal, two that differ clearly at every point are not; what
agrees at some points and not at others (\sqrt{x^2} and x), vanishes, or cannot be evaluated is left undecided. The
points are fixed by the variables' names, so a verdict never changes between runs.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from components.rewards.formula import Formula, read_formula
from components.rewards.operations import Unreadable, Value, numbers

_POINTS = 4
_AGREE = 1e-30  # relative; values have 40 digits
_DIFFER = 1e-28  # relative
_EXACT_UP_TO = 1e35  # above, integers have more digits than values do
_VANISHES = 1e-32  # below this a value may be a zero that was not exactly hit


@lru_cache(maxsize=8192)
def compiled(latex: str) -> Formula | None:
    """The formula that a text holds, or None where it is not in the grammar; a gold is read once."""
    try:
        return read_formula(latex)
    except (Unreadable, RecursionError):
        return None


def same_value(left: str, right: str) -> bool | None:
    """Whether two formulas are equal.

    Args:
        left: LaTeX.
        right: LaTeX.

    Returns:
        None where their values do not tell.
    """
    first, second = compiled(left), compiled(right)
    if first is None or second is None:
        return None
    names = tuple(sorted(first.variables | second.variables))
    values = zip(values_of(left, names), values_of(right, names), strict=True)
    judged = {None if one is None or other is None else _agree(one, other) for one, other in values}
    return judged.pop() if len(judged) == 1 else None


def near_value(left: str, right: str, distance: float) -> bool | None:
    """Whether two constants are at most a distance apart; None where one is not a real constant."""
    one, other = _constant_value(left), _constant_value(right)
    if one is None or other is None:
        return None
    return bool(abs(one - other) <= distance * (1 + _AGREE))


def _constant_value(latex: str) -> Value | None:
    """The value of a real constant, else None."""
    formula = compiled(latex)
    value = values_of(latex, ())[0] if formula is not None and not formula.variables else None
    return None if value is None or numbers().im(value) != 0 else value


def same_equation(left: str, right: str) -> bool | None:
    """Whether two expressions that are set to zero say the same: one is the other times a constant.

    Returns:
        False only where both are linear, since others can have the same solutions in many ways.
    """
    first, second = compiled(left), compiled(right)
    if first is None or second is None:
        return None
    names = tuple(sorted(first.variables | second.variables))
    pairs = zip(values_of(left, names), values_of(right, names), strict=True)
    ratios = [one / other if one and other else None for one, other in pairs]
    if not names or None in ratios:
        return None
    if all(_agree(ratio, ratios[0]) for ratio in ratios):
        return True
    return False if _is_linear(first, names) and _is_linear(second, names) else None


def _is_linear(formula: Formula, names: Sequence[str]) -> bool:
    """f(p + q) + f(0) = f(p) + f(q), at two points."""
    first, second = ({name: _coordinate(name, number) for name in names} for number in (0, 1))
    total = {name: first[name] + second[name] for name in names}
    try:
        whole = formula.evaluate(total) + formula.evaluate(dict.fromkeys(names, numbers().mpf(0)))
        return bool(abs(whole - formula.evaluate(first) - formula.evaluate(second)) < _AGREE)
    except (Unreadable, OverflowError, ValueError, ZeroDivisionError):
        return False


@lru_cache(maxsize=8192)
def values_of(latex: str, names: Sequence[str]) -> tuple[Value | None, ...]:
    """A formula's values at the points of its variables; None where it has none.

    Args:
        latex: A formula that `compiled` can read.
        names: Variables, sorted; without any there is one point.
    """
    formula = compiled(latex)
    if formula is None:
        return (None,)
    return tuple(_value_at(formula, names, number) for number in range(_POINTS if names else 1))


def _value_at(formula: Formula, names: Sequence[str], number: int) -> Value | None:
    point = {name: _coordinate(name, number) for name in names}
    try:
        return formula.evaluate(point)
    except (Unreadable, OverflowError, ValueError, ZeroDivisionError):
        return None


@lru_cache(maxsize=4096)
def _coordinate(name: str, number: int) -> Value:
    """Between 0.3 and 2.3 in size with 30 digits, negative at every second point."""
    digest = int.from_bytes(hashlib.sha256(f"{name} {number}".encode()).digest()[:16])
    size = numbers().mpf(digest) / 2**127 + numbers().mpf("0.3")
    return -size if number % 2 else size


def _agree(one: Value, other: Value) -> bool | None:
    size = max(abs(one), abs(other))
    if size == 0:
        return True
    if not numbers().isfinite(size):
        return None
    if min(abs(one), abs(other)) < _VANISHES:
        # A tiny value beside a larger one differs; two tiny ones may both be zeros with rounding errors.
        return False if size > _DIFFER else None
    difference = abs(one - other) / size
    if difference <= _AGREE:
        return True if size < _EXACT_UP_TO else None
    return False if difference > _DIFFER else None
