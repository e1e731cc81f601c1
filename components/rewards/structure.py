r"""Structure: tuples, intervals, sets, unions, matrices, relations; what is compared piece by piece.

Order counts in a tuple, an interval and a matrix, not in a set, a list of solutions or a union. A chain of
inequalities in one variable is an interval (`a \le x < b` is `[a, b)`), `\pm a` is two values, `x = 5` beside a gold
without a relation is 5. What is not read here is left to computer algebra.
"""

import itertools
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from components.rewards.equality import compiled, same_equation, same_value

_OPENING, _CLOSING = "([{", ")]}"
_SET = re.compile(r"(?:\\\{(.*)\\\}|\{([^{}]*,[^{}]*)\})", re.DOTALL)
_MATRIX = re.compile(r"\\begin\{([pbvB]?matrix|array)\}(?:\{[clr|]*\})?(.*)\\end\{\1\}", re.DOTALL)
_MEMBERSHIP = re.compile(r"^\s*[A-Za-z](?:_\{?\w+\}?)?\s*\\in(?![A-Za-z])")
_INFINITY = re.compile(r"([+-]?)\s*\\infty\s*")
_ORDER = re.compile(r"\\(?:leq?|geq?|lt|gt)(?:slant)?(?![A-Za-z])|[<>]=?")
_ORDER_SIGNS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", r"\lt": "<", r"\gt": ">"} | {
    name: sign
    for sign, names in (("<=", r"\le \leq \leqslant"), (">=", r"\ge \geq \geqslant"))
    for name in names.split()
}
_NAME = re.compile(
    r"(?:\\?[A-Za-z]+(?:_\{?\w+\}?)?'*)(?:\([A-Za-z]\))?|\|[A-Z]{1,3}\||\\frac\{[A-Z]{2}\}\{[A-Z]{2}\}|m?\\angle\s*[A-Z]{1,3}"
)
_WORD_BETWEEN = re.compile(r"(?<![A-Za-z\\])(?:or|and)(?![A-Za-z])")
_MAX_PIECES = 40


@dataclass(frozen=True)
class Bracketed:
    """An ordered group: a tuple, a point, an interval."""

    opening: str
    pieces: tuple["Term", ...]
    closing: str
    variable: str = ""
    """What lies in the interval, where it was written as inequalities."""


@dataclass(frozen=True)
class Collection:
    """A group without an order: a set, several solutions, a union of intervals."""

    pieces: tuple["Term", ...]
    is_union: bool = False


@dataclass(frozen=True)
class Matrix:
    """Rows of entries."""

    rows: tuple[tuple["Term", ...], ...]


@dataclass(frozen=True)
class Equation:
    """Two sides that are equal."""

    left: str
    right: "Term"


@dataclass(frozen=True)
class Infinity:
    """An end of an interval, or a limit."""

    sign: str


Term = str | Bracketed | Collection | Matrix | Equation | Infinity


class NotStructured(Exception):
    """The text has a structure that is not read here."""


def same_structure(answer: str, gold: str) -> bool | None:
    """Whether an answer has the gold's structure and equal pieces.

    Args:
        answer: LaTeX without delimiters and text (see `latex.plain`).
        gold: The same.

    Returns:
        None where one of them is not read, or a piece could not be judged.
    """
    expected, given = read_term(gold), read_term(answer)
    if expected is None or given is None:
        return None
    expected, given = _levelled(expected, given)
    return _same(given, expected)


@lru_cache(maxsize=8192)
def read_term(text: str) -> Term | None:
    """The structure of a text, or None where it is not read or a piece of it is no formula."""
    try:
        term = _read(text)
    except (NotStructured, RecursionError):
        return None
    return term if all(compiled(piece) for piece in _formulas(term)) else None


def _formulas(term: Term) -> Iterable[str]:
    """The texts within a term that have to be formulas."""
    if isinstance(term, str):
        yield term
    if isinstance(term, Equation) and isinstance(term.right, str) and not _NAME.fullmatch(term.left):
        yield term.left
    for piece in _pieces_of(term):
        yield from _formulas(piece)


def _pieces_of(term: Term) -> Iterable[Term]:
    if isinstance(term, Bracketed | Collection):
        return term.pieces
    if isinstance(term, Matrix):
        return itertools.chain.from_iterable(term.rows)
    return (term.right,) if isinstance(term, Equation) else ()


def _read(text: str) -> Term:
    text = _MEMBERSHIP.sub("", text).strip()
    if not text:
        raise NotStructured
    for reader in (_read_matrix, _read_set, _read_union, _read_list, _read_relation, _read_bracketed, _read_sign):
        term = reader(text)
        if term is not None:
            return term
    return text


