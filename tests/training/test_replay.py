"""Replay: every number of an audit again, from the artifacts of its run."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.core.artifact import seal, verify
from components.core.errors import ArtifactError
from components.core.example import Example
from components.core.rollouts import read_batches, read_rollouts
from components.rewards.config import RewardsConfig
from components.rewards.portfolio import Portfolio
from components.rewards.surrogate import SurrogateScorer
from components.training.audit import RolloutAudit
from components.training.config import TrainingConfig
from components.training.data import read_train
from components.training.grpo import TrainingResult
from components.training.replay import AuditedRun, RolloutNumberError, compare, find_rollouts
from components.training.rewarding import PortfolioRewards
from pipelines.cli import app
from tests.training.audited import LIMIT, STOP, State
from tests.training.runs import TRAINING

pytestmark = pytest.mark.slow

_REWARDS = RewardsConfig.model_validate({"weights": {"accuracy": 1.5, "length": 0.5, "format": 0.7}})


def _completions(example: Example, others: list[Example], randomness: random.Random) -> list[str]:
    """Right, wrong, badly formed and hostile completions."""
    right, wrong = example.references[0], randomness.choice(others).references[0]
    return randomness.sample(
        [
            f"<think>I look.</think><answer>{right}</answer>",
            f"<think>I guess.</think><answer>{wrong}</answer>",
            f"The answer is {right}",
            f"<think>[red]\x1b[31m</think><answer>{right}\ud83d</answer>",
            "",
            r"<answer>\frac{1}{2}</answer>",
        ],
        4,
    )


def _judge_batch(adapter: PortfolioRewards, examples: list[Example], step: int, randomness: random.Random) -> None:
    chosen = [randomness.randrange(len(examples)) for _ in range(3)]
    texts = [text for index in chosen for text in _completions(examples[index], examples, randomness)]
    columns = {
        "example": [index for index in chosen for _ in range(4)],
        "completion_ids": [[1] * randomness.randrange(4) + [STOP] for _ in texts],
        "trainer_state": State(step),
    }
    for function in adapter.functions():
        function(completions=[[{"content": text}] for text in texts], **columns)


@pytest.fixture(scope="module")
def output(dataset: Path, surrogate: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run whose rollouts are of every kind, with the rollouts of its control."""
    folder = tmp_path_factory.mktemp("run")
    artifacts = folder / "artifacts" / "alignment-1"
    shutil.copytree(dataset, artifacts / "curate" / "dataset")
    shutil.copytree(surrogate, artifacts / "fit-surrogate" / "surrogate_model")
    sealed = {"dataset": verify(dataset), "surrogate": verify(surrogate)}
    examples, scale = read_train(dataset), "group"
    training = TrainingConfig(**{**TRAINING.identity(), "scale_rewards": scale})
    for name, rewards in (("train", _REWARDS), ("train-2", _REWARDS.without_accuracy())):
        rollouts = artifacts / name / "rollouts"
        portfolio = Portfolio(rewards, SurrogateScorer.load(surrogate))
        adapter = PortfolioRewards(portfolio, examples, 4, scale, RolloutAudit(rollouts), LIMIT)
        randomness = random.Random(5)
        for step in range(12):
            _judge_batch(adapter, examples, step, randomness)
        seal(rollouts, "rollouts", {"training": training.identity(), "rewards": rewards.identity(), "seed": 0}, sealed)
    return folder


@pytest.fixture(scope="module")
def audited(output: Path) -> AuditedRun:
    return AuditedRun.load(find_rollouts(output), output / "artifacts")


def test_replay_gives_every_number_again(audited: AuditedRun) -> None:
    rows = read_rollouts(audited.folder)
    assert {row["verdict"] for row in rows} == {True, False, None}
    assert "surrogate" in {row["rule"] for row in rows}
    assert any("audit_altered" in row["flags"] for row in rows)

    outcome = audited.replay()

    assert (outcome.num_rollouts, outcome.num_equal, outcome.largest_difference) == (144, 144, 0.0)
    assert outcome.judged_by == outcome.replayed_by


def test_replay_of_a_training_gives_every_number_again(
    trained: tuple[Path, TrainingResult], dataset: Path, surrogate: Path, tmp_path: Path
) -> None:
    for name, folder in (("dataset", dataset), ("surrogate", surrogate)):
        shutil.copytree(folder, tmp_path / name)

    outcome = AuditedRun.load(trained[0] / "rollouts", tmp_path).replay()

    assert (outcome.num_rollouts, outcome.num_equal) == (16, 16)


@pytest.mark.parametrize(
    ("column", "value"), [("total", 0.123), ("credited_format", 0.5), ("verdict", None), ("advantage", -2.0)]
)
def test_number_that_was_changed_is_found(audited: AuditedRun, column: str, value: float | None) -> None:
    rows = next(read_batches(audited.folder))
    changed = next(place for place, row in enumerate(rows) if row["verdict"])
    rows[changed] = {**rows[changed], column: value}

    outcome = compare([rows], audited.recompute)

    assert [(item.rollout, item.column, item.stored) for item in outcome.differences] == [(changed, column, value)]
    assert outcome.num_equal == len(rows) - 1
    assert len(outcome.beyond(1e-6)) == 1


