"""Hybrid accuracy: what a completion's answer is worth, by rule or by model.

The paper's: a case split between verifiable examples (rules) and open-ended ones (a reward model). It does not say
how the case is told; here it is a property of the example, never of a response. Ours as well: both branches lie in
[0, 1], the model sees the extracted answer alone, and a verifier that could not judge leaves no value behind. The
model is asked about a verifiable example only by a stated policy: `accuracy.undecided: surrogate`, or strata.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast

from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.extraction import extract
from components.rewards.format import adheres
from components.rewards.picture import wants_images
from components.rewards.rule import Verdict, verify_all
from components.rewards.verdict import NO_ANSWER, UNDECIDED


class AnswerScorer(Protocol):
    """A reward model for answers."""

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> Sequence[float | None]:
        """How good each answer is.

        Args:
            questions: Shape (N,).
            answers: The extracted answers, shape (N,).
            references: The accepted answers of each question, shape (N, any).

        Returns:
            Scores in [0, 1], None where the model abstains; shape (N,).
        """
        ...


class ImageScorer(Protocol):
    """A reward model for answers that looks at the pictures that they are about."""

    wants_images: bool

    def score(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        images: Sequence[bytes | None] | None = None,
    ) -> Sequence[float | None]:
        """How good each answer is beside its picture; see AnswerScorer."""
        ...


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of one completion and how it came about."""

    value: float | None
    """In [0, 1]; None where neither verifier nor model could judge."""
    verdict: bool | None
    """What the rule decided; None where no rule applies or it could not."""
    extracted: str | None
    """The answer that was judged; None where none was found."""
    rule: str
    """The rule that decided, "surrogate", or "no answer"."""
    reason: str = ""
    """Why there is no value; empty where there is one."""
    confidence: float | None = None
    """How sure the rule is, in [0, 1]; None where no rule judged."""
    flags: tuple[str, ...] = ()
    """The verifier's, and "no answer" or "undecided"."""
    score: float | None = None
    """The model's score of the answer, in [0, 1]; None where it was not asked or abstained."""


_Question = tuple[str, str, tuple[str, ...], bytes | None]
_Judged = tuple[Checkable, str, bytes | None]
_Scores = Mapping[_Question, float | None]


def hybrid_accuracy(
    items: Sequence[tuple[Checkable, str]],
    scorer: AnswerScorer | None,
    config: RewardsConfig | None = None,
    images: Sequence[bytes | None] | None = None,
) -> list[Accuracy]:
    """The accuracy of each completion.

    Args:
        items: An example and a completion of it; shape (N,). Equal answers to one example are judged once.
        scorer: Scores answers, all of the batch in one call; not called if there are none for it. Without one, an
            answer that needs it has no value.
        config: How answers are extracted and what the scorer is asked beyond open-ended answers; the defaults
            if None.
        images: The encoded picture of each item, None where there is none; shape (N,). They are shown to a scorer that
            looks at them, and to no other.

    Returns:
        One accuracy an item, in order; a completion without an answer is worth 0.

    Raises:
        ValueError: The scorer returns a score outside [0, 1], or not one an answer.
    """
    config = config or RewardsConfig()
    answers = _answers([completion for _, completion in items], config)
    pictures = images if images is not None and wants_images(scorer) else [None] * len(items)
    asked_about = [
        (checkable, answer, picture) for (checkable, _), answer, picture in zip(items, answers, pictures, strict=True)
    ]
    distinct = [
        (checkable, answer, picture) for checkable, answer, picture in dict.fromkeys(asked_about) if answer is not None
    ]
    verdicts = _verdicts(distinct)
    asked = dict.fromkeys(_question(each) for each in distinct if _is_for_model(verdicts.get(each[:2]), config))
    scores = _scores(list(asked), scorer)
    judged = {each: _judge(each, verdicts.get(each[:2]), scores, config) for each in distinct}
    return [
        _no_answer(checkable) if answer is None else judged[checkable, answer, picture]
        for checkable, answer, picture in asked_about
    ]


def _verdicts(distinct: Sequence[_Judged]) -> dict[tuple[Checkable, str], Verdict]:
    """What the rules say of the answers that they can judge; pictures are nothing to them."""
    checked = list(dict.fromkeys((checkable, answer) for checkable, answer, _ in distinct if checkable.verifiable))
    return dict(zip(checked, verify_all(checked), strict=True))


def _answers(completions: Sequence[str], config: RewardsConfig) -> list[str | None]:
    """The answer of each completion; each distinct text is read once."""
    found = {text: _answer(text, config) for text in set(completions)}
    return [found[text] for text in completions]


def _answer(completion: str, config: RewardsConfig) -> str | None:
    if config.strict and not adheres(completion, config.format.tags):
        return None
    tag = config.format.tags[-1]
    if tag != "answer":
        # Extraction knows one name of the answer's block; a completion that holds both has two blocks, so none.
        completion = completion.replace(f"<{tag}>", "<answer>").replace(f"</{tag}>", "</answer>")
    return extract(completion).answer


def _is_for_model(verdict: Verdict | None, config: RewardsConfig) -> bool:
    if verdict is None:
        return True
    if verdict.correct is None:
        return config.accuracy.undecided == "surrogate"
    return bool(config.strata.right or config.strata.wrong)


def _judge(judged: _Judged, verdict: Verdict | None, scores: _Scores, config: RewardsConfig) -> Accuracy:
    score, answer = scores.get(_question(judged)), judged[1]
    if verdict is None:
        return _by_model(score, answer)
    if verdict.correct is not None:
        value = float(verdict.correct)
        return Accuracy(value, verdict.correct, answer, verdict.rule, "", verdict.confidence, verdict.flags, score)
    flags = (*verdict.flags, UNDECIDED)
    if config.accuracy.undecided == "surrogate" and score is not None:
        return replace(_by_model(score, answer), confidence=verdict.confidence, flags=flags)
    return Accuracy(None, None, answer, verdict.rule, verdict.reason, verdict.confidence, flags)


def _by_model(score: float | None, answer: str) -> Accuracy:
    reason = "" if score is not None else "no reward model scored the answer"
    return Accuracy(score, None, answer, "surrogate", reason, score=score)


def _no_answer(checkable: Checkable) -> Accuracy:
    if checkable.verifiable:
        return Accuracy(0.0, False, None, NO_ANSWER, confidence=1.0, flags=(NO_ANSWER,))
    return Accuracy(0.0, None, None, NO_ANSWER, flags=(NO_ANSWER,))


def _question(judged: _Judged) -> _Question:
    checkable, answer, picture = judged
    return checkable.question, answer, checkable.references, picture


def _scores(questions: Sequence[_Question], scorer: AnswerScorer | None) -> _Scores:
    if not questions or scorer is None:
        return {}
    scores = [None if score is None else float(score) for score in _asked(questions, scorer)]
    if len(scores) != len(questions):
        raise ValueError(f"the scorer returned {len(scores)} scores for {len(questions)} answers: one each is needed")
    for (_, answer, _, _), score in zip(questions, scores, strict=True):
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"the scorer gave the answer {answer[:60]!r} {score}: a score must lie in [0, 1]")
    return dict(zip(questions, scores, strict=True))


def _asked(questions: Sequence[_Question], scorer: AnswerScorer) -> Sequence[float | None]:
    texts, answers, references, pictures = zip(*questions, strict=True)
    if wants_images(scorer):
        return cast("ImageScorer", scorer).score(texts, answers, references, images=pictures)
    return scorer.score(texts, answers, references)
