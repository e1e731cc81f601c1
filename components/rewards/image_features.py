"""Features of an answer beside the picture that it is about: what a text alone cannot tell.

A model that embeds images and texts into one space (CLIP, SigLIP) says how well each text fits the picture. A single
cosine says little, since such cosines lie close together; how much better the answer fits than the references or the
question says more.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.rewards.answer_features import TextRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.rewards.image_embedder import ImageEmbedder

IMAGE_NAMES = (
    "image_answer", "image_reference", "image_question", "image_answer_above_reference",
    "image_answer_above_question", "image_missing",
)  # fmt: skip
"""Of the features, in order: cosines of the picture to the answer, to the reference that fits it best and to the
question (0 where there is none), the answer's lead over these, and 1 where there is no picture, which leaves the others
at 0."""


def image_features(
    embedder: "ImageEmbedder", rows: Sequence[TextRow], images: Sequence[bytes | None]
) -> "NDArray[np.float32]":
    """Features of answers beside their pictures; each row depends on itself alone, to the bit.

    Args:
        embedder: Of images and texts.
        rows: N rows.
        images: N encoded images, None where there is none.

    Returns:
        Finite numbers, shape (N, 6); see IMAGE_NAMES.

    Raises:
        ValueError: An image is damaged or too large; names the answer.
    """
    import numpy as np

    values = np.zeros((len(rows), len(IMAGE_NAMES)), dtype=np.float32)
    values[:, IMAGE_NAMES.index("image_missing")] = 1
    for place, (row, image) in enumerate(zip(rows, images, strict=True)):
        if image is not None:
            values[place] = _features(embedder, row, image)
    return values


def _features(embedder: "ImageEmbedder", row: TextRow, image: bytes) -> list[float]:
    try:
        (picture,) = embedder.embed([image])
    except ValueError as error:
        raise ValueError(f"the answer {row.answer[:60]!r}: {error}") from error
    answer, question, *references = (
        float(vector @ picture) for vector in embedder.embed_texts([row.answer, row.question, *row.references])
    )
    best = max(references)
    return [answer, best, question, answer - best, answer - question, 0.0]
