"""Wording: a text as a person would have typed it, with every change named.

Each rule is small and has a name, under which it is counted; all are applied until nothing changes any more, so that
a text that went through once stays as it is. Meaning is never touched: line breaks, LaTeX, case and punctuation stay.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from components.curation.mojibake import repaired

_MAX_PASSES = 50  # every pass but the last makes a text shorter or plainer; hostile nesting ends here
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_JOINERS = re.compile("[\u200c\u200d]")
_JOINS_NOTHING = re.compile("(?:(?<=[\x00-\u02ff])|^)[\u200c\u200d]+|[\u200c\u200d]+(?=[\x00-\u02ff]|$)")
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")
_SPACE = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000 ]+")
_SPACES_AROUND_LINE_END = re.compile(r" *\n *")
_BLANK_LINES = re.compile(r"\n{3,}")

_MARK = re.compile(
    r"<\s?/?(?:image|img)(?:[ _-]?(?:placeholder|token|here))?(?:[ _-]?(?P<number>[0-9]{1,2}))?\s?/?>|"
    r"<\|(?:image|image_pad|image_start|image_end|vision_start|vision_end|vision_pad)(?:_(?P<place>[0-9]{1,2}))?\|>",
    re.IGNORECASE,
)
_NO_IMAGE = re.compile(r"</|vision_|image_start|image_end", re.IGNORECASE)
_NAMING = re.compile(r"\b(?:in|of|from|on|at|to|with|see|the|and|or|vs|versus|between|than|by)\s*$", re.IGNORECASE)
_SPACE_BEFORE_STOP = re.compile(r" +(?=[.,;?!](?:\s|$))")


class Rewording(NamedTuple):
    """A text and what was done to it."""

    text: str
    changes: tuple[str, ...]
    """Names of the rules that changed it, in their order."""


Rule = tuple[str, Callable[[str], str]]
"""A name, as an act that was done, and the function."""


def reworded(text: str, rules: Sequence[Rule]) -> Rewording:
    """Apply rules in order, and again until nothing changes.

    Args:
        text: Any text.
        rules: In the order in which they are applied.
    """
    changes: dict[str, None] = {}
    for _ in range(_MAX_PASSES):
        before = text
        for name, rule in rules:
            after = rule(text)
            if after != text:
                changes[name] = None
                text = after
        if text == before:
            break
    ordered = [name for name, _ in rules if name in changes]
    return Rewording(text, tuple(ordered))


def without_entities(text: str) -> str:
    """`&lt;` and the like as the characters they stand for; an `&` of a LaTeX table stays."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda match: _unescaped(match[0]), text)


def _unescaped(entity: str) -> str:
    character = html.unescape(entity)
    return character.encode("utf-8", "ignore").decode() or " "


def composed(text: str) -> str:
    """Unicode's normal form C: one way to write é. Compatible forms (², ½) stay as they are."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def visible(text: str) -> str:
    """The text without control characters, zero-width ones, text-direction marks and hidden tags.

    Joiners stay where they shape letters (Persian, Hindi, pictographs).
    """
    text = _LINE_END.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub("", text)
    return _JOINS_NOTHING.sub("", text) if _JOINERS.search(text) else text


def spaced(text: str) -> str:
    """Single plain spaces, line breaks kept, at most one blank line, nothing around."""
    text = _SPACES_AROUND_LINE_END.sub("\n", _SPACE.sub(" ", text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def without_image_marks(text: str) -> str:
    """The text without the marks that place images; a numbered one that is part of a sentence is `image 1`.

    The images themselves are given apart, and how a prompt places them is a policy's business.
    """
    if not _MARK.search(text):
        return text
    return _SPACE_BEFORE_STOP.sub("", spaced(_MARK.sub(lambda match: _instead_of_mark(text, match), text)))


def count_image_marks(text: str) -> int:
    """How many images the marks of a text place."""
    return sum(not _NO_IMAGE.search(match[0]) for match in _MARK.finditer(text))


def _instead_of_mark(text: str, match: re.Match[str]) -> str:
    before, after = text[: match.start()], text[match.end() :]
    line = _MARK.sub("", before.rpartition("\n")[2])
    rest = _MARK.sub("", after.partition("\n")[0]).strip()
    number = match["number"] or match["place"]
    opens_line = not line.strip() and not rest[:1].islower()
    if _NO_IMAGE.search(match[0]) or opens_line:
        return " "
    if number:
        return f" image {int(number)} " if line.strip() else f"Image {int(number)} "
    return " the image " if _NAMING.search(line) else " "


CLEANING: tuple[Rule, ...] = (
    ("entities written out", without_entities),
    ("mojibake repaired", repaired),
    ("Unicode composed", composed),
    ("invisible characters removed", visible),
    ("whitespace", spaced),
)
"""What every text goes through."""
