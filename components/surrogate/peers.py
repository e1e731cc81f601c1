"""Peers: what anyone could score an answer by without fitting anything; what the surrogate has to beat."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from components.surrogate.rows import AnswerRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\w+")


class Embeds(Protocol):
    """An embedding model, such as components.rewards.embedder.Embedder."""

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Unit vectors, shape (N, D)."""
        ...


def peer_scores(rows: Sequence[AnswerRow], embedder: Embeds) -> "dict[str, NDArray[np.float64]]":
    """Each peer's scores, which mean an order and no probability.

    Args:
        rows: N rows, at least one.
        embedder: For the cosine.

    Returns:
        Shape (N,) by peer: cosine (to the nearest reference), token_f1 (with the best reference) and longer_wins
        (the number of words).
    """
    import numpy as np

    return {
        "cosine": _cosines(rows, embedder),
        "token_f1": np.array([max(token_f1(row.answer, text) for text in row.references) for row in rows]),
        "longer_wins": word_counts(rows),
    }


def word_counts(rows: Sequence[AnswerRow]) -> "NDArray[np.float64]":
    """Words of each answer, shape (N,)."""
    import numpy as np

    return np.array([len(row.answer.split()) for row in rows], dtype=np.float64)


def token_f1(answer: str, reference: str) -> float:
    """F1 of the multisets of words, in 0..1, without regard to case and punctuation."""
    found, wanted = (Counter(_WORD.findall(text.casefold())) for text in (answer, reference))
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total()) if shared else 0.0


def _cosines(rows: Sequence[AnswerRow], embedder: Embeds) -> "NDArray[np.float64]":
    import numpy as np

    texts = list(dict.fromkeys(text for row in rows for text in (row.answer, *row.references)))
    places = {text: place for place, text in enumerate(texts)}
    vectors = np.asarray(embedder.embed(texts), dtype=np.float64)
    return np.array(
        [
            float((vectors[[places[text] for text in row.references]] @ vectors[places[row.answer]]).max())
            for row in rows
        ]
    )
