r"""Gate: is an expression small enough to be handed to a computer algebra system?

`9^{9^{9^9}}`, `(9!)!` or a binomial of millions take minutes and gigabytes there, so the text is bounded before
anything is evaluated: its length and nesting, its commands (harmless ones alone), its factorials and its powers. The
bounds are ours; what is slow within them meets the limits of the sandbox.
"""

import math
import re
from collections.abc import Iterator

MAX_CHARACTERS = 300
_MAX_DEPTH = 12
_MAX_FACTORIAL = 170  # the largest whose value a float can hold
_MAX_EXPONENT = 1000  # size of one exponent
_MAX_STACKED_EXPONENT = 400  # product of all sizes, where a bracketed base can stack powers
_MAX_EXPANDED_EXPONENT = 21  # size, on a bracket or a function of variables, which is expanded to be compared
_MAX_EXPONENTIALS = 2  # exp, sinh, cosh and tanh, which grow as towers do when nested

_HARMLESS = (
    "frac|sqrt|cdot|times|div|pm|mp|le|leq|ge|geq|lt|gt|ne|neq|in|cup|cap|infty|emptyset|varnothing|circ|prime|"
    "sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|angle|triangle|vec|overline|bar|hat|"
    "mathbb|begin|end|lfloor|rfloor|lceil|rceil|mid|vert|lvert|rvert|langle|rangle|"
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    "upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
_NOT_JUDGED = re.compile(rf"\\(?!(?:{_HARMLESS})(?![A-Za-z]))[A-Za-z]+|'")  # math-verify drops a prime: f' for f
_HUGE_LITERAL = re.compile(r"[0-9]\s*[eE][+-]?[0-9]{4,}")
_INTEGER = re.compile(r"(?<![0-9.])[0-9]+")
_OPERAND = re.compile(r"(?:[0-9]+|[A-Za-z])$")
_EXPONENTIAL = re.compile(r"\\(?:exp|sinh|cosh|tanh)(?![A-Za-z])")
_VARIABLE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]")
_BASE = re.compile(r"\\?[A-Za-z]+$|.$")


def refusal(text: str) -> str:
    """Why an expression is not to be evaluated.

    Args:
        text: The expression in LaTeX.

    Returns:
        The reason, or "" where the expression may be evaluated.
    """
    if len(text) > MAX_CHARACTERS:
        return f"the expression has {len(text)} characters, more than {MAX_CHARACTERS}"
    unknown = _NOT_JUDGED.search(text)
    if unknown:
        return f"the expression uses {unknown[0]}, which is not judged"
    if not _is_nested_well(text):
        return f"the brackets are unbalanced or nested deeper than {_MAX_DEPTH}"
    return _size_refusal(text)


def _size_refusal(text: str) -> str:
    if not _factorials_are_small(text):
        return f"a factorial is not of a letter or of an integer up to {_MAX_FACTORIAL}"
    if _HUGE_LITERAL.search(text) or not _powers_are_small(text):
        return "a power is too large to be evaluated"
    return ""


def _is_nested_well(text: str) -> bool:
    """Braces balance; brackets of all kinds stay within the depth (intervals such as [0, 1) need not balance)."""
    braces = depth = 0
    for character in text:
        depth += (character in "{([") - (character in "})]")
        braces += (character == "{") - (character == "}")
        if braces < 0 or depth > _MAX_DEPTH:
            return False
    return braces == 0


def _factorials_are_small(text: str) -> bool:
    for position, character in enumerate(text):
        if character != "!":
            continue
        operand = _OPERAND.search(text[:position].rstrip())
        if operand is None or (operand[0].isdigit() and int(operand[0]) > _MAX_FACTORIAL):
            return False
    return True


def _powers_are_small(text: str) -> bool:
    powers = list(_powers(text))
    sizes = [_size(exponent) for _, exponent in powers]
    of_compounds = [size for size, (base, _) in zip(sizes, powers, strict=True) if _is_compound(base)]
    limits = [
        max(sizes, default=0) <= _MAX_EXPONENT,
        not any(_is_tower(exponent) for _, exponent in powers),
        not of_compounds or math.prod(sizes) <= _MAX_STACKED_EXPONENT,
        not _VARIABLE.search(text) or max(of_compounds, default=0) <= _MAX_EXPANDED_EXPONENT,
        len(_EXPONENTIAL.findall(text)) <= _MAX_EXPONENTIALS,
    ]
    return all(limits)


def _size(exponent: str) -> int:
    """An upper bound of what the integers of an exponent make by adding and multiplying."""
    return math.prod(int(number) + 1 for number in _INTEGER.findall(exponent))


def _is_compound(base: str) -> bool:
    return base.startswith("\\") or base in tuple(")}]|!")


def _is_tower(exponent: str) -> bool:
    """Whether an exponent holds a power of anything but a variable (`e^{-x^2}` is no tower), or a factorial."""
    return "!" in exponent or any(not base.isalpha() or base == "e" for base, _ in _powers(exponent))


def _powers(text: str) -> Iterator[tuple[str, str]]:
    """For each `^`, the letter, command or sign before it and the exponent after it, without its braces.

    Where an exponent has neither braces nor a plain character, all of the rest counts as exponent, to be safe.
    """
    for position, character in enumerate(text):
        if character == "^":
            base = _BASE.search(text[:position].rstrip())
            after = text[position + 1 :].lstrip()
            plain = after[:1] if after[:1].isalnum() else after
            yield base[0] if base else "", _group(after) if after.startswith("{") else plain


def _group(text: str) -> str:
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return text[1:position]
    return text[1:]
