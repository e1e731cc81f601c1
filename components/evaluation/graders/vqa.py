"""VQA: soft accuracy against ten annotators, as VQAv2 and TextVQA count it.

An answer that three annotators gave is right, and the score is the mean over all ways to leave one annotator out.

Source: vqaEval.py of GT-Vision-Lab/VQA (`vqa`); m4c_evaluators.py of facebookresearch/mmf, after EvalAI (`textvqa`).
The former is a script for Python 2; what a digit, a capital and white space are follows Python 3 here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.grade import Grade
from components.evaluation.graders.inputs import flags_of, require_references

FEW_REFERENCES = "fewer than 4 references"
"""Flag: with an annotator left out fewer than three are left, so that no answer can score 1."""

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_IN_NUMBER = re.compile(r"\d,\d")

# Meant to spare the points of decimals, but the official look-behind is a typing error: every full stop goes that no
# digit follows, the one of "3." too.
_FULL_STOP = re.compile(r"\.(?!\d)")

# The official call gives a flag of value 32 in the place of the count.
_MOST_FULL_STOPS = 32

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {word: str(value) for value, word in enumerate(_WORDS)} | {"none": "0"}
_ARTICLES = frozenset({"a", "an", "the"})

_CONTRACTED = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock
oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's
they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's
where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've
y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""


def _spellings() -> dict[str, str]:
    # Officially a table: it has each of these words with any one of its apostrophes missing. Its four entries for "I"
    # are left out, as they are capitalised and meet words in lower case alone. "somebody'd" is as official.
    table = {"somebody'd": "somebodyd"}
    for word in _CONTRACTED.split():
        for position, letter in enumerate(word):
            if letter == "'":
                table[word[:position] + word[position + 1 :]] = word
    return table


_SPELLINGS = _spellings()


def vqa(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:  # noqa: ARG001
    """Scores by VQAv2's rule.

    Where the annotators are unanimous, to the letter, nothing is normalised, not even the case: ten times "yes" and
    "Yes" score 0. The authors mean it so for questions whose answer is to be read (issue #14 of their repository).

    Args:
        prediction: The model's answer.
        references: The annotators' answers; officially ten, any number is scored alike.
        meta: Not used.

    Raises:
        MetaError: There is no reference.
    """
    require_references(references)
    compared, targets = _one_line(prediction), [_one_line(reference) for reference in references]
    if len(set(targets)) > 1:
        compared, targets = _normalised(compared), [_normalised(target) for target in targets]
    return _grade(prediction, compared, targets)


def textvqa(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:  # noqa: ARG001
    """Scores by TextVQA's rule, which always normalises.

    Args:
        prediction: The model's answer.
        references: The annotators' answers; officially ten, any number is scored alike.
        meta: Not used.

    Raises:
        MetaError: There is no reference.
    """
    require_references(references)
    compared, *targets = (_normalised(_one_line(_tokenized(text))) for text in (prediction, *references))
    return _grade(prediction, compared, targets)


def _grade(prediction: str, compared: str, targets: Sequence[str]) -> Grade:
    flags = flags_of(prediction) + ((FEW_REFERENCES,) if len(targets) < 4 else ())
    return Grade(_leave_one_out(compared, targets), compared, flags)


def _leave_one_out(answer: str, targets: Sequence[str]) -> float:
    matches = targets.count(answer)
    total = 0.0
    for target in targets:
        # Added one by one: sum() of later Pythons compensates rounding, which gives other last digits.
        total += min(1.0, (matches - (target == answer)) / 3)
    return total / len(targets)


def _one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _tokenized(text: str) -> str:
    return text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()


def _normalised(text: str) -> str:
    words = (_DIGITS.get(word, word) for word in _without_punctuation(text).lower().split())
    return " ".join(_SPELLINGS.get(word, word) for word in words if word not in _ARTICLES)


def _without_punctuation(text: str) -> str:
    numeric = _COMMA_IN_NUMBER.search(text) is not None
    result = text
    for mark in _PUNCTUATION:
        if mark in text:
            # A mark beside a space anywhere, and every mark if a number has a comma, goes without leaving a space.
            dropped = numeric or mark + " " in text or " " + mark in text
            result = result.replace(mark, "" if dropped else " ")
    return _FULL_STOP.sub("", result, count=_MOST_FULL_STOPS)
