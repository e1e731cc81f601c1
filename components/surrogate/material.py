"""What a surrogate is fitted on: the rows that were given, and the rows that are made of them."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from components.core.errors import SourceError
from components.rewards.answer_features import normalised
from components.rewards.english import FUNCTION_WORDS
from components.surrogate.config import SurrogateConfig
from components.surrogate.negatives import KINDS, Source, negative
from components.surrogate.rewordings import rewordings
from components.surrogate.rows import AnswerRow

_RIGHT = 0.9  # a score from which an answer counts as right in itself
_WRONG = 0.1
_APART = 0.5  # scores of one answer that differ by more contradict each other
_WORDS_OF_REFERENCE = 6  # a shorter right answer leaves too much open to stand as a reference
_SHORT = 4  # words; a right answer of so few can stand as a reference for answers as short
_CANARY_QUESTIONS = 200
_GIVEN_WEIGHT = 3.0  # of a given row beside one that is made of it: there are about four of those to each

OTHER_REFERENCE = "other_reference"
SHORT_REFERENCE = "short_reference"
REWORDED = "reworded"
LEFT_OUT = "reference"
_REMEMBERED = (OTHER_REFERENCE, SHORT_REFERENCE, REWORDED, LEFT_OUT)


@dataclass(frozen=True)
class Material:
    """Rows to fit on; given ones first."""

    rows: list[AnswerRow]
    weights: list[float]
    """Shape like rows."""
    questions: list[int]
    """Number of each row's question, which is its text and its references as they were given."""
    num_given: int

    @property
    def indexed(self) -> list[bool]:
        """Whether the index remembers the row: all but the hard negatives that were made; shape like rows."""
        return [place < self.num_given or row.kind in _REMEMBERED for place, row in enumerate(self.rows)]

    canaries: list[AnswerRow]
    """Of kinds that are not taught, for some of the questions; never fitted on."""
    canary_questions: list[int]
    warnings: list[str]


def checked(rows: Sequence[AnswerRow]) -> tuple[list[AnswerRow], list[str]]:
    """Rows that can be fitted on, each answer of a question once, and what is strange about them.

    Equal answers to one question count once, with the mean of their scores; where those differ by more than 0.5, a
    warning says so.

    Raises:
        SourceError: Nothing can be learnt: no row, a row without a score or with one outside of 0..1, a single class,
            a single question, or a single group of them.
    """
    if not rows:
        raise SourceError("rows", "there is none", "Give scored answers, right and wrong ones, to several questions")
    for place, row in enumerate(rows):
        if row.score is None or not math.isfinite(row.score) or not 0 <= row.score <= 1:
            raise SourceError(f"rows[{place}].score", f"{row.score!r} is no number from 0 to 1", "Mend or remove it")
        if not row.references or not row.answer.strip():
            missing = "references" if not row.references else "answer"
            raise SourceError(f"rows[{place}].{missing}", "it is blank", "Give a text or remove the row")
    merged, warnings = _merged(rows)
    classes = {(row.score or 0.0) > 0.5 for row in merged}
    if len(classes) < 2:
        raise SourceError(
            "rows",
            f"all {len(merged)} answers are {'right' if classes == {True} else 'wrong'}: one class only",
            "Add answers of the other class",
        )
    if len(set(question_numbers(merged))) < 2:
        raise SourceError(
            "rows", "they answer one question only, so that nothing can be held out", "Add answers to other questions"
        )
    if len({row.group for row in merged}) < 2:
        raise SourceError(
            "rows",
            f"all are of one group, {merged[0].group[:60]!r}, so that nothing can be held out",
            "Give groups that tell questions or topics apart, or leave group out",
        )
    return merged, warnings


def question_numbers(rows: Sequence[AnswerRow]) -> list[int]:
    """Which question each row answers, numbered from 0 in order.

    Rows of one group with the same question that share a reference answer the same one, so that a reference may be
    left out of some of them.
    """
    known: dict[tuple[str, ...], int] = {}
    numbers: list[int] = []
    count = 0
    for row in rows:
        keys = [(row.group, row.question, text, row.image_key) for text in row.references]
        number = next((known[key] for key in keys if key in known), count)
        known |= {key: known.get(key, number) for key in keys}
        numbers.append(number)
        count = max(count, number + 1)
    return numbers