def _read_matrix(text: str) -> Term | None:
    match = _MATRIX.fullmatch(text.strip("()[] ") if r"\begin" in text else text)
    if not match:
        return None
    rows = [row for row in match[2].split(r"\\") if row.strip()]
    return Matrix(tuple(tuple(_read(entry) for entry in row.split("&")) for row in rows))


def _read_set(text: str) -> Term | None:
    match = _SET.fullmatch(text)
    content = (match[1] or match[2] or "") if match else r"\{"
    if r"\{" not in content:
        return Collection(tuple(_pieces(content, ",;"))) if content.strip() else Collection(())
    if text in (r"\emptyset", r"\varnothing"):
        return Collection(())
    return None


def _read_union(text: str) -> Term | None:
    parts = _split(text, lambda rest: 4 if rest.startswith(r"\cup") else 0)
    if len(parts) < 2:
        return None
    return Collection(tuple(_read(part) for part in parts), is_union=True)


def _read_list(text: str) -> Term | None:
    parts = _split(text, _separator)
    if len(parts) < 2:
        return None
    return Collection(tuple(_read(part) for part in parts if part.strip()))


def _separator(rest: str) -> int:
    match = _WORD_BETWEEN.match(rest)
    return 1 if rest[0] in ",;" else len(match[0]) if match else 0


def _pieces(text: str, separators: str) -> list[Term]:
    return [_read(part) for part in _split(text, lambda rest: int(rest[0] in separators))]


