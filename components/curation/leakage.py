"""Leakage: is the answer given away by what stands beside the picture?

Four places are looked at: the question's text, a statement of the answer in it ("Answer: B"), a mark on the right
option ("Paris (correct)"), and what the source says of the row (file names, ids, captions). What is short, common or
listed among alternatives ("is it red or blue?") says nothing, and is no leak.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType
from components.curation.candidate import Candidate, Rejection
from components.curation.options import find_options
from components.rewards.choice import named_options
from components.rewards.latex import plain
from components.rewards.wording import normalised

Action = Literal["ignore", "flag", "reject"]

_STATEMENT = re.compile(
    r"\b(?:answer|option|choice|solution)\s*(?:is|are|:|=)\s*(?:option\s+|choice\s+)?[\s\"'*(\[$:]*", re.IGNORECASE
)
_NO_STATEMENT = re.compile(
    r"\b(?:which|what|if|whether|when|unless|suppose|assume|example|e\.g|like|format|such as|write|reply|respond)\b"
    r"[^.?!\n]*$",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"[)\]\"'*.\s]*(?:,\s*\(?[A-Z]\b|/|\bor\b|\band\b)", re.IGNORECASE)
_MARK = re.compile(
    r"[(\[{]\s*(?:(?:the\s+)?(?:correct|right|true)(?:\s+(?:answer|option|choice))?|answer)\s*[)\]}]|"
    r"[\u2713\u2714\u2611\u2705]|<[-=]+\s*(?:answer|correct|right)",
    re.IGNORECASE,
)
_STAR = re.compile(r"^\*+\s*[^\s*]|[^\s*]\s*\*+$")
_SENTENCE_END = re.compile(r"[.?!]\s|\n")
_OR = re.compile(r"\bor\b|\beither\b|\bvs\b|\bversus\b|\bbetween\b", re.IGNORECASE)
_IN_NAMES = re.compile(r"[_\-/\\.:]+")
_AROUND = 40  # characters of the place that are shown
_BEFORE = 200  # characters in which a condition on a statement is looked for
_LONGEST_SEARCHED = 200  # characters of a gold

_COMMON = frozenset(
    "none true false left right above below under over front back behind inside outside middle center centre bottom "  # noqa: SIM905
    "person people woman women child children girl boys girls white black blue green brown yellow orange purple pink "
    "gray grey table chair house water food tree trees street road room wall floor ground grass building first second "
    "third fourth last next many more most less least same different other another both neither each every some zero "
    "three four five six seven eight nine eleven twelve hundred small large short long high higher lower tall image "
    "picture photo figure diagram chart graph text word number line point angle triangle circle square rectangle area "
    "length width height side sides value equal answer question option male female night open closed round outdoor "
    "indoor indoors outdoors sunny cloudy happy sitting standing walking wood metal glass cannot "
    "determined enough".split()
)


class LeakageConfig(Config):
    """Where leaks are looked for, and what becomes of rows that have one."""

    enabled: bool = True
    """Whether leaks are looked for."""
    question: Action = "flag"
    """The gold stands in the question: often by chance or as a part of what is asked."""
    statement: Action = "reject"
    """The question states the answer as such."""
    marking: Action = "reject"
    """The right option, and no other, carries a mark."""
    metadata: Action = "flag"
    """The gold stands in a file name, an id or another column of the source."""
    min_characters: int = Field(default=4, ge=1)
    """Shorter golds are found anywhere by chance; they count only where they are stated or marked."""
    answer_columns: tuple[str, ...] = (
        "answer",
        "answers",
        "label",
        "labels",
        "solution",
        "rationale",
        "explanation",
        "ground_truth",
        "gt",
        "target",
        "output",
        "response",
        "gold",
        "answer_text",
        "answer_type",
    )
    """Columns that hold answers by design, in any case of letters."""


class Leak(NamedTuple):
    """A place where the answer is given away."""

    place: str
    """question, statement, marking or metadata."""
    evidence: str


@dataclass(frozen=True)
class LeakageStep:
    """Looks for the answer beside the picture.

    Args:
        config: Where, and what becomes of the row.
    """

    config: LeakageConfig = field(default_factory=LeakageConfig)
    name = "leakage"

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate, flagged where the answer is given away.

        Raises:
            Rejection: It is given away in a place that the configuration rejects.
        """
        if not self.config.enabled:
            return candidate
        flags = []
        for leak in self._leaks(candidate):
            action: Action = getattr(self.config, leak.place)
            if action == "reject":
                raise Rejection(f"leakage: {_REASONS[leak.place]}", leak.evidence)
            if action == "flag":
                flags.append(f"leakage: {_REASONS[leak.place]}")
        return candidate.flagged(*flags)

    def _leaks(self, candidate: Candidate) -> Iterator[Leak]:
        example = candidate.example
        options = example.choices or tuple(find_options(example.question))
        golds = _golds(candidate, options)
        yield from _statements(example.question, golds.all)
        yield from _markings(options, golds.option)
        searched = [gold for gold in golds.texts if self._is_telling(gold)]
        yield from _in_question(example.question, options, searched)
        yield from self._in_metadata(candidate, searched)

    def _is_telling(self, gold: str) -> bool:
        return self.config.min_characters <= len(gold) <= _LONGEST_SEARCHED and normalised(gold) not in _COMMON

    def _in_metadata(self, candidate: Candidate, golds: Sequence[str]) -> Iterator[Leak]:
        if not golds:
            return
        skipped = {name.casefold() for name in self.config.answer_columns}
        columns = {**candidate.metadata, "group": candidate.example.group}
        for name, value in columns.items():
            if name.casefold() in skipped:
                continue
            for text in dict.fromkeys((value, _IN_NAMES.sub(" ", value))):
                gold = next((gold for gold in golds if _found(gold, text)), None)
                if gold:
                    yield Leak("metadata", f"{gold!r} in {name}: {value[: _AROUND * 3]!r}")
                    break


