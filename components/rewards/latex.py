r"""LaTeX: the plain reading of a lightly marked-up answer.

Removes what says nothing about an answer's value (math delimiters, spacing, `\left`, bold) and writes the spellings
of one sign in one way. What it leaves is still LaTeX where the answer is (`\frac{1}{2}`, `\sqrt{2}`).
"""

import re
import unicodedata
from functools import lru_cache

_DELIMITERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("*", "*"), ("`", "`"))
_FIRST_SIGNS = ("$", "\\", "*", "`")
_MAX_NESTING = 4  # of delimiters in one another; bounds the work on hostile text
_SPELLINGS = {
    "\\\\": "\\\\",  # a new row, whose second backslash begins no other command
    "\u2212": "-",
    "\u2013": "-",
    "\uff05": "%",
    "\u00a0": " ",
    "{,}": ",",
    "{, }": ",",
    r"\! ": "",
    r"\%": "%",
    r"\$": "$",
    r"\!": "",
    r"\,": " ",
    r"\;": " ",
    r"\:": " ",
    r"\ ": " ",
    "~": " ",
    r"^{\circ}": "°",
    r"^\circ": "°",
    r"\degree": "°",
    r"\lbrace": r"\{",
    r"\rbrace": r"\}",
}
_SPELLING = re.compile("|".join(re.escape(spelling) for spelling in _SPELLINGS))
_SIZED = re.compile(r"\\(?:left|right|displaystyle|quad|qquad)(?![A-Za-z])")
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_BRACELESS = re.compile(r"\\frac\s*(\d|\{[^{}]*\})\s*(\d|\{[^{}]*\})")
_OVER = re.compile(r"\{\s*([^{}]+?)\s*\\over\s*([^{}]+?)\s*\}")
_VULGAR = re.compile(r"(\d?)([\u00bc-\u00be\u2150-\u215e])")
_DOLLAR = re.compile(r"(?<!\\)\$")
_BOX = re.compile(r"\\boxed\s*\{(.*)\}", re.DOTALL)
_TEXT = re.compile(r"\\(?:text(?:bf|rm|it|normal|sf|tt)?|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    r"""The answer without delimiters, spacing commands and typographic variants; a `\text{…}` leaves its words."""
    text = without_delimiters(text)
    return " ".join((_TEXT.sub(r" \1 ", text) if "{" in text else text).split())


@lru_cache(maxsize=16384)
def without_delimiters(text: str) -> str:
    r"""The same as `plain`, but with every `\text{…}` still in place."""
    text = _SPELLING.sub(lambda match: _SPELLINGS[match.group()], _unwrap(text))
    if "\\" in text:
        text = _FRACTION.sub(r"\\frac", _SIZED.sub("", text)).strip()
    return _with_braces(text) if "frac" in text or "over" in text or not text.isascii() else text


def _with_braces(text: str) -> str:
    r"""Fractions in one spelling: `\frac34`, `{3 \over 4}` and `½` as `\frac{3}{4}` and `1/2`."""
    text = _OVER.sub(r"\\frac{\1}{\2}", text)
    text = _BRACELESS.sub(lambda match: rf"\frac{{{match[1].strip('{}')}}}{{{match[2].strip('{}')}}}", text)
    return _VULGAR.sub(_vulgar, text)


def _vulgar(match: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", match[2]).partition("\u2044")
    return f"{match[1]} {top}/{bottom}".strip()


def _unwrap(text: str) -> str:
    for _ in range(_MAX_NESTING):
        text = text.strip().removesuffix(".").rstrip()
        inner = _inner(text) if text[:1] in _FIRST_SIGNS else None
        if inner is None:
            break
        text = inner
    return _without_dollars(text.strip()) if "$" in text else text.strip()


def _without_dollars(text: str) -> str:
    """`$125$ miles` without its delimiters; a single dollar sign is money."""
    signs = len(_DOLLAR.findall(text))
    return _DOLLAR.sub(" ", text).strip() if signs and signs % 2 == 0 else text


def _inner(text: str) -> str | None:
    """What stands between a pair of delimiters, or in a box; None where there are none."""
    for opening, closing in _DELIMITERS:
        if text.startswith(opening) and text.endswith(closing) and len(text) > len(opening) + len(closing):
            return text[len(opening) : -len(closing)]
    box = _BOX.fullmatch(text)
    return box[1] if box and _is_balanced(box[1]) else None


def _is_balanced(text: str) -> bool:
    """No brace closes that was not opened before: `1}{2` is not the content of one pair."""
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0
