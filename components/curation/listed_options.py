"""Options: the ones that a question lists in its own text, where a source has no column for them."""

import re

_LABEL = re.compile(r"(?:(?<=\s)|^)(?:\(([A-Z])\)|\[([A-Z])\]|([A-Z])[.):])\s*(?=\S)")
_TRAILING = re.compile(r"[\s,;]+$")
_LONGEST = 300  # characters of one option


def listed_options(question: str) -> tuple[str, ...]:
    """The options that a question lists as A, B, C …, without their labels.

    Args:
        question: With options such as `(A) 5 (B) 6` or `A. Paris`, one a line or in a row.

    Returns:
        Two options or more in order; empty where the labels are not A, B, … each once, or an option is blank or
        longer than 300 characters.
    """
    matches = list(_LABEL.finditer(question))
    letters = "".join(match[1] or match[2] or match[3] for match in matches)
    if len(letters) < 2 or letters != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(letters)]:
        return ()
    ends = [match.start() for match in matches[1:]] + [len(question)]
    texts = [question[match.end() : end] for match, end in zip(matches, ends, strict=True)]
    texts[-1] = texts[-1].partition("\n")[0]
    options = tuple(_TRAILING.sub("", text) for text in texts)
    return options if all(0 < len(option) <= _LONGEST for option in options) else ()
