import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from components.core.artifact import read_manifest, seal, verify
from components.core.comparison import POLICIES, Comparison
from components.core.errors import ArtifactError
from components.core.example import Split, read_split
from components.core.question import QuestionFile
from components.core.sample import read_samples
from components.core.suite import questions_path, read_suite
from components.release.export import write_bundle
from components.release.gather import RunArtifacts, gather
from components.release.report_data import ReportData, SampleView
from components.release.samples import sample_views
from components.rewards.config import RewardsConfig
from tests.release.run_artifacts import PUBLIC, PUBLIC_IDS, evaluation, make_run


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> RunArtifacts:
    return make_run(tmp_path_factory.mktemp("run"), dataset)


@pytest.fixture(scope="module")
def data(run: RunArtifacts) -> ReportData:
    return gather(run, "pipeline", "run-1")[0]


@pytest.fixture(scope="module")
def bundle(run: RunArtifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "report"
    write_bundle(run, folder, "pipeline", "run-1")
    return folder


class NoScorer:
    """Is asked nothing."""

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[float]:
        assert not questions
        assert not answers
        assert not references
        return []


def _public(data: ReportData) -> list[SampleView]:
    return [sample for sample in data.samples if sample.benchmark == PUBLIC]


def test_every_question_of_the_suite_is_a_sample_with_three_answers(run: RunArtifacts, data: ReportData) -> None:
    asked = [
        (info.name, question.id)
        for info in read_suite(run.suite)
        for question in QuestionFile(questions_path(run.suite, info.name))
    ]

    assert [(sample.benchmark, sample.id) for sample in data.samples] == asked
    assert all(set(sample.answers) == set(POLICIES) for sample in data.samples)


def test_held_out_answers_have_the_parts_of_the_training_reward(run: RunArtifacts, data: ReportData) -> None:
    verifiable = {example.id for example in read_split(run.dataset, Split.HELD_OUT) if example.verifiable}
    own = [sample for sample in data.samples if sample.benchmark != PUBLIC]

    assert verifiable
    for sample in own:
        answer = sample.answers["candidate"]
        assert answer.parts["format"] > 0
        assert set(answer.not_applicable) == {"length"}
        if sample.id in verifiable:
            assert answer.parts["accuracy"] == 1  # every answer states a reference


def test_public_answers_have_no_parts_of_the_training_reward(data: ReportData) -> None:
    answers = [answer for sample in _public(data) for answer in sample.answers.values()]

    assert len(answers) == 6
    assert all(not answer.parts and not answer.not_applicable for answer in answers)


def test_held_out_question_that_the_dataset_lacks_says_so(run: RunArtifacts, tmp_path: Path) -> None:
    (question, *_) = QuestionFile(questions_path(run.suite, PUBLIC))
    folder = tmp_path / "evaluation"
    evaluation(folder, {"heldout_math": [question]}, score=1.0)
    samples = dict.fromkeys(POLICIES, read_samples(folder))

    (view,) = sample_views(samples, {}, RewardsConfig(), NoScorer())

    answer = view.answers["candidate"]
    assert answer.parts == {}
    assert set(answer.not_applicable) == {"accuracy", "length", "format"}
    assert "not among the held-out examples" in answer.not_applicable["accuracy"]


def test_images_come_from_the_suite_and_a_broken_one_is_told(data: ReportData) -> None:
    whole, broken = _public(data)

    assert len(whole.images) == 1
    assert not broken.images
    assert f"benchmark {PUBLIC}, question {PUBLIC_IDS[1]}" in broken.images_note
    assert all(sample.images and not sample.images_note for sample in data.samples if sample.benchmark != PUBLIC)


def test_health_is_of_all_samples(data: ReportData) -> None:
    share = len(_public(data)) / len(data.samples)

    for policy in POLICIES:
        assert data.health[policy] == pytest.approx({"no_answer": share, "truncated": share, "format": 1 - share})


def test_cost_that_was_not_kept_is_missing(data: ReportData) -> None:
    timed = {"seconds": 2.0, "generated": 2}

    assert data.cost == {PUBLIC: {"baseline": timed, "candidate": timed}}


def test_manifests_are_by_role_and_hold_the_suite(run: RunArtifacts) -> None:
    _, manifests = gather(run, "pipeline", "run-1")

    assert set(manifests) == set(RunArtifacts.__dataclass_fields__)
    assert manifests["suite"] == read_manifest(run.suite)
    assert list(RunArtifacts.__dataclass_fields__)[:2] == ["dataset", "suite"]


def test_policy_that_did_not_answer_a_question_is_named(run: RunArtifacts, tmp_path: Path) -> None:
    questions = list(QuestionFile(questions_path(run.suite, PUBLIC)))
    evaluation(tmp_path / "short", {PUBLIC: questions[:1]}, score=1.0)

    with pytest.raises(ArtifactError, match="the candidate evaluation: it has no answer to question"):
        gather(replace(run, candidate_evaluation=tmp_path / "short"), "pipeline", "run-1")


def test_comparison_of_another_suite_is_refused(run: RunArtifacts, tmp_path: Path) -> None:
    comparison = Comparison.load(run.comparison)
    other = replace(comparison, benchmarks={**comparison.benchmarks, "other_set": comparison.overall})
    other.save(tmp_path)
    seal(tmp_path, "comparison", {})

    with pytest.raises(ArtifactError, match=r"its benchmarks other_set are not in the suite, which has .*ocrbench"):
        gather(replace(run, comparison=tmp_path), "pipeline", "run-1")


def test_changed_suite_is_not_reported(run: RunArtifacts, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    shutil.copytree(run.suite, suite)
    questions_path(suite, PUBLIC).write_bytes(b"changed")

    with pytest.raises(ArtifactError, match=r"ocrbench/questions\.parquet changed"):
        gather(replace(run, suite=suite), "pipeline", "run-1")


def test_bundle_is_a_sealed_artifact_of_four_files(run: RunArtifacts, bundle: Path) -> None:
    manifest = verify(bundle, "report")

    assert set(manifest.files) == {"report.html", "report.md", "report.json", "samples.jsonl"}
    assert manifest.inputs["suite"].fingerprint == read_manifest(run.suite).fingerprint


def test_bundle_keeps_all_of_every_sample(data: ReportData, bundle: Path) -> None:
    rows = [json.loads(line) for line in (bundle / "samples.jsonl").read_text().splitlines()]

    assert [(row["benchmark"], row["id"]) for row in rows] == [(s.benchmark, s.id) for s in data.samples]
    answer = rows[-1]["answers"]["candidate"]
    assert (answer["score"], answer["strict"], answer["category"]) == (1.0, 1.0, "right")
    assert answer["flags"] == ["no answer", "truncated"]
    assert answer["prompt"].startswith("<user><image>")
    assert (answer["length_tokens"], answer["prompt_tokens"], answer["format"]) == (7, 70, False)


def test_bundle_reports_benchmarks_and_the_suite(bundle: Path) -> None:
    content = json.loads((bundle / "report.json").read_text())

    assert set(content["benchmarks"]) == {info["name"] for info in content["suite"]}
    assert set(content["families"]) == {"math", "ocr", "vqa", "open_ended"}
    assert content["overall"]["n"] == sum(row["n"] for row in content["benchmarks"].values())
    assert "| ocrbench |" in (bundle / "report.md").read_text()
    assert "2 of 1,000 questions" in (bundle / "report.html").read_text()
