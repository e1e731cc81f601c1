import io
import re
from collections import defaultdict
from random import Random

import pytest
from PIL import Image
from sklearn.datasets import load_digits

from components.core.errors import SourceError
from components.core.example import Split
from components.curation import quickstart_corpus
from components.curation.quickstart_corpus import corpus_rows


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return list(corpus_rows(train=60, heldout=30, seed=3))


def _pixels(row: dict) -> bytes:
    return Image.open(io.BytesIO(row["images"][0])).tobytes()


def test_splits_never_share_a_scan(rows: list[dict]) -> None:
    scans = defaultdict(set)
    for row in rows:
        if row["group"].startswith("scans "):
            scans[row["split"]] |= set(row["group"].split()[1:])

    assert len(scans["train"]) > 50
    assert scans["train"] & scans["heldout"] == set()


def test_splits_never_share_a_scene_or_a_picture(rows: list[dict]) -> None:
    for key in (lambda row: row["group"], _pixels):
        train = {key(row) for row in rows if row["split"] == "train"}
        heldout = {key(row) for row in rows if row["split"] == "heldout"}
        assert train & heldout == set()


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (list(corpus_rows(3, 2, seed)) for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_heldout_examples_do_not_depend_on_how_much_training_data_is_asked_for() -> None:
    small, large = ([row for row in corpus_rows(train, 4, 0) if row["split"] == "heldout"] for train in (1, 20))

    assert small == large


def test_digit_answers_are_those_of_the_scans(rows: list[dict]) -> None:
    labels = load_digits().target
    checked = 0
    for row in rows:
        if not row["group"].startswith("scans "):
            continue
        left, right = (int(labels[int(index)]) for index in row["group"].split()[1:])
        expected = str(left + right) if row["task"] == "math" else f"{left}{right}"
        assert row["references"] == [expected]
        checked += 1
    assert checked == (60 + 30) + (2 * 60 + 30)


def _colours_of(row: dict) -> dict[tuple[int, int, int], int]:
    image = Image.open(io.BytesIO(row["images"][0])).convert("RGB")
    return {colour: count for count, colour in image.getcolors(10000)}


_NAMED = {"red": (214, 39, 40), "green": (44, 160, 44), "blue": (31, 119, 180), "orange": (255, 140, 0),
          "purple": (148, 60, 189), "black": (20, 20, 20)}  # fmt: skip


def test_tallest_bar_has_the_most_pixels_of_any_bar(rows: list[dict]) -> None:
    bars = [row for row in rows if row["task"] == "chart"]
    assert bars
    for row in bars:
        counts = {name: _colours_of(row).get(colour, 0) for name, colour in _NAMED.items()}
        assert max(counts, key=counts.__getitem__) == row["references"][0]


def test_descriptions_name_the_colours_that_are_in_the_picture(rows: list[dict]) -> None:
    described = [row for row in rows if row["answer_type"] == "open_ended"]
    assert described
    for row in described:
        shown = {name for name, colour in _NAMED.items() if colour in _colours_of(row)}
        for reference in row["references"]:
            assert {name for name in _NAMED if re.search(rf"\b{name}\b", reference)} == shown


def test_demonstrations_end_in_the_first_reference(rows: list[dict]) -> None:
    for row in rows:
        assert row["demonstration"].endswith(f"</think><answer>{row['references'][0]}</answer>")


def test_a_kind_without_an_unseen_scene_is_refused() -> None:
    owners: dict[tuple[str, str], Split] = {}
    one_scan = quickstart_corpus._scans()[:1]
    draw = quickstart_corpus.read_number
    quickstart_corpus._draw_unseen(draw, Random(0), list(one_scan), Split.TRAIN, owners)

    with pytest.raises(SourceError, match="read_number has no unseen scene left for the train split"):
        quickstart_corpus._draw_unseen(draw, Random(0), list(one_scan), Split.TRAIN, owners)
