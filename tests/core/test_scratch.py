from pathlib import Path

import pytest

from components.core.errors import StorageError
from components.core.scratch import VARIABLE, scratch_folder


def test_without_the_variable_there_is_no_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert scratch_folder("journal") is None


def test_each_purpose_has_a_folder_that_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "new"))

    folders = [scratch_folder(purpose) for purpose in ("journal", "embeddings", "journal")]

    assert folders == [tmp_path / "new" / purpose for purpose in ("journal", "embeddings", "journal")]
    assert all(folder.is_dir() for folder in folders)


def test_a_scratch_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))

    with pytest.raises(StorageError, match="a file is where a folder is needed"):
        scratch_folder("journal")
