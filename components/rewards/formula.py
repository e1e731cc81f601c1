r"""Formula: a value written in LaTeX, read once and evaluated at many points.

A small grammar on purpose: numbers, variables, + - * / ^, fractions, roots, absolute values, factorials, the usual
functions, binomials, pi, e and i. What it does not know (sums, integrals, relations) is refused, never guessed, and
left to computer algebra. Evaluation is bounded: a power, factorial or function argument that would take long is
refused before it is computed, so that any text costs microseconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_CHARACTERS = 300
DIGITS = 40
"""Decimal digits that values are computed to."""
_MAX_DEPTH = 40
_MAX_EXPONENT = 2000
_MAX_FACTORIAL = 170
_MAX_ARGUMENT = 1e6  # of a function; a larger one costs time to reduce

_TOKEN = re.compile(
    r"(?P<number>\d*\.\d*\\overline\{\d+\}|\d+(?:\.\d+)?|\.\d+)|(?P<command>\\[A-Za-z]+)|(?P<letter>[A-Za-z])|(?P<sign>[-+*/^_!|(){}\[\]])|\s+"
)
_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh exp ln log".split()  # noqa: SIM905  # a list to read
)
_GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "  # noqa: SIM905
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega".split()
)
_PRODUCT = {r"\cdot": "*", r"\times": "*", r"\div": "/"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}

Value = Any
"""An mpmath number, real or complex."""
Node = Callable[[Mapping[str, Value]], Value]
"""Evaluates itself at a point: a value for each variable."""


class Unreadable(Exception):
    """The text is not in the grammar, or too large to be evaluated; not an error of the answer."""


@dataclass(frozen=True)
class Formula:
    """A formula that has been read."""

    variables: frozenset[str]
    evaluate: Node
    """Raises Unreadable where the value is not defined or would take long."""
    is_arithmetic: bool
    """Sums, products, factorials of literal numbers and nothing else: a calculation that was not carried out."""


def read_formula(latex: str) -> Formula:
    """Read a formula.

    Args:
        latex: LaTeX without delimiters, spacing and text (see `latex.plain`).

    Raises:
        Unreadable: It is longer than 300 characters, or not wholly in the grammar.
    """
    if len(latex) > MAX_CHARACTERS:
        raise Unreadable("too long")
    parser = _Parser(_tokens(latex))
    node = parser.sum()
    parser.expect_end()
    arithmetic = parser.calculates and not parser.has_symbols and not parser.variables
    return Formula(frozenset(parser.variables), node, arithmetic)


@cache
def numbers() -> Any:
    """The arithmetic that formulas are evaluated in: mpmath at 40 digits, apart from its global context."""
    import mpmath

    context = mpmath.MPContext()
    context.dps = DIGITS
    return context


def _tokens(latex: str) -> list[str]:
    tokens, position = [], 0
    while position < len(latex):
        match = _TOKEN.match(latex, position)
        if match is None:
            raise Unreadable(f"{latex[position]!r} is not read")
        if match.lastgroup:
            tokens.append(_PRODUCT.get(match.group(), match.group()))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent; each method reads one level of the grammar and returns what evaluates it."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._bars = 0
        self.variables: set[str] = set()
        self.calculates = False
        self.has_symbols = False

    def sum(self) -> Node:
        """A sum of products."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable("nested too deeply")
        node = self._product()
        while self._peek() in ("+", "-"):
            self.calculates = True
            sign, right = self._next(), self._product()
            node = _added(node, right) if sign == "+" else _subtracted(node, right)
        self._depth -= 1
        return node

    def expect_end(self) -> None:
        """Nothing may be left."""
        if self._place != len(self._tokens):
            raise Unreadable(f"{self._peek()!r} is not read")

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise Unreadable("the formula ends early")
        self._place += 1
        return token

    def _product(self) -> Node:
        node = self._factor()
        while True:
            token = self._peek()
            if token in ("*", "/"):
                self._next()
                right = self._factor()
                self.calculates |= token == "*"
                node = _multiplied(node, right) if token == "*" else _divided(node, right)
            elif self._starts_atom(token):
                self.calculates = True
                node = _multiplied(node, self._power())
            else:
                return node

    def _factor(self) -> Node:
        sign = 1
        while self._peek() in ("+", "-"):
            sign = -sign if self._next() == "-" else sign
        node = self._power()
        return node if sign > 0 else _negated(node)

    def _starts_atom(self, token: str) -> bool:
        if token == "|":
            return not self._bars
        if token[:1].isdigit() or token[:1] == ".":
            # `2 3` and `x 2` are not products that anybody means.
            return self._place > 0 and self._tokens[self._place - 1] in (")", "}", "]")
        return bool(token) and (token.isalpha() or token in ("(", "[", "{") or token.startswith("\\"))

    def _power(self) -> Node:
        node = self._atom()
        while self._peek() == "!":
            self._next()
            self.calculates = True
            node = _factorial(node)
        if self._peek() == "^":
            self._next()
            self.has_symbols = True
            node = _raised(node, self._argument())
        return node

    def _argument(self) -> Node:
        r"""What follows ^, \frac or \sqrt: a group, or one digit, letter or command; `^-1` is taken as well."""
        token = self._peek()
        if token == "-":
            self._next()
            return _negated(self._argument())
        if token[:1].isdigit() and len(token) > 1:
            # LaTeX takes one digit: \frac13 is a third. Elsewhere (x^10) people mean the whole number.
            return self._digits(whole=self._tokens[self._place - 1] == "^")
        return self._atom()

    def _digits(self, whole: bool) -> Node:
        token = self._next()
        if whole:
            return _constant(token)
        if not token.isdigit():
            raise Unreadable("a decimal without braces")
        self._place -= 1
        self._tokens[self._place : self._place + 1] = [token[0], token[1:]]
        return _constant(self._next())

    def _atom(self) -> Node:
        token = self._next()
        if token[0].isdigit() or token[0] == ".":
            if self._peek() == r"\frac":
                raise Unreadable("a mixed number or a product")
            return _constant(token)
        if token in _CLOSING:
            return self._closed(_CLOSING[token])
        if token == "|":
            self._bars += 1
            node = self.sum()
            self._bars -= 1
            self._expect("|")
            return _absolute(node)
        if token.isalpha():
            return self._letter(token)
        if token.startswith("\\"):
            return self._command(token[1:])
        raise Unreadable(f"{token!r} is not read")

    def _closed(self, closing: str) -> Node:
        bars, self._bars = self._bars, 0
        node = self.sum()
        self._expect(closing)
        self._bars = bars
        return node

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise Unreadable(f"{token!r} is missing")

    def _letter(self, name: str) -> Node:
        if name in ("e", "i") and self._peek() != "_":
            self.has_symbols = True
            return _named({"e": "e", "i": "j"}[name])
        return self._variable(name)

    def _variable(self, name: str) -> Node:
        if self._peek() == "_":
            self._next()
            name += "_" + self._subscript()
        self.variables.add(name)
        return lambda point: point[name]

    def _subscript(self) -> str:
        if self._peek() != "{":
            return self._next()
        self._next()
        parts = []
        while self._peek() != "}":
            parts.append(self._next())
        self._next()
        return "".join(parts)

    def _command(self, name: str) -> Node:
        if name == "frac":
            top = self._argument()
            return _divided(top, self._argument())
        if name == "binom":
            self.calculates = True
            top = self._argument()
            return _binomial(top, self._argument())
        self.has_symbols = True
        if name == "sqrt":
            return self._root()
        if name == "pi":
            return _named("pi")
        if name in _GREEK:
            return self._variable(name)
        if name in _FUNCTIONS:
            return self._function(name)
        raise Unreadable(f"\\{name} is not read")

    def _root(self) -> Node:
        if self._peek() != "[":
            return _root_of(self._argument(), _constant("2"))
        self._next()
        index = self._closed("]")
        return _root_of(self._argument(), index)

    def _function(self, name: str) -> Node:
        base = exponent = None
        if name == "log" and self._peek() == "_":
            self._next()
            base = self._argument()
        if self._peek() == "^":
            self._next()
            exponent = self._argument()
        node = _applied(name, self._function_argument(), base)
        return node if exponent is None else _function_power(name, node, exponent)

    def _function_argument(self) -> Node:
        """A bracket, or the product that follows without one: `sin 2x` is sin(2x), `sin x cos x` a product."""
        if self._peek() in ("(", "{", "["):
            return self._power()
        node = self._factor()
        while self._starts_atom(self._peek()) and self._peek()[1:] not in _FUNCTIONS and self._peek() != "(":
            node = _multiplied(node, self._power())
        return node


