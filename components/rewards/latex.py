r"""LaTeX: the plain reading of a lightly marked-up answer.

Removes what says nothing about an answer's value (math delimiters, spacing, `\left`, bold) and writes the spellings
of one sign in one way. What it leaves is still LaTeX where the answer is (`\frac{1}{2}`, `\sqrt{2}`).
"""

import re

_DELIMITERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"))
_MAX_NESTING = 4  # of delimiters in one another; bounds the work on hostile text
_SPELLINGS = {
    "\u2212": "-",
    "\u2013": "-",
    "\uff05": "%",
    "\u00a0": " ",
    "{,}": ",",
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
}
_SPELLING = re.compile("|".join(re.escape(spelling) for spelling in _SPELLINGS))
_SIZED = re.compile(r"\\(?:left|right|displaystyle|quad|qquad)(?![A-Za-z])")
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_TEXT = re.compile(r"\\(?:text(?:bf|rm|it)?|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")


def plain(text: str) -> str:
    r"""The answer without delimiters, spacing commands and typographic variants; a `\text{…}` leaves its words."""
    return " ".join(_TEXT.sub(r" \1 ", without_delimiters(text)).split())


def without_delimiters(text: str) -> str:
    r"""The same as `plain`, but with every `\text{…}` still in place."""
    text = _SPELLING.sub(lambda match: _SPELLINGS[match.group()], _unwrap(text))
    return _FRACTION.sub(r"\\frac", _SIZED.sub("", text)).strip()


def _unwrap(text: str) -> str:
    for _ in range(_MAX_NESTING):
        text = text.strip().removesuffix(".").rstrip()
        for opening, closing in _DELIMITERS:
            if text.startswith(opening) and text.endswith(closing) and len(text) > len(opening) + len(closing):
                text = text[len(opening) : -len(closing)]
                break
    return text.strip()
