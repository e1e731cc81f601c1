import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.curation.comparable import comparable
from components.curation.shingles import BANDS, BINS, bands, shingle_set, signatures

GOLDEN = [
    [1231795718, 1857186190, 2793238396, 3771950741],
    [758701513, 758701513, 758701513, 758701513],
    [3704815004, 1903748657, 440308872, 491362106],
    [1136748122, 322344953, 1136748122, 322344953],
]


def _texts() -> list[str]:
    words = ["angle", "triangle", "highest", "value", "people", "street", "bottle", "window", "left", "longer"]
    random = np.random.default_rng(3)
    return [" ".join(random.choice(words, random.integers(1, 60))) for _ in range(60)]


def test_a_signature_is_the_same_on_every_machine() -> None:
    """Fixed by the definition: integer arithmetic and BLAKE2b; a change of it has to change SCHEME."""
    signed = signatures(["what is the value of x", "", "angle of 40 degrees", "x" * 3000])
    assert signed.dtype == np.uint32
    assert signed.shape == (4, BINS)
    assert signed[:, ::21].tolist() == GOLDEN


@given(st.lists(st.text(max_size=40), max_size=6), st.integers(0, 5))
def test_a_signature_does_not_depend_on_its_neighbours(texts: list[str], cut: int) -> None:
    together = signatures(texts)
    parts = np.concatenate([signatures(texts[:cut]), signatures(texts[cut:])])
    assert (together == parts).all()


def test_a_signature_does_not_depend_on_the_chunk(monkeypatch) -> None:
    texts = _texts()
    whole = signatures(texts)
    monkeypatch.setattr("components.curation.shingles._CHUNK_BYTES", 50)
    assert (signatures(texts) == whole).all()


def test_equal_entries_estimate_the_similarity_of_the_shingles() -> None:
    texts = _texts()
    others = [f"{text} people street" for text in texts]
    truth = []
    for one, other in zip(texts, others, strict=True):
        first, second = shingle_set(one), shingle_set(other)
        truth.append(len(first & second) / len(first | second))
    estimates = (signatures(texts) == signatures(others)).mean(axis=1)
    assert abs(float((estimates - truth).mean())) < 0.03
    assert float(np.abs(estimates - truth).max()) < 0.25


def test_texts_with_other_numbers_share_nothing() -> None:
    long = "the sum of the angles of the two triangles that are drawn beside the circle of the left figure is "
    one, other = (comparable(f"{long}{number}") for number in (40, 50))
    assert not shingle_set(one) & shingle_set(other)
    assert (signatures([one]) == signatures([other])).mean() < 0.05


def test_copies_share_every_band_and_strangers_hardly_one() -> None:
    keys = list(bands(signatures(["the longest side of the triangle", "the longest side of the triangle", "a cat"])))
    assert len(keys) == BANDS
    assert all(key[0] == key[1] for key in keys)
    assert sum(key[0] == key[2] for key in keys) <= 1
