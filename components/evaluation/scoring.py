"""One held-out answer to a score in [0, 1]."""

from collections.abc import Iterable
from dataclasses import dataclass

from components.core.example import AnswerType, Example
from components.evaluation.facts import FactScorer
from components.rewards.extraction import extract
from components.rewards.rule import verify
from components.rewards.surrogate import ngram_f1
from components.rewards.verdict import NO_ANSWER, UNDECIDED

TRUNCATED = "truncated"


@dataclass(frozen=True)
class ScoredAnswer:
    """What an answer scored."""

    score: float
    """0..1."""
    extracted: str | None
    rule: str
    """What decided."""
    flags: tuple[str, ...]


class AnswerScoring:
    """Scores answers to a set of examples.

    Checkable answers are judged by the rule verifier, open-ended ones by the facts of the example, or by
    word F1 to the best reference where an example has no facts. The surrogate has no say here.

    Args:
        examples: The held-out examples; their facts are the vocabulary of fact scoring.
    """

    def __init__(self, examples: Iterable[Example]) -> None:
        self._facts = FactScorer(fact for example in examples for fact in example.facts)

    def score(self, example: Example, completion: str) -> ScoredAnswer:
        """Score one completion."""
        extraction = extract(completion)
        answer = extraction.answer
        if answer is None:
            return ScoredAnswer(0.0, None, extraction.rule, (NO_ANSWER,))
        if example.answer_type is AnswerType.OPEN_ENDED:
            return self._score_open_ended(example, answer)
        verdict = verify(
            answer, example.references, example.answer_type, example.choices, example.unit, example.precision
        )
        flags = (UNDECIDED,) if verdict.correct is None else ()
        return ScoredAnswer(float(verdict.correct is True), answer, verdict.rule, flags)

    def _score_open_ended(self, example: Example, answer: str) -> ScoredAnswer:
        if example.facts:
            return ScoredAnswer(self._facts.score(answer, example.facts), answer, "facts", ())
        best = max(ngram_f1(answer, reference, 1) for reference in example.references)
        return ScoredAnswer(best, answer, "word F1", ())
