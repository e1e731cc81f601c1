"""Wording step: questions, options and references in plain, clean text, with every change flagged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Task
from components.curation.answer_wording import UNWRAPPING, figures, letter_alone, without_labels
from components.curation.candidate import Candidate, Rejection
from components.curation.mojibake import REPLACEMENT, repaired
from components.curation.schema import shorten
from components.curation.wording import CLEANING, Rule, count_image_marks, reworded, without_image_marks
from components.rewards.units import canonical_unit

_ANNOTATORS = 5  # from here on references are a survey, in which equal answers count


class WordingConfig(Config):
    """How texts are cleaned."""

    enabled: bool = True
    """Whether texts are cleaned at all."""
    mojibake: Literal["repair", "flag", "reject"] = "repair"
    """What becomes of UTF-8 that was decoded as something else."""
    lost_characters: Literal["flag", "reject"] = "flag"
    """What becomes of texts with replacement characters, which cannot be repaired."""
    answers: bool = True
    """Whether references are freed of "Answer:", boxes, option texts, thousands separators and units."""
    transcribing_tasks: tuple[Task, ...] = (Task.OCR, Task.DOCUMENT)
    """Tasks whose references are kept as they are printed: they are cleaned as texts and no more."""
    majority_first: bool = True
    """Whether, of five references or more, those that most annotators gave come first."""
    max_flagged_changes: int = Field(default=20, ge=0)
    """Changes that are flagged on one row at most."""


@dataclass(frozen=True)
class WordingStep:
    """Cleans the texts of a candidate.

    Args:
        config: What is done.
    """

    config: WordingConfig = field(default_factory=WordingConfig)
    name = "wording"

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate with clean texts.

        Raises:
            Rejection: Nothing is left of a text, or the configuration rejects what is wrong with one.
        """
        if not self.config.enabled:
            return candidate
        self._check_encoding(candidate)
        changes: list[str] = []
        question = self._question(candidate, changes)
        choices = self._choices(candidate.example.choices, changes)
        references, unit = self._references(candidate, choices, changes)
        rewritten = candidate.rewritten(question=question, choices=choices, references=references, unit=unit)
        return rewritten.flagged(*changes[: self.config.max_flagged_changes])

    def _check_encoding(self, candidate: Candidate) -> None:
        example = candidate.example
        for text in (example.question, *example.references, *example.choices):
            if self.config.lost_characters == "reject" and REPLACEMENT in text:
                raise Rejection("characters lost", shorten(text))
            if self.config.mojibake == "reject" and repaired(text) != text:
                raise Rejection("mojibake", shorten(text))

    def _question(self, candidate: Candidate, changes: list[str]) -> str:
        question, images = candidate.example.question, len(candidate.example.images)
        if count_image_marks(question) not in (0, images):
            changes.append("question: image marks and images differ in number")
        marks: Rule = ("image marks removed", without_image_marks)
        question = self._cleaned(question, "question", (marks,), changes)
        if not question:
            raise Rejection("question blank", "nothing is left of it without marks and invisible characters")
        return question

    def _choices(self, choices: Sequence[str], changes: list[str]) -> tuple[str, ...]:
        cleaned = [self._cleaned(choice, "choices", (), changes) for choice in choices]
        if not all(cleaned):
            raise Rejection("choice blank", "nothing is left of it without invisible characters")
        bare = without_labels(cleaned)
        if bare != tuple(cleaned):
            changes.append("choices: labels removed")
        return bare

    def _references(
        self, candidate: Candidate, choices: Sequence[str], changes: list[str]
    ) -> tuple[tuple[str, ...], str]:
        example = candidate.example
        unwraps = self.config.answers and example.task not in self.config.transcribing_tasks
        rules: tuple[Rule, ...] = UNWRAPPING if unwraps else ()
        if self.config.answers and choices:
            rules = (*rules, ("option text removed", lambda text: letter_alone(text, choices)))
        references = [self._cleaned(text, "answer", rules, changes) for text in example.references]
        if not all(references):
            raise Rejection("reference blank", "nothing is left of it without invisible characters")
        ordered = self._in_order(references)
        keeps_text = choices or candidate.stated_type in _AS_WRITTEN
        if not unwraps or keeps_text:
            return ordered, example.unit
        numbers, unit = _split(ordered, example.unit, changes)
        return self._in_order(numbers), unit

    def _in_order(self, references: Sequence[str]) -> tuple[str, ...]:
        if len(references) < _ANNOTATORS:
            return tuple(dict.fromkeys(references))
        counts = Counter(references)
        return (
            tuple(sorted(references, key=lambda text: -counts[text])) if self.config.majority_first else (*references,)
        )

    def _cleaned(self, text: str, what: str, rules: Sequence[Rule], changes: list[str]) -> str:
        cleaning = CLEANING if self.config.mojibake == "repair" else _CLEANING_ALONE
        if self.config.mojibake == "flag" and repaired(text) != text:
            changes.append(f"{what}: mojibake")
        if REPLACEMENT in text:
            changes.append(f"{what}: characters lost")
        found = reworded(text, (*cleaning, *rules))
        changes.extend(f"{what}: {change}" for change in found.changes)
        return found.text


_AS_WRITTEN = (AnswerType.SHORT_TEXT.value, AnswerType.OPEN_ENDED.value)
_CLEANING_ALONE = tuple(rule for rule in CLEANING if rule[1] is not repaired)


def _split(references: tuple[str, ...], unit: str, changes: list[str]) -> tuple[tuple[str, ...], str]:
    """Numbers with their unit apart; everything else as it is."""
    found = figures(references, canonical_unit(unit))
    if found is None:
        return references, unit
    if found.references != references:
        changes.append("answer: number plain")
    if found.unit and not unit:
        changes.append("answer: unit apart")
    return found.references, unit or found.unit
