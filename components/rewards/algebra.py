r"""Algebra: does math-verify find two bounded expressions equal, and does that stand up?

math-verify rounds absolutely, so that it takes 1/2^98 for 1/2^99 and 0.0010004 for 0.001; an equality that it finds
has to hold relatively or symbolically as well. Its time limits are signals, which work in the main thread alone, and
what it raises, times out on or cannot read is undecided.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from components.rewards.verdict import Verdict, decided, undecided

_RULE = "expression"
_SECONDS = 5  # for each of parsing, comparing and confirming; signal.alarm takes whole seconds
_DIGITS = 50  # to which constants are evaluated
_TOLERANCE = 1e-12  # relative; above the error of the 15-digit floats that decimals are parsed to


def compare_latex(target: str, gold: str, precision: int | None) -> Verdict:
    """Whether two expressions are equal.

    Args:
        target: The answer in LaTeX, bounded in size (see `gate`).
        gold: The reference in LaTeX, bounded in size.
        precision: Decimals that two constants have to agree to, within half a unit of the last; None asks for
            equality.
    """
    if threading.current_thread() is not threading.main_thread():
        return undecided(_RULE, "math-verify can limit its time in the main thread alone")
    from math_verify.errors import TimeoutException

    try:
        with _alarm_kept():
            return _compare(_parsed(target), _parsed(gold), precision)
    except TimeoutException:  # derives from BaseException
        return undecided(_RULE, f"math-verify took more than {_SECONDS} s")
    except _failures() as error:
        return undecided(_RULE, f"math-verify failed with {type(error).__name__}")


def _compare(target: Any, gold: Any, precision: int | None) -> Verdict:
    if target is None or gold is None:
        return undecided(_RULE, "math-verify could not read the reference or the answer")
    if precision is not None and _is_constant(gold) and _is_constant(target):
        return decided(_RULE, target == gold or _within_time(_is_near, target, gold, 10.0**-precision / 2))
    return decided(_RULE, _is_equal(target, gold))


def _parsed(latex: str) -> Any:
    """The sympy object that math-verify reads in the LaTeX, or None."""
    from math_verify import parse

    box = rf"\boxed{{{latex}}}"
    found = parse(box, _configuration(), "no_fallback", "first_match", _SECONDS, raise_on_error=True)
    return found[0] if found else None


def _is_equal(target: Any, gold: Any) -> bool:
    from math_verify import verify

    found = verify(
        gold,
        target,
        float_rounding=12,
        numeric_precision=_DIGITS,
        allow_set_relation_comp=True,
        timeout_seconds=_SECONDS,
        raise_on_error=True,
    )
    return bool(found) and _within_time(_is_confirmed, target, gold)


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


def _within_time(question: Callable[..., bool], *arguments: Any) -> bool:
    from math_verify.utils import timeout

    return bool(timeout(_SECONDS)(question)(*arguments))


@cache
def _configuration() -> list[Any]:
    """Read the whole box as LaTeX; leave units and equations to this module."""
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig
    from math_verify import LatexExtractionConfig

    cleaning = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=False, boxed="last", equations=False
    )
    return [LatexExtractionConfig(boxed_match_priority=0, normalization_config=cleaning)]


@cache
def _failures() -> tuple[type[Exception], ...]:
    """What sympy raises on an expression it cannot handle: many kinds, with no common base but Exception."""
    from sympy.core.coreerrors import BaseCoreError
    from sympy.core.function import PoleError
    from sympy.matrices.exceptions import MatrixError
    from sympy.polys.matrices.exceptions import DMError
    from sympy.polys.polyerrors import BasePolynomialError

    of_sympy = (BaseCoreError, BasePolynomialError, DMError, MatrixError, PoleError)
    of_python = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, NameError, RuntimeError)
    return (*of_sympy, *of_python, SyntaxError, TypeError, ValueError)


@contextmanager
def _alarm_kept() -> Iterator[None]:
    """Set the caller's alarm again, which math-verify cancels by setting its own."""
    seconds, interval = signal.getitimer(signal.ITIMER_REAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, seconds, interval)