def _constant(text: str) -> Node:
    value = _repeating(text) if "overline" in text else numbers().mpf(text)
    return lambda _point: value


def _repeating(text: str) -> Value:
    r"""The value of `0.1\overline{6}`: digits that repeat for ever."""
    whole, _, rest = text.partition(".")
    fixed, _, repeated = rest.partition(r"\overline")
    repeated = repeated.strip("{}")
    scale = 10 ** len(fixed)
    cycle = numbers().mpf(int(repeated)) / (10 ** len(repeated) - 1)
    return (int((whole or "0") + fixed) + cycle) / scale


def _named(name: str) -> Node:
    value = +getattr(numbers(), name)
    return lambda _point: value


def _added(left: Node, right: Node) -> Node:
    return lambda point: left(point) + right(point)


def _subtracted(left: Node, right: Node) -> Node:
    return lambda point: left(point) - right(point)


def _multiplied(left: Node, right: Node) -> Node:
    return lambda point: left(point) * right(point)


def _negated(node: Node) -> Node:
    return lambda point: -node(point)


def _absolute(node: Node) -> Node:
    return lambda point: abs(node(point))


def _divided(top: Node, bottom: Node) -> Node:
    def evaluate(point: Mapping[str, Value]) -> Value:
        divisor = bottom(point)
        if divisor == 0:
            raise Unreadable("a division by zero")
        return top(point) / divisor

    return evaluate


