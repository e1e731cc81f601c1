"""Computer algebra within limits: what hangs or swells is killed, and nothing else is harmed."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from components.core.example import AnswerType
from components.rewards import sandbox_server
from components.rewards.rule import verify
from components.rewards.sandbox import Comparison, Outcome, Sandbox, SandboxConfig

HANGING = [r"9^{9^{9^9}}", "100000000!", r"\binom{10000000}{5000000}", r"2^{2^{31}}"]
RIGHT = Comparison("x+1", "1+x", None)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(SandboxConfig(workers=2, seconds=1.0, memory_mb=512))
    yield made
    made.close()


def test_compare_tells_equal_from_different(sandbox: Sandbox) -> None:
    found = sandbox.compare([RIGHT, Comparison("x+2", "1+x", None), Comparison("3.14", r"\pi", 2)])
    assert [outcome.correct for outcome in found] == [True, False, True]


def test_compare_unreadable_text_is_no_verdict(sandbox: Sandbox) -> None:
    (outcome,) = sandbox.compare([Comparison("}{", "1+x", None)])
    assert outcome.correct is None
    assert outcome.reason


def test_compare_what_hangs_is_killed_and_the_others_are_unharmed(sandbox: Sandbox) -> None:
    good = [Comparison(f"x+{number}", f"{number}+x", None) for number in range(20)]
    found = sandbox.compare([*(Comparison(text, "5", None) for text in HANGING), *good])
    assert [outcome.flag for outcome in found[: len(HANGING)]] == ["time limit"] * len(HANGING)
    assert [outcome.correct for outcome in found[len(HANGING) :]] == [True] * len(good)


def test_workers_cannot_take_more_memory_than_their_limit(sandbox: Sandbox) -> None:
    sandbox.compare([RIGHT])
    assert sandbox._helper is not None
    helper = sandbox._helper._process.pid
    workers = Path(f"/proc/{helper}/task/{helper}/children").read_text(encoding="utf-8").split()
    workers += [
        pid for thread in Path(f"/proc/{helper}/task").iterdir() for pid in (thread / "children").read_text().split()
    ]
    limits = [Path(f"/proc/{worker}/limits").read_text(encoding="utf-8") for worker in set(workers)]
    assert len(limits) == 2
    assert all(re.search(rf"Max address space +{512 * 2**20} ", text) for text in limits)


def test_out_of_memory_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def swells(*_arguments: object) -> bool:
        raise MemoryError

    monkeypatch.setattr(sandbox_server, "compare_latex", swells)
    assert sandbox_server._compare("x", "x", None)["flag"] == "memory limit"


def test_compare_after_the_helper_was_killed_starts_another(sandbox: Sandbox) -> None:
    assert sandbox.compare([RIGHT])[0].correct is True
    assert sandbox._helper is not None
    os.kill(sandbox._helper._process.pid, signal.SIGKILL)
    sandbox._helper._process.wait()
    assert sandbox.compare([RIGHT]) == [Outcome(True)]


def test_compare_in_a_forked_child_uses_a_helper_of_its_own(sandbox: Sandbox) -> None:
    assert sandbox.compare([RIGHT])[0].correct is True
    script = """
import os
from components.rewards.sandbox import Comparison, current_sandbox
item = Comparison("x+1", "1+x", None)
assert current_sandbox().compare([item])[0].correct
child = os.fork()
if child == 0:
    os._exit(0 if current_sandbox().compare([item])[0].correct else 1)
assert os.waitpid(child, 0)[1] == 0
assert current_sandbox().compare([item])[0].correct
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_helper_ends_with_its_parent() -> None:
    script = """
import os, signal
from components.rewards.sandbox import Comparison, current_sandbox
current_sandbox().compare([Comparison("x+1", "1+x", None)])
print(current_sandbox()._helper._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=120, capture_output=True, text=True)
    helper, deadline = int(done.stdout), time.monotonic() + 20
    while _runs(helper) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _runs(helper)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_workers_know_no_secrets(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    fresh = Sandbox(SandboxConfig(workers=1))
    try:
        fresh.compare([RIGHT])
        assert fresh._helper is not None
        environment = Path(f"/proc/{fresh._helper._process.pid}/environ").read_text(encoding="utf-8")
        assert "HF_TOKEN" not in environment
    finally:
        fresh.close()


def test_verifier_works_in_a_spawned_process() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(_judges_by_algebra).result(timeout=120) is True


def _judges_by_algebra() -> bool | None:
    return verify(r"\lfloor 2.5 \rfloor", ["2"], AnswerType.EXPRESSION).correct
