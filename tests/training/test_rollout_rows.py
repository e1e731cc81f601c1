"""What a real training's audit gives the surrogate: rows whose labels the verifier gives again."""

from pathlib import Path

import pytest

from components.core.example import AnswerType, Split, read_split
from components.core.rollouts import read_rollouts
from components.rewards.checkable import Checkable
from components.rewards.rule import verify_all
from components.surrogate.refit import RefitConfig, rollout_rows
from components.training.grpo import TrainingInputs, TrainingResult


@pytest.mark.slow
def test_rows_of_an_audit_have_the_verifiers_labels_and_account_for_every_rollout(
    inputs: TrainingInputs, trained: tuple[Path, TrainingResult]
) -> None:
    rollouts = trained[0] / "rollouts"
    config = RefitConfig(answer_types=tuple(AnswerType), max_per_question=100)

    found = rollout_rows([(rollouts, inputs.dataset)], [], config)

    examples = {
        (example.question, example.references): Checkable.of(example)
        for example in read_split(inputs.dataset, Split.TRAIN)
    }
    checked = verify_all([(examples[row.question, row.references], row.answer) for row in found.rows])
    assert [verdict.correct for verdict in checked] == [row.score == 1.0 for row in found.rows]
    assert sum(found.counts.values()) == len(read_rollouts(rollouts, ["example_id"]))
