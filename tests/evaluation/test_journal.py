import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import StorageError
from components.core.sample import RESIZED
from components.evaluation.journal import Journal, journal_path, request_digest
from components.evaluation.response import Response

_RESPONSE = Response("The sum is 7 \u2013 \u2028\x00 \U0001f600.", "the prompt", 120, 9, True, (RESIZED,))


def _add(path: Path, **responses: Response) -> None:
    with Journal(path) as journal:
        journal.add((key, f"question {key}", response) for key, response in responses.items())


def test_response_comes_back_as_it_was(tmp_path: Path) -> None:
    _add(tmp_path / "deep" / "journal.jsonl", a=_RESPONSE)

    with Journal(tmp_path / "deep" / "journal.jsonl") as journal:
        assert journal.get("a", "the prompt") == _RESPONSE
        assert journal.get("b", "the prompt") is None


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Even half a surrogate pair, which UTF-8 cannot hold."""
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    _add(path, a=Response(text, "", 1, 1, False))

    with Journal(path) as journal:
        found = journal.get("a", "")

    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("cut", [1, 2, 20, -1])
def test_torn_last_line_is_dropped_and_the_file_goes_on(tmp_path: Path, cut: int) -> None:
    """A kill may leave any beginning of the last line, even all but its line break."""
    path = tmp_path / "journal.jsonl"
    _add(path, a=_RESPONSE)
    whole = path.read_bytes()
    _add(path, b=_RESPONSE)
    path.write_bytes(whole + path.read_bytes()[len(whole) :][:cut])

    with Journal(path) as journal:
        assert len(journal) == 1
        assert journal.unreadable == []
    _add(path, c=_RESPONSE)
    with Journal(path) as journal:
        assert [journal.get(key, "") is not None for key in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x00\x00\n",
        b"not json\n",
        b"[1]\n",
        b'{"key": "b"}\n',
        b'{"key": "b", "text": 1, "prompt_tokens": 1, "length_tokens": 1, "truncated": false, "flags": []}\n',
        b'{"key": 3, "text": "", "prompt_tokens": 1, "length_tokens": 1, "truncated": false, "flags": []}\n',
        b"\xff\xfe\n",
    ],
)
def test_unreadable_line_is_named_and_the_others_are_kept(
    tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.jsonl"
    _add(path, a=_RESPONSE)
    with path.open("ab") as stream:
        stream.write(line)
    with caplog.at_level(logging.WARNING):
        _add(path, c=_RESPONSE)
        with Journal(path) as journal:
            assert journal.unreadable == [2]
            assert [journal.get(key, "") is not None for key in "abc"] == [True, False, True]

    assert f"{path}: not readable, their questions are asked again: lines 2" in caplog.text


def test_journal_that_another_process_has_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = f"import pathlib, components.evaluation.journal as j; j.Journal(pathlib.Path({str(path)!r}))"
    with Journal(path):
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    allowed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "another process is writing to it" in refused.stderr
    assert str(path) in refused.stderr
    assert allowed.returncode == 0


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match=str(tmp_path)):
        Journal(tmp_path / "file" / "journal.jsonl")


def test_responses_are_on_the_disk_when_add_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    path = tmp_path / "journal.jsonl"
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))

    with Journal(path) as journal:
        journal.add([("a", "1", _RESPONSE), ("b", "2", _RESPONSE)])
        journal.add([("c", "3", _RESPONSE)])

    assert [data.count(b"\n") for data in synced] == [2, 3]


def test_each_policy_benchmark_and_version_has_a_file_of_its_own(tmp_path: Path) -> None:
    paths = {
        journal_path(tmp_path, policy, benchmark, version)
        for policy in ("a" * 64, "b" * 64)
        for benchmark in ("docvqa_val", "../docvqa_val")
        for version in (1.0, 1.1)
    }

    assert len(paths) == 8
    assert all(path.resolve().is_relative_to(tmp_path.resolve()) for path in paths)


_WHOLE = {"settings": {"policy": "p", "version": 1.0}, "question": "q", "prompt": "What?", "images": ["i"]}


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"policy": "q", "version": 1.0}},
        {"settings": {"policy": "p", "version": 1.1}},
        {"question": "r"},
        {"prompt": "What"},
        {"images": ["j"]},
        {"images": ["i", "i"]},
        {"images": []},
    ],
)
def test_digest_changes_with_all_that_decides_a_response(change: dict[str, object]) -> None:
    assert request_digest(**{**_WHOLE, **change}) != request_digest(**_WHOLE)  # type: ignore[arg-type]


def test_digest_does_not_depend_on_the_order_of_settings() -> None:
    other = {"settings": {"version": 1.0, "policy": "p"}}

    assert request_digest(**{**_WHOLE, **other}) == request_digest(**_WHOLE)  # type: ignore[arg-type]
