r"""Algebra: does math-verify find two expressions equal, and does that stand up?

Runs in a worker of the sandbox, which bounds its time and memory; nothing here does. math-verify rounds absolutely,
so that it takes 1/2^98 for 1/2^99 and 0.0010004 for 0.001; an equality that it finds has to hold relatively or
symbolically as well. What it cannot read is undecided.
"""

from functools import cache, lru_cache
from typing import Any

TIME_LIMIT, MEMORY_LIMIT, FAILED = "time limit", "memory limit", "verifier failed"
"""Flags of a comparison without a verdict."""
NOT_READ = "computer algebra could not read the reference or the answer"

_DIGITS = 50  # to which constants are evaluated
_TOLERANCE = 1e-12  # relative; above the error of the 15-digit floats that decimals are parsed to


def compare_latex(target: str, gold: str, precision: int | None) -> bool | None:
    """Whether two expressions are equal.

    Args:
        target: The answer in LaTeX.
        gold: The reference in LaTeX.
        precision: Decimals that two constants have to agree to, within half a unit of the last; None asks for
            equality.

    Returns:
        None where one of them cannot be read.
    """
    target_value, gold_value = _parsed(target), _parsed(gold)
    if target == gold:
        return None if gold_value is None else True
    if target_value is None or gold_value is None:
        return None
    if precision is not None and _is_constant(gold_value) and _is_constant(target_value):
        return bool(target_value == gold_value or _is_near(target_value, gold_value, 10.0**-precision / 2))
    return _is_equal(target_value, gold_value)


@lru_cache(maxsize=1024)
def _parsed(latex: str) -> Any:
    """The sympy object that math-verify reads in the LaTeX, or None."""
    from math_verify import parse

    box = rf"\boxed{{{latex}}}"
    found = parse(box, _configuration(), "no_fallback", "first_match", parsing_timeout=None, raise_on_error=True)
    return found[0] if found else None


def _is_equal(target: Any, gold: Any) -> bool:
    from math_verify import verify

    found = verify(
        gold,
        target,
        float_rounding=12,
        numeric_precision=_DIGITS,
        allow_set_relation_comp=True,
        timeout_seconds=None,
        raise_on_error=True,
    )
    return bool(found) and _is_confirmed(target, gold)


def _is_confirmed(target: Any, gold: Any) -> bool:
    """Whether two expressions found equal are equal relatively; sets, relations and matrices are taken as found."""
    import sympy

    if gold == target or not (isinstance(gold, sympy.Expr) and isinstance(target, sympy.Expr)):
        return True
    if _is_constant(gold) and _is_constant(target):
        size = max(abs(sympy.N(gold, _DIGITS)), abs(sympy.N(target, _DIGITS)))
        if _is_near(target, gold, _TOLERANCE * size):
            return True
    return bool(sympy.simplify(gold - target) == 0)


def _is_near(target: Any, gold: Any, distance: Any) -> bool:
    import sympy

    return bool(abs(sympy.N(gold, _DIGITS) - sympy.N(target, _DIGITS)) <= distance)


def _is_constant(value: Any) -> bool:
    import sympy

    return isinstance(value, sympy.Expr) and not value.free_symbols


@cache
def _configuration() -> list[Any]:
    """Read the whole box as LaTeX; leave units and equations to our own rules."""
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig
    from math_verify import LatexExtractionConfig

    cleaning = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="last", equations=False
    )
    return [LatexExtractionConfig(boxed_match_priority=0, normalization_config=cleaning)]
