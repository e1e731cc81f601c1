import io
import random
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from components.core.comparison import CANDIDATE
from components.core.question import Question, write_questions
from components.core.suite import questions_path
from components.release.images import with_images
from components.release.report_data import SampleView
from tests.release.synthetic import make_sample


def _noise(seed: int, side: int = 40) -> bytes:
    """A PNG that no other seed gives, of about 3 * side^2 bytes."""
    stream = io.BytesIO()
    pixels = random.Random(seed).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(stream, format="PNG")
    return stream.getvalue()


def _suite(folder: Path, images: dict[str, dict[str, bytes]]) -> Path:
    for benchmark, by_id in images.items():
        path = questions_path(folder, benchmark)
        path.parent.mkdir(parents=True)
        write_questions(
            [
                Question(id=id_, parts=("", "?"), images=(image,), references=("1",), cluster=id_)
                for id_, image in by_id.items()
            ],
            path,
        )
    return folder


def _sample(benchmark: str, id_: str, rank: int) -> SampleView:
    """One whose outcome changed (rank 0), that has a flag (1), or neither (2)."""
    sample = make_sample(2)
    answers = dict(sample.answers)
    if rank == 0:
        answers[CANDIDATE] = replace(answers[CANDIDATE], strict=0.0)
    if rank == 1:
        answers[CANDIDATE] = replace(answers[CANDIDATE], flags=["truncated"])
    return replace(sample, benchmark=benchmark, id=id_, images=(), images_note="", answers=answers)


def test_every_sample_gets_its_images_while_the_budget_lasts(tmp_path: Path) -> None:
    images = {"a": {"1": _noise(1), "2": _noise(2)}, "b": {"1": _noise(3)}}
    samples = [_sample("a", "2", 2), _sample("b", "1", 1), _sample("a", "1", 0)]

    shown = with_images(samples, _suite(tmp_path, images), "strict")

    assert [(view.benchmark, view.id) for view in shown] == [("a", "2"), ("b", "1"), ("a", "1")]
    assert [view.images for view in shown] == [(_noise(2),), (_noise(3),), (_noise(1),)]
    assert {view.images_note for view in shown} == {""}


def test_changed_samples_come_first_then_flagged_ones(tmp_path: Path) -> None:
    images = {"a": {str(number): _noise(number) for number in range(9)}}
    samples = [_sample("a", str(number), number % 3) for number in range(9)]
    budget = 5 * max(map(len, images["a"].values()))

    shown = with_images(samples, _suite(tmp_path, images), "strict", budget)

    with_image = [view.id for view in shown if view.images]
    assert {"0", "3", "6"} < set(with_image)  # rank 0
    assert set(with_image) - {"0", "3", "6"} == {"1", "4"}  # rank 1, in order
    assert sum(len(image) for view in shown for image in view.images) <= budget


def test_sample_without_an_image_says_where_it_is(tmp_path: Path) -> None:
    (shown,) = with_images([_sample("a", "7", 0)], _suite(tmp_path, {"a": {"7": _noise(7)}}), "strict", budget=10)

    assert shown.images == ()
    assert "in the suite artifact: benchmark a, question 7" in shown.images_note


def test_small_benchmark_is_not_crowded_out_by_a_large_one(tmp_path: Path) -> None:
    images = {"large": {str(n): _noise(n) for n in range(20)}, "small": {"x": _noise(100), "y": _noise(101)}}
    samples = [_sample(benchmark, id_, 0) for benchmark, by_id in images.items() for id_ in by_id]
    budget = 6 * max(len(image) for by_id in images.values() for image in by_id.values())

    shown = with_images(samples, _suite(tmp_path, images), "strict", budget)

    counts = {name: sum(bool(view.images) for view in shown if view.benchmark == name) for name in images}
    assert counts == {"small": 2, "large": 4}


def test_image_that_many_questions_share_is_paid_for_once(tmp_path: Path) -> None:
    image = _noise(5)
    images = {"a": {str(number): image for number in range(30)}}

    shown = with_images(
        [_sample("a", str(n), 2) for n in range(30)], _suite(tmp_path, images), "strict", len(image) + 1
    )

    assert all(view.images == (image,) for view in shown)


@pytest.mark.parametrize("broken", [b"", b"not an image", _noise(1, side=400)[:2000]])
def test_broken_image_costs_its_own_question_alone(tmp_path: Path, broken: bytes) -> None:
    images = {"a": {"1": broken, "2": _noise(2)}}

    first, second = with_images([_sample("a", "1", 0), _sample("a", "2", 0)], _suite(tmp_path, images), "strict")

    assert first.images == ()
    assert "cannot be decoded; it is in the suite artifact: benchmark a, question 1" in first.images_note
    assert second.images == (_noise(2),)
