"""What came of a question: was it right, and if not, in which way was it wrong?

A category is a reader's guide, not a score: it is found by plain rules from a response and how it was judged. Of very
long texts and lists only a part is looked at, so that any response takes some milliseconds at most.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from rapidfuzz.distance import Levenshtein

from components.core.sample import NO_ANSWER, NOT_GENERATED, PARTLY_RIGHT, RIGHT, TRUNCATED, WRONG
from components.rewards.quantity import read_quantity

_EXTRACTION, _NEAR_MISS = "extraction", "near miss"
_MAX_RESPONSE = 20_000
"""Characters of a response that are searched, at its end, where answers stand."""
_MAX_TEXT = 1_000
"""Longer answers and references are not looked for and not compared."""
_MAX_REFERENCES = 50
_MAX_OCCURRENCES = 200
"""Places of a reference that are looked at, the last ones."""
_RELATIVE = Fraction(1, 10)
_EDITED_PART = 5
"""One character of so many may differ."""
_LETTER = re.compile(r"[A-Za-z]")
_TAIL = 2_000
_REPEATS = 4
_MIN_LOOP = 20
_PROBE = 8
"""A loop's last characters stand one unit earlier as well: what is searched for to find how long the unit is."""


def category_of(
    completion: str, extracted: str | None, references: Sequence[str], strict: float, flags: Sequence[str]
) -> str:
    """The category of a sample, the first of these that holds.

    right: the score is 1. partly right: it is above 0. not generated, truncated: by the flags. no answer: by the flags,
    or nothing was extracted. extraction: a reference stands in the response by itself, but is not what was taken; one
    that is a single letter has to be stated as the answer, since "a" is a word and every choice is mentioned. near
    miss: the extracted number is within 10 % of a reference's, or, where one of both is no number, no more than a fifth
    of the characters differ. wrong: all else.

    Args:
        completion: The response.
        extracted: What was taken for the answer.
        references: Accepted answers.
        strict: The score (0..1) by the saner variant of the rule.
        flags: Of components.core.sample.

    Returns:
        One of components.core.sample.CATEGORIES.
    """
    if strict > 0:
        return RIGHT if strict >= 1 else PARTLY_RIGHT
    for flag in (NOT_GENERATED, TRUNCATED, NO_ANSWER):
        if flag in flags:
            return flag
    if extracted is None or not extracted.strip():
        return NO_ANSWER
    taken = _normal(extracted[: _MAX_TEXT + 1])
    wanted = [reference for reference in dict.fromkeys(references[:_MAX_REFERENCES]) if len(reference) <= _MAX_TEXT]
    if _is_overlooked(completion[-_MAX_RESPONSE:], taken, wanted):
        return _EXTRACTION
    return _NEAR_MISS if any(_is_near(taken, _normal(reference)) for reference in wanted) else WRONG


def repeats(completion: str) -> bool:
    """Whether a response ends in a loop: the same text at least four times in a row, over at least 20 characters.

    The last time it may be cut short. Looked at are the last 2,000 characters, so units of up to 500.
    """
    tail = completion[-_TAIL:]
    return len(tail) >= _MIN_LOOP and any(_has_period(tail, unit) for unit in _possible_units(tail))


def _possible_units(tail: str) -> Iterator[int]:
    """Lengths, shortest first, by which the end of a text is like what stands before it."""
    probe, place = tail[-_PROBE:], len(tail) - _PROBE
    start = tail.rfind(probe, 0, -1)
    while start >= 0 and place - start <= _TAIL // _REPEATS:
        yield place - start
        start = tail.rfind(probe, 0, start + _PROBE - 1)


def _has_period(tail: str, unit: int) -> bool:
    span = tail[-max(_REPEATS * unit, _MIN_LOOP) :]
    return len(span) >= max(_REPEATS * unit, _MIN_LOOP) and span[unit:] == span[:-unit]


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_overlooked(response: str, taken: str, references: Sequence[str]) -> bool:
    """Whether a reference stands in the response, and none is what was taken."""
    normals = {reference: _normal(reference) for reference in references}
    if taken in normals.values():
        return False
    text = _normal(response)
    return any(
        _states_letter(response, normal) if _LETTER.fullmatch(normal) else bool(normal) and _stands_in(normal, text)
        for normal in normals.values()
    )


def _states_letter(response: str, letter: str) -> bool:
    """Whether a letter is stated as the answer: after that word, in a box, or on a line by itself; as a capital."""
    name = letter.upper()
    stated = (
        rf"(?i:answer|option|choice)(?:\s(?i:is))?[\s:*($\\{{]{{0,10}}{name}(?!\w)",
        rf"boxed\{{\s?(?:\\text\{{)?\(?{name}(?!\w)",
        rf"(?m:^[\s*(]{{0,5}}{name}[\s*).]{{0,5}}$)",
    )
    return any(re.search(pattern, response) for pattern in stated)


def _stands_in(wanted: str, text: str) -> bool:
    """Whether a text holds a word, or a number, that is not a part of a longer one."""
    place = len(text)
    for _ in range(_MAX_OCCURRENCES):
        place = text.rfind(wanted, 0, max(place + len(wanted) - 1, 0))
        if place < 0:
            return False
        before, behind = text[max(place - 2, 0) : place], text[place + len(wanted) : place + len(wanted) + 2]
        if not _is_joined(before[::-1], wanted[0], "-\N{MINUS SIGN}") and not _is_joined(behind, wanted[-1], ""):
            return True
    return False


def _is_joined(neighbours: str, edge: str, signs: str) -> bool:
    """Whether a word or a number goes on beyond its edge.

    Args:
        neighbours: Up to two characters beyond, the nearest first.
        edge: The outermost character of the word itself.
        signs: What makes another number of one when it touches the edge and nothing stands before it.
    """
    if not neighbours or not edge.isalnum():
        return False
    touching, beyond = neighbours[0], neighbours[1:]
    if touching.isalnum():
        return True
    if not edge.isdigit():
        return False
    return (touching in signs and not beyond.isalnum()) or (touching in ".,/" and beyond.isdigit())


def _is_near(taken: str, wanted: str) -> bool:
    given, expected = read_quantity(taken), read_quantity(wanted)
    if given is not None and expected is not None:
        return abs(given.value - expected.value) <= _RELATIVE * abs(expected.value)
    longest = max(len(taken), len(wanted))
    if longest > _MAX_TEXT or not wanted:
        return False
    # In whole edits: a similarity of 0.8 is not exact in binary.
    allowed = longest // _EDITED_PART
    return Levenshtein.distance(taken, wanted, score_cutoff=allowed) <= allowed
