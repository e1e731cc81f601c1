"""Rows of text for tests of the text steps: the picture plays no part in them."""

from collections.abc import Sequence
from typing import Any

from components.curation.candidate import Candidate
from components.curation.schema import SchemaStep


def candidate(references: Any = "5", question: str = "How many?", **values: Any) -> Candidate:
    """A candidate, as schema reads it."""
    row = {"images": [b"pixels"], "question": question, "references": references, "task": "math", **values}
    return SchemaStep()(row, "test", 0)


def choice(reference: str, choices: Sequence[str], **values: Any) -> Candidate:
    """A candidate of a multiple-choice question."""
    return candidate(reference, choices=list(choices), **values)
