"""What the rule verifier costs and how often it is right: ours against TRL's and math-verify.

Peers: TRL's `accuracy_reward` and plain math-verify (parse, parse, verify, default configuration), in one process, in
turns on the same completions; both get the reference in dollar signs, which they read best. Workloads: the developers'
mix without repeats, groups of 8 in which 73 % of the answers are repeats, the held-out mix, and short plain answers.
Prints medians of items a second by wall and by CPU time (worker processes included) and their ratio to TRL's;
percentiles of the wall time of calls of one item; recall on right answers, false positives and undecided items, by
the conventions of the mixes (units, percents, brackets, unevaluated arithmetic), which the peers do not all share.
Ours starts every measurement without anything remembered, its worker running. Then the hostile batch: its wall time,
the longest item, and whether the honest ones among it are judged as they are alone.

    python -m tests.benchmarks.verifier [--list-errors]
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.hostile import HOSTILE, checkable, hostile_batch, hostile_item
from tests.benchmarks.mix import Completion, make_groups, make_mix, make_short

_GROUP = 8
_MARGIN = 0.05  # seconds beyond its limit that an item may take
_WARM_UP = Completion(r"So the answer is $\boxed{2x + 2}$.", "2(x + 1)", "expression", right=True, kind="warm-up")

Verdict = bool | None


@dataclass(frozen=True)
class Verifier:
    """One way of judging."""

    name: str
    prepare: Callable[[Sequence[Completion]], Any]
    """Brings completions into the form that it reads; not measured."""
    judge: Callable[[Any], list[Verdict]]
    forget: Callable[[], None] = lambda: None
    """Drops what it remembers of earlier items."""


@dataclass
class Figures:
    """What was measured of one verifier on one workload."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


def trl() -> Verifier:
    """TRL's reward function, called as its trainer does."""
    from trl.rewards import accuracy_reward

    def prepare(completions: Sequence[Completion]) -> Any:
        messages = [[{"role": "assistant", "content": each.completion}] for each in completions]
        return messages, [f"${each.reference}$" for each in completions]

    def judge(batch: Any) -> list[Verdict]:
        return [None if reward is None else reward == 1.0 for reward in accuracy_reward(*batch)]

    return Verifier("TRL accuracy_reward", prepare, judge)


def plain_math_verify() -> Verifier:
    """math-verify as its own page shows it."""
    from math_verify import parse, verify

    def prepare(completions: Sequence[Completion]) -> Any:
        return [(f"${each.reference}$", each.completion) for each in completions]

    def judge(batch: Any) -> list[Verdict]:
        return [bool(verify(parse(reference), parse(completion))) for reference, completion in batch]

    return Verifier("math-verify", prepare, judge)


def ours() -> Verifier:
    """The rule verifier."""
    from components.rewards.judge import clear_caches, judge_all

    def judge(batch: Any) -> list[Verdict]:
        return [judgement.verdict for judgement in judge_all(batch)]

    return Verifier("ours", _examples, judge, clear_caches)


def _examples(completions: Sequence[Completion]) -> list[tuple[Any, str]]:
    """Equal questions have equal examples, as the completions of a group do."""
    return [(checkable(each), each.completion) for each in completions]


def measure(verifiers: Sequence[Verifier], completions: Sequence[Completion], repeats: int) -> list[Figures]:
    """Judge all completions with all verifiers, in turns; then one by one, for the latencies."""
    figures = [Figures() for _ in verifiers]
    batches = [verifier.prepare(completions) for verifier in verifiers]
    singles = [[verifier.prepare([each]) for each in completions] for verifier in verifiers]
    turns = list(zip(verifiers, batches, singles, figures, strict=True))
    for repeat in range(repeats):
        first = repeat % len(turns)
        for verifier, batch, _, figure in turns[first:] + turns[:first]:
            verifier.forget()
            workers, wall, cpu = worker_seconds(), time.perf_counter(), time.process_time()
            figure.verdicts = verifier.judge(batch)
            figure.wall.append(time.perf_counter() - wall)
            figure.cpu.append(time.process_time() - cpu + worker_seconds() - workers)
    for verifier, _, items, figure in turns:
        verifier.forget()
        figure.latencies = [_seconds(verifier.judge, item) for item in items]
    return figures