_REASONS = {
    "question": "the answer is in the question",
    "statement": "the question states the answer",
    "marking": "the right option is marked",
    "metadata": "the answer is in the metadata",
}


class _Golds(NamedTuple):
    texts: tuple[str, ...]
    """Words or numbers by which the answer can be recognised."""
    letter: str
    option: int | None

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.texts, self.letter) if self.letter else self.texts


def _golds(candidate: Candidate, options: Sequence[str]) -> _Golds:
    example = candidate.example
    gold = plain(example.references[0])
    if example.answer_type is not AnswerType.CHOICE:
        return _Golds((gold,), "", None)
    bare = [_MARK.sub("", text).strip("* ") for text in options]
    named = named_options(_MARK.sub("", gold).strip("* "), bare)
    if len(named) != 1:
        return _Golds((gold,), "", None)
    option = min(named)
    texts = (plain(bare[option]),) if option < len(bare) else ()
    return _Golds(texts, chr(ord("A") + option), option)


def _statements(question: str, golds: Sequence[str]) -> Iterator[Leak]:
    for match in _STATEMENT.finditer(question):
        before, after = question[: match.start()], question[match.end() :]
        stated = next((gold for gold in golds if _begins_with(after, gold)), None)
        if stated and not _NO_STATEMENT.search(before[-_BEFORE:]):
            yield Leak("statement", f"{_shown(question, match.start(), match.end() + len(stated))!r}")
            return


def _begins_with(text: str, gold: str) -> bool:
    """Whether a text begins with the gold, and goes on with neither more of a word nor an alternative."""
    if not gold or text[: len(gold)].casefold() != gold.casefold():
        return False
    rest = text[len(gold) :]
    return not re.match(r"\w|[.,]\d|\s*[-+*/^=]\s*\w", rest) and not _ALTERNATIVE.match(rest)


def _markings(options: Sequence[str], right: int | None) -> Iterator[Leak]:
    for pattern in (_MARK, _STAR):
        marked = [option for option, text in enumerate(options) if pattern.search(text)]
        if right is not None and marked == [right]:
            yield Leak("marking", f"option {chr(ord('A') + right)}: {options[right][:100]!r}")
            return


def _in_question(question: str, options: Sequence[str], golds: Sequence[str]) -> Iterator[Leak]:
    if golds and sum(_found(plain(option), question) is not None for option in options) > 1:
        return  # the options are listed in it
    for gold in golds:
        match = _found(gold, question)
        if match and not _OR.search(_sentence(question, match.start(), match.end())):
            yield Leak("question", f"{gold!r} in {_shown(question, match.start(), match.end())!r}")
            return


def _found(gold: str, text: str) -> re.Match[str] | None:
    return _pattern(gold).search(text) if gold else None


@lru_cache(maxsize=4096)
def _pattern(gold: str) -> re.Pattern[str]:
    """The gold as whole words; a number is not found within a longer one."""
    words = r"\s+".join(map(re.escape, gold.split()))
    return re.compile(rf"(?<![\w\\])(?<!\d[.,]){words}(?!\w|[.,]\d)", re.IGNORECASE)


def _sentence(text: str, start: int, end: int) -> str:
    begin = max((match.end() for match in _SENTENCE_END.finditer(text, 0, start)), default=0)
    stop = _SENTENCE_END.search(text, end)
    return text[begin : stop.start() if stop else len(text)]


def _shown(text: str, start: int, end: int) -> str:
    before = "…" if start > _AROUND else ""
    after = "…" if end + _AROUND < len(text) else ""
    return f"{before}{text[max(0, start - _AROUND) : end + _AROUND]}{after}"
