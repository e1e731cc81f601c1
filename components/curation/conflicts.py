"""Conflicts: the same question about the same pixels with contradicting golds.

Nothing tells which of them is right, so none of them may teach: all are quarantined, each with another's gold as the
evidence. Golds that are equal in other words are no conflict, and open-ended answers never contradict each other.
"""

from dataclasses import dataclass
from itertools import combinations

from components.core.config import Config
from components.core.example import AnswerType
from components.curation.duplicates import SameQuestion
from components.curation.golds import golds_agree
from components.curation.sign_table import SignTable

_SHOWN = 60  # characters of an answer in the evidence
_MOST_COMPARED = 12  # different answers to one question; of more, those beyond contradict the first ones anyhow


class ConflictsConfig(Config):
    """Contradicting golds of one question about the same pixels."""

    enabled: bool = True
    """Whether all rows of such a question are quarantined."""


@dataclass(frozen=True)
class Conflict:
    """Why a row's gold is not trusted."""

    reason: str
    other: int
    """The row that it is held against."""


def with_equal_golds(table: SignTable, question: SameQuestion) -> tuple[SameQuestion, list[tuple[int, int, bool]]]:
    """Join the classes whose golds are equal by value.

    Args:
        table: The rows.
        question: Classes of rows by the forms of their golds.

    Returns:
        The joined classes; and pairs of first rows that do not agree, with whether they certainly contradict (no rule
        could tell otherwise).

    Raises:
        VerifierError: Computer algebra is needed and its sandbox cannot be started.
    """
    firsts = question.firsts
    compared = firsts[:_MOST_COMPARED]
    golds = {row: table.gold(row) for row in compared}
    head = {row: row for row in firsts}
    apart: list[tuple[int, int, bool]] = []
    for left, right in combinations(compared, 2):
        agree = golds_agree(golds[left], golds[right])
        if agree:
            kept, joined = sorted((head[left], head[right]))
            head = {row: kept if first == joined else first for row, first in head.items()}
        elif AnswerType.OPEN_ENDED not in (golds[left].answer_type, golds[right].answer_type):
            apart.append((left, right, agree is False))
    apart += [(firsts[0], row, False) for row in firsts[_MOST_COMPARED:] if _is_verifiable(table, row, firsts[0])]
    joined_rows: dict[int, list[int]] = {}
    for rows in question.classes:
        joined_rows.setdefault(head[rows[0]], []).extend(rows)
    classes = tuple(tuple(sorted(rows)) for rows in joined_rows.values())
    return SameQuestion(classes), [item for item in apart if head[item[0]] != head[item[1]]]


def _is_verifiable(table: SignTable, *rows: int) -> bool:
    return all(table.value("answer_type", row) != AnswerType.OPEN_ENDED.value for row in rows)


def find_conflicts(table: SignTable, questions: list[SameQuestion]) -> tuple[list[SameQuestion], dict[int, Conflict]]:
    """Hold the golds of the same questions against each other.

    Returns:
        The questions with equal golds joined, and by row why its gold is not trusted. Where two golds of a question
        contradict, every verifiable row of it is in the second.

    Raises:
        VerifierError: Computer algebra is needed and its sandbox cannot be started.
    """
    joined, conflicts = [], {}
    for question in questions:
        if len(question.classes) == 1:
            joined.append(question)
            continue
        settled, apart = with_equal_golds(table, question)
        joined.append(settled)
        if apart:
            conflicts.update(_conflicts_of(table, settled, apart))
    return joined, conflicts


def _conflicts_of(table: SignTable, question: SameQuestion, apart: list[tuple[int, int, bool]]) -> dict[int, Conflict]:
    certain = any(contradicts for _, _, contradicts in apart)
    reason = "contradicting answers" if certain else "answers that no rule can compare"
    left, right, _ = next((pair for pair in apart if pair[2]), apart[0])
    found = {}
    for rows in question.classes:
        other = right if left in rows else left
        found.update({row: Conflict(reason, other) for row in rows if _is_verifiable(table, row)})
    return found


def evidence(table: SignTable, conflict: Conflict) -> str:
    """The other row and its gold, for the quarantine."""
    references = table.value("references", conflict.other)
    return f"{table.key(conflict.other)} says {references[0][:_SHOWN]!r}"
