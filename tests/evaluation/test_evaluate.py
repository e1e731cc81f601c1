"""A tiny policy evaluated on all benchmarks, offline, and the evaluation marked again."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.core.artifact import Manifest, verify
from components.core.errors import ArtifactError
from components.core.sample import CATEGORIES, METRICS, NOT_GENERATED, Sample, read_samples, write_samples
from components.core.suite import read_suite
from components.evaluation.benchmarks.registry import NAMES
from components.evaluation.config import BenchmarkEntry, EvaluationConfig
from components.evaluation.evaluate import evaluate, means, write_evaluation
from components.evaluation.rescore import rescore
from components.evaluation.suite import gather_suite, prepare_benchmarks
from tests.evaluation.fixtures import write_fixture

pytestmark = pytest.mark.slow
_BATCH = 16


@pytest.fixture(scope="module")
def suite(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four held-out families and every public benchmark."""
    folder = tmp_path_factory.mktemp("suite")
    entries = tuple(BenchmarkEntry(name=name, path=str(write_fixture(name, folder / name)), limit=12) for name in NAMES)
    prepare_benchmarks(entries, folder / "benchmarks", seed=0)
    gather_suite(dataset, folder / "benchmarks", folder / "suite", EvaluationConfig(benchmarks=entries))
    return folder / "suite"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def evaluation(suite: Path, policy: Path, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept in a journal, as a step of a run keeps it."""
    folder = tmp_path_factory.mktemp("evaluation") / "samples"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HARMO_SCRATCH", str(scratch))
        evaluate(suite, policy, folder, EvaluationConfig(batch_size=_BATCH))
    return folder


def test_every_question_of_the_suite_has_a_sample_in_order(suite: Path, evaluation: Path) -> None:
    samples = read_samples(evaluation)

    assert list(dict.fromkeys(sample.benchmark for sample in samples)) == [info.name for info in read_suite(suite)]
    assert len(samples) == sum(info.questions for info in read_suite(suite))
    assert {(sample.benchmark, sample.id) for sample in samples}.__len__() == len(samples)


def test_samples_say_what_was_sent_what_came_back_and_what_it_is_worth(evaluation: Path) -> None:
    for sample in read_samples(evaluation):
        assert 0 <= sample.strict <= 1
        assert 0 <= sample.score <= 1
        assert sample.category in CATEGORIES
        if NOT_GENERATED in sample.flags:
            assert sample.problem
            assert sample.completion == "" == sample.prompt
            assert sample.strict == 0
        else:
            assert not sample.problem
            assert sample.prompt_tokens > 0
            assert "<|image_pad|>" in sample.prompt


def test_broken_image_costs_its_question_in_every_benchmark_and_no_other(evaluation: Path) -> None:
    broken = {sample.benchmark for sample in read_samples(evaluation) if NOT_GENERATED in sample.flags}
    count = sum(NOT_GENERATED in sample.flags for sample in read_samples(evaluation))

    assert broken == set(NAMES)
    assert count == len(NAMES)


def test_metrics_are_the_means_of_the_samples(evaluation: Path) -> None:
    samples = read_samples(evaluation)
    metrics = json.loads((evaluation / "summary.json").read_text())

    ocrbench = [sample.score for sample in samples if sample.benchmark == "ocrbench"]
    assert metrics["ocrbench_score"] == pytest.approx(sum(ocrbench) / len(ocrbench))
    by_benchmark = [value for key, value in metrics.items() if key.endswith("_strict") and key != "overall_strict"]
    assert metrics["overall_strict"] == pytest.approx(sum(by_benchmark) / len(by_benchmark))
    assert metrics == means(samples)
    assert metrics["n"] == len(samples)


def test_cost_lies_beside_the_artifact_and_not_in_its_fingerprint(
    suite: Path, policy: Path, evaluation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARMO_SCRATCH", raising=False)
    again = evaluate(suite, policy, tmp_path / "again", EvaluationConfig(batch_size=_BATCH)).manifest

    cost = json.loads((evaluation / "timings" / "cost.json").read_text())
    assert set(cost) == {info.name for info in read_suite(suite)}
    assert all(each["generated"] > 0 and each["from_journal"] == 0 for each in cost.values())
    assert again.fingerprint == verify(evaluation, "evaluation").fingerprint


def test_retry_takes_what_the_journal_holds(
    suite: Path, policy: Path, evaluation: Path, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARMO_SCRATCH", str(scratch))

    again = evaluate(suite, policy, tmp_path / "again", EvaluationConfig(batch_size=_BATCH)).manifest

    cost = json.loads((tmp_path / "again" / "timings" / "cost.json").read_text())
    assert all(each["generated"] == 0 for each in cost.values())
    assert again.fingerprint == verify(evaluation, "evaluation").fingerprint


def test_marking_again_with_the_same_rules_changes_nothing(suite: Path, evaluation: Path, tmp_path: Path) -> None:
    rescored = rescore(suite, evaluation, tmp_path / "rescored")

    assert rescored.changed == ()
    assert rescored.samples == len(read_samples(evaluation))
    assert read_samples(tmp_path / "rescored") == read_samples(evaluation)


def test_marking_again_finds_scores_that_the_rules_do_not_give(suite: Path, evaluation: Path, tmp_path: Path) -> None:
    samples = read_samples(evaluation)
    samples[0] = replace(samples[0], score=0.25, strict=0.25)
    old = _seal(samples, tmp_path / "old", verify(evaluation).inputs)

    rescored = rescore(suite, old, tmp_path / "rescored")

    assert [(before.id, before.strict) for before, _ in rescored.changed] == [(samples[0].id, 0.25)]
    assert read_samples(tmp_path / "rescored") == read_samples(evaluation)


def test_samples_of_another_suite_are_refused(suite: Path, evaluation: Path, tmp_path: Path) -> None:
    samples = read_samples(evaluation)
    fewer = _seal(samples[1:], tmp_path / "fewer", {})
    strange = _seal([replace(sample, benchmark="mine") for sample in samples], tmp_path / "strange", {})

    with pytest.raises(ArtifactError, match="the samples of heldout_math: they are not of the suite"):
        rescore(suite, fewer, tmp_path / "a")
    with pytest.raises(ArtifactError, match="the samples of mine"):
        rescore(suite, strange, tmp_path / "b")


def _seal(samples: list[Sample], folder: Path, inputs: Mapping[str, Any]) -> Path:
    write_evaluation(folder, samples, {}, dict(inputs), {})
    return folder


def test_samples_come_back_from_disk_as_they_were(evaluation: Path, tmp_path: Path) -> None:
    samples = read_samples(evaluation)
    write_samples(samples, tmp_path / "samples.parquet")

    assert read_samples(tmp_path) == samples
    assert all(hasattr(samples[0], metric) for metric in METRICS)
    assert isinstance(verify(evaluation), Manifest)