def test_difference_within_the_tolerance_is_let_pass_and_is_told(audited: AuditedRun) -> None:
    rows = next(read_batches(audited.folder))
    rows[0] = {**rows[0], "total": rows[0]["total"] + 1e-9}

    outcome = compare([rows], audited.recompute)

    assert outcome.num_equal == len(rows) - 1
    assert 0 < outcome.largest_difference < 1e-8
    assert outcome.beyond(1e-6) == []


def test_candidate_is_found_and_not_its_control(output: Path) -> None:
    assert find_rollouts(output).parent.name == "train"
    control = output / "artifacts" / "alignment-1" / "train-2" / "rollouts"
    assert find_rollouts(control) == control


def test_folder_without_rollouts_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no rollouts of a finished training were found there"):
        find_rollouts(tmp_path)


def test_changed_and_missing_artifacts_are_named(output: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(output, copy)
    rollouts = find_rollouts(copy)
    shutil.rmtree(copy / "artifacts" / "alignment-1" / "fit-surrogate")
    with pytest.raises(ArtifactError, match=r"the input 'surrogate' of the rollouts .* was not found"):
        AuditedRun.load(rollouts, copy)

    (copy / "artifacts" / "alignment-1" / "curate" / "dataset" / "summary.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"summary\.json changed"):
        AuditedRun.load(rollouts, copy)

    batch = next((rollouts / "rollouts").iterdir())
    batch.write_bytes(batch.read_bytes()[::-1])
    with pytest.raises(ArtifactError, match=f"rollouts/{batch.name} changed"):
        AuditedRun.load(rollouts, copy)


@pytest.mark.parametrize("rollout", [-1, 144])
def test_number_out_of_range_is_named(audited: AuditedRun, rollout: int) -> None:
    with pytest.raises(
        RolloutNumberError, match=f"rollout {rollout}: .* holds 144 rollouts. Give a number from 0 to 143"
    ):
        audited.explain(rollout)


def test_derivation_is_of_the_rollout_and_its_group(audited: AuditedRun) -> None:
    rows = read_rollouts(audited.folder)
    for rollout in (0, 13, 143):
        derivation = audited.explain(rollout)

        assert derivation.stored == rows[rollout]
        assert derivation.group == rows[rollout // 4 * 4 : rollout // 4 * 4 + 4]
        assert derivation.example.id == rows[rollout]["example_id"]
        assert derivation.recomputed["total"] == pytest.approx(rows[rollout]["total"])
        correct = [
            row["length_tokens"] for row, right in zip(derivation.group, derivation.correct, strict=True) if right
        ]
        assert derivation.reference_length == (pytest.approx(sum(correct) / len(correct)) if correct else None)


def test_replay_command_says_how_many_are_equal(output: Path) -> None:
    done = CliRunner().invoke(app, ["rewards", "replay", str(output), "--tolerance", "0"])

    assert done.exit_code == 0, done.output
    assert "144 equal to the last bit\nlargest difference 0.0\n" in done.stdout


def test_replay_command_fails_and_names_the_rollout_that_differs(
    output: Path, audited: AuditedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = next(read_batches(audited.folder))
    rows[5] = {**rows[5], "total": 9.0}
    tampered = compare([rows], audited.recompute)
    monkeypatch.setattr(AuditedRun, "replay", lambda _run: tampered)

    done = CliRunner().invoke(app, ["rewards", "replay", str(output)])

    assert done.exit_code == 1
    assert "rollout 5: total is stored as 9.0, recomputed as" in done.stdout


def test_explain_command_shows_the_whole_derivation(output: Path, audited: AuditedRun) -> None:
    rows = read_rollouts(audited.folder)
    rollout = next(
        number for number, row in enumerate(rows) if "audit_altered" in row["flags"] and "\x1b" in row["completion"]
    )

    done = CliRunner().invoke(app, ["rewards", "explain", str(output), str(rollout)])

    assert done.exit_code == 0, done.output
    derivation = audited.explain(rollout)
    row = derivation.stored
    assert derivation.example.question in done.stdout
    assert f"extracted   {row['extracted']}" in done.stdout
    assert f"= {row['total']!r}" in done.stdout
    assert f"advantage   {row['advantage']!r}" in done.stdout
    assert "[red]\\u001b[31m" in done.stdout
    assert "\x1b" not in done.stdout


def test_derivation_says_what_differs(audited: AuditedRun) -> None:
    from pipelines.explanation import print_derivation
    from pipelines.summary import wide_console

    derivation = audited.explain(0)
    console = wide_console()
    with console.capture() as capture:
        print_derivation(replace(derivation, recomputed={**derivation.stored, "total": 3.0}), console)

    assert f"differs: total 3.0 (stored {derivation.stored['total']!r})" in capture.get()
