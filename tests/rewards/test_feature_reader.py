import multiprocessing
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from components.rewards import feature_reader
from components.rewards.embedder import TokenVectors
from components.rewards.feature_reader import FeatureReader
from tests.surrogate.stub import StubEmbedder

_ROWS = [
    (f"Where is item {number}?", f"It lies left of box {number % 7}.", (f"left of box {number % 7}", "on the left"))
    for number in range(60)
]


class CountingEmbedder(StubEmbedder):
    """Remembers which texts it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors]:
        self.asked += texts
        return super().token_vectors(texts)


def reader(cache: Path | None = None, embedder: StubEmbedder | None = None) -> FeatureReader:
    return FeatureReader(embedder or StubEmbedder(), cache=cache)  # type: ignore[arg-type]


def read(of: FeatureReader, rows: Sequence[tuple[str, str, tuple[str, ...]]]) -> np.ndarray:
    return of.read(*zip(*rows, strict=True))


def test_a_row_that_was_read_before_is_not_encoded_again() -> None:
    embedder = CountingEmbedder()
    own = reader(embedder=embedder)
    first = read(own, [*_ROWS[:5], _ROWS[2]])
    asked = len(embedder.asked)

    again = read(own, _ROWS[:5])

    np.testing.assert_array_equal(first[:5], again)
    np.testing.assert_array_equal(first[5], first[2])
    assert len(embedder.asked) == asked
    assert asdict(own.counts) == {"memory": 5, "file": 0, "computed": 5}


def test_many_and_long_rows_are_read_in_parts_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*_ROWS[:7], ("long?", "word " * 200, ("ref",)), *_ROWS[7:]]
    expected = read(reader(), rows)

    for most_rows, most_characters in ((4, 10_000), (100, 500), (1, 1), (61, 10_000)):
        monkeypatch.setattr(feature_reader, "_ROWS", most_rows)
        monkeypatch.setattr(feature_reader, "_CHARACTERS", most_characters)
        np.testing.assert_array_equal(read(reader(), rows), expected)


def test_rows_that_differ_in_where_a_text_ends_are_told_apart() -> None:
    rows = [("a", "b", ("c d",)), ("a", "b", ("c", "d")), ("a b", "", ("c d",)), ("", "a b", ("c d",))]
    own = reader()

    together = read(own, rows)

    assert own.counts.computed == 4
    for row, found in zip(rows, together, strict=True):
        np.testing.assert_array_equal(read(reader(), [row])[0], found)


def test_features_are_kept_from_run_to_run_to_the_bit(tmp_path: Path) -> None:
    expected = read(reader(), _ROWS)
    read(reader(tmp_path), _ROWS)
    embedder = CountingEmbedder()
    again = reader(tmp_path, embedder)

    np.testing.assert_array_equal(read(again, _ROWS), expected)

    assert embedder.asked == []
    assert asdict(again.counts) == {"memory": 0, "file": 60, "computed": 0}


def test_another_embedder_shares_no_features(tmp_path: Path) -> None:
    class Other(StubEmbedder):
        fingerprint = "another"

    read(reader(tmp_path), _ROWS[:3])
    other = reader(tmp_path, Other())
    read(other, _ROWS[:3])

    assert other.counts.computed == 3
    assert len(list(tmp_path.glob("features-*.sqlite"))) == 2


def test_a_broken_file_is_put_aside_with_a_warning_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = read(reader(tmp_path), _ROWS)
    (file,) = tmp_path.glob("features-*.sqlite")
    file.write_bytes(b"no database" * 1000)
    for log in tmp_path.glob("*-wal"):
        log.unlink()

    np.testing.assert_array_equal(read(reader(tmp_path), _ROWS), expected)

    assert "put aside" in caplog.text
    assert file.with_name(f"{file.name}.damaged").read_bytes().startswith(b"no database")
    again = reader(tmp_path)
    np.testing.assert_array_equal(read(again, _ROWS), expected)
    assert again.counts.file == len(_ROWS)


def _read_some(cache: Path, first: int) -> None:
    own = reader(cache)
    for start in range(first, first + 40, 4):
        rows = _ROWS[start : start + 4]
        assert np.array_equal(read(own, rows), read(reader(), rows))


@pytest.mark.parametrize("broken", [False, True])
def test_two_processes_write_to_one_file(broken: bool, tmp_path: Path) -> None:
    if broken:
        read(reader(tmp_path), _ROWS)
        (file,) = tmp_path.glob("features-*.sqlite")
        file.write_bytes(b"no database" * 1000)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_read_some, args=(tmp_path, first)) for first in (0, 20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    again = reader(tmp_path)

    assert [worker.exitcode for worker in workers] == [0, 0]
    np.testing.assert_array_equal(read(again, _ROWS), read(reader(), _ROWS))
    # Where a file is put aside while the other process has it open, what that one writes to it is lost, and no more.
    assert again.counts.file == 60 if not broken else again.counts.file >= 20
