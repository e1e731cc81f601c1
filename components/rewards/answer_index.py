"""The scored answers that a surrogate remembers, and an exact search for the nearest."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 128  # points whose smallest distance is taken first
_QUERIES = 64  # searched at a time

INDEX_FILE = "index.parquet"


@dataclass(frozen=True)
class AnswerIndex:
    """M scored answers as points; exact search.

    Standardised, so that each feature counts alike; half precision, which is what the file holds.
    """

    centre: "NDArray[np.float32]"
    """Mean of each feature, shape (F,)."""
    spread: "NDArray[np.float32]"
    """Standard deviation of each feature, positive, shape (F,)."""
    points: "NDArray[np.float32]"
    """Standardised features, shape (M, F)."""
    scores: "NDArray[np.float32]"
    """0..1, shape (M,)."""

    def nearest(self, features: "NDArray[np.float32]", count: int) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
        """The nearest points of each row, nearest first; of equally near ones the earlier.

        Args:
            features: Not standardised, shape (N, F).
            count: K, how many; fewer where the index has fewer.

        Returns:
            Distances and places, each of shape (N, K).
        """
        import numpy as np

        if not len(features):
            return np.zeros((0, count), np.float32), np.zeros((0, count), np.int64)
        queries = self.standardised(features)
        parts = [self._nearest(queries[start : start + _QUERIES], count) for start in range(0, len(queries), _QUERIES)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def standardised(self, features: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Features as points of the index; a value far off counts as ten standard deviations."""
        import numpy as np

        return np.asarray(np.clip((features - self.centre) / self.spread, -10, 10), dtype=np.float32)

    def _nearest(self, queries: "NDArray[np.float32]", count: int) -> "tuple[NDArray[np.float32], NDArray[np.int64]]":
        """All distances; the K smallest lie in the K blocks of smallest minimum, so only those are sorted.

        The product rounds by the batch's size, so it only chooses; the distances that are given are worked out anew.
        """
        import numpy as np

        size = len(self.points)
        wanted = min(count, size)
        rough = self._norms - 2 * (queries @ self.points.T)
        spare = min(size, wanted + 8)
        blocks = -(-size // _BLOCK)
        if blocks > 2 * spare:
            padded = np.full((len(queries), blocks * _BLOCK), np.inf, dtype=np.float32)
            padded[:, :size] = rough
            least = padded.reshape(len(queries), blocks, _BLOCK).min(axis=2)
            chosen = np.argpartition(least, spare - 1, axis=1)[:, :spare]
            candidates = (chosen[:, :, None] * _BLOCK + np.arange(_BLOCK)).reshape(len(queries), -1)
            near = np.take_along_axis(padded, candidates, axis=1)
        else:
            candidates = np.broadcast_to(np.arange(size), rough.shape)
            near = rough
        best = np.argpartition(near, spare - 1, axis=1)[:, :spare]
        places = np.take_along_axis(candidates, best, axis=1)
        exact = np.sqrt(((self.points[places] - queries[:, None, :]) ** 2).sum(axis=2))
        order = np.lexsort((places, exact), axis=1)[:, :wanted]
        return np.take_along_axis(exact, order, axis=1), np.take_along_axis(places, order, axis=1)

    @property
    def _norms(self) -> "NDArray[np.float32]":
        import numpy as np

        found = self.__dict__.get("_norms_")
        if found is None:
            found = np.einsum("ij,ij->i", self.points, self.points)
            self.__dict__["_norms_"] = found
        return np.asarray(found)


@dataclass(frozen=True)
class IndexedAnswer:
    """What an explanation shows of a point."""

    question: str
    answer: str
    score: float


def write_index(answers: Sequence[IndexedAnswer], folder: Path) -> None:
    """Write the texts of an index's points, in their order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([dict(answer.__dict__) for answer in answers])
    pq.write_table(table, folder / INDEX_FILE, compression="zstd", compression_level=19)


def read_index(folder: Path) -> list[IndexedAnswer]:
    """The texts of an index's points."""
    import pyarrow.parquet as pq

    return [IndexedAnswer(**row) for row in pq.read_table(folder / INDEX_FILE).to_pylist()]


def settings_text(settings: object) -> str:
    """JSON as the artifact's files hold it."""
    return json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)
