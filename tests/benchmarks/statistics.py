"""What the statistics of an evaluation cost: ours against SciPy's bootstrap, and a whole comparison.

Peer: `scipy.stats.bootstrap`, vectorised, percentile method, of the same ratio of sums over the same clusters. Both
make an interval of the same paired differences in one process, in turns; medians of CPU seconds and their ratio, and
how far the ends of ours lie from SciPy's, in standard errors, of which either knows its ends to about 0.027 with 10,000
resamples. Workloads: sizes and cluster structures of published benchmarks, scores drawn at random. SciPy is given
batches of a bounded memory; it is left out where it would draw more than --peer-draws clusters.
Then the wall and CPU time of a comparison of 10,000 questions and three policies with all rows, 60 groups, health and
categories; and of the largest set, 214,354 questions on 40,504 images.

    python -m tests.benchmarks.statistics
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from components.core.comparison import POLICIES
from components.core.sample import CATEGORIES, Sample
from components.evaluation.compare import comparison_of
from components.evaluation.config import DecisionConfig
from components.evaluation.resampling import Clusters
from components.evaluation.statistics import percentile_interval

_BATCH = 4_000_000  # clusters drawn at a time by the peer: 64 MB for both sums
_SOFT = (0.0, 0.3, 0.6, 0.9, 1.0)  # what the VQA rule pays
_BENCHMARKS = 10
_GROUPS = 6  # of each benchmark


def workloads(random: np.random.Generator) -> Iterator[tuple[str, Clusters]]:
    """Paired differences by cluster."""
    for name, size in (("1,000 questions, 0/1", 1_000), ("10,000 questions, 0/1", 10_000)):
        steps = random.choice((-1.0, 0.0, 1.0), size, p=(0.05, 0.85, 0.1))
        yield name, Clusters.of(steps, np.arange(size))
    yield "3,940 on 788 images, 0/1", Clusters.of(random.choice((-1.0, 0.0, 1.0), 3_940), np.arange(3_940) // 5)
    units = _units(random, 5_349, 1_286)
    yield "5,349 on 1,286 images, 0..1", Clusters.of(random.random(5_349) - random.random(5_349), units)
    soft = random.choice(_SOFT, 10_000) - random.choice(_SOFT, 10_000)
    yield "10,000 on 5,000 images, soft", Clusters.of(soft, _units(random, 10_000, 5_000))
    size = 214_354
    soft = random.choice(_SOFT, size) - random.choice(_SOFT, size)
    yield "214,354 on 40,504 images, soft", Clusters.of(soft, _units(random, size, 40_504))
    yield "214,354 questions, 0..1", Clusters.of(random.random(size) - random.random(size), np.arange(size))


def _units(random: np.random.Generator, questions: int, images: int) -> np.ndarray:
    """Cluster numbers without gaps."""
    numbers: np.ndarray = np.unique(random.choice(images, questions), return_inverse=True)[1]
    return numbers


def ours(clusters: Clusters, resamples: int) -> tuple[float, float]:
    """The interval of the comparison."""
    return percentile_interval(clusters.resampled_means(resamples, np.random.default_rng(0)))


def peer(clusters: Clusters, resamples: int) -> tuple[float, float]:
    """SciPy's interval."""
    from scipy.stats import bootstrap

    def ratio(sums: Any, counts: Any, axis: int) -> Any:
        return sums.sum(axis=axis) / counts.sum(axis=axis)

    found = bootstrap(
        (clusters.sums, clusters.counts),
        ratio,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=resamples,
        batch=max(1, _BATCH // len(clusters)),
        random_state=np.random.default_rng(1),
    ).confidence_interval
    return float(found.low), float(found.high)


def print_intervals(arguments: argparse.Namespace) -> None:
    """A line a workload."""
    heads = ("ours s", "SciPy s", "ratio", "apart se")
    print(f"{arguments.resamples} resamples, medians of {arguments.repeats}, CPU seconds")
    print(" " * 32 + "".join(f"{head:>10}" for head in heads))
    for name, clusters in workloads(np.random.default_rng(arguments.seed)):
        with_peer = len(clusters) * arguments.resamples <= arguments.peer_draws
        own: list[float] = []
        others: list[float] = []
        for _ in range(arguments.repeats):
            interval = _timed(ours, clusters, arguments.resamples, own)
            if with_peer:
                expected = _timed(peer, clusters, arguments.resamples, others)
        mine, cells = statistics.median(own), ["-", "-", "-"]
        if with_peer:
            theirs = statistics.median(others)
            apart = max(abs(one - two) for one, two in zip(interval, expected, strict=True))
            cells = [f"{theirs:.3f}", f"{theirs / mine:.1f}", f"{apart / (clusters.standard_error or 1):.3f}"]
        print(f"{name:32}" + "".join(f"{cell:>10}" for cell in (f"{mine:.4f}", *cells)))


def _timed(
    function: Callable[[Clusters, int], tuple[float, float]], clusters: Clusters, resamples: int, spent: list[float]
) -> tuple[float, float]:
    start = time.process_time()
    interval = function(clusters, resamples)
    spent.append(time.process_time() - start)
    return interval


def make_samples(questions: int, images: int, benchmarks: int, groups: int, seed: int) -> dict[str, list[Sample]]:
    """Samples of the three policies, in equal shares of benchmarks; every other benchmark pays soft scores."""
    random = np.random.default_rng(seed)
    cluster, soft = random.integers(images, size=questions), random.random((3, questions))
    return {
        policy: [
            _sample(number, number % benchmarks, f"image {cluster[number]}", number // benchmarks % groups, share)
            for number, share in enumerate(soft[place].tolist())
        ]
        for place, policy in enumerate(POLICIES)
    }


def _sample(number: int, benchmark: int, cluster: str, group: int, share: float) -> Sample:
    score = share if benchmark % 2 else float(share < 0.5)
    return Sample(
        benchmark=f"benchmark {benchmark}",
        family=f"family {benchmark % 4}",
        id=str(number),
        cluster=cluster,
        groups={"skill": f"skill {group}"},
        question="How many?",
        prompt="How many?",
        references=("7",),
        completion="<answer>7</answer>",
        extracted="7",
        score=score,
        strict=score,
        rule="number",
        flags=("truncated",) if number % 50 == 0 else (),
        category=CATEGORIES[number % len(CATEGORIES)],
        format=True,
        length_tokens=number % 500,
        prompt_tokens=300,
    )


def print_comparison(title: str, samples: dict[str, list[Sample]], resamples: int) -> None:
    """Time of all that a comparison says."""
    wall, cpu = time.perf_counter(), time.process_time()
    comparison = comparison_of(samples, DecisionConfig(resamples=resamples))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows = sum(len(values) for names in comparison.breakdowns.values() for values in names.values())
    print(
        f"{title}: {wall:.2f} s wall, {cpu:.2f} s CPU; {len(comparison.benchmarks)} benchmarks, "
        f"{len(comparison.families)} families, {rows} groups, n = {comparison.overall.n}"
    )


def main(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    print_intervals(arguments)
    print()
    everything = make_samples(10_000, 6_000, _BENCHMARKS, _GROUPS, arguments.seed)
    print_comparison("10,000 questions", everything, arguments.resamples)
    single = make_samples(10_000, 6_000, 1, _BENCHMARKS * _GROUPS, arguments.seed)
    print_comparison("10,000 questions of one benchmark", single, arguments.resamples)
    largest = make_samples(214_354, 40_504, 1, 1, arguments.seed)
    print_comparison("214,354 questions of one benchmark", largest, arguments.resamples)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmark of the evaluation's statistics")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peer-draws", type=float, default=2e8, help="clusters that SciPy may draw for an interval")
    return parser.parse_args()


if __name__ == "__main__":
    main(_arguments())
