import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import StorageError
from components.core.reply_journal import ReplyJournal

entries = st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=30)), max_size=12)


@given(first=entries, second=entries)
def test_later_reply_counts_and_nothing_is_lost_between_runs(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "replies"
    for run in (first, second):
        with ReplyJournal(path) as journal:
            for key, reply in run:
                journal.add(key, reply)
                assert journal.get(key) == reply
    with ReplyJournal(path) as journal:
        assert {key: journal.get(key) for key in "abc"} == {**dict.fromkeys("abc"), **dict(first), **dict(second)}


@pytest.mark.parametrize("kept", range(1, 40, 7))
def test_line_that_a_kill_has_cut_is_dropped_wherever_it_was_cut(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "replies"
    with ReplyJournal(path) as journal:
        journal.add("a", "whole")
        size = path.stat().st_size
        journal.add("b", "this one is cut somewhere on its way")
    os.truncate(path, size + kept)
    with ReplyJournal(path) as journal:
        assert (journal.get("a"), journal.get("b")) == ("whole", None)
        journal.add("c", "after")
    with ReplyJournal(path) as journal:
        assert (journal.get("a"), journal.get("c")) == ("whole", "after")


def test_disk_that_fills_up_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "replies"
    with ReplyJournal(path) as journal:
        journal.add("a", "one")
        content = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StorageError, match="no space left"):
                journal.add("b", "two")
        assert path.read_bytes() == content
        assert journal.get("b") is None
        journal.add("b", "again")
        assert (journal.get("a"), journal.get("b")) == ("one", "again")


def test_threads_may_share_one(tmp_path: Path) -> None:
    with ReplyJournal(tmp_path / "replies") as journal, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: journal.add(str(number), "x" * number), range(200)))
        assert list(pool.map(lambda number: journal.get(str(number)), range(200))) == ["x" * n for n in range(200)]


def test_journal_without_a_file_holds_replies_in_memory() -> None:
    with ReplyJournal(None) as journal:
        journal.add("a", "one")
        assert (journal.get("a"), journal.get("b")) == ("one", None)
