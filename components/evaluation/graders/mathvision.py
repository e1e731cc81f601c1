r"""MathVision: official extraction, equality to the gold letter or the gold option's value.

Source: mathllm/MATH-V, evaluation/evaluate.py and evaluation/utils.py (revision a1f5cc3).

Departure: the official equality runs `round(eval(str(latex2sympy(x))), 2)` on the model's text. Here constants are
evaluated by a bounded reader of formulas, and sums, products, integrals and limits are compared in the sandbox to two
decimals. The results differ from the official ones where
- latex2sympy guesses at text that is no formula (words, units, mixed numbers): here it has no value and is not equal;
- a formula holds variables or a bare letter: `eval` finds no such name (except those of `math`), here it has no value;
- the number e is printed as `E`, which `eval` does not know: here it has its value inside a formula;
- a power or factorial is large: it has no value here, and `eval` may never end.
A comparison over the sandbox's limit counts as not equal, with the flag "time limit".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.grade import NO_ANSWER, Grade, MetaError
from components.rewards.equality import compiled, values_of
from components.rewards.formula import MAX_CHARACTERS
from components.rewards.operations import numbers
from components.rewards.sandbox import Comparison, compare

__all__ = ["mathvision"]

_PHRASES = ("the final answer is", "the answer is", "the correct answer is", "the answer should be")
_CLEANED = (
    *((" ", ""), ("\\,", ""), ("∞", "\\infty"), ("+\\infty", "\\infty"), ("\\\\", "\\"), ("\n", "")),
    *(("\\text", ""), ("\\mbox", ""), ("bmatrix", "pmatrix"), ("\\left", ""), ("\\right", "")),
    *(("^{\\circ}", ""), ("^\\circ", ""), ("{m}^3", ""), ("m^3", ""), ("{units}", ""), ("units", "")),
    *(("{km}", ""), ("km", "")),
)
_STRIPPED = (
    *(("\n", ""), ("\\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"), ("\\left", "")),
    *(("\\right", ""), ("^{\\circ}", ""), ("^\\circ", ""), ("\\$", ""), ("$", "")),
)
_BRACKETED = tuple((f"{left}{c}{right}", c) for left, right in ("()", "{}") for c in "abcde")
_ALGEBRA = re.compile(r"\\(?:sum|prod|int|lim)(?![a-z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BARE = re.compile(r"[a-z]?")
_MAX_FLOAT = 10**300
_MAX_EXACT = 10**35  # integers up to here are held exactly at 40 digits


def mathvision(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """The official score but for the departure above.

    Args:
        prediction: The response.
        references: The gold answer first; a letter where there are options.
        meta: options, a list that may be empty or missing.

    Raises:
        MetaError: `options` is no list of texts, there is no reference, or it names no option.
    """
    golds = _golds(references, meta)
    answer = _extracted(prediction)
    if not answer.replace(" ", ""):
        return Grade(0.0, None, (NO_ANSWER,))
    flags: list[str] = []
    correct = any(_is_equal(gold.lower(), answer.lower(), flags) for gold in golds)
    return Grade(float(correct), answer, tuple(dict.fromkeys(flags)))


def _golds(references: Sequence[str], meta: Mapping[str, Any]) -> list[str]:
    value = meta.get("options")
    options = [] if value is None else value
    if not isinstance(options, list | tuple) or not all(isinstance(option, str) for option in options):
        raise MetaError(f"options: {value!r} is not a list of texts")
    if not references:
        raise MetaError("references: empty; the answer is needed")
    gold = references[0]
    if not options:
        return [gold]
    place = ord(gold) - ord("A") if len(gold) == 1 else -1
    if not 0 <= place < len(options):
        raise MetaError(f"references: {gold!r} is not the letter of one of {len(options)} options (A first)")
    return [gold, options[place]]


def _extracted(response: str) -> str:
    text = _lettered(response.strip())
    tail = text.split("is ")[-1].rstrip(".")
    text = tail if _is_number(tail) else text
    if "oxed{" not in text:
        text = _after_phrases(text)
    elif text.count("oxed{") > 1:
        text = "\\boxed{" + text.split("oxed{")[-1]
    return _replaced(_math_answer(text), _BRACKETED).rstrip(".").lstrip(":").strip()


def _lettered(text: str) -> str:
    for c in "ABCDE":
        if text.endswith((f" {c}.", f" ({c}).")) or text.startswith((f"{c}\n", f"({c})\n", f"({c}) {c}\n")):
            text = c
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _after_phrases(text: str) -> str:
    for lower in _PHRASES:
        for phrase in (lower, lower.replace("the", "The")):
            found = phrase in text
            text = text.split(phrase)[-1].strip()
            if found:
                text = text.split("\n")[0].split(". ")[0]
    return text


def _math_answer(text: str) -> str:
    """The last box's content, or the whole; then what follows the last sign of equality, without LaTeX's dress."""
    text = text.lower().replace("{}", "")
    # From the first opening to the last brace, as a greedy expression finds it, in linear time.
    start, end = text.find("oxed{"), text.rfind("}")
    if start >= 0 and end >= start + 5:
        text = text[start + 5 : end]
    closing, opening = text.find("}"), text.find("{")
    if closing != -1 and (opening == -1 or closing < opening):
        text = text[:closing]
    return _without_dress(_replaced(text.split("=")[-1].split("\\approx")[-1], _CLEANED))


def _replaced(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _without_dress(text: str) -> str:
    text = _replaced(text, _STRIPPED).split("\\text{ ")[0].replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    text = "0" + text if text[0] == "." else text
    for sign in ("=", "\\approx"):
        parts = text.split(sign)
        text = parts[1] if len(parts) == 2 else text
    text = _braced_roots(text).replace(" ", "")
    if "sqrt" in text:  # as the official script has it: fractions are braced beside a root only
        text = _braced_fractions(text)
    return _fraction("\\frac{1}{2}" if text == "0.5" else text)


def _braced_roots(text: str) -> str:
    first, *rest = text.split("\\sqrt")
    braced = (f"{{{part[0]}}}{part[1:]}" if part[:1] not in ("", "{") else part for part in rest)
    return "\\sqrt".join((first, *braced))


def _braced_fractions(text: str) -> str:
    first, *rest = text.split("\\frac")
    parts = [first]
    for part in rest:
        if part.startswith("{"):
            parts.append(part)
        elif len(part) < 2:
            return text
        else:
            bottom = part[1] if part[1] == "{" else f"{{{part[1]}}}"
            parts.append(f"{{{part[0]}}}{bottom}{part[2:]}")
    return "\\frac".join(parts)


def _fraction(text: str) -> str:
    top, slash, bottom = text.partition("/")
    try:
        is_plain = bool(slash) and text == f"{int(top)}/{int(bottom)}"
    except ValueError:
        return text
    return f"\\frac{{{top}}}{{{bottom}}}" if is_plain else text


def _is_equal(gold: str, answer: str, flags: list[str]) -> bool:
    if not gold.replace(" ", ""):
        return False
    if gold.strip() == answer.strip():
        return True
    gold, answer = _evaluated_tuple(gold), _evaluated_tuple(answer)
    if gold == answer:
        return True
    one, other = _rounded(gold), _rounded(answer)
    if one is not None and other is not None:
        return one == other
    return _by_algebra(gold, answer, flags)


def _evaluated_tuple(text: str) -> str:
    """A tuple or list with its members rounded to two decimals; any other text as it is."""
    if len(text) > MAX_CHARACTERS or (text[0], text[-1]) not in (("(", ")"), ("[", "]")) or "," not in text:
        return text
    members = []
    for member in text[1:-1].split(","):
        keep = "infty" in member or member in ("a", "-a")
        value = member if keep else _rounded(member)
        if value is None:
            return text
        # A decimal stays one: as texts `(3.0,2)` and `(3,2)` differ.
        members.append(str(float(value) if not keep and "." in member else value))
    return text[0] + ",".join(members) + text[-1]


def _rounded(text: str) -> int | float | None:
    """A constant's value to two decimals, as Python rounds; None where the text is no real constant."""
    text = text.strip().strip("$").replace("\\%", "%").replace("%", "/100")
    text = _THOUSANDS.sub("", text)
    formula = None if _BARE.fullmatch(text) else compiled(text)
    if formula is None or formula.variables:
        return None
    value = values_of(text, ())[0]
    if value is None or numbers().im(value) != 0:
        return None
    real = numbers().re(value)
    if not abs(real) < _MAX_FLOAT:
        return None
    return int(real) if abs(real) < _MAX_EXACT and real == int(real) else round(float(real), 2)


def _by_algebra(gold: str, answer: str, flags: list[str]) -> bool:
    """By computer algebra in a process that can be killed, for what the reader of formulas refuses."""
    if _BARE.fullmatch(gold.strip()) or _BARE.fullmatch(answer.strip()):
        return False  # a letter names an option; so an item costs one comparison at most
    if max(len(gold), len(answer)) > MAX_CHARACTERS or not _ALGEBRA.search(gold + " " + answer):
        return False
    outcome = compare(Comparison(answer, gold, 2))
    if outcome.flag:
        flags.append(outcome.flag)
    return outcome.correct is True
