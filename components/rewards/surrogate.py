"""The surrogate reward model at work: embeddings of answer and references to a score in [0, 1].

The score is the calibrated mean of two readings of the same features: a k-nearest-neighbour vote over an
index of scored (reference, answer) pairs, and a logistic head. Fitting is components/surrogate's part.
The paper scores open-ended answers by an embedding-based surrogate; its features, index and calibration
are not public, so these are our choice.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.errors import ArtifactError, ModelError
from components.rewards.embedder import Embedder, EmbedderConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TENSORS = "surrogate.safetensors"
SETTINGS = "surrogate.json"


@dataclass(frozen=True)
class Head:
    """What fitting found; F features, M pairs in the index, K knots of the calibration."""

    centre: "NDArray[np.float32]"
    """Mean of each feature, shape (F,)."""
    spread: "NDArray[np.float32]"
    """Standard deviation of each feature, shape (F,), positive."""
    index: "NDArray[np.float32]"
    """Standardised features of the scored pairs, shape (M, F)."""
    index_scores: "NDArray[np.float32]"
    """Their scores in [0, 1], shape (M,)."""
    weights: "NDArray[np.float32]"
    """Of the logistic head, shape (F,)."""
    bias: "NDArray[np.float32]"
    """Of the logistic head, shape (1,)."""
    knots: "NDArray[np.float32]"
    """Raw and calibrated scores of the calibration curve, both rising, shape (2, K)."""

    def raw_scores(self, features: "NDArray[np.float32]", neighbours: int) -> "NDArray[np.float32]":
        """Uncalibrated scores in [0, 1].

        Args:
            features: Shape (N, F), not standardised.
            neighbours: How many index pairs vote.
        """
        import numpy as np

        points = (features - self.centre) / self.spread
        distances = np.linalg.norm(self.index, axis=1) ** 2 - 2 * points @ self.index.T
        count = min(neighbours, len(self.index))
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        votes = self.index_scores[nearest].mean(axis=1)
        logistic = 1 / (1 + np.exp(-(points @ self.weights + self.bias)))
        return np.asarray((votes + logistic) / 2, dtype=np.float32)

    def calibrate(self, raw: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Map raw scores to the share of right answers among held-out pairs of such scores."""
        import numpy as np

        return np.asarray(np.interp(raw, self.knots[0], self.knots[1]), dtype=np.float32)


class SurrogateScorer:
    """Scores open-ended answers against references.

    Args:
        head: What fitting found; None where the dataset had nothing open-ended.
        embedder: The embedding model.
        neighbours: How many index pairs vote.
    """

    def __init__(self, head: Head | None, embedder: Embedder | None, neighbours: int) -> None:
        self._head = head
        self._embedder = embedder
        self._neighbours = neighbours

    @classmethod
    def load(cls, folder: Path) -> "SurrogateScorer":
        """Load a surrogate artifact that has been verified.

        Raises:
            ArtifactError: The folder holds no surrogate.
            ModelError: The embedding model is missing or is not the one the surrogate was fitted on.
        """
        from safetensors.numpy import load_file

        settings_file = folder / SETTINGS
        if not settings_file.is_file():
            raise ArtifactError(str(folder), f"no {SETTINGS}", "Give the folder of a surrogate artifact")
        settings = json.loads(settings_file.read_text(encoding="utf-8"))
        if not settings["fitted"]:
            return cls(None, None, settings["neighbours"])
        tensors = load_file(str(folder / TENSORS))
        return cls(Head(**tensors), Embedder(EmbedderConfig(**settings["embedder"])), settings["neighbours"])

    def score(
        self, questions: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
    ) -> list[float]:
        """Score answers.

        Args:
            questions: N questions (not used by this surrogate; part of the scorer's interface).
            answers: N answers.
            references: N lists of references, none empty.

        Returns:
            N scores in [0, 1].

        Raises:
            ModelError: The surrogate was fitted on a dataset without open-ended examples.
        """
        del questions
        if self._head is None or self._embedder is None:
            raise ModelError(
                "the surrogate",
                "it was fitted on a dataset without open-ended examples and cannot score one",
                "Fit it on a dataset that has open-ended examples with references",
            )
        if not answers:
            return []
        features = pair_features(self._embedder, answers, references)
        raw = self._head.raw_scores(features, self._neighbours)
        return [float(score) for score in self._head.calibrate(raw)]


def pair_features(
    embedder: Embedder, answers: Sequence[str], references: Sequence[Sequence[str]]
) -> "NDArray[np.float32]":
    """Features of answers beside their references.

    Args:
        embedder: The embedding model, of width D.
        answers: N answers; one without anything to read stands at the origin, with cosine 0 to everything.
        references: N lists of references, none empty, no reference blank.

    Returns:
        Shape (N, 4 + D): cosine to the nearest reference, best unigram and bigram F1, log length ratio to the
        nearest reference, and the absolute difference of the two embeddings.
    """
    import numpy as np

    readable = [answer for answer, reads in zip(answers, embedder.readable(answers), strict=True) if reads]
    ordered = sorted(set(readable).union(*references))
    vectors = dict(zip(ordered, embedder.embed(ordered), strict=True))
    nowhere = np.zeros(embedder.width, dtype=np.float32)
    rows = []
    for answer, own in zip(answers, references, strict=True):
        vector, candidates = vectors.get(answer, nowhere), np.stack([vectors[text] for text in own])
        cosines = candidates @ vector
        nearest = int(cosines.argmax())
        words, reference_words = answer.split(), own[nearest].split()
        scalars = [
            float(cosines[nearest]),
            max(ngram_f1(answer, text, 1) for text in own),
            max(ngram_f1(answer, text, 2) for text in own),
            float(np.log((1 + len(words)) / (1 + len(reference_words)))),
        ]
        rows.append(np.concatenate([scalars, np.abs(vector - candidates[nearest])]))
    return np.asarray(rows, dtype=np.float32)


def ngram_f1(answer: str, reference: str, n: int) -> float:
    """F1 of the multisets of word n-grams, in [0, 1]; 0 where either has none."""
    found, wanted = _ngrams(answer, n), _ngrams(reference, n)
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total()) if shared else 0.0


def _ngrams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.casefold().split()
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))
