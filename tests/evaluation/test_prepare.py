import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from components.core.artifact import read_manifest, verify
from components.core.errors import ArtifactError, EmptyDatasetError, SourceError, StorageError
from components.core.lineage import trace
from components.core.question import QuestionFile
from components.core.suite import BENCHMARK, QUESTIONS
from components.evaluation import prepare as preparing
from components.evaluation.benchmarks.ai2d import AI2D
from components.evaluation.benchmarks.registry import NAMES, load_benchmark
from components.evaluation.config import BenchmarkEntry
from components.evaluation.prepare import QUARANTINE, prepare, read_prepared
from tests.evaluation.fixtures import ASKED, FIXTURES, ROWS, write_fixture

FILE = "data/test-00000-of-00001.parquet"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_fixture("ai2d", tmp_path / "source")


def entry(path: Path, name: str = "ai2d", limit: int = 0) -> BenchmarkEntry:
    return BenchmarkEntry(name=name, path=str(path), limit=limit)


def quarantined(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / QUARANTINE).read_text().splitlines()]


def ids(folder: Path) -> list[str]:
    return [question.id for question in QuestionFile(folder / QUESTIONS)]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_becomes_a_question_or_is_quarantined_with_its_reason(name: str, tmp_path: Path) -> None:
    fixture = write_fixture(name, tmp_path / "source")

    manifest = prepare(entry(fixture, name), tmp_path / "out", partial=True)

    info, questions = read_prepared(tmp_path / "out")
    assert verify(tmp_path / "out", "benchmark") == manifest
    assert len(list(QuestionFile(questions))) == info.questions == ASKED
    (lost,) = quarantined(tmp_path / "out")
    assert lost["row"] == ROWS - 1
    assert ": " in lost["reason"]
    benchmark = load_benchmark(name)
    assert (info.name, info.family, info.expected) == (name, benchmark.family, benchmark.expected)
    assert (info.licence, info.scoring, info.notes) == (benchmark.licence, benchmark.scoring, benchmark.notes)
    assert (info.chance, info.out_of, info.breakdowns) == (benchmark.chance, benchmark.out_of, benchmark.breakdowns)
    assert not info.is_whole


def test_set_that_is_not_complete_is_refused_by_number(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"ai2d from local .*: 12 questions, 3,088 are published\. Give the whole"):
        prepare(entry(source), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def small(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """AI2D as it would be if the fixture were the published set."""
    benchmark = replace(AI2D, **{"expected": ROWS, **changes})
    monkeypatch.setattr(preparing, "load_benchmark", lambda _: benchmark)


def test_quarantined_row_leaves_a_set_incomplete(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    with pytest.raises(SourceError) as error:
        prepare(entry(source), tmp_path / "out")
    assert "11 questions, 12 are published; 1 rows are quarantined, the first is row 11: answer: 4 is not" in str(
        error.value
    )
    with pytest.raises(ArtifactError, match="no manifest"):
        read_prepared(tmp_path / "out")
    # What the refused preparation left is no obstacle to the next.
    prepare(entry(source), tmp_path / "out", partial=True)
    assert read_prepared(tmp_path / "out")[0].questions == ASKED


def test_complete_set_is_whole(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    rows = FIXTURES["ai2d"].files()[FILE]
    rows[-1]["answer"] = "0"
    _write(rows, source)
    advanced: list[int] = []

    prepare(entry(source), tmp_path / "out", advance=advanced.append)

    info, _ = read_prepared(tmp_path / "out")
    assert info.is_whole
    assert info.questions == sum(advanced) == ROWS
    assert quarantined(tmp_path / "out") == []


def _write(rows: list[dict[str, Any]], source: Path) -> None:
    from datasets import Dataset

    Dataset.from_list(rows, features=FIXTURES["ai2d"].features()).to_parquet(source / FILE)


def test_missing_columns_are_named_with_what_they_hold(source: Path, tmp_path: Path) -> None:
    table = pq.read_table(source / FILE).drop_columns(["options", "answer"])
    pq.write_table(table, source / FILE)
    with pytest.raises(SourceError) as error:
        prepare(entry(source), tmp_path / "out", partial=True)
    assert (
        "no column options (the options' texts), no column answer (the right option's position, from 0, as a text); "
        "it has image, question. Give the published set of ai2d, lmms-lab/ai2d"
    ) in str(error.value)


def test_second_row_of_an_id_is_quarantined(tmp_path: Path) -> None:
    source = write_fixture("vqav2_val", tmp_path / "source")
    file = source / "data/validation-00000-of-00001.parquet"
    table = pq.read_table(file)
    pq.write_table(table.take([0, 1, 0, 2]), file)

    prepare(entry(source, "vqav2_val"), tmp_path / "out", partial=True)

    assert ids(tmp_path / "out") == ["42001", "42002", "42003"]
    assert quarantined(tmp_path / "out") == [{"row": 2, "reason": "id: '42001' is that of row 0"}]


def test_row_that_its_own_rule_cannot_mark_is_quarantined(tmp_path: Path) -> None:
    source = write_fixture("mathvista_testmini", tmp_path / "source")
    file = source / "data/testmini-00000-of-00001.parquet"
    table = pq.read_table(file)
    types = ["prose", *table["answer_type"].to_pylist()[1:]]
    pq.write_table(table.set_column(table.schema.get_field_index("answer_type"), "answer_type", [types]), file)

    prepare(entry(source, "mathvista_testmini"), tmp_path / "out", partial=True)

    assert quarantined(tmp_path / "out")[0] == {
        "row": 0,
        "reason": "answer_type: 'prose' is not one of text, integer, float, list",
    }


def test_text_that_cannot_be_written_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"image")
    row = {"image": "a.png", "question": "\ud800?", "options": ["a", "b"], "answer": "0"}
    lines = [row, {**row, "question": "What?"}, {"image": "a.png"}]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, lines)))

    prepare(entry(tmp_path / "test.jsonl"), tmp_path / "out", partial=True)

    assert ids(tmp_path / "out") == ["1"]
    assert [(lost["row"], lost["reason"][:25]) for lost in quarantined(tmp_path / "out")] == [
        (0, "'utf-8' codec can't encod"),
        (2, "options: there is no such"),
    ]


