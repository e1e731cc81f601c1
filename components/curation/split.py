"""Exact duplicates out; groups kept on one side of the split."""

import hashlib
from collections.abc import Iterable, Iterator

from components.core.example import Example, Split
from components.curation.candidate import Rejection


def drop_duplicates(examples: Iterable[Example]) -> Iterator[tuple[Example, Rejection | None]]:
    """Mark exact duplicates: the same images and question as an earlier row.

    Yields:
        Each example in order, with None where it is kept, a Rejection where it repeats an earlier row. One that
        repeats an earlier row with other references conflicts with it and is rejected as such.
    """
    first: dict[str, Example] = {}
    for example in examples:
        key = _pixels_and_question(example)
        earlier = first.setdefault(key, example)
        if earlier is example:
            yield example, None
        elif set(earlier.references) == set(example.references):
            yield example, Rejection("duplicate", f"of {earlier.id}")
        else:
            yield example, Rejection("conflicting answer", f"{earlier.id} gives {earlier.references[0]!r}")


def divide(examples: Iterable[Example], heldout_fraction: float, seed: int) -> Iterator[Example]:
    """Hold out a share of the groups, by a hash of the group, so that new rows do not move old ones.

    Args:
        examples: Not divided yet.
        heldout_fraction: Share of groups (0..1).
        seed: Another seed holds out other groups.
    """
    for example in examples:
        group = example.group or images_digest(example)
        place = int.from_bytes(hashlib.sha256(f"{seed} {group}".encode()).digest()[:8]) / 2**64
        yield example.with_split(Split.HELD_OUT if place < heldout_fraction else Split.TRAIN)


def images_digest(example: Example) -> str:
    """sha-256 over the decoded pixels of the images."""
    digest = hashlib.sha256()
    for image in example.open_images():
        digest.update(f"{image.size}".encode() + image.tobytes())
    return digest.hexdigest()


def _pixels_and_question(example: Example) -> str:
    question = " ".join(example.question.casefold().split())
    return hashlib.sha256(f"{images_digest(example)} {question}".encode()).hexdigest()
