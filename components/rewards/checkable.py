"""Checkable: what it takes to check an answer."""

from dataclasses import dataclass

from components.core.example import AnswerType, Example


@dataclass(frozen=True, kw_only=True)
class Checkable:
    """What it takes to check an answer: an example without its images."""

    question: str
    references: tuple[str, ...]
    """Accepted answers."""
    answer_type: AnswerType
    verifiable: bool
    """Whether a rule can decide an answer."""
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question, A first."""
    unit: str = ""
    """Unit that the answer is given in; empty when it has none."""
    precision: int | None = None
    """Decimals that a number has to agree to; None asks for exact equality."""

    def __hash__(self) -> int:
        """Over what tells examples apart nearly always: verdicts are looked up by it many times a batch."""
        return hash((self.question, self.references))

    @classmethod
    def of(cls, example: Example) -> "Checkable":
        """The checkable part of an example."""
        return cls(
            question=example.question,
            references=example.references,
            answer_type=example.answer_type,
            verifiable=example.verifiable,
            choices=example.choices,
            unit=example.unit,
            precision=example.precision,
        )
