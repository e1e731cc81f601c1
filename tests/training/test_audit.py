"""The audit on disk: whole after a kill at any moment, without gap or double after a resumption."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import datasets
import pytest

from components.core.errors import ArtifactError
from components.core.rollouts import read_rollouts, seconds_by_step
from components.training.audit import RolloutAudit, verifier_version
from components.training.grpo import groups_without_signal
from tests.training.audited import batch

_ENDLESS = """
import sys
from pathlib import Path
from components.training.audit import RolloutAudit
from tests.training.audited import batch

audit = RolloutAudit(Path(sys.argv[1]))
print("ready", flush=True)
for step in range(int(sys.argv[2]), 10**6):
    audit.append(batch(step, *[float(step)] * 8), seconds=0.8)
    print(step, flush=True)
"""


def _run_until_killed(folder: Path, first_step: int, seconds: float) -> int:
    """Append batches in another process, kill it, and return the last step that it said was on the disk."""
    command = [sys.executable, "-c", _ENDLESS, str(folder), str(first_step)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.readline()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    lines = process.stdout.read().splitlines()
    process.wait()
    return int(lines[-1]) if lines else first_step


@pytest.mark.slow
def test_killed_training_loses_no_batch_and_leaves_no_half_one(tmp_path: Path) -> None:
    randomness = random.Random(0)
    last = -1
    for _ in range(6):
        last = _run_until_killed(tmp_path, last + 1, randomness.uniform(0.0, 0.1))
        # What was renamed just before the kill may not have been told.
        steps = [row["step"] for row in read_rollouts(tmp_path)]
        assert steps == sorted([*range(steps[-1] + 1)] * 8)
        assert steps[-1] in {last, last + 1}
        assert all(row["seconds"] == pytest.approx(0.1) for row in read_rollouts(tmp_path))

    RolloutAudit(tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".parquet"] == []


def test_half_written_batch_is_not_read_and_is_removed_when_the_audit_is_opened_again(tmp_path: Path) -> None:
    RolloutAudit(tmp_path).append(batch(0, 1.0, 0.0), 0.1)
    leftover = tmp_path / "rollouts" / "00000001-000-000.parquet.partial"
    leftover.write_bytes(b"PAR1")

    assert len(read_rollouts(tmp_path)) == 2
    RolloutAudit(tmp_path)

    assert not leftover.exists()
    assert len(read_rollouts(tmp_path)) == 2


def test_resumed_training_replaces_what_it_does_again_and_what_came_after(tmp_path: Path) -> None:
    audit = RolloutAudit(tmp_path)
    for step in range(5):
        audit.append(batch(step, 0.0, 0.0), 0.1)
    resumed = RolloutAudit(tmp_path)
    for step in (2, 3):
        resumed.append(batch(step, 1.0, 1.0), 0.3)

    rows = read_rollouts(tmp_path)

    assert [(row["step"], row["total"]) for row in rows[::2]] == [(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.0)]
    assert seconds_by_step(tmp_path) == pytest.approx({0: 0.1, 1: 0.1, 2: 0.3, 3: 0.3})


def test_several_batches_of_a_step_keep_their_order(tmp_path: Path) -> None:
    audit = RolloutAudit(tmp_path)
    for step, total in ((0, 1.0), (0, 2.0), (1, 3.0), (10, 4.0)):
        audit.append(batch(step, total), 0.1)

    assert [row["total"] for row in read_rollouts(tmp_path)] == [1.0, 2.0, 3.0, 4.0]


def test_processes_write_beside_each_other(tmp_path: Path) -> None:
    audits = [RolloutAudit(tmp_path, process) for process in (0, 1)]
    for step in (0, 1):
        for process, audit in enumerate(audits):
            audit.append(batch(step, float(process)), 0.1)
    RolloutAudit(tmp_path, process=1).append(batch(1, 7.0), 0.1)

    assert [(row["step"], row["total"]) for row in read_rollouts(tmp_path)] == [(0, 0.0), (0, 1.0), (1, 0.0), (1, 7.0)]


def test_row_has_everything_that_was_said_of_a_rollout(tmp_path: Path) -> None:
    RolloutAudit(tmp_path).append(batch(3, 0.5, 1.0), seconds=0.2)

    row = read_rollouts(tmp_path)[0]

    assert row == {
        "step": 3,
        "example_id": "example",
        "completion": "completion of step 3",
        "length_tokens": 3,
        "truncated": False,
        "total": 0.5,
        "accuracy": 0.5,
        "length": None,
        "format": None,
        "credited_accuracy": 0.5,
        "credited_length": 0.0,
        "credited_format": 0.0,
        "not_applicable": {"length": "no completion of the group is correct"},
        "verdict": None,
        "confidence": None,
        "extracted": None,
        "rule": "",
        "flags": ["time limit"],
        "advantage": 0.0,
        "verifier": verifier_version(),
        "seconds": 0.1,
    }


def test_datasets_reads_the_audit(tmp_path: Path) -> None:
    audit = RolloutAudit(tmp_path)
    for step in range(3):
        audit.append(batch(step, 0.5, 1.0), 0.1)

    rows = datasets.load_dataset(
        "parquet", data_files=f"{tmp_path}/rollouts/*.parquet", split="train", cache_dir=str(tmp_path / "cache")
    )

    assert rows["step"][:] == [0, 0, 1, 1, 2, 2]
    assert rows[0]["not_applicable"]["length"] == "no completion of the group is correct"


def test_folder_without_rollouts_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no Parquet file in its folder rollouts"):
        read_rollouts(tmp_path)


def test_groups_of_equal_rewards_are_without_signal_whatever_their_value(tmp_path: Path) -> None:
    audit = RolloutAudit(tmp_path)
    audit.append(batch(0, *[0.1 + 0.2] * 4, *[0.2] * 4), 0.1)
    audit.append(batch(1, *[1.2] * 4, 0.0, 0.0, 0.0, 1e-3), 0.1)

    assert groups_without_signal(tmp_path, 4) == {0: 1.0, 1: 0.5}
