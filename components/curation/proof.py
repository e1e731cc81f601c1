r"""Proof: does the rule of an answer type tell this gold from what is nearly it?

An answer type is believed of a row only if its rule accepts the gold, bare and in the forms in which a model writes it
(the format's template, a box, with its unit, as letter and text), and refuses a number of mutations. A wrong answer
that passes would be paid for in training; a gold that is not recognised would never be.

A proof is a generator, so that the questions of many rows can be asked together: it yields answers and is sent their
verdicts. Whoever runs it decides how they are judged.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from components.core.example import AnswerType
from components.curation.mutations import mutations
from components.rewards.algebra import FAILED, MEMORY_LIMIT, TIME_LIMIT
from components.rewards.checkable import Checkable
from components.rewards.choice import named_options
from components.rewards.equality import compiled
from components.rewards.expression import as_latex
from components.rewards.extraction import extract
from components.rewards.latex import plain
from components.rewards.quantity import read_quantity
from components.rewards.verdict import Verdict
from components.rewards.wording import normalised

_MOST_TRIED = 12  # mutations, where the rule leaves some of them undecided
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}\s+(?!or\b|and\b)[A-Za-z]{2,}|^(?:[A-Za-z]{3,}|[Nn]o)$")
_AT_A_LIMIT = frozenset({TIME_LIMIT, MEMORY_LIMIT, FAILED})
_THOUGHT = "<think>So it is.</think>"


class Flaw(StrEnum):
    """Why a type is not proven."""

    NOT_OF_THE_TYPE = "the gold is not of its type"
    NO_OPTION = "the gold does not name one option"
    UNRECOGNISED = "the gold is not recognised as itself"
    UNRECOGNISED_AS_WRITTEN = "the gold is not recognised as a model writes it"
    PASSES = "a wrong answer passes"
    UNDECIDED = "wrong answers cannot be told"


@dataclass(frozen=True)
class Finding:
    """What a proof found."""

    flaw: Flaw | None
    """None where the type is proven."""
    evidence: str = ""
    """The answer that should have been judged otherwise, and why it was not."""
    unrecognised: tuple[str, ...] = ()
    """References behind the first that are not recognised as themselves."""


Proof = Generator[list[str], list[Verdict], Finding]
"""Yields answers to judge, is sent one verdict each, returns a finding."""


def prove(item: Checkable, wanted: int = 3) -> Proof:
    """Put an answer type to the test.

    Args:
        item: An example with references of a type that a rule checks; the first reference is the gold.
        wanted: Mutations that have to be refused.

    Returns:
        The finding, when the generator ends.
    """
    flaw = _misfit(item)
    if flaw:
        return flaw
    forms, lost = _written_forms(item)
    if lost:
        return Finding(Flaw.UNRECOGNISED_AS_WRITTEN, f"no answer is found in {lost!r}")
    others = [text for text in dict.fromkeys(item.references[1:]) if text != item.references[0]]
    answers = [item.references[0], *forms, *others]
    verdicts = yield answers
    for number, (answer, verdict) in enumerate(zip(answers[: len(forms) + 1], verdicts, strict=False)):
        if not verdict.correct:
            flaw_of = Flaw.UNRECOGNISED_AS_WRITTEN if number else Flaw.UNRECOGNISED
            return Finding(flaw_of, _evidence(answer, verdict))
    judged = zip(others, verdicts[len(forms) + 1 :], strict=True)
    finding = yield from _refuses(item, wanted)
    return Finding(finding.flaw, finding.evidence, tuple(text for text, verdict in judged if not verdict.correct))


def _refuses(item: Checkable, wanted: int) -> Proof:
    """Whether the rule refuses as many mutations as wanted, and accepts none of those that were asked for."""
    pool = islice(mutations(item), _MOST_TRIED)
    refused, open_ones = 0, ""
    while refused < wanted:
        answers = list(islice(pool, wanted - refused))
        if not answers:
            return Finding(Flaw.UNDECIDED, f"{refused} of {wanted} are refused; {open_ones or 'there are no more'}")
        verdicts = yield answers
        for answer, verdict in zip(answers, verdicts, strict=True):
            if verdict.correct:
                return Finding(Flaw.PASSES, f"{answer!r} for {item.references[0]!r}")
            refused += verdict.correct is False
            open_ones = open_ones if verdict.correct is False else _evidence(answer, verdict)
            if _AT_A_LIMIT.intersection(verdict.flags):
                return Finding(Flaw.UNDECIDED, open_ones)  # the others would take as long
    return Finding(None)


def _evidence(answer: str, verdict: Verdict) -> str:
    if verdict.correct is False:
        return f"{answer[:100]!r} is judged wrong"
    flags = f" ({', '.join(verdict.flags)})" if verdict.flags else ""
    return f"{answer[:100]!r}: {verdict.reason}{flags}"


def _misfit(item: Checkable) -> Finding | None:
    """What can be told without the rule: a number has a value, an expression is no words, a choice is one option."""
    gold = item.references[0]
    if item.answer_type is AnswerType.NUMBER and not _has_value(gold):
        return Finding(Flaw.NOT_OF_THE_TYPE, f"{gold[:100]!r} is no number")
    if item.answer_type is AnswerType.EXPRESSION and _WORDS.search(as_latex(gold)):
        return Finding(Flaw.NOT_OF_THE_TYPE, f"{gold[:100]!r} is words")  # and would be read as a product of letters
    return _misnamed(item) if item.answer_type is AnswerType.CHOICE else None


def _misnamed(item: Checkable) -> Finding | None:
    """Whether the references name anything but one option."""
    named = {named_options(reference, item.choices) for reference in item.references}
    options = sorted(set().union(*named))
    said = " and ".join(map(repr, item.references))[:200]
    if len(options) != 1 or len(named) != 1:  # one reference may name an option, another none
        return Finding(Flaw.NO_OPTION, f"{said}: of the options, {_letters(options)} named")
    if not item.choices:
        return None
    if options[0] >= len(item.choices):
        return Finding(Flaw.NO_OPTION, f"{said}: there are {len(item.choices)} options")
    return _twin(options[0], item.choices)


def _twin(option: int, choices: Sequence[str]) -> Finding | None:
    """Two options that say the same leave it open which one an answer in words names."""
    wanted = normalised(plain(choices[option]))
    twins = [other for other, choice in enumerate(choices) if normalised(plain(choice)) == wanted]
    if len(twins) == 1:
        return None
    return Finding(Flaw.NO_OPTION, f"the options {_letters(twins)} all say {choices[option][:100]!r}")


def _letters(options: Sequence[int]) -> str:
    return ", ".join(chr(ord("A") + option) for option in options) or "none"


def _has_value(text: str) -> bool:
    if read_quantity(text, decimal_comma=True) is not None:
        return True
    formula = compiled(as_latex(text))
    return formula is not None and not formula.variables


def _written_forms(item: Checkable) -> tuple[list[str], str]:
    """The answers that are found in completions with the gold; and the first completion in which none is found."""
    answers = []
    for text in _forms(item):
        for block in (text, rf"\boxed{{{text}}}"):
            completion = f"{_THOUGHT}<answer>{block}</answer>"
            answer = extract(completion, strict=True).answer
            if answer is None:
                return [], block[:100]
            answers.append(answer)
    return [answer for answer in dict.fromkeys(answers) if answer != item.references[0]], ""


def _forms(item: Checkable) -> Iterator[str]:
    gold = item.references[0]
    yield gold
    if item.answer_type is AnswerType.CHOICE:
        option = min(named_options(gold, item.choices))
        letter = chr(ord("A") + option)
        yield from (letter, f"({letter})")
        if item.choices and normalised(item.choices[option]) != letter.casefold():
            yield from (item.choices[option], f"{letter}. {item.choices[option]}")
    if item.unit and item.answer_type in (AnswerType.NUMBER, AnswerType.EXPRESSION):
        yield f"{gold} {item.unit}"
