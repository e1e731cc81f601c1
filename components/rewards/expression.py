r"""Expression: is an answer mathematically equal to the reference?

A cascade, cheapest first: equal text; two plain numbers as such; structure and values at fixed points (`structure`,
`equality`), which decide nearly all of the rest; and what they leave open goes to math-verify in the sandbox. Units
and percents must agree, several values or an unsolved equation are not one value, and a calculation that was not
carried out (`3+7`) is not the plain number 10. What cannot be judged safely is undecided. The rules are ours.
"""

import re

from components.rewards.equality import compiled, near_value
from components.rewards.gate import MAX_CHARACTERS, refusal
from components.rewards.latex import plain, without_delimiters
from components.rewards.quantity import compare_quantities, read_quantity
from components.rewards.sandbox import Algebra, Comparison
from components.rewards.structure import read_term, same_structure
from components.rewards.units import canonical_unit, units_agree
from components.rewards.verdict import UNREADABLE_REFERENCE, Verdict, decided, undecided
from components.rewards.wording import normalised

_RULE, _BY_VALUE, _BY_ALGEBRA = "expression", "expression value", "expression algebra"

_LEAD = re.compile(r"^\\?[A-Za-z]{1,20}(?:_\{?\w{1,5}\}?)?(?:\([A-Za-z]\))?\s*(?:=|≈|\\approx(?![A-Za-z]))")
_SEVERAL = re.compile(
    r"[=<>,;]|\\\\|\\\{|(?<![A-Za-z])(?:or|and)(?![A-Za-z])|"
    r"\\(?:leq?|geq?|neq?|lt|gt|in|pm|mp|cup|cap|begin)(?![A-Za-z])"
)
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
_HUGE_NUMBER = re.compile(r"[-+]?[0-9.]+\s*[eE][+-]?[0-9]{4,}")
_CHAIN = re.compile(r"=(?:(?!(?<![A-Za-z])(?:or|and)(?![A-Za-z]))[^,;=])*=")
_NEGATION = re.compile(r"(?<![A-Za-z\\])(?:not|no|isn't)(?![A-Za-z])", re.IGNORECASE)
_SEVERAL_NUMBERS = re.compile(r"[-+]?[0-9.]+(?:\s+[-+]?[0-9.]+)+")
_TEXT_UNIT = re.compile(r"(?:\\(?:text|mathrm|mbox)\s*\{(?P<words>[^{}]+)\}|(?P<sign>[°%]))(?P<power>\^\{?[23]\}?)?$")
_GAP = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")

