from pathlib import Path

import numpy as np
import pytest

from components.curation.sign_table import SignTable
from tests.curation.rows import pixels_of, row, table_of

ROWS = [
    row("How many cats?", "2", "one"),
    row("Which is larger?", "B", "one", "two", choices=("left", "right")),
    row("Read it.", ["yes", "yep"], "three", split="train", group="scene"),
]


def test_columns_are_those_of_the_rows() -> None:
    table = table_of(ROWS)
    assert len(table) == 3
    assert table.starts.tolist() == [0, 1, 3, 4]
    names = ("one", "one", "two", "three")
    assert [bytes(digest).hex() for digest in table.pixels] == [pixels_of(name) for name in names]
    assert table.looks(np.array([2, 0])) == [b"two", b"one"]
    assert table.texts("text") == ["how many cats", "which is larger", "read it"]
    assert table.texts("split") == ["", "", "train"]
    assert table.key(2) == "made#2"
    assert table.gold(1).choices == ("left", "right")
    assert table.shingles.shape == (3, 64)


def test_shards_read_back_make_the_table_of_all_rows(tmp_path: Path) -> None:
    whole = table_of(ROWS)
    paths = []
    for number, (start, length) in enumerate(((0, 2), (2, 0), (2, 1))):
        paths.append(tmp_path / f"{number}.parquet")
        SignTable(whole.columns.slice(start, length)).write(paths[-1])
    assert SignTable.read(paths).columns.equals(whole.columns)
    assert SignTable.concatenated([SignTable.read([path]) for path in paths]).columns.equals(whole.columns)


def test_an_empty_table_has_no_rows(tmp_path: Path) -> None:
    table = SignTable.concatenated([])
    assert (len(table), table.starts.tolist(), len(table.pixels), table.shingles.shape) == (0, [0], 0, (0, 64))
    assert len(SignTable.of([])) == 0


def test_a_table_signed_in_another_way_is_refused() -> None:
    columns = table_of(ROWS).columns
    with pytest.raises(ValueError, match="sign the rows anew"):
        SignTable(columns.replace_schema_metadata({"signs": "other"}))


def test_looks_of_some_images_only_are_refused() -> None:
    table = table_of([ROWS[0], row("Read it.", "5", "x")])
    columns = table.columns.to_pylist()
    columns[0]["looks"] = []
    broken = SignTable(type(table.columns).from_pylist(columns, schema=table.columns.schema))
    with pytest.raises(ValueError, match="1 looks of 2 images"):
        broken.looks(np.array([0]))


def test_options_in_another_order_are_the_same_question() -> None:
    one = row("Which?", "A", choices=("left", "right"))
    other = row("Which?", "B", choices=("right", "left"))
    less = row("Which?", "A", choices=("left",))
    table = table_of([one, other, less])
    assert table.hashes("question")[0] == table.hashes("question")[1] != table.hashes("question")[2]
    assert table.hashes("answer")[0] == table.hashes("answer")[1]
