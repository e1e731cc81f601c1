r"""Answer wording: a reference without what its source wrapped around it.

Sources write `Answer: 5.`, `\boxed{5}`, `<answer>5</answer>`, `#### 5`, `$5$`, `B. Paris` and `1,250 cm` for what an
answer is: 5, B, 1250 with the unit cm. Wrappings go; the value, and how it is written, stays.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from components.curation.wording import Rule
from components.rewards.choice import named_options
from components.rewards.equality import compiled
from components.rewards.extraction import extract
from components.rewards.latex import plain
from components.rewards.quantity import Quantity, read_quantity
from components.rewards.units import canonical_unit, is_known_unit

_TAGS = re.compile(r"(?:<think>.*</think>\s*)?<answer>(?P<inner>.*)</answer>", re.DOTALL)
_TAIL = re.compile(r"(?:^|\n|\s)####\s*(?P<answer>[^\n]+)\s*$")
_LEAD = re.compile(
    r"^(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:(?:final|correct|right)\s+)?(?:answer|ans)\s*"
    r"(?:\.\s*|\s*(?:is|:|=)\s*:?\s*)(?=\S)",
    re.IGNORECASE,
)
_DELIMITERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_TEXT_COMMAND = re.compile(r"\\(?:text(?:bf|rm|it|normal|sf|tt)?|mathrm|mathbf|mbox)\s*\{([^{}]*)\}")
_ABBREVIATION = re.compile(
    r"(?:(?<=[\s.(])[A-Za-z]|(?:^|[\s.(])(?:etc|inc|ltd|co|corp|vs|dr|mr|mrs|ms|st|jr|sr|dept|ave))\.$", re.I
)
_LONGEST_SHORT = 5  # words; a sentence keeps its full stop
_LABELLED = re.compile(r"[(\[]?([A-Za-z])(?:[)\]]|[.:])[).\]:]*\s*(\S.*)", re.DOTALL)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_PERCENT = re.compile(r"\s*(?:\\?%|\s(?:percent|per cent|pct))\s*$", re.IGNORECASE)
_LONGEST_QUANTITY = 60  # characters
_VALUE_AND_UNIT = re.compile(r"(.*\S)\s+([A-Za-z]{2,}(?:\s*\^\s*\{?[23]\}?|[\u00b2\u00b3])?)")
_CURRENCIES = "$€£¥"


def without_tags(text: str) -> str:
    """What stands in the one answer block of a completion."""
    match = _TAGS.fullmatch(text.strip()) if "</answer>" in text else None
    return match["inner"].strip() if match and "<answer>" not in match["inner"] else text


def without_working(text: str) -> str:
    """What stands behind `####`, as in GSM8K's solutions."""
    match = _TAIL.search(text) if "####" in text else None
    return match["answer"].strip() if match else text


def without_lead(text: str) -> str:
    """The text without an `Answer:` or `The answer is` before it."""
    return _LEAD.sub("", text, count=1)


def without_box(text: str) -> str:
    r"""The content of the last `\boxed{…}`, or of several side by side; the text as it is where a box stays open."""
    if r"\boxed" not in text:
        return text
    found = extract(text)
    return found.answer if found.rule == "boxed" and found.answer else text


def without_delimiters(text: str) -> str:
    """A formula without the delimiters that enclose all of it."""
    for opening, closing in _DELIMITERS:
        inner = text[len(opening) : -len(closing)]
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            return inner.strip() or text if opening not in inner and closing not in inner else text
    return text


def without_text_command(text: str) -> str:
    r"""Words that stand in `\text{…}` as a whole."""
    match = _TEXT_COMMAND.fullmatch(text)
    return match[1].strip() or text if match else text


def without_full_stop(text: str) -> str:
    """A short answer without the stop that ends it; abbreviations, ellipses and sentences keep theirs."""
    if not text.endswith(".") or len(text.split()) > _LONGEST_SHORT or _ABBREVIATION.search(text):
        return text
    bare = text[:-1].rstrip()
    last = bare.rpartition(" ")[2]
    is_abbreviated = "." in last and not last.replace(".", "", 1).isdigit()
    return text if not bare or is_abbreviated else bare


