"""Hybrid accuracy: what a completion's answer is worth, by rule or by model.

The paper's: a case split between verifiable examples (rules) and open-ended ones (a reward model). It does not say
how the case is told; here it is a property of the example, never of a response. Ours as well: both branches lie in
[0, 1], the model sees the extracted answer alone, and a verifier that could not judge leaves no value behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from components.rewards.checkable import Checkable
from components.rewards.extraction import extract
from components.rewards.rule import Verdict, verify_all


class AnswerScorer(Protocol):
    """A reward model for open-ended answers."""

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> Sequence[float]:
        """How good each answer is.

        Args:
            questions: Shape (N,).
            answers: The extracted answers, shape (N,).
            references: The accepted answers of each question, shape (N, any).

        Returns:
            Scores in [0, 1], shape (N,).
        """
        ...


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of one completion and how it came about."""

    value: float | None
    """In [0, 1]; None where the verifier could not judge."""
    verdict: bool | None
    """What the rule decided; None where no rule applies or it could not."""
    extracted: str | None
    """The answer that was judged; None where none was found."""
    rule: str
    """The rule that decided, "surrogate", or "no answer"."""
    reason: str = ""
    """Why there is no value; empty where there is one."""


_Question = tuple[str, str, tuple[str, ...]]


def hybrid_accuracy(items: Sequence[tuple[Checkable, str]], scorer: AnswerScorer | None) -> list[Accuracy]:
    """The accuracy of each completion.

    Args:
        items: An example and a completion of it; shape (N,). Equal answers to one example are judged once.
        scorer: Scores the open-ended answers, all of the batch in one call; not called if there are none.
            None makes their accuracy abstain.

    Returns:
        One accuracy an item, in order; a completion without an answer is worth 0.

    Raises:
        ValueError: The scorer returns a score outside [0, 1], or not one an answer.
    """
    answers = [extract(completion).answer for _, completion in items]
    pairs = [(checkable, answer) for (checkable, _), answer in zip(items, answers, strict=True) if answer is not None]
    open_ended = dict.fromkeys(_question(*pair) for pair in pairs if not pair[0].verifiable)
    scores = _scores(list(open_ended), scorer)
    checked = [pair for pair in dict.fromkeys(pairs) if pair[0].verifiable]
    verdicts = dict(zip(checked, verify_all(checked), strict=True))

    def judge(checkable: Checkable, answer: str | None) -> Accuracy:
        if answer is None:
            return Accuracy(0.0, False if checkable.verifiable else None, None, "no answer")
        if checkable.verifiable:
            return _by_rule(verdicts[checkable, answer], answer)
        if scorer is None:
            return Accuracy(None, None, answer, "no rule", "nothing here scores open-ended answers")
        return Accuracy(scores[_question(checkable, answer)], None, answer, "surrogate")

    return [judge(checkable, answer) for (checkable, _), answer in zip(items, answers, strict=True)]


def _question(checkable: Checkable, answer: str) -> _Question:
    return checkable.question, answer, checkable.references


def _scores(questions: list[_Question], scorer: AnswerScorer | None) -> dict[_Question, float]:
    if not questions or scorer is None:
        return {}
    texts, answers, references = zip(*questions, strict=True)
    scores = [float(score) for score in scorer.score(texts, answers, references)]
    if len(scores) != len(questions):
        raise ValueError(f"the scorer returned {len(scores)} scores for {len(questions)} answers: one each is needed")
    for answer, score in zip(answers, scores, strict=True):
        if not 0 <= score <= 1:
            raise ValueError(f"the scorer gave the answer {answer[:60]!r} {score}: a score must lie in [0, 1]")
    return dict(zip(questions, scores, strict=True))


def _by_rule(verdict: Verdict, answer: str) -> Accuracy:
    value = None if verdict.correct is None else float(verdict.correct)
    return Accuracy(value, verdict.correct, answer, verdict.rule, verdict.reason)
