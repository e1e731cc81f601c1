"""Features of answers, remembered: a row that was read before costs neither the encoder nor the counting.

What is kept from run to run is a row's features and not its token vectors, from which they come: 61 numbers a row
against 384 a token, a hundredth of the space, and nothing is left to compute.
"""

import hashlib
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.code import code_fingerprint
from components.rewards.answer_features import NAMES, TextRow, features_of, read_texts, seen
from components.rewards.embedding_cache import CacheCounts, EmbeddingCache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.rewards.embedder import Embedder

_CHUNK = 512
"""Rows whose token vectors are held at a time."""


class FeatureReader:
    """Makes features.

    Args:
        embedder: Gives the vectors of texts and of their tokens.
        cache: Folder where features are kept from run to run, on a local disk; None: in memory only.

    Raises:
        StorageError: The cache's folder cannot be made.
    """

    def __init__(self, embedder: "Embedder", cache: Path | None = None) -> None:
        self._embedder = embedder
        self.names = NAMES
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
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> "NDArray[np.float32]":
        """Features of answers; each row depends on its own texts alone, to the bit.

        Args:
            questions: N questions; "" where there is none.
            answers: N answers.
            references: N lists of references, none empty.

        Returns:
            Finite numbers, shape (N, F); see `names`.
        """
        import numpy as np

        rows = [
            TextRow(seen(question), seen(answer), tuple(seen(text) for text in texts))
            for question, answer, texts in zip(questions, answers, references, strict=True)
        ]
        parts = [np.zeros((0, len(self.names)), dtype=np.float32)]
        with self._lock:
            for start in range(0, len(rows), _CHUNK):
                parts.append(self._fetch(rows[start : start + _CHUNK]))
        return np.concatenate(parts)

    def _fetch(self, rows: Sequence[TextRow]) -> "NDArray[np.float32]":
        start, encoded = time.perf_counter(), self.seconds["encode"]
        by_content = {json.dumps(row): row for row in rows}
        found = self._cache.fetch(
            [json.dumps(row) for row in rows], lambda unknown: self._compute([by_content[each] for each in unknown])
        )
        self.seconds["features"] += time.perf_counter() - start - (self.seconds["encode"] - encoded)
        return found

    def _compute(self, rows: Sequence[TextRow]) -> "NDArray[np.float32]":
        start = time.perf_counter()
        texts = dict.fromkeys(text for row in rows for text in (row.question, row.answer, *row.references))
        tokens, sentences = read_texts(self._embedder, list(texts))
        self.seconds["encode"] += time.perf_counter() - start
        return features_of(rows, tokens, sentences)

    def _fingerprint(self) -> str:
        """Of all that decides a row's features, their last bits included."""
        import numpy as np

        parts = [self._embedder.fingerprint, *self.names, code_fingerprint("rewards"), np.__version__]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
