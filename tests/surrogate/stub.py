"""An encoder that needs no weights: a word's vector is drawn from its name, a text's is the mean of its words'."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from components.rewards import surrogate as surrogate_module
from components.rewards.embedder import TokenVectors
from components.surrogate import fit as fit_module

WIDTH = 24


def use_stub(patch: pytest.MonkeyPatch) -> None:
    """Fit and score with the stub."""
    patch.setattr(fit_module, "Embedder", StubEmbedder)
    patch.setattr(surrogate_module, "Embedder", StubEmbedder)


class StubEmbedder:
    def __init__(self, config: object = None, cache: Path | None = None) -> None:
        del cache
        self.config = config

    width = WIDTH
    fingerprint = "stub"

    def readable(self, texts: Sequence[str]) -> list[bool]:
        return [bool(text.strip()) for text in texts]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = [_unit(tokens.vectors.mean(axis=0)) for tokens in self.token_vectors(texts)]
        return np.stack(vectors) if vectors else np.zeros((0, WIDTH), dtype=np.float32)

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors]:
        return [_tokens(tuple(text.lower().replace(".", " .").split()[:200])) for text in texts]


def _tokens(pieces: tuple[str, ...]) -> TokenVectors:
    return TokenVectors(pieces, np.stack([_vector(piece) for piece in pieces]))


def _vector(piece: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(piece.encode()).digest()[:8], "big")
    return _unit(np.random.default_rng(seed).standard_normal(WIDTH))


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
