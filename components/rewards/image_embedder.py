"""Frozen embeddings of images, and of texts in the same space, of a CLIP or SigLIP model."""

import hashlib
import io
import json
import threading
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from components.core.config import Config
from components.core.errors import ModelError
from components.rewards.embedder import is_blank
from components.rewards.embedding_cache import EmbeddingCache
from components.rewards.model_folder import WEIGHTS, checked_digest, commit_of, folder_digest, model_folder
from components.rewards.precision import computing, kernels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCHEME = 1
"""Raised when the way from an image or a text to its vector changes, so that caches are not mixed."""
_TEXTS_IN_MEMORY = 20_000
_VOCABULARIES = ("tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model")
_PADDED = ("siglip", "siglip2")
"""Kinds of models that were taught on texts filled up to their full length."""


class ImageEmbedderConfig(Config):
    """Which image embedding model."""

    source: Literal["hub", "folder"] = "hub"
    """Where the weights come from."""
    model: str = "google/siglip-base-patch16-224"
    """Hub id, or path of the folder, of a model that has image features (CLIP, SigLIP)."""
    revision: str = "main"
    """Commit, tag or branch on the hub; unused for a folder."""
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    """sha-256 of model.safetensors, checked at load; "" accepts any."""
    max_pixels: int = Field(default=50_000_000, ge=1)
    """Pixels of an image at most."""

    def resolved(self) -> "ImageEmbedderConfig":
        """The same with nothing left open: commit and digest of the weights.

        Raises:
            ModelError: The model is missing, or its weights are not those of the digest.
        """
        return _locate(self)[1]


