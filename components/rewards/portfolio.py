"""Portfolio: the total reward of each completion of a batch, part by part.

The paper's Eq. 3 sums hybrid accuracy, length penalty and format reward without weights; here the sum has weights,
1 by default. Ours as well: a part that does not apply is missing with its reason, and what it counts for is a policy
(composition.py). A completion on which the verifier could not decide has no length part either, since only incorrect
ones are to be penalised.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from components.core.breakdown import RewardBreakdown
from components.rewards.checkable import Checkable
from components.rewards.composition import credit
from components.rewards.config import RewardsConfig
from components.rewards.format import format_reward
from components.rewards.hybrid import Accuracy, AnswerScorer, hybrid_accuracy
from components.rewards.length import length_parts
from components.rewards.picture import wants_images
from components.rewards.sandbox import set_limits
from components.rewards.strata import stratified
from components.rewards.verdict import UNDECIDED

PARTS = ("accuracy", "length", "format")
TRUNCATED = "truncated"


class Portfolio:
    """Composes the parts of the reward; its verifier's limits are from then on those of the process.

    Args:
        config: Weights and shape of the parts, and the policies of their sum.
        scorer: Scores open-ended answers. Without one, the accuracy of an open-ended answer has no value.
    """

    def __init__(self, config: RewardsConfig, scorer: AnswerScorer | None) -> None:
        self._config = config
        self._scorer = scorer
        set_limits(config.verifier)
        self._weights = {name: float(getattr(config.weights, name)) for name in PARTS}

    @property
    def weights(self) -> Mapping[str, float]:
        """Weight by part, in the order of PARTS."""
        return MappingProxyType(self._weights)

    @property
    def wants_images(self) -> bool:
        """Whether the scorer looks at the pictures that answers are about."""
        return wants_images(self._scorer)

    def score_groups(
        self,
        prompts: Sequence[Checkable],
        completions: Sequence[str],
        lengths: Sequence[int | None],
        group_size: int,
        truncated: Sequence[bool] | None = None,
        images: Sequence[bytes | None] | None = None,
    ) -> list[RewardBreakdown]:
        """Score whole groups; consecutive `group_size` entries are the completions of one prompt.

        Args:
            prompts: The example of each completion; shape (B * G,), equal within a group.
            completions: Decoded completions, without the prompt; shape (B * G,).
            lengths: Tokens of each completion, >= 0; None where not known, which leaves that completion without a
                length part; shape (B * G,).
            group_size: G, completions a prompt, >= 1.
            truncated: Whether generation was cut off; shape (B * G,). None: none was.
            images: The encoded picture that each prompt is about, None where there is none; shape (B * G,). They are
                shown to a scorer that looks at them, see `wants_images`, and to no other.

        Returns:
            One breakdown a completion, in order; shape (B * G,). `credited` names every part.

        Raises:
            ValueError: The sequences differ in length or do not fill whole groups, a group mixes prompts, a length
                is negative, or the scorer returns something else than scores in [0, 1].
        """
        cut = [False] * len(prompts) if truncated is None else truncated
        _check_shapes(prompts, completions, lengths, cut, group_size)
        accuracies = hybrid_accuracy(list(zip(prompts, completions, strict=True)), self._scorer, self._config, images)
        groups = (slice(start, start + group_size) for start in range(0, len(prompts), group_size))
        return [
            breakdown
            for group in groups
            for breakdown in self._group(accuracies[group], completions[group], lengths[group], cut[group])
        ]

    def _group(
        self,
        accuracies: Sequence[Accuracy],
        completions: Sequence[str],
        lengths: Sequence[int | None],
        truncated: Sequence[bool],
    ) -> list[RewardBreakdown]:
        config = self._config
        parts: dict[str, Sequence[float | str]] = {
            "accuracy": [item.reason if item.value is None else item.value for item in accuracies],
            "length": length_parts(lengths, [self._is_correct(item) for item in accuracies], truncated, config.length),
            "format": [format_reward(completion, config.format) for completion in completions],
        }
        values = {name: [None if isinstance(value, str) else value for value in parts[name]] for name in PARTS}
        values["accuracy"] = self._accuracy_values(accuracies)
        credited = credit(values, [item.verdict for item in accuracies], config)
        return [
            self._breakdown(
                accuracy,
                {name: parts[name][index] for name in PARTS},
                {name: credited[name][index] for name in PARTS},
                (*accuracy.flags, TRUNCATED) if truncated[index] else accuracy.flags,
            )
            for index, accuracy in enumerate(accuracies)
        ]

    def _breakdown(
        self,
        accuracy: Accuracy,
        values: Mapping[str, float | str],
        credited: Mapping[str, float],
        flags: tuple[str, ...],
    ) -> RewardBreakdown:
        """Sum the parts; a string stands for a part that does not apply and says why."""
        return RewardBreakdown.weighted(
            {name: value for name, value in values.items() if not isinstance(value, str)},
            self._weights,
            {name: value for name, value in values.items() if isinstance(value, str)},
            credited,
            verdict=accuracy.verdict,
            confidence=accuracy.confidence,
            extracted=accuracy.extracted,
            rule=accuracy.rule,
            flags=flags,
        )

    def _accuracy_values(self, accuracies: Sequence[Accuracy]) -> list[float | None]:
        """The accuracy of one group after the policies for undecided answers and for strata."""
        strata = self._config.strata
        placed: Sequence[float | None] = [None] * len(accuracies)
        if strata.right or strata.wrong:
            # A completion without an answer has no place in its stratum: it stays at 0, below every wrong answer.
            verdicts = [item.verdict if item.extracted is not None else None for item in accuracies]
            placed = stratified(verdicts, [item.score for item in accuracies], strata, self._config.std_floor)
        return [self._paid(item) if value is None else value for item, value in zip(accuracies, placed, strict=True)]

    def _paid(self, accuracy: Accuracy) -> float | None:
        if accuracy.value is None and UNDECIDED in accuracy.flags and self._config.accuracy.undecided == "zero":
            return 0.0
        return accuracy.value

    def _is_correct(self, accuracy: Accuracy) -> bool | None:
        if accuracy.value is None:
            return None
        if accuracy.verdict is not None or accuracy.extracted is None:
            return bool(accuracy.verdict)
        return accuracy.value >= self._config.correct_at


def _check_shapes(
    prompts: Sequence[Checkable],
    completions: Sequence[str],
    lengths: Sequence[int | None],
    truncated: Sequence[bool],
    group_size: int,
) -> None:
    count = len(prompts)
    if not count == len(completions) == len(lengths):
        raise ValueError(
            f"{count} prompts, {len(completions)} completions and {len(lengths)} lengths: pass one of each a completion"
        )
    if len(truncated) != count:
        raise ValueError(f"{len(truncated)} flags of truncation for {count} completions: pass one a completion")
    if group_size < 1 or count % group_size:
        raise ValueError(f"{count} completions do not fill groups of {group_size}: pass whole groups")
    for start in range(0, count, group_size):
        different = len(set(prompts[start : start + group_size]))
        if different > 1:
            raise ValueError(
                f"group {start // group_size} holds {different} different prompts: a group is {group_size} consecutive "
                "completions of one prompt"
            )
