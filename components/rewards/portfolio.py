"""Portfolio: the total reward of each completion of a batch, part by part.

The paper's Eq. 3 sums hybrid accuracy, length penalty and format reward without weights; here the sum has weights,
1 by default. Ours as well: a part that does not apply is missing with its reason, and adds nothing. That holds for
the length of a completion on which the verifier could not decide, since only incorrect ones are to be penalised.
"""

from collections.abc import Sequence

from components.core.breakdown import RewardBreakdown
from components.rewards.checkable import Checkable
from components.rewards.config import RewardsConfig
from components.rewards.format import format_reward
from components.rewards.hybrid import Accuracy, AnswerScorer, hybrid_accuracy
from components.rewards.length import length_penalties, length_reference

PARTS = ("accuracy", "length", "format")


class Portfolio:
    """Composes the parts of the reward.

    Args:
        config: Weights and shape of the parts.
        scorer: Scores open-ended answers.
    """

    def __init__(self, config: RewardsConfig, scorer: AnswerScorer) -> None:
        self._config = config
        self._scorer = scorer
        self._weights = {name: float(getattr(config.weights, name)) for name in PARTS}

    def score_groups(
        self,
        prompts: Sequence[Checkable],
        completions: Sequence[str],
        lengths: Sequence[int],
        group_size: int,
        truncated: Sequence[bool] | None = None,  # noqa: ARG002
    ) -> list[RewardBreakdown]:
        """Score whole groups; consecutive `group_size` entries are the completions of one prompt.

        Args:
            prompts: The example of each completion; shape (B * G,), equal within a group.
            completions: Decoded completions, without the prompt; shape (B * G,).
            lengths: Tokens of each completion, >= 0; shape (B * G,).
            group_size: G, completions a prompt, >= 1.
            truncated: Whether each completion was cut off; shape (B * G,).

        Returns:
            One breakdown a completion, in order; shape (B * G,).

        Raises:
            ValueError: The sequences differ in length or do not fill whole groups, a group mixes prompts, a length
                is negative, or the scorer returns something else than scores in [0, 1].
        """
        _check_shapes(prompts, completions, lengths, group_size)
        accuracies = hybrid_accuracy(list(zip(prompts, completions, strict=True)), self._scorer)
        penalties = [
            penalty
            for start in range(0, len(prompts), group_size)
            for penalty in self._length_parts(
                accuracies[start : start + group_size], lengths[start : start + group_size]
            )
        ]
        rows = zip(accuracies, penalties, completions, strict=True)
        return [self._breakdown(accuracy, penalty, completion) for accuracy, penalty, completion in rows]

    def _breakdown(self, accuracy: Accuracy, length: float | str, completion: str) -> RewardBreakdown:
        """Sum the parts; a string stands for a part that does not apply and says why."""
        values: dict[str, float | str] = {
            "accuracy": accuracy.reason if accuracy.value is None else accuracy.value,
            "length": length,
            "format": format_reward(completion, self._config.format),
        }
        return RewardBreakdown.weighted(
            {name: value for name, value in values.items() if not isinstance(value, str)},
            self._weights,
            {name: value for name, value in values.items() if isinstance(value, str)},
            verdict=accuracy.verdict,
            extracted=accuracy.extracted,
            rule=accuracy.rule,
        )

    def _length_parts(self, accuracies: Sequence[Accuracy], lengths: Sequence[int]) -> list[float | str]:
        """The length part of one group, or the reason why it does not apply."""
        config = self._config.length
        correct = [self._is_correct(accuracy) for accuracy in accuracies]
        if length_reference(lengths, correct, config) is None:
            return ["no completion of the group is correct"] * len(lengths)
        return [
            "the verifier could not decide" if accuracy.value is None and config.applies_to == "incorrect" else penalty
            for accuracy, penalty in zip(accuracies, length_penalties(lengths, correct, config), strict=True)
        ]

    def _is_correct(self, accuracy: Accuracy) -> bool:
        if accuracy.verdict is not None or accuracy.value is None or accuracy.extracted is None:
            return bool(accuracy.verdict)
        return accuracy.value >= self._config.correct_at


def _check_shapes(
    prompts: Sequence[Checkable], completions: Sequence[str], lengths: Sequence[int], group_size: int
) -> None:
    count = len(prompts)
    if not count == len(completions) == len(lengths):
        raise ValueError(
            f"{count} prompts, {len(completions)} completions and {len(lengths)} lengths: pass one of each a completion"
        )
    if group_size < 1 or count % group_size:
        raise ValueError(f"{count} completions do not fill groups of {group_size}: pass whole groups")
    for start in range(0, count, group_size):
        different = len(set(prompts[start : start + group_size]))
        if different > 1:
            raise ValueError(
                f"group {start // group_size} holds {different} different prompts: a group is {group_size} consecutive "
                "completions of one prompt"
            )
