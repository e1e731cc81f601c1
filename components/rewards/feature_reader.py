"""Features of answers, remembered: a row that was read before costs neither the encoder nor the counting.

What is kept from run to run is a row's features and not its token vectors, from which they come: 61 numbers a row
against 384 a token, a hundredth of the space, and nothing is left to compute.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.core.code import code_fingerprint
from components.rewards.answer_features import NAMES, TextRow, features_of, read_texts, seen
from components.rewards.embedding_cache import CacheCounts, EmbeddingCache
from components.rewards.image_features import IMAGE_NAMES, image_features
from components.rewards.picture import Picture, encoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.rewards.embedder import Embedder
    from components.rewards.image_embedder import ImageEmbedder

_ROWS = 2048
"""Read at a time: the more, the fuller are the encoder's batches of texts of one length."""
_CHARACTERS = 1_000_000
"""Of the rows read at a time, about, since the vectors of all their tokens are held: 1.5 kB for 4 characters."""


class _Row(NamedTuple):
    text: TextRow
    image: bytes | None

    def content(self) -> str:
        """Equal for equal rows alone."""
        return json.dumps([*self.text, None if self.image is None else hashlib.sha256(self.image).hexdigest()])


class FeatureReader:
    """Makes features.

    Args:
        embedder: Gives the vectors of texts and of their tokens.
        images: Gives those of pictures; None: an answer's texts are all that is looked at.
        cache: Folder where features are kept from run to run, on a local disk; None: in memory only.

    Raises:
        StorageError: The cache's folder cannot be made.
    """

    def __init__(self, embedder: "Embedder", images: "ImageEmbedder | None" = None, cache: Path | None = None) -> None:
        self._embedder = embedder
        self.images = images
        self.names = NAMES if images is None else (*NAMES, *IMAGE_NAMES)
        file = None if cache is None else cache / f"features-{self._fingerprint()[:32]}.sqlite"
        self._cache = EmbeddingCache(len(self.names), file)
        self._lock = threading.RLock()
        self.seconds = {"encode": 0.0, "features": 0.0}
        """Wall time so far: of the encoder, and of counting, comparing and the cache."""

    @property
    def counts(self) -> CacheCounts:
        """Where the rows that were asked for came from."""
        return self._cache.counts

    def read(
        self,
        questions: Sequence[str],
        answers: Sequence[str],
        references: Sequence[Sequence[str]],
        images: Sequence[Picture | None] | None = None,
    ) -> "NDArray[np.float32]":
        """Features of answers; each row depends on itself alone, to the bit.

        Args:
            questions: N questions; "" where there is none.
            answers: N answers.
            references: N lists of references, none empty.
            images: N pictures, None where there is none; None: no row has one.

        Returns:
            Finite numbers, shape (N, F); see `names`.

        Raises:
            ValueError: Pictures are given and no embedder of images is there, or one is damaged or too large.
        """
        import numpy as np

        if images is not None and self.images is None:
            raise ValueError("there is no image embedder to look at images: leave images out")
        rows = [
            TextRow(seen(question), seen(answer), tuple(seen(text) for text in texts))
            for question, answer, texts in zip(questions, answers, references, strict=True)
        ]
        pictures = [None] * len(rows) if images is None else images
        parts = [np.zeros((0, len(self.names)), dtype=np.float32)]
        with self._lock:
            for some in _chunks(rows):
                own = zip(rows[some], encoded(pictures[some]), strict=True)
                parts.append(self._fetch([_Row(text, image) for text, image in own]))
        return np.concatenate(parts)

    def _fetch(self, rows: Sequence[_Row]) -> "NDArray[np.float32]":
        start, earlier = time.perf_counter(), self.seconds["encode"]
        contents = [row.content() for row in rows]
        by_content = dict(zip(contents, rows, strict=True))
        found = self._cache.fetch(contents, lambda unknown: self._compute([by_content[each] for each in unknown]))
        self.seconds["features"] += time.perf_counter() - start - (self.seconds["encode"] - earlier)
        return found

    def _compute(self, rows: Sequence[_Row]) -> "NDArray[np.float32]":
        import numpy as np

        start = time.perf_counter()
        own = [row.text for row in rows]
        texts = dict.fromkeys(text for row in own for text in (row.question, row.answer, *row.references))
        tokens, sentences = read_texts(self._embedder, list(texts))
        seen_too = []
        if self.images is not None:
            seen_too.append(image_features(self.images, own, [row.image for row in rows]))
        self.seconds["encode"] += time.perf_counter() - start
        return np.concatenate([features_of(own, tokens, sentences), *seen_too], axis=1)

    def _fingerprint(self) -> str:
        """Of all that decides a row's features, their last bits included."""
        import numpy as np

        encoders = [self._embedder.fingerprint, self.images.fingerprint if self.images else ""]
        parts = [*encoders, *self.names, code_fingerprint("rewards"), np.__version__]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _chunks(rows: Sequence[TextRow]) -> Iterator[slice]:
    """Consecutive rows that are read at a time, at least one."""
    start = characters = 0
    for place, row in enumerate(rows):
        length = len(row.question) + len(row.answer) + sum(map(len, row.references))
        if place > start and (place - start == _ROWS or characters + length > _CHARACTERS):
            yield slice(start, place)
            start, characters = place, 0
        characters += length
    if rows:
        yield slice(start, len(rows))
