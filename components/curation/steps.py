"""The row steps: what each row goes through alone, by name and in order."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

from components.core.example import Example, example_id
from components.curation.candidate import Candidate, Lost, Rejection, RowStep, SourceRow
from components.curation.config import CurationConfig
from components.curation.language import LanguageStep
from components.curation.leakage import LeakageStep
from components.curation.licences import LicenceStep
from components.curation.personal_data import PersonalDataStep
from components.curation.pictures import PictureStep
from components.curation.schema import SchemaStep
from components.curation.typing_step import TypingStep
from components.curation.wording_step import WordingStep

SCHEMA = "schema"
_SHOWN = 60  # characters of a value in a change
QUESTION_SHOWN = 500
"""Characters of a question in the quarantine."""
_DERIVED = ("id",)


@dataclass(frozen=True)
class RowSteps:
    """What each row goes through."""

    schema: Callable[[SourceRow, str], Candidate]
    """Makes a candidate of a row of the named source, or raises Rejection."""
    steps: tuple[tuple[str, RowStep], ...]
    """By name, in order."""
    seconds: float = 300.0
    """After which a row hangs and its process is ended; an honest one takes milliseconds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all steps, the schema check first."""
        return (SCHEMA, *(name for name, _ in self.steps))


BuildSteps = Callable[[CurationConfig], RowSteps]


def row_steps(config: CurationConfig) -> RowSteps:
    """The row steps that a configuration asks for."""
    schema = SchemaStep(config.row)

    def read(row: SourceRow, source: str) -> Candidate:
        if isinstance(row.values, Rejection):
            raise row.values
        return schema(row.values, source, row.place)

    after = (
        WordingStep(config.wording),
        TypingStep(config.typing),
        LeakageStep(config.leakage),
        LanguageStep(config.language),
        PersonalDataStep(config.personal_data),
        LicenceStep(config.licences),
    )
    steps: tuple[tuple[str, RowStep], ...] = tuple((step.name, step) for step in after)
    return RowSteps(read, (("pictures", picture_step(PictureStep(config.pictures))), *steps))


def picture_step(pictures: PictureStep) -> RowStep:
    """Looks at the images of candidates."""

    def look(candidate: Candidate) -> Candidate:
        found = pictures.prepare(candidate.example.images)
        signs = replace(candidate.signs, pixels=found.pixels, looks=found.looks)
        seen = candidate if found.images == candidate.example.images else candidate.changed(images=found.images)
        return replace(seen, signs=signs).flagged(*found.flags)

    return look


def take_steps(row: SourceRow, source: str, steps: RowSteps, entered: Callable[[int], object]) -> Candidate | Lost:
    """Take a row through the steps.

    Args:
        row: As its source gave it.
        source: Name.
        steps: What to do.
        entered: Called with the number of each step before it.

    Returns:
        The candidate with its id, signs and changes; or why there is none. A step that fails costs this row, and
        the quarantine says how.
    """
    number = 0
    candidate: Candidate | None = None
    try:
        entered(number)
        candidate = _in_unicode(steps.schema(row, source))
        for number, (name, step) in enumerate(steps.steps, start=1):
            entered(number)
            candidate = _noted(candidate, _in_unicode(step(candidate)), name)
        return _finished(candidate)
    except Rejection as rejection:
        reason, evidence = rejection.reason, rejection.evidence
    except Exception as error:  # of a step on one odd row among millions: counted, and limited like any other loss
        reason, evidence = "step failed", f"{type(error).__name__}: {error}"[:300]
    return lost_row(row, source, steps.names[number], reason, evidence, candidate)


def lost_row(
    row: SourceRow, source: str, step: str, reason: str, evidence: str, candidate: Candidate | None = None
) -> Lost:
    """The line of the quarantine for a row that a step took out."""
    if candidate is not None:
        question: Any = candidate.example.question
    else:
        question = row.values.get("question") if isinstance(row.values, dict) else ""
    return Lost(source, row.place, step, reason, evidence, str(question)[:QUESTION_SHOWN])


def _in_unicode(candidate: Candidate) -> Candidate:
    """The candidate, unless a text of it (half of a pair of surrogates) can neither be signed nor stored.

    Raises:
        Rejection: One cannot.
    """
    example = candidate.example
    lists = (example.references, example.choices, example.facts, candidate.flags)
    texts = (example.question, candidate.demonstration, example.licence, example.group, example.unit)
    for text in (*texts, *chain.from_iterable(lists)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Rejection("not Unicode", f"{text[error.start]!r} at character {error.start + 1}") from None
    return candidate


def _noted(before: Candidate, after: Candidate, step: str) -> Candidate:
    """The candidate behind a step, with a note of what the step changed."""
    if after is before:
        return after
    notes = [_change(before.example, after.example, field.name) for field in fields(Example)]
    notes += [f"flag {flag}" for flag in after.flags if flag not in before.flags]
    return replace(after, changes=(*before.changes, *(f"{step}: {note}" for note in notes if note)))


def _change(before: Example, after: Example, name: str) -> str:
    old, new = getattr(before, name), getattr(after, name)
    if name in _DERIVED or old is new or old == new:
        return ""
    return f"{name} changed" if name == "images" else f"{name} {_shown(old)} became {_shown(new)}"


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _finished(candidate: Candidate) -> Candidate:
    example = candidate.example
    return candidate.changed(
        id=example_id(example.images, example.question, example.references), source=candidate.source
    )
