"""Evaluate a policy on a suite of benchmarks: generate, mark, keep every sample."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from components.core.artifact import TIMINGS, Manifest, seal, verify
from components.core.question import Question, QuestionFile
from components.core.sample import METRICS, SAMPLES, Sample, write_samples
from components.core.scratch import scratch_folder
from components.core.suite import BenchmarkInfo, questions_path, read_suite
from components.evaluation.benchmark import Marker
from components.evaluation.benchmarks.registry import load_benchmark
from components.evaluation.config import EvaluationConfig
from components.evaluation.heldout import PREFIX, heldout_marker
from components.evaluation.judged import to_sample
from components.evaluation.response import BenchmarkRun, Cost
from components.evaluation.runner import Runner

SUMMARY = "summary.json"
COST = "cost.json"


@dataclass(frozen=True)
class EvaluationResult:
    """What evaluation reports."""

    manifest: Manifest
    metrics: dict[str, float]
    """Mean official and strict score (0..1) of each benchmark, overall (their unweighted mean), and n."""


def evaluate(suite: Path, policy: Path, output: Path, config: EvaluationConfig) -> EvaluationResult:
    """Evaluate a policy.

    Args:
        suite: A suite artifact.
        policy: A policy artifact.
        output: Folder for the evaluation artifact.
        config: How answers are generated.

    Raises:
        ArtifactError: An input is not what it should be.
        ModelError: The policy cannot be loaded.
    """
    inputs = {"suite": verify(suite, "suite"), "policy": verify(policy, "policy")}
    runner = Runner(policy, config, scratch_folder("journal"))
    samples: list[Sample] = []
    costs: dict[str, Cost] = {}
    for info in read_suite(suite):
        questions = QuestionFile(questions_path(suite, info.name))
        run = runner.run(info, questions, marker_of(info, questions))
        samples += _samples(info, questions, run)
        costs[info.name] = run.cost
    identity = {"runner": config.runner.model_dump(mode="json"), "batch_size": config.batch_size}
    manifest = write_evaluation(output, samples, identity, inputs, costs)
    return EvaluationResult(manifest, means(samples))


def marker_of(info: BenchmarkInfo, questions: Iterable[Question]) -> Marker:
    """How answers to a benchmark's questions are marked."""
    if info.name.startswith(PREFIX):
        return heldout_marker(questions)
    return load_benchmark(info.name).marker(questions)


def means(samples: Iterable[Sample]) -> dict[str, float]:
    """Scalars of an evaluation: each benchmark's mean under either metric, the unweighted mean over them, and n."""
    by_benchmark: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_benchmark[sample.benchmark].append(sample)
    found = {"n": float(sum(map(len, by_benchmark.values())))}
    for metric in METRICS:
        of = {name: fmean(getattr(sample, metric) for sample in own) for name, own in by_benchmark.items()}
        found |= {f"{name}_{metric}": mean for name, mean in of.items()}
        found[f"overall_{metric}"] = fmean(of.values())
    return found


def write_evaluation(
    output: Path,
    samples: list[Sample],
    identity: dict[str, object],
    inputs: dict[str, Manifest],
    costs: dict[str, Cost],
) -> Manifest:
    """Write an evaluation artifact; what it cost lies in its timings, which are no part of its fingerprint."""
    (output / TIMINGS).mkdir(parents=True, exist_ok=True)
    write_samples(samples, output / SAMPLES)
    summary = json.dumps(means(samples), indent=2, sort_keys=True, allow_nan=False)
    (output / SUMMARY).write_text(summary, encoding="utf-8")
    cost = json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=2)
    (output / TIMINGS / COST).write_text(cost, encoding="utf-8")
    return seal(output, "evaluation", identity, inputs)


def _samples(info: BenchmarkInfo, questions: Sequence[Question], run: BenchmarkRun) -> list[Sample]:
    rows = zip(questions, run.responses, run.marks, strict=True)
    return [to_sample(info, question, response, marks) for question, response, marks in rows]
