"""MMMU: the official rules for multiple choice and for open questions.

Source: MMMU-Benchmark/MMMU, eval/eval_utils.py (parse_multi_choice_response, eval_multi_choice, parse_open_response,
eval_open). Results are the official ones, with two departures: where the official script draws a letter at random the
score is None, and a question has at most 26 options, beyond which its letters end.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from components.evaluation.grade import FALLBACK, NO_ANSWER, Grade, MetaError

_STRIPPED = ",.!?;:'"
_MORE_THAN_WORDS = 5  # only a longer response is searched for the text of an option
_INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_TRIVIAL = frozenset(":,.!?;'")

# The official patterns find the same numbers, in time quadratic in a run of digits: whether a number begins at a digit
# is settled by what follows the whole run, so only the first digit of a run is tried, and no run is given back.
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?(?<!\d)\d++(?:\.\d++)?+[eE][+-]?\d+"),
    re.compile(r"-?(?:(?<!\d)\d++\.\d++|\.\d++|(?<!\d)\d++\b)(?![eE][+-]?\d)(?![,\d])"),
)


def mmmu_multichoice(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Grade the answer to a multiple-choice question.

    Args:
        prediction: The response of the model.
        references: The right letter; of several, any counts.
        meta: `options`, the list of the options' texts; their letters are A, B … in this order.

    Raises:
        MetaError: `options` is missing or is not a list of 1 to 26 texts.
    """
    letter = _parse_choice(prediction, _options(meta))
    if letter is None:
        return Grade(None, None, (NO_ANSWER, FALLBACK))
    return Grade(float(letter in references), letter)


def mmmu_open(prediction: str, references: Sequence[str], meta: Mapping[str, Any]) -> Grade:
    """Grade the answer to an open question.

    A text counts where it is contained in the tail of a sentence, a number where it equals one of the tail, both
    rounded to 2 decimals.

    Args:
        prediction: The response of the model.
        references: The accepted answers.
        meta: Not used.
    """
    del meta
    tails = _tails(prediction)
    accepted = {value for reference in references for value in _normalized(reference)}
    texts = [value for value in accepted if isinstance(value, str)]
    is_right = any(
        value in accepted if isinstance(value, float) else any(text in value for text in texts)
        for value in _candidates(tails)
    )
    extraction = "\n".join(tails)
    return Grade(float(is_right), extraction or None, () if extraction else (NO_ANSWER,))


def _options(meta: Mapping[str, Any]) -> dict[str, str]:
    """Texts of the options by letter."""
    options = meta.get("options")
    is_list = isinstance(options, list | tuple) and all(isinstance(option, str) for option in options)
    if not is_list or not 1 <= len(options or ()) <= len(ascii_uppercase):
        raise MetaError("options: give the texts of the options, a list of 1 to 26 strings")
    return dict(zip(ascii_uppercase, options or (), strict=False))


def _parse_choice(response: str, options: Mapping[str, str]) -> str | None:
    """The letter that the response names last, by the first form that it uses; None where it uses none."""
    for char in _STRIPPED:  # one after the other, so "A.," loses the comma alone, then the full stop
        response = response.strip(char)
    response = f" {response} "
    is_long = len(response.split()) > _MORE_THAN_WORDS
    return (
        _last_named(response, options, lambda letter: f"({letter})")
        or _last_named(response, options, lambda letter: f" {letter} ")
        or (_last_named(response.lower(), options, lambda letter: options[letter].lower()) if is_long else None)
    )


def _last_named(response: str, letters: Mapping[str, str], form: Callable[[str], str]) -> str | None:
    """The letter whose form occurs last; of forms that begin at one place, the first letter's."""
    places = {letter: response.rfind(form(letter)) for letter in letters}
    last = max(places, key=lambda letter: places[letter])
    return last if places[last] >= 0 else None


def _tails(response: str) -> list[str]:
    """What may hold the answer: the tail of each line behind an indicator, else the whole response."""
    response = response.strip().strip(".").lower()
    # The official split at a full stop before a capital never applies, as the text is in lower case by then.
    lines = response.split("\n")
    tails = [_tail(line, _INDICATORS) for line in lines[:-1]] + [_tail(lines[-1], (*_INDICATORS, "="))]
    return [tail for tail in tails if tail and tail not in _TRIVIAL] or [response]


def _tail(line: str, indicators: Sequence[str]) -> str:
    """The shortest tail of a line behind an indicator; an empty tail gives way to the next indicator's."""
    shortest = ""
    for indicator in indicators:
        if indicator in line:
            tail = line.rpartition(indicator)[2].strip()
            if not shortest or len(tail) < len(shortest):
                shortest = tail
    return shortest


def _candidates(tails: Sequence[str]) -> Iterator[str | float]:
    """The tails and the numbers in them, normalised."""
    for tail in tails:
        yield from _normalized(tail)
        for pattern in _NUMBERS:
            for number in pattern.findall(tail):
                yield from _normalized(number)


def _normalized(text: str) -> tuple[str | float, ...]:
    """A number rounded to 2 decimals, or a text in lower case; one character needs a space beside it to be found."""
    text = text.strip()
    try:
        return (round(float(text.replace(",", "")), 2),)
    except ValueError:
        lowered = text.lower()
    return (f" {lowered}", f"{lowered} ") if len(lowered) == 1 else (lowered,)
