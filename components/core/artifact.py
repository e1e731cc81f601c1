"""Versioned artifacts: a folder with a manifest.json that says what it is and whence it came.

* Identity (data, model, seed, weights, prompts) and content make the fingerprint; where a step ran
  (GPU, namespace, volume) and when does not.
* A folder is an artifact only once `seal` has written its manifest, as the last act and atomically:
  a step that dies half-way leaves no artifact, and earlier ones are never touched.
* Readers call `verify` before they use: every byte is compared with the manifest.
* What lies in a folder's `timings/` says how long the work took, which differs from run to run: like the time of
  making, it is no part of what the artifact is, and is neither in the fingerprint nor compared.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata as package_metadata
from pathlib import Path
from typing import Any

from components import __version__
from components.core.code import code_fingerprint
from components.core.errors import ArtifactError

MANIFEST = "manifest.json"
TIMINGS = "timings"
SCHEMA_VERSION = 1
_RECORDED_LIBRARIES = (
    "accelerate",
    "datasets",
    "kfp",
    "lm_eval",
    "math-verify",
    "numpy",
    "pillow",
    "pyarrow",
    "scikit-learn",
    "sentence-transformers",
    "sympy",
    "tokenizers",
    "torch",
    "torchvision",
    "transformers",
    "trl",
)


@dataclass(frozen=True)
class InputRef:
    """An artifact or source that another was made from."""

    kind: str
    fingerprint: str


@dataclass(frozen=True)
class Manifest:
    """What an artifact is: the content of its manifest.json."""

    kind: str
    """What the folder holds: dataset, quarantine, surrogate, policy, rollouts, evaluation, comparison …"""
    fingerprint: str
    """sha-256 over kind, schema version, identity, inputs and files; 64 hexadecimal digits."""
    identity: dict[str, Any]
    """The settings that decided the content."""
    inputs: dict[str, InputRef]
    """What it was made from, by role."""
    files: dict[str, str]
    """sha-256 of every file, by path relative to the folder."""
    schema_version: int = SCHEMA_VERSION
    code_version: str = ""
    library_versions: dict[str, str] = field(default_factory=dict)
    created_at: str = ""

    def reference(self) -> InputRef:
        """How a later artifact names this one as its input."""
        return InputRef(self.kind, self.fingerprint)

    def flat(self) -> dict[str, str | float]:
        """The same in the flat form that Kubeflow's artifact metadata keeps (strings and floats only)."""
        inputs = {name: ref.fingerprint for name, ref in self.inputs.items()}
        return {
            "harmo_kind": self.kind,
            "harmo_fingerprint": self.fingerprint,
            "harmo_schema_version": float(self.schema_version),
            "harmo_code_version": self.code_version,
            "harmo_inputs": json.dumps(inputs, sort_keys=True),
        }


def seal(
    folder: Path, kind: str, identity: Mapping[str, Any], inputs: Mapping[str, Manifest | InputRef] | None = None
) -> Manifest:
    """Turn a finished folder into an artifact by writing its manifest.

    Args:
        folder: Holds the files; nothing may be written to it afterwards.
        kind: What it holds.
        identity: The settings that decided the content; JSON values only.
        inputs: What it was made from, by role.

    Returns:
        The manifest that was written.

    Raises:
        ArtifactError: The folder does not exist or holds no file.
    """
    files = _digests(folder)
    if not files:
        raise ArtifactError(str(folder), f"a {kind} artifact without any file", "Write its files before sealing it")
    references = {
        name: value.reference() if isinstance(value, Manifest) else value for name, value in (inputs or {}).items()
    }
    manifest = Manifest(
        kind=kind,
        fingerprint=_fingerprint(kind, SCHEMA_VERSION, identity, references, files),
        identity=dict(identity),
        inputs=references,
        files=files,
        code_version=f"{__version__}+{code_fingerprint()[:12]}",
        library_versions=_library_versions(),
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    _write_atomically(folder / MANIFEST, json.dumps(asdict(manifest), indent=2, sort_keys=True, ensure_ascii=False))
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, unverified.

    Raises:
        ArtifactError: There is none, it is not readable, or its schema is newer than this code.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(
            str(folder),
            f"no {MANIFEST}: the folder is not an artifact, or the step that wrote it did not finish",
            "Run the step again, or give the folder of a finished artifact",
        ) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise ArtifactError(
            str(path), f"not readable as JSON ({error})", "Delete the folder and run the step again"
        ) from None
    if not isinstance(values, dict) or values.get("schema_version") != SCHEMA_VERSION:
        found = values.get("schema_version") if isinstance(values, dict) else type(values).__name__
        raise ArtifactError(
            str(path),
            f"schema version {found!r}, this code reads {SCHEMA_VERSION}",
            "Run the step again with this version",
        )
    try:
        values["inputs"] = {name: InputRef(**ref) for name, ref in values["inputs"].items()}
        return Manifest(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            str(path),
            f"keys are missing or unknown ({error})",
            "Restore it, or delete the folder and run the step again",
        ) from None


def verify(folder: Path, kind: str | None = None) -> Manifest:
    """Check that an artifact is what its manifest says, byte by byte.

    Args:
        folder: The artifact.
        kind: The kind it has to be; None accepts any.

    Returns:
        Its manifest.

    Raises:
        ArtifactError: It is of another kind, or a file was changed, added or removed; all are named.
    """
    manifest = read_manifest(folder)
    if kind is not None and manifest.kind != kind:
        raise ArtifactError(str(folder), f"holds a {manifest.kind}, a {kind} is needed", f"Give the folder of a {kind}")
    found = _digests(folder)
    changed = [f"{name} changed" for name in found if name in manifest.files and found[name] != manifest.files[name]]
    removed = [f"{name} is missing" for name in manifest.files if name not in found]
    added = [f"{name} was added" for name in found if name not in manifest.files]
    problems = sorted(changed + removed + added)
    expected = _fingerprint(manifest.kind, manifest.schema_version, manifest.identity, manifest.inputs, manifest.files)
    if expected != manifest.fingerprint:
        problems.append(f"{MANIFEST} changed")
    if problems:
        raise ArtifactError(
            f"{manifest.kind} artifact {folder}",
            f"its bytes are not those that were written: {', '.join(problems)}",
            "Restore it, or delete the folder and run again to make it anew",
        )
    return manifest


def digest_file(path: Path) -> str:
    """sha-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return {
        name: digest_file(path)
        for path, name in names.items()
        if name != MANIFEST and not name.startswith(f"{TIMINGS}/")
    }


def _fingerprint(
    kind: str,
    schema_version: int,
    identity: Mapping[str, Any],
    inputs: Mapping[str, InputRef],
    files: Mapping[str, str],
) -> str:
    content = {
        "kind": kind,
        "schema_version": schema_version,
        "identity": identity,
        "inputs": {name: ref.fingerprint for name, ref in inputs.items()},
        "files": files,
    }
    encoded = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(encoded.encode()).hexdigest()


def _library_versions() -> dict[str, str]:
    versions = {}
    for name in _RECORDED_LIBRARIES:
        try:
            versions[name] = package_metadata.version(name)
        except package_metadata.PackageNotFoundError:
            continue
    return versions


def _write_atomically(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
