import hashlib
import json
from pathlib import Path

import pytest

from components.core.artifact import MANIFEST, InputRef, read_manifest, seal, verify
from components.core.errors import ArtifactError


def _folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_seal_records_the_digest_of_every_file(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1", two="22")

    manifest = seal(folder, "dataset", {"seed": 0})

    assert manifest.files == {"one": hashlib.sha256(b"1").hexdigest(), "two": hashlib.sha256(b"22").hexdigest()}
    assert verify(folder, "dataset") == manifest


def test_fingerprint_same_content_and_identity_is_the_same_elsewhere(tmp_path: Path) -> None:
    first = seal(_folder(tmp_path / "a", one="1"), "dataset", {"seed": 0})
    second = seal(_folder(tmp_path / "elsewhere" / "b", one="1"), "dataset", {"seed": 0})

    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    ("kind", "identity", "inputs", "text"),
    [
        ("policy", {"seed": 0}, {}, "1"),
        ("dataset", {"seed": 1}, {}, "1"),
        ("dataset", {"seed": 0}, {"data": InputRef("source", "f" * 64)}, "1"),
        ("dataset", {"seed": 0}, {}, "2"),
    ],
    ids=["kind", "identity", "inputs", "content"],
)
def test_fingerprint_changes_with(tmp_path: Path, kind: str, identity: dict, inputs: dict, text: str) -> None:
    base = seal(_folder(tmp_path / "a", one="1"), "dataset", {"seed": 0})

    other = seal(_folder(tmp_path / "b", one=text), kind, identity, inputs)

    assert other.fingerprint != base.fingerprint


def test_verify_one_changed_byte_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1", two="2")
    seal(folder, "dataset", {})
    (folder / "two").write_text("3")

    with pytest.raises(ArtifactError, match=r"dataset artifact .*two changed"):
        verify(folder)


def test_verify_added_and_removed_files_are_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1", two="2")
    seal(folder, "dataset", {})
    (folder / "two").unlink()
    (folder / "three").write_text("3")

    with pytest.raises(ArtifactError, match="three was added, two is missing"):
        verify(folder)


def test_verify_edited_manifest_is_caught(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1")
    seal(folder, "dataset", {"seed": 0})
    values = json.loads((folder / MANIFEST).read_text())
    values["identity"]["seed"] = 1
    (folder / MANIFEST).write_text(json.dumps(values))

    with pytest.raises(ArtifactError, match=r"manifest\.json changed"):
        verify(folder)


def test_verify_wrong_kind_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1")
    seal(folder, "dataset", {})

    with pytest.raises(ArtifactError, match="holds a dataset, a policy is needed"):
        verify(folder, "policy")


def test_unfinished_folder_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="did not finish"):
        read_manifest(_folder(tmp_path / "a", one="1"))


def test_seal_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="without any file"):
        seal(_folder(tmp_path / "a"), "dataset", {})


def test_read_manifest_of_another_schema_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", one="1")
    seal(folder, "dataset", {})
    values = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**values, "schema_version": 99}))

    with pytest.raises(ArtifactError, match="schema version 99"):
        read_manifest(folder)


def test_flat_metadata_holds_only_strings_and_finite_floats(tmp_path: Path) -> None:
    manifest = seal(_folder(tmp_path / "a", one="1"), "dataset", {}, {"data": InputRef("source", "f" * 64)})

    assert {type(value) for value in manifest.flat().values()} == {str, float}
    assert json.loads(str(manifest.flat()["harmo_inputs"])) == {"data": "f" * 64}


def test_timings_are_no_part_of_what_an_artifact_is(tmp_path: Path) -> None:
    first = seal(_folder(tmp_path / "a", one="1"), "rollouts", {})
    _folder(tmp_path / "b" / "timings", batch="0.5 s")
    _folder(tmp_path / "c" / "nested" / "timings", batch="0.5 s")
    (tmp_path / "b" / "one").write_text("1")

    second = seal(tmp_path / "b", "rollouts", {})
    (tmp_path / "b" / "timings" / "batch").write_text("0.7 s")

    assert first.fingerprint == second.fingerprint == verify(tmp_path / "b").fingerprint
    assert seal(tmp_path / "c", "rollouts", {}).files.keys() == {"nested/timings/batch"}