def _seconds(function: Callable[[Any], Any], argument: Any) -> float:
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


def worker_seconds() -> float:
    """CPU time of all processes that this one started, living and ended; in steps of 10 ms."""
    import psutil

    this = psutil.Process()
    ended = this.cpu_times()
    total: float = ended.children_user + ended.children_system
    for process in this.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def print_figures(
    title: str, verifiers: Sequence[Verifier], figures: Sequence[Figures], labels: Sequence[bool]
) -> None:
    """A table with a line a verifier; ratios are to the first."""
    print(f"\n{title}: {len(labels)} items, {sum(labels)} right")
    heads = ("items/s", "by CPU", "ratio", "by CPU", "p50 ms", "p99 ms", "max ms", "recall", "false pos", "undecided")
    print(" " * 20 + "".join(f"{head:>10}" for head in heads))
    peer = [statistics.median(times) for times in (figures[0].wall, figures[0].cpu)]
    for verifier, figure in zip(verifiers, figures, strict=True):
        own = [statistics.median(times) for times in (figure.wall, figure.cpu)]
        speeds = [f"{len(labels) / seconds:.0f}" for seconds in own]
        ratios = [f"{theirs / mine:.2f}" for theirs, mine in zip(peer, own, strict=True)]
        milliseconds = [f"{1000 * value:.3f}" for value in percentiles(figure.latencies)]
        pairs = list(zip(figure.verdicts, labels, strict=True))
        accepted = sum(verdict is True for verdict, right in pairs if right)
        false_positives = sum(verdict is True for verdict, right in pairs if not right)
        counts = [f"{accepted / sum(labels):.3f}", str(false_positives), str(figure.verdicts.count(None))]
        cells = (*speeds, *ratios, *milliseconds, *counts)
        print(f"{verifier.name:20}" + "".join(f"{cell:>10}" for cell in cells))


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the largest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], ordered[-1]


def print_errors(completions: Sequence[Completion]) -> None:
    """Every verdict of ours that is not the label, undecided ones included."""
    from components.rewards.judge import judge_all

    for each, judgement in zip(completions, judge_all(_examples(completions)), strict=True):
        if judgement.verdict is not each.right:
            print(
                f"  {each.kind}: reference {each.reference[:80]!r}, extracted {str(judgement.extracted)[:120]!r}, "
                f"expected {each.right}, got {judgement.verdict}, rule {judgement.rule}, flags {judgement.flags}"
            )


@contextmanager
def sandbox_with(workers: int, seconds: float, memory_mb: int) -> Iterator[Any]:
    """A pool of workers with these limits, already running; ended afterwards."""
    from components.rewards.sandbox import Comparison, Sandbox, SandboxConfig, set_sandbox

    sandbox = Sandbox(SandboxConfig(workers=workers, seconds=seconds, memory_mb=memory_mb))
    set_sandbox(sandbox)
    sandbox.compare([Comparison("x^2 = 4", f"x^2 = {number}", None) for number in range(2 * workers)])
    try:
        yield sandbox
    finally:
        sandbox.close()


def print_hostile(arguments: argparse.Namespace) -> None:
    """The hostile batch with several seeds, half of its hostile items for computer algebra; then with all of them."""
    size = f"{arguments.good} good + {arguments.bad} hostile"
    print(f"(e) {size}, {arguments.workers} workers, {arguments.seconds} s, {arguments.memory_mb} MiB")
    for seed in range(arguments.seed, arguments.seed + arguments.repeats):
        print(f"  seed {seed}: {_hostile_figures(arguments, seed, slow=0.5)}")
    print(f"  all hostile items slow: {_hostile_figures(arguments, arguments.seed, slow=1.0)}")