def _raised(base: Node, exponent: Node) -> Node:
    def evaluate(point: Mapping[str, Value]) -> Value:
        low, high = base(point), exponent(point)
        if abs(high) > _MAX_EXPONENT or abs(low) > 10.0**100:
            raise Unreadable("a power is too large")
        if low == 0 and not (_is_real(high) and high > 0):
            raise Unreadable("zero to a power that is not positive")
        return numbers().power(low, high)

    return evaluate


def _factorial(node: Node) -> Node:
    """n!, and the gamma function between the integers, where variables are evaluated."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        value = node(point)
        if not _is_real(value) or abs(value) > _MAX_FACTORIAL or (value < 0 and value == int(value)):
            raise Unreadable("a factorial that is large or not defined")
        return numbers().factorial(value)

    return evaluate


def _binomial(top: Node, bottom: Node) -> Node:
    def evaluate(point: Mapping[str, Value]) -> Value:
        n, k = top(point), bottom(point)
        if not (_is_real(n) and _is_real(k)) or max(abs(n), abs(k)) > _MAX_EXPONENT:
            raise Unreadable("a binomial that is large or not defined")
        return numbers().binomial(n, k)

    return evaluate


def _root_of(node: Node, index: Node) -> Node:
    def evaluate(point: Mapping[str, Value]) -> Value:
        value, degree = node(point), index(point)
        if not _is_real(degree) or degree != int(degree) or not 1 <= degree <= 100:
            raise Unreadable("a root of a strange degree")
        if int(degree) % 2 and _is_real(value) and value < 0:
            return -numbers().root(-value, int(degree))
        return numbers().root(value, int(degree))

    return evaluate


def _applied(name: str, argument: Node, base: Node | None) -> Node:
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


def _function_power(name: str, node: Node, exponent: Node) -> Node:
    """`sin^2 x` is a square; `sin^{-1} x` may mean the inverse or the reciprocal and is refused."""

    def evaluate(point: Mapping[str, Value]) -> Value:
        power = exponent(point)
        if not _is_real(power) or power <= 0:
            raise Unreadable(f"{name} to a power that is not positive")
        return numbers().power(node(point), power)

    return evaluate


def _is_real(value: Value) -> bool:
    return bool(numbers().im(value) == 0)
