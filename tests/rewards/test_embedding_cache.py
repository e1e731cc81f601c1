import logging
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.core.errors import StorageError
from components.rewards.embedding_cache import CacheCounts, EmbeddingCache, content_key

WIDTH = 4


class Counting:
    """Vectors that only their text decides, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.stack([expected(text) for text in texts])


def expected(text: str) -> NDArray[np.float32]:
    return np.frombuffer(content_key(text)[: 2 * WIDTH], dtype="<u2").astype(np.float32)


def assert_right(vectors: NDArray[np.float32], texts: Sequence[str]) -> None:
    np.testing.assert_array_equal(vectors, np.stack([expected(text) for text in texts]))


def test_duplicates_and_known_contents_are_computed_once() -> None:
    compute, cache = Counting(), EmbeddingCache(WIDTH)

    assert_right(cache.fetch(["a", "b", "a"], compute), ["a", "b", "a"])
    assert_right(cache.fetch(["b", "c"], compute), ["b", "c"])

    assert compute.asked == ["a", "b", "c"]


def test_counts_tell_where_contents_came_from(tmp_path: Path) -> None:
    EmbeddingCache(WIDTH, tmp_path / "cache.sqlite").fetch(["a", "b"], Counting())
    cache = EmbeddingCache(WIDTH, tmp_path / "cache.sqlite")

    for texts in (["a", "a", "c"], ["a", "b", "c", "d"]):
        cache.fetch(texts, Counting())

    assert cache.counts == CacheCounts(memory=2, file=2, computed=2)


def test_the_least_recently_used_leaves_memory_first() -> None:
    compute, cache = Counting(), EmbeddingCache(WIDTH, in_memory=2)

    for texts in (["a", "b"], ["a"], ["c"], ["a"], ["b"]):
        assert_right(cache.fetch(texts, compute), texts)

    assert compute.asked == ["a", "b", "c", "b"]


def test_a_batch_larger_than_memory_is_answered_whole() -> None:
    texts = [f"text {number}" for number in range(50)]

    assert_right(EmbeddingCache(WIDTH, in_memory=3).fetch(texts, Counting()), texts)


def test_vectors_outlive_the_process_in_the_file(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(1200)]
    EmbeddingCache(WIDTH, tmp_path / "new" / "cache.sqlite").fetch(texts, Counting())
    compute = Counting()

    assert_right(
        EmbeddingCache(WIDTH, tmp_path / "new" / "cache.sqlite").fetch([*texts, "more"], compute), [*texts, "more"]
    )

    assert compute.asked == ["more"]


def test_a_full_file_takes_no_more(tmp_path: Path) -> None:
    cache = EmbeddingCache(WIDTH, tmp_path / "cache.sqlite", in_file=2)
    for text in ("a", "b", "c"):
        cache.fetch([text], Counting())
    compute = Counting()

    EmbeddingCache(WIDTH, tmp_path / "cache.sqlite", in_file=2).fetch(["a", "b", "c"], compute)

    assert compute.asked == ["c"]


@pytest.mark.parametrize("damage", ["a changed byte", "not a number", "too short", "a text", "another text's vector"])
def test_a_damaged_vector_is_computed_again_with_a_warning(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "cache.sqlite"
    EmbeddingCache(WIDTH, file).fetch(["a", "b"], Counting())
    with sqlite3.connect(file) as connection:
        (stored,) = connection.execute("SELECT vector FROM vectors WHERE key = ?", [content_key("a")]).fetchone()
        (other,) = connection.execute("SELECT vector FROM vectors WHERE key = ?", [content_key("b")]).fetchone()
        value = {
            "a changed byte": bytes([stored[0] ^ 1]) + stored[1:],
            "not a number": np.full(WIDTH, np.nan, dtype="<f4").tobytes() + stored[4 * WIDTH :],
            "too short": stored[4:],
            "a text": "vector",
            "another text's vector": other,
        }[damage]
        connection.execute("UPDATE vectors SET vector = ? WHERE key = ?", [value, content_key("a")])
    connection.close()
    compute = Counting()

    assert_right(EmbeddingCache(WIDTH, file).fetch(["a", "b"], compute), ["a", "b"])
    assert compute.asked == ["a"]
    assert "1 damaged vectors are computed again" in caplog.text

    assert_right(EmbeddingCache(WIDTH, file).fetch(["a"], compute), ["a"])
    assert compute.asked == ["a"]


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_damaged_file_is_made_anew_with_a_warning(
    keep: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, texts = tmp_path / "cache.sqlite", [f"text {number}" for number in range(500)]
    EmbeddingCache(WIDTH, file).fetch(texts, Counting())
    for log in tmp_path.glob("cache.sqlite-*"):
        log.unlink()
    content = file.read_bytes()
    file.write_bytes(content[:keep] + bytes([170]) * (len(content) - keep))

    broken = file.read_bytes()

    assert_right(EmbeddingCache(WIDTH, file).fetch(texts, Counting()), texts)
    assert "damaged, put aside as cache.sqlite.damaged" in caplog.text
    assert (tmp_path / "cache.sqlite.damaged").read_bytes() == broken

    compute = Counting()
    assert_right(EmbeddingCache(WIDTH, file).fetch(texts, compute), texts)
    assert compute.asked == []


def test_a_file_that_cannot_be_written_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache.sqlite").mkdir()
    cache = EmbeddingCache(WIDTH, tmp_path / "cache.sqlite")

    for _ in range(2):
        assert_right(cache.fetch(["a"], Counting()), ["a"])

    assert caplog.text.count("is not used from here on") == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="a file is where a folder is needed"):
        EmbeddingCache(WIDTH, tmp_path / "file" / "cache.sqlite")


def _fetch_in_slices(file: Path, first: int) -> None:
    logging.disable(logging.NOTSET)
    cache = EmbeddingCache(WIDTH, file)
    for start in range(0, 300, 10):
        texts = [f"text {first + start + number}" for number in range(10)]
        assert_right(cache.fetch(texts, Counting()), texts)


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_fetch_in_slices, args=(file, first)) for first in (0, 150)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    compute, texts = Counting(), [f"text {number}" for number in range(450)]

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert_right(EmbeddingCache(WIDTH, file).fetch(texts, compute), texts)
    assert compute.asked == []


def _fetch_and_die(file: Path) -> None:
    cache = EmbeddingCache(WIDTH, file)
    cache.fetch(["before"], Counting())

    def die(texts: Sequence[str]) -> NDArray[np.float32]:
        os.kill(os.getpid(), signal.SIGKILL)
        return Counting()(texts)

    cache.fetch(["during"], die)


def test_what_was_written_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    worker = multiprocessing.get_context("fork").Process(target=_fetch_and_die, args=(file,))
    worker.start()
    worker.join()
    compute = Counting()

    assert worker.exitcode == -signal.SIGKILL
    assert_right(EmbeddingCache(WIDTH, file).fetch(["before", "during"], compute), ["before", "during"])
    assert compute.asked == ["during"]
