"""Evaluate a policy on the held-out split: generate, score, keep every sample."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.artifact import Manifest, seal, verify
from components.core.errors import EmptyDatasetError
from components.core.example import Example, Family, read_examples
from components.evaluation.config import EvaluationConfig
from components.evaluation.generate import TASK_VERSION, Answer, Generator
from components.evaluation.scoring import TRUNCATED, AnswerScoring
from components.rewards.format import adheres

SAMPLES = "samples.parquet"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class EvaluationResult:
    """What evaluation reports."""

    manifest: Manifest
    metrics: dict[str, float]
    """Mean score (0..1) by family, and `overall`, their unweighted mean."""


def evaluate(dataset: Path, policy: Path, output: Path, config: EvaluationConfig) -> EvaluationResult:
    """Evaluate a policy.

    Args:
        dataset: A dataset artifact; its held-out split is used.
        policy: A policy artifact.
        output: Folder for the evaluation artifact.
        config: How.

    Raises:
        EmptyDatasetError: There is no held-out example.
        ArtifactError: An input is not what it should be.
    """
    inputs = {"dataset": verify(dataset, "dataset"), "policy": verify(policy, "policy")}
    families = _by_family(read_examples(dataset / "heldout.parquet"), config.max_examples)
    if not families:
        raise EmptyDatasetError(str(dataset), "it has no held-out example", "Raise curation.heldout_fraction")
    scoring = AnswerScoring(example for examples in families.values() for example in examples)
    generator = Generator(policy, config)
    samples = []
    for family, examples in families.items():
        answers = generator.answer(f"harmo_{family.value}", examples)
        limit = generator.max_completion_length
        samples += [_sample(scoring, example, answer, limit) for example, answer in zip(examples, answers, strict=True)]
    metrics = _means(samples)
    output.mkdir(parents=True, exist_ok=True)
    _write(output, samples, metrics)
    identity = {"evaluation": config.identity(), "task_version": TASK_VERSION}
    return EvaluationResult(seal(output, "evaluation", identity, inputs), metrics)


def _by_family(examples: Iterable[Example], max_examples: int) -> dict[Family, list[Example]]:
    found: dict[Family, list[Example]] = defaultdict(list)
    for example in examples:
        if not max_examples or len(found[example.family]) < max_examples:
            found[example.family].append(example)
    return {family: found[family] for family in Family if found[family]}


def _sample(scoring: AnswerScoring, example: Example, answer: Answer, limit: int) -> dict[str, Any]:
    scored = scoring.score(example, answer.completion)
    flags = [*scored.flags, *([TRUNCATED] if answer.length_tokens >= limit else [])]
    return {
        "id": example.id,
        "family": example.family.value,
        "question": example.question,
        "references": list(example.references),
        "completion": answer.completion,
        "extracted": scored.extracted,
        "score": scored.score,
        "rule": scored.rule,
        "flags": flags,
        "format": adheres(answer.completion),
        "length_tokens": answer.length_tokens,
    }


def _means(samples: list[dict[str, Any]]) -> dict[str, float]:
    by_family: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_family[sample["family"]].append(sample["score"])
    means = {family: sum(scores) / len(scores) for family, scores in by_family.items()}
    return {**means, "overall": sum(means.values()) / len(means), "n": float(len(samples))}


def _write(output: Path, samples: list[dict[str, Any]], metrics: dict[str, float]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "id": pa.string(),
        "family": pa.string(),
        "question": pa.string(),
        "references": pa.list_(pa.string()),
        "completion": pa.string(),
        "extracted": pa.string(),
        "score": pa.float64(),
        "rule": pa.string(),
        "flags": pa.list_(pa.string()),
        "format": pa.bool_(),
        "length_tokens": pa.int64(),
    }
    pq.write_table(pa.Table.from_pylist(samples, schema=pa.schema(list(columns.items()))), output / SAMPLES)
    (output / SUMMARY).write_text(json.dumps(metrics, indent=2, sort_keys=True), encoding="utf-8")


def read_samples(evaluation: Path) -> list[dict[str, Any]]:
    """The samples of an evaluation artifact, in order; keys as evaluate wrote them."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(evaluation / SAMPLES).to_pylist()
    return rows
