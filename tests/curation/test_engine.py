import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from components.core.errors import SourceError, StorageError
from components.core.example import Split, example_id, read_split
from components.curation import engine, shards
from components.curation.curate import CurationResult, curate
from components.curation.judge import REDUCE_STEPS
from components.curation.steps import BuildSteps, row_steps
from tests.curation import engine_rows as odd
from tests.curation.driven import MOMENTS
from tests.curation.engine_rows import config_of, names, row, write_rows

ROW_STEPS = ("schema", "pictures", "wording", "typing", "leakage", "language", "pii", "licence")


def _run(
    output: Path, *sources: Path, work: Path | None = None, steps: BuildSteps = row_steps, **changes: Any
) -> CurationResult:
    config = config_of(*sources, **changes)
    return curate(output / "dataset", output / "quarantine", config, seed=0, work=work, steps=steps)


def _quarantine(output: Path) -> list[dict[str, Any]]:
    return pq.read_table(output / "quarantine" / "quarantine.parquet").to_pylist()


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of fifty source rows, so that few rows make many."""
    for module in (engine, shards):
        monkeypatch.setattr(module, "ROWS_OF_RANGE", 50)


def test_examples_come_in_order_of_the_sources_with_the_ids_of_their_content(
    tmp_path: Path, small_ranges: None
) -> None:
    first = write_rows([row(number) for number in range(120)], tmp_path / "a.parquet")
    second = write_rows([row(number) for number in range(500, 560)], tmp_path / "b.parquet")

    result = _run(tmp_path, first, second, groups={"heldout_fraction": 0.0})

    examples = list(read_split(tmp_path / "dataset", Split.TRAIN))
    expected = [*range(120), *range(500, 560)]
    assert [example.question for example in examples] == [row(number)["question"] for number in expected]
    assert [example.id for example in examples] == [
        example_id(row(number)["images"], row(number)["question"], row(number)["references"]) for number in expected
    ]
    assert result.summary["by_source"] == {"a.parquet": 120, "b.parquet": 60}
    assert result.mapped.made == 5  # 50 + 50 + 20, 50 + 10


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = []
    for folder, start in (("a", 0), ("b", 100)):
        (tmp_path / folder).mkdir()
        paths.append(write_rows([row(start), row(start + 1)], tmp_path / folder / "rows.parquet"))

    result = _run(tmp_path, *paths, groups={"heldout_fraction": 0.0})

    assert result.summary["by_source"] == {"rows.parquet": 2, "rows.parquet (2)": 2}
    assert set(result.dataset.inputs) == {"rows.parquet", "rows.parquet (2)"}


def test_every_step_accounts_for_every_row(tmp_path: Path, small_ranges: None) -> None:
    rows = [
        *(row(number) for number in range(100)),
        row(3),
        row(4, references=["another"]),
        row(200, images=[]),
        row(201, images=[b"no image"]),
        row(202, references=[]),
    ]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"))

    steps = {item["step"]: item for item in result.summary["steps"]}
    assert list(steps) == [*ROW_STEPS, *REDUCE_STEPS]
    before = len(rows)
    for item in steps.values():
        assert item["rows_in"] == before == item["rows_kept"] + item["rows_quarantined"] + item["rows_duplicate"]
        before = item["rows_kept"]
    assert before == result.summary["rows_kept"] == 99
    lost = {name: (item["rows_quarantined"], item["rows_duplicate"]) for name, item in steps.items()}
    assert {name: counts for name, counts in lost.items() if any(counts)} == {
        "schema": (2, 0),
        "pictures": (1, 0),
        "exact duplicates": (0, 1),
        "conflicts": (2, 0),
    }
    assert [(item["place"], item["step"], item["is_duplicate"]) for item in _quarantine(tmp_path)] == [
        (4, "conflicts", False),
        (100, "exact duplicates", True),
        (101, "conflicts", False),
        (102, "schema", False),
        (103, "pictures", False),
        (104, "schema", False),
    ]


def test_rows_that_come_again_a_whole_shard_later_are_duplicates(tmp_path: Path, small_ranges: None) -> None:
    rows = [row(number) for number in range(50)]

    result = _run(tmp_path, write_rows([*rows, *rows], tmp_path / "rows.parquet"))

    assert (result.summary["rows_kept"], result.summary["rows_duplicate"]) == (50, 50)
    assert [item["place"] for item in _quarantine(tmp_path)] == list(range(50, 100))


def test_number_of_processes_and_size_of_shards_of_rows_do_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows([row(number % 170) for number in range(230)], tmp_path / "rows.parquet")
    fingerprints = set()
    for number, (workers, size) in enumerate(((1, 1000), (3, 40), (2, 7))):
        monkeypatch.setattr("components.curation.curate.usable_cores", lambda workers=workers: workers)
        for module in (engine, shards):
            monkeypatch.setattr(module, "ROWS_OF_RANGE", size)
        fingerprints.add(_run(tmp_path / str(number), source).dataset.fingerprint)

    assert len(fingerprints) == 1


def test_images_that_are_large_make_shards_of_fewer_rows_and_the_same_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows([row(number) for number in range(60)], tmp_path / "rows.parquet")
    whole = _run(tmp_path / "whole", source)
    monkeypatch.setattr(shards, "_BYTES_OF_SHARD", 1000)

    cut = _run(tmp_path / "cut", source)

    assert cut.mapped.made > whole.mapped.made == 1
    assert cut.dataset.fingerprint == whole.dataset.fingerprint


def test_dataset_is_read_by_the_datasets_library(tmp_path: Path) -> None:
    _run(tmp_path, write_rows([row(number) for number in range(300)], tmp_path / "rows.parquet"))

    files = {split: str(tmp_path / "dataset" / split / "*.parquet") for split in ("train", "heldout")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))

    for split in Split:
        ours = {example.id: example for example in read_split(tmp_path / "dataset", split)}
        assert set(loaded[split.value]["id"]) == set(ours)
        assert {row["split"] for row in loaded[split.value]} == {split.value}
    assert loaded["train"][0]["images"][0].size == (8, 8)


@pytest.mark.slow
def test_new_rows_rewrite_only_the_shards_they_fall_into(tmp_path: Path) -> None:
    # Shards of 10 examples on average, so that 20 new rows among 2,000 may fall into few of about 200.
    old = [row(number) for number in range(2000)]
    new = [row(number) for number in range(5000, 5020)]
    appended = write_rows([*old, *new], tmp_path / "appended.parquet")
    inserted = write_rows([*old[:990], *new, *old[990:]], tmp_path / "inserted.parquet")
    paths = {"before": write_rows(old, tmp_path / "before.parquet"), "appended": appended, "inserted": inserted}

    found = {}
    for name, path in paths.items():
        source = path.rename(tmp_path / "rows.parquet")
        _run(tmp_path / name, source, shard_rows=10)
        found[name] = set(names(tmp_path / name / "dataset", "train"))

    assert len(found["before"]) > 100
    for name in ("appended", "inserted"):
        assert len(found["before"] - found[name]) <= 1
        assert 0 < len(found[name] - found["before"]) <= 12


def test_rows_that_were_looked_at_are_not_looked_at_again_when_rows_are_added(
    tmp_path: Path, small_ranges: None
) -> None:
    rows = [row(number) for number in range(1000)]
    first = _run(tmp_path / "a", write_rows(rows, tmp_path / "rows.parquet"), work=tmp_path / "work")
    more = write_rows([*rows, *(row(number) for number in range(2000, 2010))], tmp_path / "rows.parquet")

    second = _run(tmp_path / "b", more, work=tmp_path / "work")

    assert (first.mapped.made, first.mapped.found) == (20, 0)
    assert (second.mapped.made, second.mapped.found) == (1, 20)
    assert second.written.made <= 4
    assert second.written.found >= first.written.made - 2


@pytest.mark.parametrize("changes", [{"max_rows": 30}, {"licence": "MIT"}, {"columns": {"references": "question"}}])
def test_other_reading_of_the_same_file_is_not_taken_for_the_one_that_is_known(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = write_rows([row(number) for number in range(20)], tmp_path / "rows.parquet")
    source = {"kind": "parquet", "path": str(path), "task": "vqa", "licence": "CC0", "max_rows": 10}
    _run(tmp_path / "a", sources=[source], work=tmp_path / "work")

    known = _run(tmp_path / "b", sources=[{**source, **changes}], work=tmp_path / "work", max_quarantined_fraction=1.0)
    fresh = _run(tmp_path / "c", sources=[{**source, **changes}], max_quarantined_fraction=1.0)

    assert known.dataset.fingerprint == fresh.dataset.fingerprint


def test_setting_of_the_split_leaves_the_rows_and_one_of_the_rows_does_not(tmp_path: Path) -> None:
    source = write_rows([row(number) for number in range(50)], tmp_path / "rows.parquet")
    _run(tmp_path / "a", source, work=tmp_path / "work")

    other_split = _run(tmp_path / "b", source, work=tmp_path / "work", groups={"heldout_fraction": 0.5})
    other_rows = _run(tmp_path / "c", source, work=tmp_path / "work", pictures={"max_pixels": 1000})

    assert (other_split.mapped.made, other_split.mapped.found) == (0, 1)
    assert (other_rows.mapped.made, other_rows.mapped.found) == (1, 0)


def test_row_that_kills_its_process_is_lost_alone_and_named(tmp_path: Path, small_ranges: None) -> None:
    rows = [row(number, "deadly question" if number in (20, 70) else "") for number in range(120)]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"), steps=odd.deadly)

    assert result.summary["rows_kept"] == 118
    for item, place in zip(_quarantine(tmp_path), (20, 70), strict=True):
        assert (item["place"], item["step"], item["reason"]) == (place, "decoder", "worker died")
        assert item["evidence"] == "killed by SIGSEGV"
        assert item["question"] == "deadly question"


def test_death_that_does_not_come_again_costs_no_row(tmp_path: Path) -> None:
    rows = [row(number, f"mark {tmp_path / 'mark'}" if number == 5 else "") for number in range(20)]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"), steps=odd.deadly_once)

    assert (tmp_path / "mark").exists()
    assert result.summary["rows_kept"] == 20


def test_shard_whose_rows_all_kill_is_lost_alone(tmp_path: Path, small_ranges: None) -> None:
    rows = [row(number, f"deadly {number}" if 50 <= number < 100 else "") for number in range(150)]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"), steps=odd.deadly)

    assert result.summary["rows_kept"] == 100
    lost = _quarantine(tmp_path)
    assert [item["place"] for item in lost] == list(range(50, 100))
    assert {item["reason"] for item in lost} == {"worker died"}
    assert "so did many workers over this shard of 50 rows" in lost[-1]["evidence"]


def test_row_that_hangs_is_lost_alone(tmp_path: Path) -> None:
    rows = [row(number, "hanging" if number == 3 else "") for number in range(10)]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"), steps=odd.hanging)

    assert result.summary["rows_kept"] == 9
    (lost,) = _quarantine(tmp_path)
    assert (lost["place"], lost["step"]) == (3, "endless")
    assert lost["evidence"] == "exit status 1, which is how a process ends whose row has hung"


def test_step_that_fails_costs_the_row_and_says_how(tmp_path: Path) -> None:
    rows = [row(number, "faulty" if number == 3 else "") for number in range(10)]

    result = _run(tmp_path, write_rows(rows, tmp_path / "rows.parquet"), steps=odd.faulty)

    assert result.summary["rows_kept"] == 9
    assert [(item["step"], item["reason"], item["evidence"]) for item in _quarantine(tmp_path)] == [
        ("fault", "step failed", "KeyError: 'nothing there'")
    ]


def test_text_that_is_no_unicode_costs_its_row_alone(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(odd.picture(0))
    lines = [{"images": ["0.png"], "question": text, "references": ["1"]} for text in ("a", "\ud800", "b")]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = {"kind": "jsonl", "path": str(path), "task": "vqa", "licence": "CC0"}

    result = _run(tmp_path, sources=[source], groups={"heldout_fraction": 0.0})

    assert result.summary["rows_kept"] == 2
    assert [(item["place"], item["reason"]) for item in _quarantine(tmp_path)] == [(1, "question not Unicode")]


def test_source_that_ends_in_the_middle_keeps_what_was_finished(tmp_path: Path, small_ranges: None) -> None:
    (tmp_path / "0.png").write_bytes(odd.picture(0))
    lines = [json.dumps({"images": ["0.png"], "question": f"q{n}", "references": ["1"]}) + "\n" for n in range(130)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(lines)[:-10])
    source = {"kind": "jsonl", "path": str(path), "task": "vqa", "licence": "CC0"}

    with pytest.raises(SourceError, match="row 129: the file is cut off there"):
        _run(tmp_path / "a", sources=[source], work=tmp_path / "work")
    path.write_text("".join(lines))
    mended = _run(tmp_path / "b", sources=[source], work=tmp_path / "work")

    assert (mended.mapped.made, mended.mapped.found) == (1, 2)


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied"])
def test_torn_work_file_is_made_again(tmp_path: Path, small_ranges: None, harm: str) -> None:
    source = write_rows([row(number) for number in range(200)], tmp_path / "rows.parquet")
    first = _run(tmp_path / "a", source, work=tmp_path / "work")
    files = sorted((tmp_path / "work").iterdir())
    for path in files:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.unlink()  # a dataset may hold the same file by another name
        path.write_bytes({"cut": content[: len(content) // 2], "changed": content, "emptied": b""}[harm])

    second = _run(tmp_path / "b", source, work=tmp_path / "work")

    assert second.dataset.fingerprint == first.dataset.fingerprint
    assert (second.mapped.made, second.mapped.found) == (4, 0)
    assert second.written.found == 0


def test_finished_dataset_is_never_touched(tmp_path: Path) -> None:
    source = write_rows([row(number) for number in range(20)], tmp_path / "rows.parquet")
    _run(tmp_path, source)

    with pytest.raises(StorageError, match="holds a finished artifact"):
        _run(tmp_path, source)


def test_quarantine_of_another_dataset_is_never_touched(tmp_path: Path) -> None:
    source = write_rows([row(number) for number in range(20)], tmp_path / "rows.parquet")
    _run(tmp_path, source)
    config = config_of(source, groups={"heldout_fraction": 0.5})

    with pytest.raises(StorageError, match="holds the quarantine of another dataset"):
        curate(tmp_path / "other", tmp_path / "quarantine", config, seed=0)


def test_what_an_unfinished_curation_left_is_cleared_away(tmp_path: Path) -> None:
    source = write_rows([row(number) for number in range(20)], tmp_path / "rows.parquet")
    whole = _run(tmp_path / "whole", source)
    (tmp_path / "dataset" / "train").mkdir(parents=True)
    for name in ("train/left.parquet", "manifest.partial", "summary.json"):
        (tmp_path / "dataset" / name).write_bytes(b"left")

    assert _run(tmp_path, source).dataset.fingerprint == whole.dataset.fingerprint


def test_folder_of_somebody_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "notes.txt").write_text("keep me")

    with pytest.raises(StorageError, match=r"holds notes\.txt, which is not of this work"):
        _run(tmp_path, write_rows([row(1)], tmp_path / "rows.parquet"))


_ROWS = 2300


def _drive(moment: str, folder: Path, output: str, work: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.curation.driven", moment, folder / "rows.parquet", folder / output, work]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True, env=environment)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A source of three shards, and what a run that is not killed makes of it."""
    folder = tmp_path_factory.mktemp("killed")
    write_rows([row(number % 2200) for number in range(_ROWS)], folder / "rows.parquet")
    done = _drive("", folder, "undisturbed", folder / "work of undisturbed")
    assert done.returncode == 0, done.stderr
    yield folder, json.loads(done.stdout)
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_run_that_was_killed_goes_on_to_the_same_dataset(undisturbed: tuple[Path, dict[str, Any]], moment: str) -> None:
    folder, expected = undisturbed
    work = folder / f"work of {moment}"

    killed = _drive(moment, folder, moment, work)
    finished = {path.name: path.stat().st_ino for path in work.glob("*.work")}
    again = _drive("", folder, moment, work)

    assert killed.returncode == -signal.SIGKILL
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    assert [result[name] for name in ("dataset", "quarantine")] == [
        expected[name] for name in ("dataset", "quarantine")
    ]
    assert {name: (work / name).stat().st_ino for name in finished} == finished  # nothing finished was redone
    assert result["mapped"]["made"] + result["mapped"]["found"] == 3
    assert result["mapped"]["found"] + result["written"]["found"] >= 1
