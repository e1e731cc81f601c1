"""Near duplicates: nearly the same images, nearly the same words, and the same answer.

All of it together: an image alone says little (diagrams differ in a printed number), words alone say nothing
(templates). Two rows are near where each image is the other's or near it, the golds have the same forms, and the
questions agree in everything that carries meaning, up to a few misspelt words; another number, formula, name or content
word makes another question. The policy is ours.
"""

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from pydantic import Field

from components.core.config import Config
from components.curation.comparable import content, same_but_for_spelling
from components.curation.image_index import ImageIndex
from components.curation.runs import combined, distinct_pairs, pairs_within
from components.curation.shingles import bands
from components.curation.sign_table import SignTable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


class NearConfig(Config):
    """Rows with nearly the same images and question, and the same answer."""

    enabled: bool = True
    """Whether only the first of them stays."""
    misspelt: int = Field(default=2, ge=0)
    """Words that may be misspelt: a letter more, less or other, or two swapped, in words of six letters or more."""


def near_pairs(table: SignTable, images: ImageIndex, rows: "NDArray[np.int64]", misspelt: int) -> "NDArray[np.int64]":
    """Pairs of rows that are near duplicates.

    Of a crowd of more than 64 rows whose images, answers and words meet, a row is held against the next 63 only.

    Args:
        table: All rows.
        images: Their images.
        rows: Which of them to compare, ascending.
        misspelt: Words of a question that may be misspelt.

    Returns:
        Pairs (earlier, later), each once, in order of the first; shape (P, 2).
    """
    import numpy as np

    base = combined(images.near_images[rows], table.hashes("answer")[rows])
    contents = table.hashes("content")[rows]
    agree = _cached_rule(table, misspelt)
    found = [_verified(rows[pairs_within(combined(base, contents))], images, None)]
    for key in bands(table.shingles[rows]):
        pairs = pairs_within(combined(base, key))
        pairs = pairs[contents[pairs[:, 0]] != contents[pairs[:, 1]]]
        found.append(_verified(rows[pairs], images, agree))
    return distinct_pairs(np.concatenate(found))


def _verified(
    pairs: "NDArray[np.int64]", images: ImageIndex, agree: "Callable[[int, int], bool] | None"
) -> "NDArray[np.int64]":
    import numpy as np

    pairs = distinct_pairs(pairs)
    pairs = pairs[images.are_near(pairs)]
    if agree is None or not len(pairs):
        return pairs
    return pairs[np.array([agree(*pair) for pair in pairs.tolist()], dtype=np.bool_)]


def _cached_rule(table: SignTable, misspelt: int) -> "Callable[[int, int], bool]":
    """Whether two rows' questions agree but for spelling; each pair of texts is judged once."""
    known: dict[tuple[str, str], bool] = {}

    def agree(left: int, right: int) -> bool:
        pair = (table.value("text", left), table.value("text", right))
        if pair not in known:
            known[pair] = same_but_for_spelling(content(pair[0]), content(pair[1]), misspelt)
        return known[pair]

    return agree


def kept_neighbours(pairs: "NDArray[np.int64]", preferred: AbstractSet[int]) -> dict[int, int]:
    """Which rows to drop so that none that stays is near another: the preferred ones stay, then earlier ones.

    Args:
        pairs: Near pairs, each once, shape (P, 2).
        preferred: Rows that stay before others.

    Returns:
        By dropped row the first row that stays and that it is near to.
    """
    before: dict[int, list[int]] = {}
    for first, second in pairs.tolist():
        kept, other = (second, first) if second in preferred and first not in preferred else (first, second)
        before.setdefault(other, []).append(kept)
    dropped: dict[int, int] = {}
    for row in sorted(before, key=lambda row: (row not in preferred, row)):
        staying = [other for other in sorted(before[row]) if other not in dropped]
        if staying:
            dropped[row] = staying[0]
    return dropped