def test_source_without_a_single_question_is_refused(source: Path, tmp_path: Path) -> None:
    rows = FIXTURES["ai2d"].files()[FILE][-1:]
    _write(rows, source)
    with pytest.raises(EmptyDatasetError, match="none of 1 rows became a question; 1 rows are quarantined"):
        prepare(entry(source), tmp_path / "out", partial=True)


def test_limit_draws_by_the_seed_and_keeps_the_order(source: Path, tmp_path: Path) -> None:
    drawn = {}
    for name, seed in (("one", 1), ("again", 1), ("other", 5)):
        prepare(entry(source, limit=5), tmp_path / name, seed=seed)
        drawn[name] = [*ids(tmp_path / name), *(str(lost["row"]) for lost in quarantined(tmp_path / name))]
    assert drawn["one"] == drawn["again"] != drawn["other"]
    assert len(drawn["one"]) == len(drawn["other"]) == 5
    assert ids(tmp_path / "one") == sorted(ids(tmp_path / "one"), key=int)
    assert ids(tmp_path / "one") != list("01234")
    assert read_manifest(tmp_path / "one").fingerprint == read_manifest(tmp_path / "again").fingerprint


def test_limit_beyond_the_set_takes_all(source: Path, tmp_path: Path) -> None:
    prepare(entry(source, limit=500), tmp_path / "out")
    assert len(ids(tmp_path / "out")) == ASKED


def test_identity_says_what_decided_the_content(source: Path, tmp_path: Path) -> None:
    manifest = prepare(entry(source, limit=7), tmp_path / "out", seed=3)
    assert manifest.identity == {
        "name": "ai2d",
        "version": AI2D.version,
        "source": "local files",
        "commit": "",
        "limit": 7,
        "seed": 3,
    }
    (ancestor,) = trace(tmp_path / "out", tmp_path).inputs
    assert (ancestor.role, ancestor.reference.kind) == ("source", "source")


def test_seed_that_decides_nothing_is_no_part_of_the_artifact(source: Path, tmp_path: Path) -> None:
    one, other = (prepare(entry(source), tmp_path / str(seed), seed, partial=True) for seed in (1, 2))
    assert one.fingerprint == other.fingerprint


def test_hub_is_recorded_by_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = preparing.open_published(AI2D, str(write_fixture("ai2d", tmp_path / "source")))
    hub = replace(local, name="lmms-lab/ai2d@abcabcabcabc test", fingerprint="abc" * 13 + "a")
    asked = []
    monkeypatch.setattr(preparing, "open_published", lambda *arguments: asked.append(arguments) or hub)

    manifest = prepare(BenchmarkEntry(name="ai2d", revision="v1"), tmp_path / "out", partial=True)

    assert asked == [(AI2D, "", "v1")]
    assert (manifest.identity["source"], manifest.identity["commit"]) == ("lmms-lab/ai2d", "abc" * 13 + "a")
    assert manifest.inputs["source"].fingerprint == "abc" * 13 + "a"
    assert read_prepared(tmp_path / "out")[0].source == "lmms-lab/ai2d@abcabcabcabc test"


def test_finished_artifact_and_foreign_files_are_never_overwritten(source: Path, tmp_path: Path) -> None:
    prepare(entry(source), tmp_path / "out", partial=True)
    with pytest.raises(StorageError, match="holds a finished artifact"):
        prepare(entry(source), tmp_path / "out", partial=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x")
    with pytest.raises(StorageError, match=r"holds thesis\.txt"):
        prepare(entry(source), tmp_path / "mine", partial=True)


def test_changed_artifact_is_not_read(source: Path, tmp_path: Path) -> None:
    prepare(entry(source), tmp_path / "out", partial=True)
    (tmp_path / "out" / BENCHMARK).write_text("{}")
    with pytest.raises(ArtifactError, match=r"benchmark\.json changed"):
        read_prepared(tmp_path / "out")


def test_prepared_questions_load_with_datasets_as_images(tmp_path: Path) -> None:
    from datasets import load_dataset

    source = write_fixture("mmmu_val", tmp_path / "source")
    prepare(entry(source, "mmmu_val"), tmp_path / "out", partial=True)
    data = load_dataset(
        "parquet", data_files=str(tmp_path / "out" / QUESTIONS), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [image.size for image in data[4]["images"]] == [(56, 56), (56, 56)]
