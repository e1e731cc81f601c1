r"""Formula: a value written in LaTeX, read once and evaluated at many points.

A small grammar on purpose: numbers, variables, + - * / ^, fractions, roots, absolute values, factorials, the usual
functions, binomials, pi, e and i. What it does not know (sums, integrals, relations) is refused, never guessed, and
left to computer algebra.
"""

import re
from dataclasses import dataclass

from components.rewards import operations
from components.rewards.operations import Node, Unreadable

MAX_CHARACTERS = 300
_MAX_DEPTH = 40

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
            node = operations.added(node, right) if sign == "+" else operations.subtracted(node, right)
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
                node = operations.multiplied(node, right) if token == "*" else operations.divided(node, right)
            elif self._starts_atom(token):
                self.calculates = True
                node = operations.multiplied(node, self._power())
            else:
                return node

    def _factor(self) -> Node:
        sign = 1
        while self._peek() in ("+", "-"):
            sign = -sign if self._next() == "-" else sign
        node = self._power()
        return node if sign > 0 else operations.negated(node)

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
            node = operations.factorial(node)
        if self._peek() == "^":
            self._next()
            self.has_symbols = True
            node = operations.raised(node, self._argument())
        return node

    def _argument(self) -> Node:
        r"""What follows ^, \frac or \sqrt: a group, or one digit, letter or command; `^-1` is taken as well."""
        token = self._peek()
        if token == "-":
            self._next()
            return operations.negated(self._argument())
        if token[:1].isdigit() and len(token) > 1:
            # LaTeX takes one digit: \frac13 is a third. Elsewhere (x^10) people mean the whole number.
            return self._digits(whole=self._tokens[self._place - 1] == "^")
        return self._atom()

    def _digits(self, whole: bool) -> Node:
        token = self._next()
        if whole:
            return operations.constant(token)
        if not token.isdigit():
            raise Unreadable("a decimal without braces")
        self._place -= 1
        self._tokens[self._place : self._place + 1] = [token[0], token[1:]]
        return operations.constant(self._next())

    def _atom(self) -> Node:
        token = self._next()
        if token[0].isdigit() or token[0] == ".":
            if self._peek() == r"\frac":
                raise Unreadable("a mixed number or a product")
            return operations.constant(token)
        if token in _CLOSING:
            return self._closed(_CLOSING[token])
        if token == "|":
            self._bars += 1
            node = self.sum()
            self._bars -= 1
            self._expect("|")
            return operations.absolute(node)
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
            return operations.named({"e": "e", "i": "j"}[name])
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
            return operations.divided(top, self._argument())
        if name == "binom":
            self.calculates = True
            top = self._argument()
            return operations.binomial(top, self._argument())
        self.has_symbols = True
        if name == "sqrt":
            return self._root()
        if name == "pi":
            return operations.named("pi")
        if name in _GREEK:
            return self._variable(name)
        if name in _FUNCTIONS:
            return self._function(name)
        raise Unreadable(f"\\{name} is not read")

    def _root(self) -> Node:
        if self._peek() != "[":
            return operations.root_of(self._argument(), operations.constant("2"))
        self._next()
        index = self._closed("]")
        return operations.root_of(self._argument(), index)

    def _function(self, name: str) -> Node:
        base = exponent = None
        if name == "log" and self._peek() == "_":
            self._next()
            base = self._argument()
        if self._peek() == "^":
            self._next()
            exponent = self._argument()
        node = operations.applied(name, self._function_argument(), base)
        return node if exponent is None else operations.function_power(name, node, exponent)

    def _function_argument(self) -> Node:
        """A bracket, or the product that follows without one: `sin 2x` is sin(2x), `sin x cos x` a product."""
        if self._peek() in ("(", "{", "["):
            return self._power()
        node = self._factor()
        while self._starts_atom(self._peek()) and self._peek()[1:] not in _FUNCTIONS and self._peek() != "(":
            node = operations.multiplied(node, self._power())
        return node
