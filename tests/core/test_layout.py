from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.artifact import digest_file
from components.core.errors import ArtifactError
from components.core.example import AnswerType, Example, Split, Task, read_split, write_splits
from components.core.layout import ORDER, Cutter, ShardWriter, split_files, write_shards

_IDS = st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), max_size=60)


def _example(number: int) -> Example:
    return Example(
        id=f"{number:016x}",
        images=(bytes([number % 256]) * 10,),
        question=f"q{number}",
        references=("1",),
        answer_type=AnswerType.NUMBER,
        task=Task.VQA,
        verifiable=True,
    )


def _cut(ids: list[str], average: int, weight: int = 1) -> list[tuple[str, ...]]:
    cutter, shards, held = Cutter(average), [], []
    for id_ in ids:
        held.append(id_)
        if cutter.ends(id_, weight):
            shards.append(tuple(held))
            held = []
    return [*shards, tuple(held)] if held else shards


@given(ids=_IDS, more=_IDS, average=st.integers(1, 8))
def test_examples_that_are_added_behind_leave_all_shards_but_the_last(
    ids: list[str], more: list[str], average: int
) -> None:
    before, after = _cut(ids, average), _cut([*ids, *more], average)

    assert after[: max(0, len(before) - 1)] == before[:-1]


@given(ids=_IDS, more=_IDS, average=st.integers(1, 8))
def test_shards_hold_all_examples_in_order_and_none_is_longer_than_four_times_the_average(
    ids: list[str], more: list[str], average: int
) -> None:
    shards = _cut(ids, average)

    assert [id_ for shard in shards for id_ in shard] == ids
    assert all(0 < len(shard) <= 4 * average for shard in shards)


def test_examples_put_in_front_leave_the_shards_behind_the_next_end() -> None:
    ids = [f"{number:016x}" for number in range(1000)]
    before, after = _cut(ids, 10), _cut(["f" * 16, *ids], 10)

    assert len(set(before) - set(after)) <= 2


def test_large_images_end_a_shard() -> None:
    assert [len(shard) for shard in _cut([f"{number:016x}" for number in range(4)], 10**6, 2**27)] == [2, 2]


def test_splits_are_read_as_they_were_written(tmp_path: Path) -> None:
    train, heldout = [_example(number) for number in range(5000)], [_example(7000)]

    write_splits({Split.TRAIN: train, Split.HELD_OUT: heldout}, tmp_path)

    assert list(read_split(tmp_path, Split.TRAIN)) == train
    assert list(read_split(tmp_path, Split.HELD_OUT)) == heldout
    files = split_files(tmp_path, "train")
    assert len(files) > 1
    assert all(path.name == f"{digest_file(path)[:32]}.parquet" for path in files)


def test_split_without_examples_is_empty(tmp_path: Path) -> None:
    write_splits({}, tmp_path)

    assert list(read_split(tmp_path, Split.TRAIN)) == []


@given(pieces=st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_bytes_of_a_shard_do_not_depend_on_how_its_rows_came(
    pieces: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    rows = sum(pieces)
    table = pa.table(
        {"id": [str(row) for row in range(rows)], "task": ["vqa", "math"] * (rows // 2) + ["vqa"] * (rows % 2)}
    )
    with ShardWriter(folder / "whole", table.schema) as writer:
        writer.add(table, [1] * rows)
    with ShardWriter(folder / "pieces", table.schema) as writer:
        start = 0
        for size in pieces:
            writer.add(table.slice(start, size), [1] * size)
            start += size

    assert (folder / "whole").read_bytes() == (folder / "pieces").read_bytes()
    assert pq.read_table(folder / "pieces").equals(table)


def test_shards_of_equal_content_are_one_file_and_read_twice(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"]})

    shards = write_shards([("a", 1, table), ("a", 1, table)], tmp_path / "train", table.schema, average=1)

    assert len(shards) == 2
    assert len({shard.name for shard in shards}) == len(list((tmp_path / "train").iterdir())) == 1


def test_folder_that_is_no_dataset_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no shards\.json.*curate anew"):
        list(read_split(tmp_path, Split.TRAIN))
    (tmp_path / ORDER).write_text('{"train": [1]}')
    with pytest.raises(ArtifactError, match="not an order of shards"):
        list(read_split(tmp_path, Split.TRAIN))