def _hostile_figures(arguments: argparse.Namespace, seed: int, slow: float) -> str:
    from components.rewards.judge import clear_caches, judge_all

    batch = hostile_batch(arguments.good, arguments.bad, seed, slow)
    items = [(example, completion) for example, completion, _, _ in batch]
    with sandbox_with(arguments.workers, arguments.seconds, arguments.memory_mb) as sandbox:
        alone = judge_all([item for item, (_, _, _, is_hostile) in zip(items, batch, strict=True) if not is_hostile])
        clear_caches()
        start = time.perf_counter()
        judgements = judge_all(items)
        wall = time.perf_counter() - start
        clear_caches()
        longest = max(_seconds(judge_all, [item]) for item in items)
        peak = getattr(sandbox, "peak_memory_mb", lambda: None)()
    judged = [(judgement.verdict, *each[2:]) for judgement, each in zip(judgements, batch, strict=True)]
    honest = [(verdict, expected) for verdict, expected, is_hostile in judged if not is_hostile]
    unharmed = sum(verdict is each.verdict for (verdict, _), each in zip(honest, alone, strict=True))
    return (
        f"{wall:.2f} s, longest item {longest:.3f} s; of the {len(honest)} good "
        f"{sum(verdict is expected for verdict, expected in honest)} as expected, {unharmed} as alone; "
        f"{sum(verdict is True for verdict, _, is_hostile in judged if is_hostile)} hostile accepted"
        + ("" if peak is None else f"; peak memory of a worker {peak:.0f} MiB")
    )


def print_hostile_cases(arguments: argparse.Namespace) -> None:
    """Every hostile case by itself: those beyond their limit or accepted, and the longest."""
    from components.rewards.judge import judge_all

    slowest = 0.0
    with sandbox_with(arguments.workers, arguments.seconds, arguments.memory_mb):
        for reference, completion in HOSTILE:
            start = time.perf_counter()
            verdict = judge_all([hostile_item(reference, completion)])[0].verdict
            seconds = time.perf_counter() - start
            slowest = max(slowest, seconds)
            if seconds > arguments.seconds + _MARGIN or verdict is True:
                print(f"  {seconds:.3f} s, verdict {verdict}: reference {reference[:40]!r}, {completion[:80]!a}")
    print(f"  all {len(HOSTILE)} hostile cases one by one: the longest takes {slowest:.3f} s")


def workloads(arguments: argparse.Namespace) -> Iterator[tuple[str, list[Completion]]]:
    """The asked-for workloads, each with its title."""
    count, seed = arguments.count, arguments.seed
    if "a" in arguments.parts:
        yield "(a) the developers' mix, without repeats", make_mix(count, seed)
    if "b" in arguments.parts:
        yield f"(b) groups of {_GROUP} with repeats", make_groups(count // _GROUP, _GROUP, seed)
    if "c" in arguments.parts:
        from tests.benchmarks.mix_heldout import make_mix as make_heldout_mix

        yield "(c) the held-out mix", [Completion(**asdict(each)) for each in make_heldout_mix(count, seed)]
    if "d" in arguments.parts:
        yield "(d) short plain answers", make_short(count, seed)


def main(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    if "e" in arguments.parts:  # first, while this process is small
        print_hostile(arguments)
        print_hostile_cases(arguments)
    if set("abcd").isdisjoint(arguments.parts):
        return
    verifiers = [trl(), plain_math_verify(), ours()]
    # One worker, so that more processes are not what makes ours fast, and its default limits.
    with sandbox_with(workers=1, seconds=2.0, memory_mb=512):
        for verifier in verifiers:
            verifier.judge(verifier.prepare([_WARM_UP]))
        for title, completions in workloads(arguments):
            figures = measure(verifiers, completions, arguments.repeats)
            print_figures(title, verifiers, figures, [each.right for each in completions])
            if arguments.list_errors:
                print_errors(completions)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmark of the rule verifier")
    parser.add_argument("--parts", default="abcde", help="which of the workloads a to e")
    parser.add_argument("--count", type=int, default=2000, help="completions a workload")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3, help="turns of each verifier, and seeds of the hostile batch")
    parser.add_argument("--good", type=int, default=92, help="honest completions in the hostile batch")
    parser.add_argument("--bad", type=int, default=8, help="hostile completions in the hostile batch")
    parser.add_argument("--workers", type=int, default=2, help="worker processes for the hostile batch")
    parser.add_argument("--seconds", type=float, default=0.5, help="limit of an item in the hostile batch")
    parser.add_argument("--memory-mb", type=int, default=512, help="memory of a worker in the hostile batch, in MiB")
    parser.add_argument("--list-errors", action="store_true", help="print every wrong verdict of ours")
    return parser.parse_args()


if __name__ == "__main__":
    main(_arguments())
