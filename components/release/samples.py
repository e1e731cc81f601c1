"""What the report shows of the samples of a run: every question with the answers of the three policies."""

from collections.abc import Iterator, Mapping, Sequence

from components.core.comparison import BASELINE, POLICIES
from components.core.errors import ArtifactError
from components.core.example import Example
from components.core.sample import NO_ANSWER, TRUNCATED, Sample
from components.release.report_data import AnswerView, SampleView
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.format import format_reward
from components.rewards.hybrid import AnswerScorer, hybrid_accuracy
from components.rewards.picture import picture_of
from components.rewards.portfolio import PARTS

HELD_OUT = "heldout_"
"""Begins the names of the benchmarks whose questions are the held-out examples of the run's own dataset."""
_NO_GROUP = "evaluation answers once, and the length penalty compares the answers of a group"
_NO_EXAMPLE = "the question is not among the held-out examples of the run's dataset"
_Key = tuple[str, str]
_Rewards = tuple[Mapping[str, float], Mapping[str, str]]


def sample_views(
    samples: Mapping[str, Sequence[Sample]],
    heldout: Mapping[str, Example],
    rewards: RewardsConfig,
    scorer: AnswerScorer,
) -> list[SampleView]:
    """The questions in the order of the baseline's samples, yet without images.

    Args:
        samples: By policy; every policy answered the same questions.
        heldout: The held-out examples by id; their answers get the parts of the training reward.
        rewards: The rewards of the run.
        scorer: The run's surrogate.

    Raises:
        ArtifactError: A question lacks the answer of a policy.
    """
    answers = {policy: dict(_answers(rows, heldout, rewards, scorer)) for policy, rows in samples.items()}
    return [_view(sample, answers) for sample in samples[BASELINE]]


def health(samples: Sequence[Sample]) -> dict[str, float]:
    """Shares (0..1) of samples: no_answer, truncated, and format for those that keep to it; 0 where there is none."""
    count = max(1, len(samples))
    return {
        "no_answer": sum(NO_ANSWER in sample.flags for sample in samples) / count,
        "truncated": sum(TRUNCATED in sample.flags for sample in samples) / count,
        "format": sum(sample.format for sample in samples) / count,
    }


def _view(sample: Sample, answers: Mapping[str, Mapping[_Key, AnswerView]]) -> SampleView:
    key = (sample.benchmark, sample.id)
    missing = [policy for policy in POLICIES if key not in answers[policy]]
    if missing:
        raise ArtifactError(
            f"the {missing[0]} evaluation",
            f"it has no answer to question {sample.id} of {sample.benchmark}, which the {BASELINE} answered",
            "Evaluate all policies on one suite with the same settings",
        )
    return SampleView(
        benchmark=sample.benchmark,
        family=sample.family,
        id=sample.id,
        groups=sample.groups,
        question=sample.question,
        references=sample.references,
        answers={policy: answers[policy][key] for policy in POLICIES},
    )


def _answers(
    samples: Sequence[Sample], heldout: Mapping[str, Example], rewards: RewardsConfig, scorer: AnswerScorer
) -> Iterator[tuple[_Key, AnswerView]]:
    paid = _rewards(samples, heldout, rewards, scorer)
    for sample in samples:
        key = (sample.benchmark, sample.id)
        parts, reasons = paid.get(key, ({}, {}))
        yield (
            key,
            AnswerView(
                text=sample.completion,
                prompt=sample.prompt,
                extracted=sample.extracted,
                score=sample.score,
                strict=sample.strict,
                rule=sample.rule,
                category=sample.category,
                flags=sample.flags,
                problem=sample.problem,
                format=sample.format,
                length_tokens=sample.length_tokens,
                prompt_tokens=sample.prompt_tokens,
                parts=parts,
                not_applicable=reasons,
            ),
        )


def _rewards(
    samples: Sequence[Sample], heldout: Mapping[str, Example], rewards: RewardsConfig, scorer: AnswerScorer
) -> dict[_Key, _Rewards]:
    """What the training reward would have paid for the held-out answers: parts, and reasons for those without value."""
    own = [sample for sample in samples if sample.benchmark.startswith(HELD_OUT)]
    known = [sample for sample in own if sample.id in heldout]
    paid: dict[_Key, _Rewards] = {(s.benchmark, s.id): ({}, dict.fromkeys(PARTS, _NO_EXAMPLE)) for s in own}
    checked = [(Checkable.of(heldout[sample.id]), sample.completion) for sample in known]
    pictures = [picture_of(heldout[sample.id].images) for sample in known]
    for sample, accuracy in zip(known, hybrid_accuracy(checked, scorer, rewards, pictures), strict=True):
        parts = {"format": format_reward(sample.completion, rewards.format)}
        reasons = {"length": _NO_GROUP}
        if accuracy.value is None:
            reasons["accuracy"] = accuracy.reason
        else:
            parts["accuracy"] = accuracy.value
        paid[sample.benchmark, sample.id] = parts, reasons
    return paid