def _split(text: str, separator: Callable[[str], int]) -> list[str]:
    """Split outside of brackets; the separator tells how long one is at the start of a text, 0 for none."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        character = text[position]
        length = 0 if depth else separator(text[position:]) if not _within_word(text, position) else 0
        if length:
            parts.append(text[start:position])
            position = start = position + length
            continue
        depth += (character in _OPENING) - (character in _CLOSING)
        position += 1
    parts.append(text[start:])
    if len(parts) > _MAX_PIECES:
        raise NotStructured
    return parts


def _within_word(text: str, position: int) -> bool:
    return position > 0 and text[position].isalpha() and (text[position - 1].isalpha() or text[position - 1] == "\\")


def _read_relation(text: str) -> Term | None:
    signs = [_ORDER_SIGNS[match[0]] for match in _ORDER.finditer(text)]
    if signs:
        return _interval(_ORDER.split(text), signs)
    left, equal, right = text.partition("=")
    if not equal:
        return None
    if "=" in right or not left.strip() or not right.strip():
        raise NotStructured
    return Equation(left.strip(), _read(right))


def _interval(sides: Sequence[str], signs: Sequence[str]) -> Term:
    r"""`a < x \le b`, `x > a` and so on as an interval."""
    sides = [side.strip() for side in sides]
    if len({sign[0] for sign in signs}) > 1 or len(signs) > 2 or not all(sides):
        raise NotStructured
    if signs[0][0] == ">":
        sides, signs = sides[::-1], [sign.replace(">", "<") for sign in signs[::-1]]
    if len(signs) == 2:
        if not _NAME.fullmatch(sides[1]):
            raise NotStructured
        return Bracketed(_end("(", signs[0]), (_read(sides[0]), _read(sides[2])), _end(")", signs[1]), sides[1])
    if _NAME.fullmatch(sides[0]):
        return Bracketed("(", (Infinity("-"), _read(sides[1])), _end(")", signs[0]), sides[0])
    if _NAME.fullmatch(sides[1]):
        return Bracketed(_end("(", signs[0]), (_read(sides[0]), Infinity("")), ")", sides[1])
    raise NotStructured


def _end(bracket: str, sign: str) -> str:
    return {"(": "[", ")": "]"}[bracket] if sign == "<=" else bracket


def _read_bracketed(text: str) -> Term | None:
    if text[0] not in "([" or text[-1] not in ")]" or not _is_one_group(text):
        return None
    pieces = _pieces(text[1:-1], ",;")
    if len(pieces) == 1:
        return pieces[0] if (text[0], text[-1]) == ("(", ")") else None
    return Bracketed(text[0], tuple(pieces), text[-1])


def _is_one_group(text: str) -> bool:
    depth = 0
    for position, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0:
            return position == len(text) - 1
    return False


def _read_sign(text: str) -> Term | None:
    infinite = _INFINITY.fullmatch(text)
    if infinite:
        return Infinity(infinite[1].replace("+", ""))
    if text.count(r"\pm") + text.count(r"\mp") != 1:
        return None
    before, _, after = text.replace(r"\mp", r"\pm").partition(r"\pm")
    return Collection((f"{before}+{after}", f"{before}-{after}"))


def _levelled(expected: Term, given: Term) -> tuple[Term, Term]:
    """Take `x =` off where only one side has it: `x = 5` answers 5, 5 answers `x = 5`, `x=2 or x=3` answers {2, 3}."""
    if not _has_equation(expected):
        given, expected = _without_names(given, expected)
    elif not _has_equation(given):
        expected, given = _without_names(expected, given)
    return expected, given


def _has_equation(term: Term) -> bool:
    if isinstance(term, Collection):
        return any(isinstance(piece, Equation) for piece in term.pieces)
    return isinstance(term, Equation)


def _without_names(term: Term, other: Term) -> tuple[Term, Term]:
    """The right sides alone; values of different names have an order, which the other side has to keep."""
    if isinstance(term, Equation):
        return (term.right if _is_named(term) else term), other
    if not isinstance(term, Collection) or term.is_union or not any(map(_is_named, term.pieces[:1])):
        return term, other
    names = {piece.left for piece in term.pieces if isinstance(piece, Equation)}
    values = tuple(piece.right if isinstance(piece, Equation) and _is_named(piece) else piece for piece in term.pieces)
    if len(names) == 1 or not isinstance(other, Collection):
        return Collection(values), other
    return Bracketed("", values, ""), Bracketed("", other.pieces, "")


def _is_named(term: Term) -> bool:
    """Whether an equation only names its right side: `x = …`, `f(x) = …`, `(p, q) = …`."""
    if not isinstance(term, Equation):
        return False
    if isinstance(term.right, Bracketed):
        return bool(re.fullmatch(r"\(.*\)|\\?[A-Za-z]+", term.left))
    return bool(_NAME.fullmatch(term.left))


def _same(given: Term, expected: Term) -> bool | None:
    if type(given) is not type(expected):
        return _across(given, expected)
    return _COMPARED[type(given)](given, expected)


def _same_bracketed(given: Bracketed, expected: Bracketed) -> bool | None:
    shapes = [(term.opening, term.closing, len(term.pieces)) for term in (given, expected)]
    named = {term.variable for term in (given, expected) if term.variable}
    if shapes[0] != shapes[1] or len(named) > 1:
        return False
    return _all(_same(one, other) for one, other in zip(given.pieces, expected.pieces, strict=True))


def _across(given: Term, expected: Term) -> bool | None:
    """Terms of different kinds: a set with one piece is not its piece, a value is no interval."""
    if isinstance(given, Equation) or isinstance(expected, Equation):
        return None if isinstance(given, Matrix) or isinstance(expected, Matrix) else False
    if isinstance(given, Matrix) or isinstance(expected, Matrix):
        return None  # a column may be written as a tuple
    if isinstance(given, Collection) and given.is_union:
        return None  # a union may be one interval
    if isinstance(expected, Collection) and (expected.is_union or len(expected.pieces) == 1):
        return None
    return False


def _same_equation(given: Equation, expected: Equation) -> bool | None:
    if not isinstance(given.right, str) or not isinstance(expected.right, str):
        return _same(given.right, expected.right) if given.left == expected.left else None
    if _is_value_of(given) and _is_value_of(expected):
        return same_value(given.right, expected.right) if given.left == expected.left else False
    return same_equation(f"({given.left})-({given.right})", f"({expected.left})-({expected.right})")


def _is_value_of(equation: Equation) -> bool:
    formula = compiled(equation.right) if isinstance(equation.right, str) else None
    return bool(_NAME.fullmatch(equation.left)) and formula is not None and not formula.variables


def _same_matrix(given: Matrix, expected: Matrix) -> bool | None:
    if [len(row) for row in given.rows] != [len(row) for row in expected.rows]:
        return False
    pairs = zip(given.rows, expected.rows, strict=True)
    return _all(_same(one, other) for row, wanted in pairs for one, other in zip(row, wanted, strict=True))


def _same_collection(given: Collection, expected: Collection) -> bool | None:
    if given.is_union != expected.is_union and not _are_intervals(given, expected):
        return None
    left, right, doubtful = _distinct(given.pieces), _distinct(expected.pieces), False
    if len(left) != len(right):
        return None if given.is_union else False
    for wanted in right:
        judged = [_same(piece, wanted) for piece in left]
        doubtful |= None in judged
        if True not in judged:
            return None if doubtful or given.is_union else False
        left.pop(judged.index(True))
    return True


def _distinct(pieces: Sequence[Term]) -> list[Term]:
    """The pieces without repetitions: a set holds nothing twice."""
    kept: list[Term] = []
    for piece in pieces:
        if not any(_same(piece, other) for other in kept):
            kept.append(piece)
    return kept


def _are_intervals(*collections: Collection) -> bool:
    """`x<1 or x>2` is a union without its sign."""
    return all(isinstance(piece, Bracketed) for collection in collections for piece in collection.pieces)


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    found = list(verdicts)
    return False if False in found else None if None in found else True


_COMPARED: dict[type, Callable[[Any, Any], bool | None]] = {
    str: same_value,
    Infinity: operator.eq,
    Equation: _same_equation,
    Bracketed: _same_bracketed,
    Matrix: _same_matrix,
    Collection: _same_collection,
}
