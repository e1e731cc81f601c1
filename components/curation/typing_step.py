"""Typing step: how each answer is compared, proven row by row with the rule that will compare it.

A type that the source states is checked like any other; where it does not hold, the type that the references suggest
is tried. What no rule can be proven for becomes open-ended, for the surrogate to score, or goes to quarantine. That
verifiability is a property of the data item is the paper's; proving it is ours.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field

from components.core.config import Config
from components.core.example import AnswerType, Task
from components.curation.candidate import Candidate, Rejection
from components.curation.gold import read_gold
from components.curation.options import find_options
from components.curation.proof import Finding, Flaw, prove
from components.rewards.answer_types import infer_answer_type
from components.rewards.checkable import Checkable
from components.rewards.choice import named_options
from components.rewards.expression import as_latex
from components.rewards.gate import MAX_CHARACTERS
from components.rewards.quantity import read_quantity
from components.rewards.rule import verify_all
from components.rewards.sandbox import VerifierConfig, set_limits
from components.rewards.structure import read_term
from components.rewards.verdict import Verdict

Disposal = Literal["open_ended", "reject"]
_OF_MATHS = (AnswerType.NUMBER, AnswerType.EXPRESSION)
_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
_MATHS_SIGN = re.compile(r"[0-9+*/=<>^|\\-]")
_KEPT = 200_000  # decisions that are remembered: plain golds come again and again


class TypingConfig(Config):
    """How answer types are told and proven."""

    enabled: bool = True
    """Whether types are proven; otherwise they are as the source states them, or as the references suggest."""
    mutations: int = Field(default=3, ge=1, le=8)
    """Wrong answers near the gold that its rule has to refuse."""
    unrecognised: Disposal = "open_ended"
    """What becomes of a gold that its rule does not recognise, or cannot tell from wrong answers."""
    permissive: Disposal = "reject"
    """What becomes of a gold beside which a wrong answer passes."""
    unlisted: Disposal = "reject"
    """What becomes of a gold that does not name one of the options, and no other."""
    read_options: bool = True
    """Whether options are read from the text of a question whose source has no column for them."""
    limits: VerifierConfig = VerifierConfig(seconds=5)
    """Limits of computer algebra here: on a busy machine, too, a decision must come out the same."""


@dataclass(frozen=True)
class Case:
    """What a decision depends on, and nothing else: rows that share it share the decision."""

    references: tuple[str, ...]
    choices: tuple[str, ...]
    unit: str
    precision: int | None
    stated: str
    listed: tuple[str, ...]
    """Options that the question lists, where there is no column for them."""
    is_maths: bool
    """Whether a formula without LaTeX is to be expected."""


@dataclass(frozen=True)
class Decision:
    """What typing makes of a row."""

    item: Checkable
    """With its type, and the references and options that it is checked with."""
    kind: str
    gold: str
    flags: tuple[str, ...] = ()
    rejection: tuple[str, str] | None = None
    """Reason and evidence, where the row is left out."""


Deciding = Generator[list[tuple[Checkable, str]], list[Verdict], Decision]


@dataclass
class TypingStep:
    """Types and proves answers; this process's sandbox is held to the configuration's limits from then on.

    Args:
        config: What is done.
    """

    config: TypingConfig = field(default_factory=TypingConfig)
    name = "typing"

    def __post_init__(self) -> None:
        self._decided: dict[Case, Decision] = {}

    def __reduce__(self) -> tuple[type["TypingStep"], tuple[TypingConfig]]:
        """Pickle without what is remembered."""
        return type(self), (self.config,)

    def __call__(self, candidate: Candidate) -> Candidate:
        """The candidate with a proven answer type.

        Raises:
            Rejection: No type is proven, and the configuration does not make such rows open-ended.
            VerifierError: Computer algebra is needed and its sandbox cannot be started.
        """
        outcome = self.together([candidate])[0]
        if isinstance(outcome, Rejection):
            raise outcome
        return outcome

    def together(self, candidates: Sequence[Candidate]) -> list[Candidate | Rejection]:
        """Type many candidates: equal golds once, and what needs computer algebra in parallel.

        Args:
            candidates: Shape (N,).

        Returns:
            For each, in order, what `__call__` would return or raise.

        Raises:
            VerifierError: Computer algebra is needed and its sandbox cannot be started.
        """
        if not self.config.enabled:
            return [_as_suggested(candidate) for candidate in candidates]
        cases = [self._case(candidate) for candidate in candidates]
        self._decide([case for case in dict.fromkeys(cases) if case not in self._decided])
        outcomes = [_outcome(item, self._decided[case]) for item, case in zip(candidates, cases, strict=True)]
        if len(self._decided) > _KEPT:
            self._decided.clear()
        return outcomes

    def _case(self, candidate: Candidate) -> Case:
        example, stated = candidate.example, candidate.stated_type
        looks_for_options = self.config.read_options and not example.choices and stated in ("", AnswerType.CHOICE)
        listed = tuple(find_options(example.question)) if looks_for_options else ()
        return Case(
            example.references,
            example.choices,
            example.unit,
            example.precision,
            stated,
            listed,
            example.task is Task.MATH,
        )

    def _decide(self, cases: Sequence[Case]) -> None:
        """Run the decisions side by side: each round asks the questions of all that are still open at once."""
        set_limits(self.config.limits)
        running: dict[Case, tuple[Deciding, list[tuple[Checkable, str]]]] = {}
        for case in cases:
            self._advance(case, _deciding(case, self.config), None, running)
        while running:
            verdicts = iter(verify_all([question for _, questions in running.values() for question in questions]))
            for case, (deciding, questions) in list(running.items()):
                self._advance(case, deciding, [next(verdicts) for _ in questions], running)

    def _advance(
        self,
        case: Case,
        deciding: Deciding,
        verdicts: list[Verdict] | None,
        running: dict[Case, tuple[Deciding, list[tuple[Checkable, str]]]],
    ) -> None:
        try:
            running[case] = deciding, (next(deciding) if verdicts is None else deciding.send(verdicts))
        except StopIteration as end:
            running.pop(case, None)
            self._decided[case] = end.value


def _as_suggested(candidate: Candidate) -> Candidate:
    """The type that is stated, or that the references suggest now that they are clean; nothing is proven."""
    if candidate.stated_type:
        return candidate
    answer_type = infer_answer_type(candidate.example.references, candidate.example.choices)
    return candidate.changed(answer_type=answer_type, verifiable=answer_type is not AnswerType.OPEN_ENDED)


def _outcome(candidate: Candidate, decision: Decision) -> Candidate | Rejection:
    if decision.rejection:
        return Rejection(*decision.rejection)
    item = decision.item
    typed = candidate.rewritten(
        references=item.references,
        choices=item.choices,
        answer_type=item.answer_type,
        verifiable=item.answer_type is not AnswerType.OPEN_ENDED,
    )
    return replace(typed, kind=decision.kind, gold=decision.gold).flagged(*decision.flags)


def _deciding(case: Case, config: TypingConfig) -> Deciding:
    """Try the types that come into question, the likeliest first; the first that is proven holds."""
    failed: list[tuple[Checkable, Finding]] = []
    for item in _items(case):
        if item.answer_type is AnswerType.OPEN_ENDED:
            return _open_ended(case, item, failed, config)
        finding = yield from _proving(item, config.mutations)
        if finding.flaw is None:
            return _typed(item, finding, case, failed)
        failed.append((item, finding))
    return _unproven(case, failed, config)


def _proving(item: Checkable, mutations: int) -> Generator[list[tuple[Checkable, str]], list[Verdict], Finding]:
    """A proof whose answers are asked of its item."""
    proof = prove(item, mutations)
    try:
        answers = next(proof)
        while True:
            verdicts = yield [(item, answer) for answer in answers]
            answers = proof.send(verdicts)
    except StopIteration as end:
        finding: Finding = end.value
        return finding


def _items(case: Case) -> Iterator[Checkable]:
    """The row under each type that comes into question."""
    bare = Checkable(
        question="",
        references=case.references,
        answer_type=AnswerType.OPEN_ENDED,
        verifiable=True,
        choices=case.choices,
        unit=case.unit,
        precision=case.precision,
    )
    if case.listed and all(len(named_options(text, case.listed)) == 1 for text in case.references):
        yield replace(bare, answer_type=AnswerType.CHOICE, choices=case.listed)
    for answer_type in _types(case):
        typed = replace(bare, answer_type=answer_type)
        readable = tuple(text for text in case.references if read_quantity(text, True) or not _is_worded(text))
        if answer_type in _OF_MATHS and readable:
            typed = replace(typed, references=readable)  # beside words, no answer could be told to be wrong
        yield typed


def _is_worded(text: str) -> bool:
    return bool(_WORDS.search(as_latex(text)))


def _types(case: Case) -> list[AnswerType]:
    """The stated one, then what the references suggest."""
    types = [AnswerType(case.stated)] if case.stated else []
    inferred = infer_answer_type(case.references, case.choices)
    in_words = inferred in (AnswerType.SHORT_TEXT, AnswerType.OPEN_ENDED)
    if case.is_maths and in_words and all(map(_is_formula, case.references)):
        types.append(AnswerType.EXPRESSION)
    return list(dict.fromkeys((*types, inferred)))


def _is_formula(text: str) -> bool:
    """`a+b` or `2 or 3`: signs of maths between single letters and numbers."""
    formula = as_latex(text) if len(text) <= MAX_CHARACTERS else ""
    return bool(_MATHS_SIGN.search(formula)) and not _WORDS.search(formula) and read_term(formula) is not None


def _typed(item: Checkable, finding: Finding, case: Case, failed: Sequence[tuple[Checkable, Finding]]) -> Decision:
    flags = []
    if case.stated and item.answer_type.value != case.stated:
        flags.append(f"typing: stated {case.stated}, is {item.answer_type.value}")
    elif failed and not case.stated:
        flags.append(f"typing: no {failed[0][0].answer_type.value}, is {item.answer_type.value}")
    if item.choices != case.choices:
        flags.append("typing: options read from the question")
    if finding.unrecognised or item.references != case.references:
        flags.append("typing: references dropped that their rule does not recognise")
        kept = tuple(text for text in item.references if text not in finding.unrecognised)
        item = replace(item, references=kept)
    gold = read_gold(item)
    return Decision(item, gold.kind, gold.canonical, tuple(flags))


def _open_ended(
    case: Case, item: Checkable, failed: Sequence[tuple[Checkable, Finding]], config: TypingConfig
) -> Decision:
    return _unproven(case, failed, config) if failed else Decision(item, "free text", "")


def _unproven(case: Case, failed: Sequence[tuple[Checkable, Finding]], config: TypingConfig) -> Decision:
    """The gravest flaw decides: the source's own statement comes first, and a wrong answer that passes before all."""
    item, finding = next((pair for pair in failed if pair[1].flaw is Flaw.PASSES), failed[0])
    assert finding.flaw
    disposals = {Flaw.PASSES: config.permissive, Flaw.NO_OPTION: config.unlisted}
    evidence = f"as {item.answer_type.value}: {finding.evidence}"
    rejection = (finding.flaw.value, evidence)
    if disposals.get(finding.flaw, config.unrecognised) == "reject":
        return Decision(item, "", "", rejection=rejection)
    open_ended = replace(item, references=case.references, choices=case.choices, answer_type=AnswerType.OPEN_ENDED)
    return Decision(open_ended, "free text", "", (f"typing: open-ended, {finding.flaw.value}",))
