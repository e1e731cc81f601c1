"""Wording: do two short texts say the same in the same words?

Case, whitespace, surrounding punctuation and a leading article do not count; everything else does, signs and
symbols with a meaning among them (-5, .5, 50 %, C++, $3). The rule is ours, after the normalisation of VQA scoring.
"""

import re
import unicodedata

from components.rewards.verdict import Verdict, decided

_QUOTES_AND_BRACKETS = "\"'`*_()[]{}\u2018\u2019\u201c\u201d\u00ab\u00bb"
_BEFORE = _QUOTES_AND_BRACKETS + " ,;:"
_AFTER = _QUOTES_AND_BRACKETS + " ,;:.!?"
_ARTICLE = re.compile(r"^(?:an?|the) (?=.)")


def normalised(text: str) -> str:
    """A text without what does not count; a text of punctuation alone stays as it is."""
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    bare = _ARTICLE.sub("", folded.lstrip(_BEFORE).rstrip(_AFTER))
    return bare.lstrip(_BEFORE).rstrip(_AFTER) or folded


def verify_short_text(answer: str, reference: str) -> Verdict:
    """Whether an answer has the reference's wording.

    Args:
        answer: The extracted answer.
        reference: One accepted answer.
    """
    return decided("short text", normalised(answer) == normalised(reference))
