"""Choice: does an answer name the right option, and no other?

An option is named by its letter ("B", "(B)", "b.", "option B"), by its text, or by both ("B. Paris"). An answer that
names two options is wrong: hedging may not pay. The rules are ours.
"""

import re
from collections.abc import Sequence

from components.rewards.latex import plain
from components.rewards.verdict import Verdict, decided, undecided
from components.rewards.wording import normalised

_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\].:]{0,2}")
_KEYWORD = re.compile(
    r"^(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:option|choice|answer)s?\s*(?:is\b|:|=)?\s*(?:option\s+)?(?=\W*\w)",
    re.IGNORECASE,
)
_TEXT_AND_LETTER = re.compile(r"(.*\S)\s*[(\[]([A-Za-z])[)\]]\.?", re.DOTALL)
_DENIAL = re.compile(r"\b(?:not|no|never|nor|neither|actually|wait|instead|but|except)\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,;/&\s]+")
_LETTER_AND_TEXT = re.compile(r"[(\[]?([A-Za-z])(?:[)\].:]+\s*|\s+[-=]\s*)(\S.*)", re.DOTALL)
_ANOTHER_LETTER = re.compile(  # A and I are words as well, unless nothing follows that they could belong to
    r"\(([A-Za-z])\)|(?<![A-Za-z])([B-HJ-Z]|[AI](?=\s*(?:[.,;:!?)/]|$|or\b|and\b)))(?![A-Za-z'])"
)
_QUOTES = "\"'`\u2018\u2019\u201c\u201d*_ "


def verify_choice(answer: str, reference: str, choices: Sequence[str]) -> Verdict:
    """Whether an answer names the reference's option and no other.

    Args:
        answer: The extracted answer.
        reference: One accepted answer, a letter or an option's text.
        choices: Texts of the options, A first; may be empty where only letters are known.

    Returns:
        Undecided where the reference itself names no option, or several.
    """
    expected = named_options(reference, choices)
    if len(expected) == 1:
        return decided("choice", named_options(answer, choices) == expected)
    if normalised(answer) == normalised(reference):
        return decided("choice", True)
    return undecided("choice", f"the reference {reference[:60]!r} names {len(expected)} of the options")


def named_options(text: str, choices: Sequence[str]) -> frozenset[int]:
    """The options that a text names, by position from 0.

    Args:
        text: An answer or a reference.
        choices: Texts of the options, A first; where empty, letters alone can be told.
    """
    text = plain(text).strip(_QUOTES)
    by_text = _options_reading(text, choices)
    text = text if by_text else _KEYWORD.sub("", text).strip(_QUOTES)
    by_text = _options_reading(text, choices)
    by_letter = _lettered(text, choices)
    return by_text | {option for option in by_letter if option < len(choices)} if by_text else by_letter


def _options_reading(text: str, choices: Sequence[str]) -> frozenset[int]:
    wanted = normalised(text)
    return frozenset(option for option, choice in enumerate(choices) if normalised(plain(choice)) == wanted)


def _options_within(text: str, choices: Sequence[str]) -> frozenset[int]:
    words = normalised(text)
    patterns = [rf"(?<!\w){re.escape(normalised(plain(choice)))}(?!\w)" for choice in choices]
    return frozenset(option for option, pattern in enumerate(patterns) if re.search(pattern, words))


def _lettered(text: str, choices: Sequence[str]) -> frozenset[int]:
    """Options named by letters: letters alone ("B", "A or C"), or one letter and then words ("B. Paris")."""
    pieces = [piece for piece in _SEPARATOR.split(text) if piece and piece.casefold() not in ("or", "and")]
    alone = [match[1] for match in map(_LETTER.fullmatch, pieces) if match]
    if len(alone) == len(pieces):
        # A letter said twice is no answer that anybody gives: repeating pays nothing.
        return frozenset(map(_position, alone)) if len(set(alone)) == len(alone) else frozenset()
    match = _LETTER_AND_TEXT.fullmatch(text)
    letter, words = (match[1], match[2]) if match else _text_and_letter(text)
    if not letter:
        return frozenset()
    return _letter_with_words(_position(letter), words, choices)


def _text_and_letter(text: str) -> tuple[str, str]:
    match = _TEXT_AND_LETTER.fullmatch(text)
    return (match[2], match[1]) if match else ("", "")


def _letter_with_words(letter: int, words: str, choices: Sequence[str]) -> frozenset[int]:
    reading = _options_reading(words, choices)
    if reading:
        return reading | {letter}
    if _DENIAL.search(words):
        return frozenset()
    others = {_position(other[1] or other[2]) for other in _ANOTHER_LETTER.finditer(words)}
    return frozenset() if letter in others else _options_within(words, choices) | others | {letter}


def _position(letter: str) -> int:
    return ord(letter.upper()) - ord("A")