UNWRAPPING: tuple[Rule, ...] = (
    ("answer tags removed", without_tags),
    ("working removed", without_working),
    ("lead removed", without_lead),
    ("box removed", without_box),
    ("delimiters removed", without_delimiters),
    ("text command removed", without_text_command),
    ("full stop removed", without_full_stop),
)
"""What every reference that is no transcription goes through."""


def letter_alone(text: str, choices: Sequence[str]) -> str:
    """`B` for `B. Paris` or `(B) Paris`, where that names one option."""
    match = _LABELLED.fullmatch(text)
    if not match:
        return text
    option = ord(match[1].upper()) - ord("A")
    return match[1].upper() if named_options(text, choices) == {option} and option < len(choices) else text


def without_labels(choices: Sequence[str]) -> tuple[str, ...]:
    """Options without `A.`, `B.` …, where all of them are labelled in order."""
    matches = [_LABELLED.fullmatch(choice) for choice in choices]
    labels = "".join(match[1].upper() for match in matches if match)
    if len(labels) < len(choices) or labels != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(labels)]:
        return tuple(choices)
    return tuple(match[2].strip() for match in matches if match)


class Figures(NamedTuple):
    """Numbers as they are compared, and the unit that they are given in."""

    references: tuple[str, ...]
    unit: str
    """Canonical; "" where there is none."""


def figures(references: Sequence[str], unit: str) -> Figures | None:
    """Numbers without thousands separators, with their unit apart.

    A percent sign stays with its number: 50 is not 50 %.

    Args:
        references: Accepted answers.
        unit: Unit that the example states; another one in a reference is left where it is.

    Returns:
        None where a reference is no number in a unit that the verifier knows.
    """
    read = [_figure(reference) for reference in references]
    found = [figure for figure in read if figure is not None]
    if len(found) < len(read):
        return None
    units = {figure.unit for figure in found if figure.unit} | ({unit} if unit else set())
    if len(units) > 1:
        return Figures(tuple(map(_ungrouped, references)), unit)
    return Figures(tuple(figure.number for figure in found), units.pop() if units else "")


class _Figure(NamedTuple):
    number: str
    unit: str


@lru_cache(maxsize=16384)
def _figure(text: str) -> _Figure | None:
    quantity = read_quantity(text, decimal_comma=True) if len(text) <= _LONGEST_QUANTITY else None
    if quantity is None:
        return _constant(text)
    if not is_known_unit(quantity.unit):
        return None
    text = _ungrouped(text)
    if quantity.unit == "%":
        percent = f"{_PERCENT.sub('', text)}%"
        return _Figure(percent if read_quantity(percent, decimal_comma=True) == quantity else text, "")
    number = _number_part(text, quantity) if quantity.unit else text
    return _Figure(text, "") if number is None else _Figure(number, quantity.unit)


def _constant(text: str) -> _Figure | None:
    r"""`2\sqrt{3} cm`: a constant, and a unit of two letters or more, since one may be a variable."""
    match = _VALUE_AND_UNIT.fullmatch(plain(text)) if len(text) <= _LONGEST_QUANTITY else None
    unit = canonical_unit(match[2]) if match else ""
    if match is None or not is_known_unit(unit):
        return None
    formula = compiled(match[1])
    return _Figure(match[1], unit) if formula is not None and not formula.variables else None


def _ungrouped(text: str) -> str:
    """Thousands are no longer separated, provided that the number stays the same."""
    bare = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
    return bare if read_quantity(bare, decimal_comma=True) == read_quantity(text, decimal_comma=True) else text


def _number_part(text: str, quantity: Quantity) -> str | None:
    """The part of a quantity's text that is its number; None where it cannot be cut out."""
    text = plain(text) if "\\" in text else text
    wanted = Quantity(quantity.value, "")
    starts = (0, 1) if text[:1] in _CURRENCIES else (0,)
    for start in starts:
        for end in range(start + 1, len(text) + 1):
            part = text[start:end].strip()
            is_whole = end == len(text) or not (text[end].isdigit() or text[end] in ".,")
            if is_whole and part and read_quantity(part, decimal_comma=True) == wanted:
                return part
    return None
