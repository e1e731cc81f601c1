import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.core.artifact import seal
from components.core.errors import SourceError
from components.evaluation.benchmarks.ai2d import AI2D
from components.evaluation.benchmarks.chartqa import CHARTQA_TEST
from components.evaluation.benchmarks.docvqa import DOCVQA_VAL
from components.evaluation.benchmarks.mathverse import MATHVERSE_TESTMINI
from components.evaluation.benchmarks.mmmu import MMMU_VAL
from components.evaluation.published import open_published
from tests.evaluation.fixtures import FIXTURES, ROWS, drawn, write_fixture

FILE = "data/test-00000-of-00001.parquet"
WANTED = frozenset({1, 4, 11})


def rows_of(path: Path, wanted: frozenset[int] | None = None) -> list[tuple[int, dict[str, Any]]]:
    return list(open_published(AI2D, str(path)).rows(wanted))


def as_dataset() -> Any:
    fixture = FIXTURES["ai2d"]
    return datasets.Dataset.from_list(fixture.files()[FILE], features=fixture.features())


def as_stream(folder: Path) -> Path:
    table = pq.read_table(write_fixture("ai2d", folder) / FILE)
    with pa.OSFile(str(folder / "test.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return folder / "test.arrow"


def as_arrow_file(folder: Path) -> Path:
    table = pq.read_table(write_fixture("ai2d", folder) / FILE)
    with pa.OSFile(str(folder / "test.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return folder / "test.arrow"


def as_saved(folder: Path) -> Path:
    as_dataset().save_to_disk(str(folder / "saved"), num_shards=3)
    return folder / "saved"


def as_saved_splits(folder: Path) -> Path:
    splits = datasets.DatasetDict({"train": as_dataset().select([0]), "test": as_dataset()})
    splits.save_to_disk(str(folder / "saved"))
    return folder / "saved"


def as_json_lines(folder: Path) -> Path:
    lines = []
    for number, row in enumerate(FIXTURES["ai2d"].files()[FILE]):
        (folder / f"{number}.png").write_bytes(row["image"]["bytes"])
        lines.append(json.dumps({**row, "image": f"{number}.png"}) + "\n")
    (folder / "test.jsonl").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize(
    "form",
    [write_fixture, as_stream, as_arrow_file, as_saved, as_saved_splits, as_json_lines],
    ids=lambda f: f.__name__,
)
def test_every_form_of_a_source_gives_the_published_rows(form: Any, tmp_path: Path) -> None:
    source = form("ai2d", tmp_path) if form is write_fixture else form(tmp_path)
    published = FIXTURES["ai2d"].files()[FILE]

    found = rows_of(source)

    assert open_published(AI2D, str(source)).count == ROWS
    assert [number for number, _ in found] == list(range(ROWS))
    for (_, row), original in zip(found, published, strict=True):
        assert row["image"]["bytes"] == original["image"]["bytes"]
        assert {**row, "image": None} == {**original, "image": None}
    assert rows_of(source, WANTED) == [found[number] for number in sorted(WANTED)]
    assert rows_of(source, frozenset()) == []


def test_columns_that_are_not_asked_for_are_not_read(tmp_path: Path) -> None:
    published = open_published(DOCVQA_VAL, str(write_fixture("docvqa_val", tmp_path)))
    assert "data_split" in published.columns
    assert set(next(published.rows())[1]) == set(DOCVQA_VAL.columns)


def test_other_splits_and_configurations_of_the_folder_are_left_out(tmp_path: Path) -> None:
    source = write_fixture("docvqa_val", tmp_path)
    for other in ("DocVQA/train-00000-of-00001", "InfographicVQA/validation-00000-of-00001"):
        file = source / f"{other}.parquet"
        file.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"questionId": ["0"] * 5}), file)
    assert open_published(DOCVQA_VAL, str(source)).count == ROWS
    verse = write_fixture("mathverse_testmini", tmp_path / "verse")
    pq.write_table(pa.table({"question": ["?"]}), verse / "testmini_text_only.parquet")
    assert open_published(MATHVERSE_TESTMINI, str(verse)).count == ROWS


def test_configurations_are_read_one_after_the_other(tmp_path: Path) -> None:
    published = open_published(MMMU_VAL, str(write_fixture("mmmu_val", tmp_path)))
    assert [row["id"] for _, row in published.rows(frozenset({3, 4, 11}))] == [
        "validation_Accounting_4",
        "validation_Basic_Medical_Science_1",
        "validation_Math_4",
    ]


def test_fingerprint_is_of_the_content_and_not_of_the_place(tmp_path: Path) -> None:
    one, other = (open_published(AI2D, str(write_fixture("ai2d", tmp_path / name))) for name in ("one", "other"))
    assert one.fingerprint == other.fingerprint
    assert one.name == other.name == f"local files, sha-256 {one.fingerprint[:12]}"
    assert open_published(MMMU_VAL, str(write_fixture("mmmu_val", tmp_path / "mmmu"))).fingerprint != one.fingerprint


def test_image_path_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "set").mkdir()
    paths = ["../secret.png", str(tmp_path / "secret.png"), "missing.png", "long" * 200, "\0", "."]
    lines = [json.dumps({"image": path, "question": "?"}) for path in paths]
    (tmp_path / "set/test.jsonl").write_text("\n".join(lines))
    assert [row["image"]["bytes"] for _, row in rows_of(tmp_path / "set")] == [b""] * len(paths)


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nowhere", "no such file or folder. Give the files or the folder of lmms-lab/ai2d"),
        (lambda folder: folder, "no file of split test that ends in .parquet, .arrow, .jsonl"),
        (lambda folder: write_fixture("textvqa_val", folder), "no file of split test"),  # it has validation alone
        (lambda folder: _text(folder / "dataset_dict.json", "{").parent, "dataset_dict.json: not what datasets writes"),
        (lambda folder: cut(write_fixture("ai2d", folder) / FILE), "not a whole parquet file"),
        (lambda folder: cut(as_stream(folder)), "not a whole arrow file"),
        (lambda folder: _text(folder / "a.csv", "a,b"), "not a file that ends in .parquet"),
        (lambda folder: _text(folder / "a.jsonl", '{"image": "x"}\n{"ima'), "a.jsonl, line 2: not JSON"),
        (lambda folder: _text(folder / "a.jsonl", '{"image": "x"}\n[1]'), "a.jsonl, line 2: a list, not an object"),
        (lambda folder: _artifact(folder), "an artifact, not a published set. Use a prepared benchmark as it is"),
    ],
)
def test_source_that_cannot_be_read_is_named(make: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        rows_of(make(tmp_path))
    assert message in str(error.value)


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _artifact(folder: Path) -> Path:
    (folder / "file").write_text("x")
    seal(folder, "benchmark", {})
    return folder


def test_saved_splits_without_the_one_that_is_needed(tmp_path: Path) -> None:
    datasets.DatasetDict({"train": as_dataset()}).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(SourceError, match="no split test, but train"):
        rows_of(tmp_path / "saved")


class FakeStream:
    """What `datasets.load_dataset(streaming=True)` gives: decoded images unless decoding is switched off."""

    def __init__(self, rows: list[dict[str, Any]], breaks_at: int | None = None) -> None:
        self._rows, self._breaks_at, self._decoded = rows, breaks_at, True
        self.info = SimpleNamespace(splits={"test": SimpleNamespace(num_examples=len(rows))})

    def decode(self, enable: bool) -> "FakeStream":
        self._decoded = enable
        return self

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, row in enumerate(self._rows):
            if number == self._breaks_at:
                raise ConnectionError("the line is dead")
            yield {**row, "image": "decoded"} if self._decoded else row


@pytest.fixture
def asked_of_hub(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A hub that has AI2D alone, and what it was asked for."""
    asked: list[Any] = []

    def repo_info(self: Any, name: str, revision: str, repo_type: str) -> Any:
        asked.append((repo_type, name, revision))
        return SimpleNamespace(sha="c0ffee" * 6 + "c0ff")

    def load_dataset(name: str, config: str | None, **options: Any) -> FakeStream:
        asked.append((name, config, options))
        return FakeStream(FIXTURES["ai2d"].files()[FILE])

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", repo_info)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_hub_is_read_at_a_commit_and_without_decoding(asked_of_hub: list[Any]) -> None:
    published = open_published(AI2D, revision="v2")

    rows = list(published.rows(frozenset({0, 3})))

    commit = "c0ffee" * 6 + "c0ff"
    assert asked_of_hub == [
        ("dataset", "lmms-lab/ai2d", "v2"),
        ("lmms-lab/ai2d", None, {"split": "test", "revision": commit, "streaming": True}),
    ]
    assert (published.fingerprint, published.count) == (commit, ROWS)
    assert published.name == "lmms-lab/ai2d@c0ffeec0ffee test"
    assert [(number, row["image"]["bytes"]) for number, row in rows] == [(0, drawn("web")), (3, drawn("leaf"))]


def test_configurations_of_the_hub_are_all_asked_for(asked_of_hub: list[Any]) -> None:
    open_published(MMMU_VAL)
    assert tuple(config for _, config, *_ in asked_of_hub[1:]) == MMMU_VAL.hub.configs


def test_hub_that_breaks_off_is_a_named_error(asked_of_hub: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = FIXTURES["ai2d"].files()[FILE]
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: FakeStream(rows, breaks_at=5))
    with pytest.raises(SourceError, match=r"lmms-lab/ai2d@.* test: not to be had from the hub \(the line is dead\)"):
        list(open_published(AI2D).rows())


def test_stream_of_datasets_gives_the_published_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library itself, on files of our own in the place of the hub's."""
    files = str(write_fixture("chartqa_test", tmp_path) / FILE)
    load = datasets.load_dataset
    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", lambda *_, **__: SimpleNamespace(sha="f" * 40))
    monkeypatch.setattr(
        datasets,
        "load_dataset",
        lambda *_, split, **__: load("parquet", data_files={split: files}, split=split, streaming=True),
    )
    rows = list(open_published(CHARTQA_TEST).rows())
    assert rows == list(open_published(CHARTQA_TEST, files).rows())
    assert rows[0][1]["image"]["bytes"] == drawn("bars")
    assert [row["human_or_machine"] for _, row in rows] == [0] * 5 + [1] * 7
