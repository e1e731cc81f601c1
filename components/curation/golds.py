r"""Golds: what answer a row claims, in a form that can be compared, and whether two claims agree.

An option is resolved to its text, a number to its exact value and unit, a text to its normal form; what no form decides
(`\sqrt{4}` and `2`) is decided by the rule verifier, either as an answer to the other. The policy is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.core.example import AnswerType, Example
from components.curation.comparable import comparable
from components.rewards.choice import named_options
from components.rewards.quantity import read_quantity
from components.rewards.rule import verify
from components.rewards.units import canonical_unit
from components.rewards.wording import normalised


@dataclass(frozen=True)
class Gold:
    """The answer that a row claims."""

    references: tuple[str, ...]
    answer_type: AnswerType
    choices: tuple[str, ...] = ()
    unit: str = ""
    precision: int | None = None

    @classmethod
    def of(cls, example: Example) -> "Gold":
        """The answer that an example claims."""
        return cls(example.references, example.answer_type, example.choices, example.unit, example.precision)

    def forms(self) -> frozenset[str]:
        """The comparable forms of the accepted answers."""
        return frozenset(gold_forms(self.resolved(), self.unit))

    def resolved(self) -> tuple[str, ...]:
        """The references, an option's letter replaced by its text."""
        return tuple(_option_text(reference, self.choices) for reference in self.references)


def gold_key(references: Sequence[str], choices: Sequence[str], unit: str = "") -> str:
    """Equal for rows whose accepted answers have the same forms, whatever their order and wording.

    Args:
        references: The accepted answers.
        choices: Texts of the options, A first.
        unit: Unit that the example states.
    """
    return "\n".join(sorted(set(gold_forms([_option_text(text, choices) for text in references], unit))))


def gold_forms(references: Sequence[str], unit: str) -> list[str]:
    """The comparable form of each reference: value and unit where it is a number, else its normalised wording."""
    return [_form(reference, unit) for reference in references]


def _form(reference: str, unit: str) -> str:
    quantity = read_quantity(reference, decimal_comma=True)
    if quantity is not None:
        return f"{quantity.value} {quantity.unit or canonical_unit(unit)}".strip()
    return normalised(reference)


def _option_text(reference: str, choices: Sequence[str]) -> str:
    if not choices:
        return reference
    named = named_options(reference, choices)
    place = next(iter(named)) if len(named) == 1 else -1
    return choices[place] if 0 <= place < len(choices) else reference


def golds_agree(left: Gold, right: Gold) -> bool | None:
    """Whether two answers to one question are the same.

    Returns:
        None where no rule decides: one is open-ended, or computer algebra cannot tell.

    Raises:
        VerifierError: Computer algebra is needed and its sandbox cannot be started.
    """
    if left.forms() & right.forms():
        return True
    if AnswerType.OPEN_ENDED in (left.answer_type, right.answer_type):
        return None
    verdicts = {_accepts(left, right), _accepts(right, left)}
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _accepts(judge: Gold, other: Gold) -> bool | None:
    """Whether any answer of the other is right by a gold's own rule; options are compared by their texts."""
    rule = AnswerType.SHORT_TEXT if judge.answer_type is AnswerType.CHOICE else judge.answer_type
    verdicts = [
        verify(answer, judge.resolved(), rule, unit=judge.unit, precision=judge.precision).correct
        for answer in other.resolved()
    ]
    return True if True in verdicts else None if None in verdicts else False


def option_set(choices: Sequence[str]) -> str:
    """The options of a question in a form that their order does not change."""
    return "\n".join(sorted(comparable(choice) or choice.strip() for choice in choices))
