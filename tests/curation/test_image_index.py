from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.curation.candidate import Signs
from components.curation.image_index import ImageIndex, components
from components.curation.runs import combined_lists, crowded, pairs_between, pairs_within, runs
from components.curation.sign_table import SignTable
from tests.curation.looks import HammingLooks
from tests.curation.rows import NamedLooks, pixels_of, row, table_of


@given(st.lists(st.integers(0, 4), max_size=40))
def test_pairs_within_are_all_pairs_of_equal_keys(values: list[int]) -> None:
    found = pairs_within(np.array(values, dtype=np.uint64))
    expected = {(i, j) for j, right in enumerate(values) for i, left in enumerate(values[:j]) if left == right}
    assert {tuple(pair) for pair in found.tolist()} == expected
    assert len(found) == len(expected)


def test_a_crowd_meets_its_next_ones_only() -> None:
    found = pairs_within(np.zeros(10, dtype=np.uint64), window=3)
    assert {int(later - earlier) for earlier, later in found} == {1, 2}
    assert crowded(np.array([1, 1, 1, 2], dtype=np.uint64), window=2).tolist() == [0, 1, 2]


@given(st.lists(st.integers(0, 4), max_size=20), st.lists(st.integers(0, 4), max_size=20))
def test_pairs_between_are_all_pairs_of_equal_keys(left: list[int], right: list[int]) -> None:
    found = pairs_between(np.array(left, dtype=np.uint64), np.array(right, dtype=np.uint64))
    expected = [(i, j) for i, one in enumerate(left) for j, other in enumerate(right) if one == other]
    assert [tuple(pair) for pair in found.tolist()] == expected


def test_runs_are_ordered_by_their_first_place() -> None:
    found = runs(np.array([9, 3, 9, 3, 5, 9], dtype=np.uint64))
    assert [run.tolist() for run in found] == [[0, 2, 5], [1, 3]]


@given(st.lists(st.lists(st.integers(0, 2), max_size=3), min_size=1, max_size=12))
def test_lists_share_a_key_where_they_are_equal(lists: list[list[int]]) -> None:
    values = np.array([value for values in lists for value in values], dtype=np.uint64)
    starts = np.cumsum([0, *map(len, lists)])
    keys = combined_lists(values, starts).tolist()
    for one, first in zip(lists, keys, strict=True):
        for other, second in zip(lists, keys, strict=True):
            assert (one == other) == (first == second)


def test_components_are_numbered_by_their_first_node() -> None:
    assert components(np.array([[4, 1], [1, 3]]), 6).tolist() == [0, 1, 2, 1, 1, 3]
    assert components(np.empty((0, 2), dtype=np.int64), 3).tolist() == [0, 1, 2]


def _index(*images: tuple[str, ...], others: tuple[str, ...] = ()) -> ImageIndex:
    looks = NamedLooks()
    signs = [looks.sign(name.encode()) for name in others]
    pixels = np.frombuffer(b"".join(bytes.fromhex(pixels) for pixels, _ in filter(None, signs)), dtype="V16")
    table = table_of([row("Which?", "5", *names) for names in images])
    return ImageIndex(table, looks, pixels, [look for _, look in filter(None, signs)])


def test_equal_images_have_one_number_and_near_ones_are_paired() -> None:
    index = _index(("cat",), ("dog", "cat"), ("cat~",), ("cat~~",), ("cat+",))
    assert index.ids.tolist() == [0, 1, 0, 2, 3, 4]
    assert index.owners.tolist() == [0, 1, 1, 2, 3, 4]
    assert index.near_pairs.tolist() == [[0, 2], [2, 3]]
    assert [4, 0] in index.pairs("alike")[:, ::-1].tolist()


def test_rows_are_near_where_all_their_images_are_in_order() -> None:
    index = _index(("cat", "dog"), ("cat~", "dog~"), ("dog", "cat"), ("cat",), ("cat~~", "dog"))
    pairs = np.array([[0, 1], [0, 2], [0, 3], [0, 4], [1, 4]])
    assert index.are_near(pairs).tolist() == [True, False, False, False, True]
    keys = index.near_images.tolist()
    assert keys[0] == keys[1] == keys[4]
    assert len({keys[0], keys[2], keys[3]}) == 3


def test_other_images_meet_the_same_and_near_ones() -> None:
    index = _index(("cat",), ("dog",), ("cat~~",), others=("fish", "cat~", "cat", "cat~", "dog+"))
    assert index.num_distinct == 3
    pairs, near = index.pairs_with_others()
    assert sorted(pairs[near].tolist()) == [[0, 1], [0, 2], [0, 3], [2, 1], [2, 3]]
    assert sorted(pairs[~near].tolist()) == [[1, 4], [2, 2]]


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 8))
def test_no_copy_with_fewer_flips_than_bands_is_missed(seed: int, flips: int) -> None:
    """128 bits in 8 bands: at most seven flips leave one band untouched."""
    random = np.random.default_rng(seed)
    looks = random.integers(0, 256, (30, 16), dtype=np.uint8)
    copies = looks.copy()
    for copy in copies:
        for bit in random.choice(128, flips, replace=False):
            copy[bit // 8] ^= 1 << (bit % 8)
    columns = HammingLooks(7).columns([look.tobytes() for look in np.concatenate([looks, copies])])
    keys = columns.bands()
    met = {tuple(pair) for band in range(keys.shape[1]) for pair in pairs_within(keys[:, band]).tolist()}
    near = columns.near(np.arange(30), np.arange(30, 60))
    assert near.all() == (flips <= 7)
    if flips <= 7:
        assert {(place, place + 30) for place in range(30)} <= met


def _crowd(size: int) -> NDArray[np.uint8]:
    """Looks of 128 bits that share their first band, and as many copies of them that differ in the last bit."""
    looks = np.random.default_rng(1).integers(0, 256, (size, 16), dtype=np.uint8)
    looks[:, :2] = 0
    copies = looks.copy()
    copies[:, 15] ^= 1
    return np.concatenate([looks, copies])


def test_copies_are_found_within_a_crowd_that_shares_one_band() -> None:
    candidates = [
        replace(row("Which?", "5", str(number)), signs=Signs((pixels_of(str(number)),), (look.tobytes(),)))
        for number, look in enumerate(_crowd(300))
    ]
    index = ImageIndex(SignTable.of(candidates), HammingLooks(2))
    assert {tuple(pair) for pair in index.near_pairs.tolist()} == {(place, place + 300) for place in range(300)}


def test_copies_of_other_images_are_found_within_a_crowd() -> None:
    looks = _crowd(300)
    candidates = [
        replace(row("Which?", "5", str(number)), signs=Signs((pixels_of(str(number)),), (look.tobytes(),)))
        for number, look in enumerate(looks[:300])
    ]
    others = np.frombuffer(b"".join(bytes.fromhex(pixels_of(f"other {number}")) for number in range(300)), dtype="V16")
    index = ImageIndex(SignTable.of(candidates), HammingLooks(2), others, [look.tobytes() for look in looks[300:]])
    pairs, near = index.pairs_with_others()
    assert pairs.tolist() == [[place, place] for place in range(300)]
    assert near.all()