def material_of(rows: Sequence[AnswerRow], config: SurrogateConfig, seed: int) -> Material:
    """Make the rows to fit on.

    Args:
        rows: Scored answers.
        config: Which kinds are made.
        seed: Decides what is made.

    Raises:
        SourceError: See `checked`.
    """
    given, warnings = checked(rows)
    questions = question_numbers(given)
    by_question: dict[int, list[AnswerRow]] = defaultdict(list)
    for row, number in zip(given, questions, strict=True):
        by_question[number].append(row)
    found = Material(list(given), [_GIVEN_WEIGHT] * len(given), list(questions), len(given), [], [], warnings)
    pool = _Pool(given, questions)
    step = max(1, len(by_question) // _CANARY_QUESTIONS)
    for number, answers in by_question.items():
        random = Random(f"{seed} {number}")
        fullest = max(answers, key=lambda row: len(row.references))
        source = pool.source(number, fullest, random)
        _make(found, number, answers, fullest, source, config, random)
        for made in _short_reference(answers, fullest, pool, random):
            found.rows.append(made)
            found.weights.append(1.0)
            found.questions.append(number)
        if number % step == 0:
            _canaries(found, number, fullest, source, config, random)
    return found


class _Pool:
    """Right answers to lend to other questions, and words to exchange."""

    def __init__(self, rows: Sequence[AnswerRow], questions: Sequence[int]) -> None:
        self._references = list(dict.fromkeys((row.group, row.references[0]) for row in rows))
        self._by_group: dict[str, list[str]] = defaultdict(list)
        for group, reference in self._references:
            self._by_group[group].append(reference)
        words = {word for _, text in self._references for word in text.replace(",", " ").split()}
        self._short = sorted({row.answer for row in rows if (row.score or 0.0) >= _RIGHT and _is_short(row.answer)})
        self._words = sorted(word.strip(".;:!?()") for word in words if word.lower() not in FUNCTION_WORDS)
        self._wrong: dict[int, list[str]] = defaultdict(list)
        for row, number in zip(rows, questions, strict=True):
            if (row.score or 0.0) <= _WRONG:
                self._wrong[number].append(row.answer)

    def short(self, random: Random) -> str:
        """A short right answer to some question; "" where there is none."""
        return random.choice(self._short) if self._short else ""

    def source(self, number: int, row: AnswerRow, random: Random) -> Source:
        """What negatives of a row's question are made of."""
        near = self._by_group[row.group]
        others = [random.choice(near) for _ in range(3)]
        others += [random.choice(self._references)[1] for _ in range(3)]
        others = [text for text in dict.fromkeys(others) if text not in row.references] or ["nothing of the kind"]
        wrong = self._wrong.get(number) or others
        words = random.sample(self._words, min(50, len(self._words))) or ["nothing"]
        return Source(row.question, random.choice(row.references), random.choice(wrong), tuple(others), tuple(words))


def _make(
    found: Material,
    number: int,
    rows: Sequence[AnswerRow],
    first: AnswerRow,
    source: Source,
    config: SurrogateConfig,
    random: Random,
) -> None:
    """Rows that are made of one question's rows; first is the one with the most references."""
    right = [row.answer for row in rows if (row.score or 0.0) >= _RIGHT]
    made = [*_left_out(first), *_other_reference(rows, first, right, random)]
    base = random.choice(first.references)
    others = [text for text in (*first.references, *right) if text != base]
    for text in rewordings(base, others, random, config.rewordings):
        made.append(replace(first, answer=text, score=1.0, kind=REWORDED))
    accepted = {normalised(text) for text in (*first.references, *right)}
    for kind in config.negatives:
        text = negative(kind, source, random, first.references)
        if text and normalised(text) not in accepted:
            made.append(replace(first, answer=text, score=0.0, kind=kind))
    for row in made:
        found.rows.append(row)
        found.weights.append(1.0)
        found.questions.append(number)


def _left_out(row: AnswerRow) -> list[AnswerRow]:
    """Each reference as an answer to the others."""
    if len(row.references) < 2:
        return []
    return [
        replace(row, references=(*row.references[:place], *row.references[place + 1 :]), answer=text, score=1.0,
                kind=LEFT_OUT)
        for place, text in enumerate(row.references)
    ]  # fmt: skip


def _other_reference(
    rows: Sequence[AnswerRow], first: AnswerRow, right: Sequence[str], random: Random
) -> list[AnswerRow]:
    """The question's answers held against another right answer.

    Wrong answers are mostly written after the reference, and right ones away from it; held against another right
    answer, likeness means what it means elsewhere.
    """
    long = [text for text in right if len(text.split()) >= _WORDS_OF_REFERENCE and text not in first.references]
    if not long:
        return []
    reference = random.choice(long)
    answers = [(row.answer, row.score) for row in rows] + [(first.references[0], 1.0)]
    return [
        replace(first, references=(reference,), answer=text, score=score, kind=OTHER_REFERENCE)
        for text, score in answers
        if text != reference
    ]


def _short_reference(rows: Sequence[AnswerRow], first: AnswerRow, pool: _Pool, random: Random) -> list[AnswerRow]:
    """A short right answer as the reference: the usual ones say more, wrong are short ones to this and other questions.

    A long wrong answer may agree with all that a short reference says, so none is held against it.
    """
    short = [row.answer for row in rows if (row.score or 0.0) >= _RIGHT and _is_short(row.answer)]
    if not short:
        return []
    reference = random.choice(short)
    right = [first.references[0], *rewordings(reference, (), random, 2)]
    wrong = [row.answer for row in rows if (row.score or 0.0) <= _WRONG and len(row.answer.split()) <= _SHORT + 1]
    foreign = pool.short(random)
    if foreign not in ("", *short):
        wrong += [foreign, *rewordings(foreign, (), random, 1)]
    return [
        replace(first, references=(reference,), answer=text, score=score, kind=SHORT_REFERENCE)
        for texts, score in ((right, 1.0), (wrong, 0.0))
        for text in texts
    ]


def _is_short(text: str) -> bool:
    return len(text.split()) <= _SHORT


def _canaries(
    found: Material, number: int, row: AnswerRow, source: Source, config: SurrogateConfig, random: Random
) -> None:
    for kind in KINDS:
        text = negative(kind, source, random, row.references)
        if text and (kind not in config.negatives):
            found.canaries.append(replace(row, answer=text, score=0.0, kind=kind))
            found.canary_questions.append(number)


def _merged(rows: Sequence[AnswerRow]) -> tuple[list[AnswerRow], list[str]]:
    same: dict[tuple[str, str, tuple[str, ...], str, str], list[AnswerRow]] = defaultdict(list)
    for row in rows:
        same[row.group, row.question, row.references, row.answer, row.image_key].append(row)
    warnings = []
    merged = []
    for several in same.values():
        scores = [row.score or 0.0 for row in several]
        if max(scores) - min(scores) > _APART:
            warnings.append(
                f"contradicting scores {sorted(set(scores))} of the answer {several[0].answer[:60]!r} to "
                f"{several[0].question[:60]!r}: their mean is taken"
            )
        merged.append(replace(several[0], score=sum(scores) / len(scores)))
    return merged, warnings
