"""Canary rows: answers that game a scorer, made of rows whose truth is known, a few of every kind.

They are made by the same rules as the hard negatives that a surrogate is fitted on, of other questions; the kinds that
it has not seen are the honest alarm.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from components.surrogate.check import is_right, question_of
from components.surrogate.rows import AnswerRow

MOST = 200
"""Canaries of one kind, each of another question; the interval of a share is then at most 14 points wide."""
_OTHERS = 12
_WORD = re.compile(r"[^\W\d_]{4,}")


def canary_rows(rows: Sequence[AnswerRow], seed: int, most: int = MOST) -> list[AnswerRow]:
    """Make canaries.

    Args:
        rows: Scored rows; without a second question nothing can be lent from another, and none are made.
        seed: Decides which questions, which of other questions' answers, and the wordings.
        most: Questions that they are made of.

    Returns:
        Rows of score 0 with their kind.
    """
    from components.surrogate.negatives import KINDS, Source, negative

    random = Random(seed)
    by_question: dict[tuple[str, str, str], list[AnswerRow]] = {}
    for row in rows:
        by_question.setdefault(question_of(row), []).append(row)
    if len(by_question) < 2:
        return []
    lent = {name: own[0].references[0] for name, own in by_question.items()}
    words = tuple(sorted({word.lower() for text in lent.values() for word in _WORD.findall(text)})) or ("thing",)
    made = []
    for name in random.sample(sorted(by_question), min(most, len(by_question))):
        answers = by_question[name]
        first = answers[0]
        others = [text for other, text in lent.items() if other != name]
        wrongs = [row.answer for row in answers if not is_right(row)] or others
        source = Source(
            question=first.question,
            right=first.references[0],
            wrong=random.choice(wrongs),
            others=tuple(random.sample(others, min(_OTHERS, len(others)))),
            words=words,
        )
        accepted = [*first.references, *(row.answer for row in answers if is_right(row))]
        for kind in KINDS:
            if text := negative(kind, source, random, accepted):
                made.append(replace(first, answer=text, score=0.0, kind=kind))
    return made


def trained_kinds(identity: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of canaries that a surrogate was fitted on.

    Args:
        identity: Of its manifest.
    """
    from components.surrogate.negatives import TRAINED

    return tuple(identity.get("surrogate", {}).get("negatives", TRAINED))
