"""Wording: do two short texts say the same in the same words?

Case, whitespace, surrounding punctuation and a leading article do not count; everything else does, signs and
symbols with a meaning among them (-5, .5, 50 %, C++, $3). The rule is ours, after the normalisation of VQA scoring.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from components.rewards.latex import plain
from components.rewards.verdict import Verdict, decided

_QUOTES_AND_BRACKETS = "\"'`*_()[]{}\u2018\u2019\u201c\u201d\u00ab\u00bb"
_BEFORE = _QUOTES_AND_BRACKETS + " ,;:"
_AFTER = _QUOTES_AND_BRACKETS + " ,;:.!?"
_ARTICLE = re.compile(r"^(?:an?|the) (?=.)")


@lru_cache(maxsize=16384)
def normalised(text: str) -> str:
    """A text without what does not count; a text of punctuation alone stays as it is."""
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    bare = _ARTICLE.sub("", folded.lstrip(_BEFORE).rstrip(_AFTER))
    return bare.lstrip(_BEFORE).rstrip(_AFTER) or folded


def verify_short_text(answer: str, references: Sequence[str]) -> Verdict:
    """Whether an answer has the wording of a reference.

    Args:
        answer: The extracted answer.
        references: The accepted answers, at least one; several annotators may have given the same.

    Returns:
        The verdict. Its confidence is a grade: of a right answer to a question with ten or so annotators the VQA
        accuracy, min(1, how many gave it / 3); of a wrong one its distance from the nearest reference, 1 minus the
        normalised Levenshtein similarity of DocVQA's ANLS. Neither changes the verdict.
    """
    said, wanted = normalised(_without_markup(answer)), [normalised(_without_markup(text)) for text in references]
    agreeing = wanted.count(said)
    if agreeing:
        is_survey = len(wanted) >= _ANNOTATORS
        return decided(_RULE, True, min(1.0, agreeing / 3) if is_survey else 1.0)
    return decided(_RULE, False, 1.0 - max(_similarity(said, text) for text in wanted))


_RULE = "short text"
_ANNOTATORS = 5  # from here on references are a survey, whose answers may disagree


def _without_markup(text: str) -> str:
    return plain(text) if "\\" in text else text


def _similarity(one: str, other: str) -> float:
    """1 minus the Levenshtein distance over the longer length; 0 below one half, as in ANLS."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(one, other, score_cutoff=0.5)
