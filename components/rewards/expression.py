r"""Expression: is an answer mathematically equal to the reference?

Equal text decides at once, two plain numbers are compared as such, and what is left goes to math-verify, which finds
`(x+1)^2` equal to `x^2+2x+1`. It is departed from where it is too kind: units and percents must agree, and several
values or an unsolved equation are not one value. What cannot be judged safely is undecided. The rules are ours.
"""

import re

from components.rewards.algebra import compare_latex
from components.rewards.gate import MAX_CHARACTERS, refusal
from components.rewards.latex import plain, without_delimiters
from components.rewards.quantity import compare_quantities, read_quantity
from components.rewards.units import canonical_unit, units_agree
from components.rewards.verdict import Verdict, decided, undecided
from components.rewards.wording import normalised

_RULE = "expression"

_LEAD = re.compile(r"^\\?[A-Za-z]{1,20}(?:_\{?\w{1,5}\}?)?(?:\([A-Za-z]\))?\s*(?:=|≈|\\approx(?![A-Za-z]))")
_SEVERAL = re.compile(
    r"[=<>,;]|\\\\|\\\{|(?<![A-Za-z])(?:or|and)(?![A-Za-z])|"
    r"\\(?:leq?|geq?|neq?|lt|gt|in|pm|mp|cup|cap|begin)(?![A-Za-z])"
)
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
_TEXT_UNIT = re.compile(r"(?:\\(?:text|mathrm|mbox)\s*\{(?P<words>[^{}]+)\}|(?P<sign>[°%]))(?P<power>\^\{?[23]\}?)?$")
_GAP = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")

_SIGNS = str.maketrans(
    {"π": r"\pi ", "θ": r"\theta ", "∞": r"\infty ", "∅": r"\emptyset ", "±": r"\pm ", "\u222a": r"\cup "}
    | {"\u00d7": r"\times ", "·": r"\cdot ", "*": r"\cdot ", "÷": "/", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne "}
    | {sign: f"^{{{power}}}" for power, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_NAMES = re.compile(
    r"(?<![\\A-Za-z])(sqrt|pi|theta|alpha|beta|infty|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|log|ln|exp)"
    r"(?![A-Za-z])"
)
_ROOT = re.compile(r"(?:√|\\sqrt)\s*(?:\(([^()]*)\)|([0-9]+|[A-Za-z](?![A-Za-z])))")
_POWER = re.compile(r"\^\s*(?:\(([^()]*)\)|(-?[0-9]+))")


def verify_expression(answer: str, reference: str, unit: str, precision: int | None) -> Verdict:
    """Whether an answer is an expression equal to the reference.

    Args:
        answer: The extracted answer, in LaTeX or as plain text.
        reference: One accepted answer; one that cannot be read leaves the verdict undecided.
        unit: Unit that the example states, "" if none.
        precision: Decimals that a constant has to agree to, within half a unit of the last; None asks for equality.

    Returns:
        Undecided, too, for what is too large to evaluate (see `gate`), for what math-verify cannot read or decide in
        5 seconds, and outside of the main thread, where its time limits do not work.
    """
    if max(len(answer), len(reference)) > MAX_CHARACTERS:
        same = answer.strip() == reference.strip()
        return decided(_RULE, True) if same else undecided(_RULE, f"more than {MAX_CHARACTERS} characters")
    if _squeezed(answer) == _squeezed(reference):
        return decided(_RULE, True)
    given, expected = read_quantity(answer), read_quantity(reference)
    if given and expected:
        return compare_quantities(given, expected, unit, precision)
    return _verify_with_units(answer, reference, canonical_unit(unit), precision)


def _verify_with_units(answer: str, reference: str, stated: str, precision: int | None) -> Verdict:
    reference, reference_unit = _split_unit(reference, stated)
    answer, answer_unit = _split_unit(answer, reference_unit or stated)
    verdict = _verify_values(answer, reference, precision)
    if not verdict.correct:
        return verdict
    agree = units_agree(answer_unit, reference_unit, stated)
    if agree is None:
        return undecided(_RULE, f"the answer names the unit {answer_unit!r} and the example states none")
    return decided(_RULE, agree)


def _verify_values(answer: str, reference: str, precision: int | None) -> Verdict:
    if "=" not in reference:
        answer = _LEAD.sub("", answer, count=1).strip()
    if _squeezed(answer) == _squeezed(reference):
        return decided(_RULE, True)
    gold, target = _as_latex(reference), _as_latex(answer)
    if _WORDS.search(gold):
        same = normalised(answer) == normalised(reference)
        return decided(_RULE, True) if same else undecided(_RULE, f"the reference {reference[:60]!r} is words")
    if not _SEVERAL.search(gold):
        target = _THOUSANDS.sub("", target)
    if _WORDS.search(target) or (_SEVERAL.search(target) and not _SEVERAL.search(gold)):
        return decided(_RULE, False)
    reason = refusal(gold) or refusal(target)
    if reason:
        return undecided(_RULE, reason)
    return compare_latex(target, gold, precision)


def _squeezed(text: str) -> str:
    """The text without whitespace, except between digits, where it tells 1 1/2 from 11/2."""
    return _GAP.sub("", plain(text))


def _split_unit(text: str, expected: str) -> tuple[str, str]:
    r"""An expression and its canonical unit: a closing `\text{…}`, % or °, or the expected unit as a last word."""
    text = without_delimiters(text)
    match = _TEXT_UNIT.search(text)
    if match and match.start():
        unit = (match["words"] or match["sign"]) + (match["power"] or "")
        return text[: match.start()].rstrip(), canonical_unit(unit)
    value, _, last = text.rpartition(" ")
    if value and expected and canonical_unit(last) == expected:
        return value.rstrip(), expected
    return text, ""


def _as_latex(text: str) -> str:
    """The expression in the LaTeX that math-verify reads: `2*sqrt(3)` and `x**10` are what they look like."""
    text = plain(text).replace("**", "^").translate(_SIGNS)
    text = _ROOT.sub(lambda match: rf"\sqrt{{{match[1] or match[2]}}}", _NAMES.sub(r"\\\1 ", text))
    return _POWER.sub(lambda match: f"^{{{match[1] or match[2]}}}", text)
