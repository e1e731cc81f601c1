"""Exact duplicates and contradictions among rows that ask the same question about the same pixels.

Rows are the same question where the pixels of all images, in order, the normalised question and the set of options
agree. Among them, equal golds make a duplicate of the first, whatever their wording; contradicting ones are no longer
trusted, neither of them (`conflicts`).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from components.core.config import Config
from components.curation.image_index import ImageIndex
from components.curation.runs import combined, runs
from components.curation.sign_table import SignTable


class DuplicatesConfig(Config):
    """Rows with the same pixels, question and answer."""

    enabled: bool = True
    """Whether only the first of them stays."""


@dataclass(frozen=True)
class SameQuestion:
    """Rows that ask the same about the same pixels."""

    classes: tuple[tuple[int, ...], ...]
    """Rows of one answer each, ascending; ordered by their first row."""

    @property
    def firsts(self) -> list[int]:
        """The first row of each answer."""
        return [rows[0] for rows in self.classes]


def same_questions(table: SignTable, images: ImageIndex) -> list[SameQuestion]:
    """Rows that ask the same about the same pixels, by their answers' forms, where there is more than one row."""
    keys = combined(images.same_images, table.hashes("question"))
    answers = table.hashes("answer")
    found = []
    for run in runs(keys):
        classes: dict[int, list[int]] = {}
        for row in run.tolist():
            classes.setdefault(int(answers[row]), []).append(row)
        found.append(SameQuestion(tuple(tuple(rows) for rows in classes.values())))
    return found


def exact_duplicates(questions: list[SameQuestion], preferred: AbstractSet[int]) -> dict[int, int]:
    """Every row that repeats another, which stays: the first, or the first of the preferred ones.

    Args:
        questions: Their classes have equal golds each (`conflicts.find_conflicts`).
        preferred: Rows that stay before others.
    """
    found: dict[int, int] = {}
    for question in questions:
        for rows in question.classes:
            kept = next((row for row in rows if row in preferred), rows[0])
            found.update({row: kept for row in rows if row != kept})
    return found
