"""Heads of the surrogate: features of an answer to a raw score, in numpy alone.

Their parameters are arrays in a safetensors file: no pickle, and no bond to the version of the library that fitted
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from components.rewards.answer_index import AnswerIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PREFIX = "head."


class Head(Protocol):
    """Gives raw scores."""

    @property
    def name(self) -> str:
        """logistic, boosting, bradley_terry or knn."""
        ...

    def raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """Uncalibrated log odds; higher is better. Each row depends on itself alone.

        Args:
            features: Shape (N, F).
        """
        ...

    def tensors(self) -> "dict[str, NDArray[np.generic]]":
        """What `load_head` needs."""
        ...


@dataclass(frozen=True)
class LinearHead:
    """Logistic regression on standardised features, of answers or of pairs of them (Bradley-Terry)."""

    name: str
    """logistic or bradley_terry."""
    weights: "NDArray[np.float64]"
    """Of the features as they are, shape (F,)."""
    bias: "NDArray[np.float64]"
    """Shape (1,)."""

    def raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """See Head."""
        import numpy as np

        # Row by row: a product of matrices would round by the size of the batch.
        products = np.asarray(features, dtype=np.float64) * self.weights
        return np.asarray(products.sum(axis=1) + self.bias[0])

    def tensors(self) -> "dict[str, NDArray[np.generic]]":
        """See Head."""
        return {f"{_PREFIX}weights": self.weights, f"{_PREFIX}bias": self.bias}


@dataclass(frozen=True)
class TreesHead:
    """Gradient boosting: T trees of at most K nodes; a leaf points to itself."""

    feature: "NDArray[np.int16]"
    """What a node asks, shape (T, K)."""
    threshold: "NDArray[np.float64]"
    """At most this goes left, shape (T, K)."""
    left: "NDArray[np.int16]"
    right: "NDArray[np.int16]"
    value: "NDArray[np.float64]"
    """Of the leaves, in log odds, shape (T, K)."""
    base: "NDArray[np.float64]"
    """Log odds before the first tree, shape (1,)."""
    depth: "NDArray[np.int64]"
    """Steps from a root to the farthest leaf, shape (1,)."""
    name: str = "boosting"

    def raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """See Head."""
        import numpy as np

        found = [self._raw(features[start : start + 256]) for start in range(0, len(features), 256)]
        return np.concatenate(found) if found else np.zeros(0)

    def _raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        import numpy as np

        count, nodes = self.feature.shape
        offsets = np.arange(count) * nodes
        feature, threshold = self.feature.ravel().astype(np.int64), self.threshold.ravel()
        left, right = (side.ravel().astype(np.int64) + np.repeat(offsets, nodes) for side in (self.left, self.right))
        rows = np.arange(len(features))[:, None]
        values = np.asarray(features, dtype=np.float64)
        place = np.broadcast_to(offsets, (len(features), count))
        for _ in range(int(self.depth[0])):
            place = np.where(values[rows, feature[place]] <= threshold[place], left[place], right[place])
        return np.asarray(self.value.ravel()[place].sum(axis=1) + self.base[0])

    def tensors(self) -> "dict[str, NDArray[np.generic]]":
        """See Head."""
        return {
            f"{_PREFIX}{key}": getattr(self, key)
            for key in ("feature", "threshold", "left", "right", "value", "base", "depth")
        }


@dataclass(frozen=True)
class NeighbourHead:
    """The vote of the nearest scored answers: the paper's index."""

    index: AnswerIndex
    neighbours: int
    name: str = "knn"

    def raw(self, features: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """See Head."""
        import numpy as np

        if not len(features):
            return np.zeros(0)
        distances, places = self.index.nearest(features, self.neighbours)
        weights = 1 / (distances + 1e-3)
        share = (self.index.scores[places] * weights).sum(axis=1) / weights.sum(axis=1)
        share = np.clip(share, 0.01, 0.99)
        return np.asarray(np.log(share / (1 - share)), dtype=np.float64)

    def tensors(self) -> "dict[str, NDArray[np.generic]]":
        """See Head: the index is saved by itself."""
        return {}


def load_head(name: str, tensors: "Mapping[str, NDArray[np.generic]]", index: AnswerIndex, neighbours: int) -> Head:
    """The head of a file's tensors.

    Raises:
        KeyError: A tensor is missing.
    """
    parts = {key.removeprefix(_PREFIX): value for key, value in tensors.items() if key.startswith(_PREFIX)}
    if name == "knn":
        return NeighbourHead(index, neighbours)
    if name == "boosting":
        return TreesHead(**parts)  # type: ignore[arg-type]  # as they were saved
    return LinearHead(name, parts["weights"], parts["bias"])  # type: ignore[arg-type]
