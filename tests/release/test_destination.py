import json
from pathlib import Path

import fsspec
import pytest

from components.core.errors import StorageError
from components.release.destination import publish, report_key, store_root


@pytest.mark.parametrize(
    ("uri", "root"),
    [
        ("minio://mlpipeline/v2/artifacts/harmo-alignment/run/export/salt/bundle", "s3://mlpipeline"),
        ("s3://bucket/key/bundle", "s3://bucket"),
        ("gs://bucket/key", "gs://bucket"),
        ("/data/out/artifacts/run-1/export/bundle", "/data/out/artifacts"),
    ],
)
def test_root_of_the_store_an_artifact_lies_in(uri: str, root: str) -> None:
    assert store_root(uri) == root


def test_key_is_stable() -> None:
    assert report_key("s3://mlpipeline/", "harmo-alignment", "id-1") == "s3://mlpipeline/reports/harmo-alignment/id-1"


def _bundle(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "report.html").write_text(text)
    (folder / "report.json").write_text(json.dumps({"text": text}))
    return folder


@pytest.mark.parametrize("protocol", ["", "memory://"])
def test_publish_copies_every_file_and_replaces_older_ones(tmp_path: Path, protocol: str) -> None:
    address = f"{protocol}{tmp_path}/reports/p/r"

    publish(_bundle(tmp_path / "bundle", "old"), address, {})
    publish(_bundle(tmp_path / "bundle", "new"), address, {})

    files, root = fsspec.core.url_to_fs(address)
    assert files.cat_file(f"{root}/report.html") == b"new"
    assert json.loads(files.cat_file(f"{root}/report.json")) == {"text": "new"}


def test_place_that_cannot_be_written_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageError, match=r"file/reports: the report cannot be written there .* reports_uri"):
        publish(_bundle(tmp_path / "bundle", "x"), f"{tmp_path}/file/reports", {})


def test_unknown_protocol_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere://bucket: the report cannot be written there"):
        publish(_bundle(tmp_path / "bundle", "x"), "nowhere://bucket", {})