_SIGNS = str.maketrans(
    {"π": r"\pi ", "θ": r"\theta ", "∞": r"\infty ", "∅": r"\emptyset ", "±": r"\pm ", "\u222a": r"\cup "}
    | {"\u00d7": r"\times ", "·": r"\cdot ", "*": r"\cdot ", "÷": "/", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne "}
    | {"∈": r"\in "}
    | {sign: f"^{{{power}}}" for power, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_NAMES = re.compile(
    r"(?<![\\A-Za-z])(sqrt|pi|theta|alpha|beta|infty|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|log|ln|exp)"
    r"(?![A-Za-z])"
)
_ROOT = re.compile(r"(?:√|\\sqrt)\s*(?:\(([^()]*)\)|([0-9]+|[A-Za-z](?![A-Za-z])))")
_POWER = re.compile(r"\^\s*(?:\(([^()]*)\)|(-?[0-9]+))")


def verify_expression(answer: str, reference: str, unit: str, precision: int | None, algebra: Algebra) -> Verdict:
    """Whether an answer is an expression equal to the reference.

    Args:
        answer: The extracted answer, in LaTeX or as plain text.
        reference: One accepted answer; one that cannot be read leaves the verdict undecided.
        unit: Unit that the example states, "" if none.
        precision: Decimals that a constant has to agree to, within half a unit of the last; None asks for equality.
        algebra: Compares what values do not tell.

    Returns:
        Undecided, too, for what is too large to evaluate (see `gate`) and for what computer algebra cannot read or
        decide within the sandbox's limits.
    """
    if max(len(answer), len(reference)) > MAX_CHARACTERS:
        same = len(reference) > MAX_CHARACTERS and answer.strip() == reference.strip()
        if same or len(answer) <= MAX_CHARACTERS:
            return undecided(_RULE, f"the reference has more than {MAX_CHARACTERS} characters", UNREADABLE_REFERENCE)
        return undecided(_RULE, f"the answer has more than {MAX_CHARACTERS} characters")
    expected = read_quantity(reference)
    # Beside a reference without a comma, a list of numbers is no possible answer.
    given = read_quantity(answer, decimal_comma="," not in reference)
    if given and expected and not ("=" in answer and "=" in reference):
        return compare_quantities(given, expected, unit, precision)
    return _verify_with_units(answer, reference, canonical_unit(unit), precision, algebra)


def _verify_with_units(answer: str, reference: str, stated: str, precision: int | None, algebra: Algebra) -> Verdict:
    reference, reference_unit = _split_unit(reference, stated)
    answer, answer_unit = _split_unit(answer, reference_unit or stated)
    verdict = _verify_values(answer, reference, precision, algebra)
    if not verdict.correct:
        return verdict
    return decided(verdict.rule, units_agree(answer_unit, reference_unit, stated))


def _verify_values(answer: str, reference: str, precision: int | None, algebra: Algebra) -> Verdict:
    gold, target = as_latex(reference), as_latex(answer)
    if _squeezed(answer) == _squeezed(reference):
        return _of_equal_text(gold, algebra)
    if _WORDS.search(gold):
        same = normalised(answer) == normalised(reference)
        return decided(_RULE, True) if same else undecided(_RULE, f"the reference {reference[:60]!r} is words")
    if not _SEVERAL.search(gold):
        target = _THOUSANDS.sub("", target)
    else:
        gold, target = _without_thousands(gold), _without_thousands(target)
    value = target if "=" in gold else _LEAD.sub("", target, count=1).strip()
    if _is_no_answer(value, gold):
        return decided(_RULE, False)
    return _by_value(target, gold, precision) or _by_algebra(Comparison(value, gold, precision), algebra)


def _of_equal_text(gold: str, algebra: Algebra) -> Verdict:
    """Equal text is right, provided that it can be read: a reference that cannot never pays."""
    if read_term(gold) is not None or _WORDS.search(gold):
        return decided(_RULE, True)
    return decided(_RULE, True) if algebra(Comparison(gold, gold, None)).correct else _unreadable(gold)


def _unreadable(gold: str) -> Verdict:
    return undecided(_RULE, f"the reference {gold[:60]!r} cannot be read", UNREADABLE_REFERENCE)


def _is_no_answer(target: str, gold: str) -> bool:
    """Words, a denial, several values or an unsolved equation beside one value, a calculation left to do."""
    if _WORDS.search(target) or _NEGATION.search(target) or (_CHAIN.search(target) and not _CHAIN.search(gold)):
        return True
    if _SEVERAL_NUMBERS.fullmatch(target) or _HUGE_NUMBER.fullmatch(target):
        return True
    if _SEVERAL.search(target) and not _SEVERAL.search(gold):
        return not _is_one_value(target)
    formula = compiled(target)
    return formula is not None and formula.is_arithmetic and read_quantity(gold) is not None


def _is_one_value(target: str) -> bool:
    r"""A structure beside a gold of one value is none, unless the gold could be structured without signs of it."""
    return r"\begin" in target or r"\in" in target


def _by_value(target: str, gold: str, precision: int | None) -> Verdict | None:
    if precision is not None:
        near = near_value(target, gold, 10.0**-precision / 2)
        if near is not None:
            return decided(_BY_VALUE, near)
    same = same_structure(target, gold)
    return None if same is None else decided(_BY_VALUE, same)


def _by_algebra(comparison: Comparison, algebra: Algebra) -> Verdict:
    reason = refusal(comparison.gold)
    if reason:
        return undecided(_RULE, reason, UNREADABLE_REFERENCE)
    reason = refusal(comparison.target)
    if reason:
        return undecided(_RULE, reason, "not evaluated")
    outcome = algebra(comparison)
    if outcome.correct is None:
        return undecided(_BY_ALGEBRA, outcome.reason, *([outcome.flag] if outcome.flag else []))
    return decided(_BY_ALGEBRA, outcome.correct)


def _without_thousands(text: str) -> str:
    """Commas go where they can only group digits: `12,345,678`, not `1,234` in a list of numbers."""
    return re.sub(r"(?<![0-9,])[0-9]{1,3}(?:,[0-9]{3}){2,}(?![0-9,])", lambda match: match[0].replace(",", ""), text)


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


def as_latex(text: str) -> str:
    """The expression in the LaTeX that is compared: `2*sqrt(3)` and `x**10` are what they look like."""
    text = plain(text).replace("**", "^").replace("!=", r"\ne ").translate(_SIGNS)
    text = _ROOT.sub(lambda match: rf"\sqrt{{{match[1] or match[2]}}}", _NAMES.sub(r"\\\1 ", text))
    return _POWER.sub(lambda match: f"^{{{match[1] or match[2]}}}", text)
