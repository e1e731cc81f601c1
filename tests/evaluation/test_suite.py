from pathlib import Path

import pytest

from components.core.artifact import Manifest, read_manifest, seal
from components.core.errors import EmptyDatasetError, RecipeError, SourceError
from components.core.example import write_splits
from components.core.question import QuestionFile
from components.core.suite import BenchmarkInfo, questions_path, read_suite
from components.evaluation.config import BenchmarkEntry, EvaluationConfig
from components.evaluation.prepare import prepare
from components.evaluation.suite import gather_suite, prepare_benchmarks
from tests.evaluation.fixtures import write_fixture

_ROWS, _QUESTIONS = 12, 11  # of a fixture: one row is no question


def _config(*entries: BenchmarkEntry, **settings: object) -> EvaluationConfig:
    return EvaluationConfig(benchmarks=entries, **settings)


def _entry(name: str, folder: Path, limit: int = _ROWS) -> BenchmarkEntry:
    return BenchmarkEntry(name=name, path=str(folder), limit=limit)


def _gather(dataset: Path, output: Path, config: EvaluationConfig, seed: int) -> Manifest:
    """Both steps, the second on what the first has written."""
    prepared = output.with_name(f"{output.name} benchmarks")
    prepare_benchmarks(config.benchmarks, prepared, seed)
    return gather_suite(dataset, prepared, output, config)


def _infos(suite: Path) -> dict[str, BenchmarkInfo]:
    return {info.name: info for info in read_suite(suite)}


def test_held_out_families_come_first_and_public_benchmarks_after_them(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("ocrbench", tmp_path / "published")

    manifest = _gather(dataset, tmp_path / "suite", _config(_entry("ocrbench", fixture)), seed=0)

    infos = _infos(tmp_path / "suite")
    assert list(infos) == ["heldout_math", "heldout_ocr", "heldout_vqa", "heldout_open_ended", "ocrbench"]
    assert {role: reference.kind for role, reference in manifest.inputs.items()} == {
        "dataset": "dataset",
        "benchmarks": "benchmarks",
    }
    prepared = read_manifest(tmp_path / "suite benchmarks")
    assert {role: reference.kind for role, reference in prepared.inputs.items()} == {"ocrbench": "source"}
    for name, info in infos.items():
        assert len(QuestionFile(questions_path(tmp_path / "suite", name))) == info.questions > 0
    assert not infos["ocrbench"].is_whole
    assert infos["heldout_math"].is_whole


def test_prepared_and_published_files_give_the_same_questions(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("chartqa_test", tmp_path / "published")
    prepare(BenchmarkEntry(name="chartqa_test", path=str(fixture)), tmp_path / "prepared", partial=True)

    for source in ("published", "prepared"):
        _gather(dataset, tmp_path / f"suite {source}", _config(_entry("chartqa_test", tmp_path / source)), seed=0)

    published, prepared = (
        list(QuestionFile(questions_path(tmp_path / f"suite {source}", "chartqa_test")))
        for source in ("published", "prepared")
    )
    assert published == prepared
    assert len(prepared) == _QUESTIONS


def test_limit_draws_questions_of_a_prepared_benchmark_by_the_seed(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("ai2d", tmp_path / "published")
    prepare(BenchmarkEntry(name="ai2d", path=str(fixture)), tmp_path / "prepared", partial=True)

    def drawn(folder: str, seed: int) -> list[str]:
        _gather(dataset, tmp_path / folder, _config(_entry("ai2d", tmp_path / "prepared", 4)), seed)
        assert _infos(tmp_path / folder)["ai2d"].questions == 4
        return [question.id for question in QuestionFile(questions_path(tmp_path / folder, "ai2d"))]

    assert drawn("a", 0) == drawn("b", 0) != drawn("c", 1)


def test_prompts_may_be_the_official_ones_alone_but_never_for_held_out_families(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("mmmu_val", tmp_path / "published")

    _gather(dataset, tmp_path / "suite", _config(_entry("mmmu_val", fixture), prompts="official"), seed=0)

    infos = _infos(tmp_path / "suite")
    assert not infos["mmmu_val"].policy_prompt
    assert infos["heldout_vqa"].policy_prompt


def test_same_inputs_give_the_same_fingerprint_and_another_limit_another(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("textvqa_val", tmp_path / "published")

    first, again, fewer = (
        _gather(dataset, tmp_path / folder, _config(_entry("textvqa_val", fixture, limit)), seed=0).fingerprint
        for folder, limit in (("a", _ROWS), ("b", _ROWS), ("c", 5))
    )

    assert first == again != fewer


def test_wrong_suites_are_refused_by_name(dataset: Path, tmp_path: Path) -> None:
    fixture = write_fixture("ocrbench", tmp_path / "published")
    prepare(BenchmarkEntry(name="ocrbench", path=str(fixture)), tmp_path / "prepared", partial=True)
    entry = _entry("ocrbench", tmp_path / "prepared")

    with pytest.raises(RecipeError, match="ocrbench is named twice"):
        _gather(dataset, tmp_path / "a", _config(entry, entry), seed=0)
    with pytest.raises(SourceError, match="it holds ocrbench, not ai2d"):
        _gather(dataset, tmp_path / "b", _config(_entry("ai2d", tmp_path / "prepared")), seed=0)
    with pytest.raises(SourceError, match="unknown"):
        _gather(dataset, tmp_path / "c", _config(BenchmarkEntry(name="mathvista")), seed=0)


def test_suite_without_any_question_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    write_splits({}, tmp_path / "dataset")
    seal(tmp_path / "dataset", "dataset", {})

    with pytest.raises(EmptyDatasetError, match=r"name evaluation\.benchmarks"):
        _gather(tmp_path / "dataset", tmp_path / "suite", _config(), seed=0)
