"""Lineage: from an artifact back to the sources, verifying every artifact on the way."""

from dataclasses import dataclass
from pathlib import Path

from components.core.artifact import MANIFEST, InputRef, Manifest, read_manifest, verify
from components.core.errors import ArtifactError

SOURCE_KIND = "source"


@dataclass(frozen=True)
class Ancestor:
    """One node of a lineage tree."""

    role: str
    """What it was to the artifact made from it; "" at the root."""
    reference: InputRef
    folder: Path | None
    """Where it lies; None for a source, which is known by its fingerprint alone."""
    manifest: Manifest | None
    inputs: tuple["Ancestor", ...]


def trace(folder: Path, root: Path) -> Ancestor:
    """Walk an artifact's inputs back to the sources.

    Args:
        folder: The artifact to start from.
        root: Where the artifacts of the run and its predecessors lie; searched for manifests.

    Returns:
        The tree; every artifact in it has been verified.

    Raises:
        ArtifactError: An artifact on the way is missing under root, or its bytes changed.
    """
    folders = folders_by_fingerprint(root)
    manifest = verify(folder)
    return _node("", manifest, folder, folders)


def folders_by_fingerprint(root: Path) -> dict[str, Path]:
    """Where the artifacts below a folder lie, unverified."""
    return {read_manifest(path.parent).fingerprint: path.parent for path in sorted(root.rglob(MANIFEST))}


def _node(role: str, manifest: Manifest, folder: Path, folders: dict[str, Path]) -> Ancestor:
    inputs = tuple(_input(name, reference, manifest, folders) for name, reference in sorted(manifest.inputs.items()))
    return Ancestor(role, manifest.reference(), folder, manifest, inputs)


def _input(role: str, reference: InputRef, child: Manifest, folders: dict[str, Path]) -> Ancestor:
    if reference.kind == SOURCE_KIND:
        return Ancestor(role, reference, None, None, ())
    folder = folders.get(reference.fingerprint)
    if folder is None:
        raise ArtifactError(
            f"{reference.kind} artifact {reference.fingerprint[:12]}",
            f"the input {role!r} of {child.kind} {child.fingerprint[:12]} was not found",
            "Give the folder that holds the whole run with --root",
        )
    return _node(role, verify(folder), folder, folders)