class ImageEmbedder:
    """Encoded images and texts to unit vectors, in float32, one by one, so that none depends on the others.

    Args:
        config: Which model.
        cache: Folder where vectors are kept from run to run, on a local disk; None: in memory only.

    Raises:
        ModelError: The model is missing, has no features of images and texts, or its weights are not those of the
            digest.
        StorageError: The cache's folder cannot be made.
    """

    def __init__(self, config: ImageEmbedderConfig, cache: Path | None = None) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModel

        folder, self.config = _locate(config)
        self._folder = folder
        # The processor of images alone: that of both modalities would want a tokeniser too.
        self._processor = AutoImageProcessor.from_pretrained(str(folder))
        self._model = AutoModel.from_pretrained(str(folder), dtype=torch.float32, use_safetensors=True).eval()
        if not hasattr(self._model, "get_image_features") or not hasattr(self._model, "get_text_features"):
            raise ModelError(
                config.model,
                f"a {type(self._model).__name__} has no image features",
                "Set the image embedder's model to a CLIP or SigLIP model",
            )
        self.width = self._vector(_blank_picture()).shape[0]
        images, texts = (
            None if cache is None else cache / f"{kind}-{self.fingerprint[:32]}.sqlite"
            for kind in ("image", "image-text")
        )
        self._cache = EmbeddingCache(self.width, images)
        self._text_cache = EmbeddingCache(self.width, texts, _TEXTS_IN_MEMORY)
        self._lock = threading.Lock()

    def embed(self, images: Sequence[bytes]) -> "NDArray[np.float32]":
        """Embed images.

        Args:
            images: N encoded images (PNG, JPEG …).

        Returns:
            Unit vectors, shape (N, D) with D the model's width.

        Raises:
            ValueError: An image is damaged or too large; names its place.
        """
        import numpy as np

        if not images:
            return np.empty((0, self.width), dtype=np.float32)
        with self._lock:
            return self._cache.fetch(images, lambda unknown: self._compute(unknown, images))

    def embed_texts(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed texts into the space of the images.

        Args:
            texts: N texts; the model reads the first 64 tokens (SigLIP) or 77 (CLIP) of each.

        Returns:
            Unit vectors, shape (N, D); that of a blank text is the zero vector, which is like nothing.

        Raises:
            ModelError: The model has no tokeniser.
        """
        import numpy as np

        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        places = [place for place, text in enumerate(texts) if not is_blank(text)]
        if places:
            with self._lock:
                own = [texts[place] for place in places]
                vectors[places] = self._text_cache.fetch(own, self._compute_texts)
        return vectors

    def _compute_texts(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np

        return np.stack([self._text_vector(text) for text in texts])

    def _text_vector(self, text: str) -> "NDArray[np.float32]":
        config = self._model.config
        ids = self._tokenizer(
            text.encode("utf-8", "replace").decode("utf-8"),
            truncation=True,
            max_length=config.text_config.max_position_embeddings,
            padding="max_length" if config.model_type in _PADDED else False,
            return_tensors="pt",
        )["input_ids"]
        with computing("float32"):
            return self._unit(self._model.get_text_features(input_ids=ids), "a text")

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        try:
            # Without any of them transformers would make up a tokeniser that knows no word.
            if not any((self._folder / name).is_file() for name in _VOCABULARIES):
                raise OSError(f"none of {', '.join(_VOCABULARIES)} is there")
            return AutoTokenizer.from_pretrained(str(self._folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                self.config.model,
                f"its tokeniser cannot be loaded ({error})",
                "Restore its files or change the model",
            ) from error

    @cached_property
    def fingerprint(self) -> str:
        """Of all that decides a vector, its last bits included; 64 hexadecimal digits."""
        return _fingerprint(self._folder)

    def _compute(self, unknown: Sequence[bytes], images: Sequence[bytes]) -> "NDArray[np.float32]":
        import numpy as np

        vectors = []
        for image in unknown:
            try:
                picture = _decode(image, self.config.max_pixels)
            except ValueError as error:
                place = list(images).index(image)
                raise ValueError(f"image {place} of {len(images)} (from 0) {error}") from error
            vectors.append(self._vector(picture))
        return np.stack(vectors)

    def _vector(self, picture: Any) -> "NDArray[np.float32]":
        pixels = self._processor(images=picture, return_tensors="pt")["pixel_values"]
        with computing("float32"):
            return self._unit(self._model.get_image_features(pixel_values=pixels), "an image")

    def _unit(self, output: Any, what: str) -> "NDArray[np.float32]":
        import numpy as np

        # transformers 5 gives an object with the projected features, earlier versions the features alone.
        features = getattr(output, "pooler_output", output)[0].numpy().astype(np.float64)
        norm = float(np.sqrt(features @ features))
        if not np.isfinite(norm) or norm == 0:
            raise ModelError(
                self.config.model, f"it gives {what} a vector of no length or no number", "Use another model"
            )
        return np.asarray(features / norm, dtype=np.float32)


def image_problem(image: bytes, max_pixels: int) -> str:
    """Why an encoded image cannot be embedded, in words; "" where it can."""
    try:
        _decode(image, max_pixels)
    except ValueError as error:
        return str(error)
    return ""


def _decode(image: bytes, max_pixels: int) -> Any:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # max_pixels is the limit here
            picture = Image.open(io.BytesIO(image))
            if picture.width * picture.height > max_pixels:
                raise ValueError(f"has {picture.width}x{picture.height} pixels, more than max_pixels = {max_pixels}")
            return picture.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"is damaged or no image ({error})") from error


def _blank_picture() -> Any:
    from PIL import Image

    return Image.new("RGB", (32, 32), (128, 64, 32))


def _locate(config: ImageEmbedderConfig) -> tuple[Path, ImageEmbedderConfig]:
    folder = model_folder(config.source, config.model, config.revision)
    found = {
        "sha256": checked_digest(folder / WEIGHTS, config.sha256),
        "revision": commit_of(folder, config.revision) if config.source == "hub" else config.revision,
    }
    return folder, config.model_copy(update=found)


def _fingerprint(folder: Path) -> str:
    parts = {"scheme": _SCHEME, "files": folder_digest(folder), "kernels": kernels()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
