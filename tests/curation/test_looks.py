import io
from collections.abc import Callable
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from components.curation.looks import LookTable, alike, near
from components.curation.picture_signs import LOOK_BYTES, look_of, pixels_of
from tests.curation.picture_files import encode, noise, photographs, triangle


def _look(image: Image.Image) -> bytes:
    return look_of(image, pixels_of(image))


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encode(image, "JPEG", quality=quality))).convert("RGB")


def _half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def _brighter(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.25)


def _triangles(side: int, text: int) -> LookTable:
    draw = Random(0)
    numbers = [tuple(draw.randint(2, 99) for _ in range(3)) for _ in range(60)]
    assert len(set(numbers)) == 60
    return LookTable([_look(triangle(three, side, text)) for three in numbers])


_COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "the same": lambda image: image,
    "JPEG quality 30": lambda image: _jpeg(image, 30),
    "half size": _half,
    "brighter": _brighter,
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "all at once": lambda image: _jpeg(_brighter(_half(image)), 30),
}


@pytest.mark.parametrize("copy", _COPIES.values(), ids=_COPIES.keys())
def test_a_copy_of_a_photograph_is_near_it_either_way_round(copy: Callable[[Image.Image], Image.Image]) -> None:
    for image in photographs().values():
        assert near(_look(image), _look(copy(image)))
        assert near(_look(copy(image)), _look(image))


def test_different_photographs_are_not_alike() -> None:
    for one, other in combinations(photographs().values(), 2):
        assert not alike(_look(one), _look(other))
        assert not near(_look(one), _look(other))


def test_a_photograph_turned_mirrored_or_cropped_is_another_picture() -> None:
    for image in photographs().values():
        width, height = image.size
        crop = image.crop((width // 10, height // 10, width, height))
        for changed in (image.rotate(180), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), crop):
            assert not near(_look(image), _look(changed))


@pytest.mark.parametrize(("side", "text"), [(512, 18), (512, 12), (256, 10), (128, 8)])
def test_triangles_with_other_numbers_are_never_near(side: int, text: int) -> None:
    table = _triangles(side, text)
    ones, others = np.triu_indices(len(table), 1)

    assert len(ones) == 60 * 59 // 2
    assert not table.near(ones, others).any()


def test_triangles_with_other_numbers_are_alike() -> None:
    table = _triangles(512, 18)

    assert table.alike(*np.triu_indices(60, 1)).all()


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_a_diagram_saved_as_jpeg_is_not_near_one_with_another_digit(quality: int) -> None:
    one, other = triangle((31, 44, 58)), triangle((31, 44, 53))

    for first, second in ((one, _jpeg(other, quality)), (_jpeg(one, quality), _jpeg(other, quality))):
        assert not near(_look(first), _look(second))


def test_rendered_scenes_with_other_objects_are_not_near() -> None:
    table = LookTable([_look(_scene(seed)) for seed in range(60)])
    ones, others = np.triu_indices(60, 1)

    assert not table.near(ones, others).any()
    assert table.alike(ones, others).sum() > 20  # one background, and small objects


def _scene(seed: int) -> Image.Image:
    """Coloured balls on grey ground with a photograph's noise."""
    draw, generator = Random(seed), np.random.default_rng(seed)
    ground = np.linspace(90, 150, 320)[:, None] - 25 * np.linspace(-1, 1, 480)[None] ** 2
    grey = np.clip(ground + generator.normal(0, 2, ground.shape), 0, 255).astype(np.uint8)
    image = Image.fromarray(grey).convert("RGB")
    pencil = ImageDraw.Draw(image)
    for _ in range(draw.randint(1, 6)):
        radius, x, y = draw.randint(18, 45), draw.randint(50, 430), draw.randint(100, 270)
        colour = draw.choice([(160, 40, 40), (40, 70, 160), (40, 120, 50), (200, 200, 200), (140, 80, 30)])
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


def test_equal_drawings_are_near_and_their_copies_alike() -> None:
    drawing = triangle((3, 4, 5))

    assert near(_look(drawing), _look(drawing.copy()))
    for copy in _COPIES.values():
        # 0.8 of white is not white: a drawing on grey, which nobody would take for brightness
        assert alike(_look(drawing), _look(copy(drawing)))


def test_a_small_picture_is_near_a_large_photograph_of_it_and_no_other_small_one() -> None:
    image = photographs()["china"]
    small = image.resize((140, 94), Image.Resampling.BOX)

    assert near(_look(image), _look(small))
    assert not near(_look(small), _look(_jpeg(small, 60)))
    assert alike(_look(small), _look(_jpeg(small, 60)))


def test_pairs_of_a_table_are_judged_as_each_pair_alone() -> None:
    images = [*photographs().values(), triangle((1, 2, 3)), triangle((1, 2, 4)), noise(200, 200)]
    looks = [_look(image) for image in (*images, *map(_half, images))]
    table = LookTable(looks)
    ones, others = (places.ravel() for places in np.indices((len(looks), len(looks))))

    assert table.near(ones, others).tolist() == [near(looks[i], looks[j]) for i, j in zip(ones, others, strict=True)]
    assert table.alike(ones, others).tolist() == [alike(looks[i], looks[j]) for i, j in zip(ones, others, strict=True)]


def test_a_block_boundary_changes_nothing() -> None:
    table = LookTable([_look(noise(20, 20, seed)) for seed in range(20)])
    ones, others = np.indices((20, 20)).reshape(2, -1)

    whole = table.gaps(ones, others)

    for start in (1, 130, 399):
        rest = table.gaps(ones[start:], others[start:])
        assert np.array_equal(rest.difference, whole.difference[start:])
        assert np.array_equal(rest.unexplained, whole.unexplained[start:])


@given(st.integers(0, 999), st.integers(0, 999), st.floats(0.3, 1))
def test_comparisons_are_symmetric_and_whatever_is_near_is_alike(one: int, other: int, factor: float) -> None:
    first, second = noise(30, 20, one), ImageEnhance.Brightness(noise(30, 20, other)).enhance(factor)
    table = LookTable([_look(first), _look(second)])
    there, back = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])

    near_found, alike_found = table.near(there, back), table.alike(there, back)

    assert near_found[1] == near_found[2]
    assert alike_found[1] == alike_found[2]
    assert near_found[[0, 3]].all()
    assert (alike_found | ~near_found).all()


def test_the_distance_of_two_pictures_is_that_of_their_cells_in_units_of_contrast() -> None:
    grey = np.full((160, 160), 100, np.uint8)
    halves, spotted = grey.copy(), grey.copy()
    halves[:, 80:] = 140
    spotted[:, 80:] = 140
    spotted[:10, :10] = 120  # one cell of 256, by 20 levels
    table = LookTable([_look(Image.fromarray(pixels).convert("RGB")) for pixels in (halves, spotted)])

    gaps = table.gaps(np.array([0]), np.array([1]))

    assert gaps.deviation[0] == pytest.approx(20, abs=0.2)
    assert gaps.unexplained[0] == pytest.approx(20, abs=0.2)
    assert gaps.cut[0] == 0
    assert gaps.difference[0] == pytest.approx(np.sqrt(20**2 / 256) / 20, rel=0.02)


def test_looks_have_one_length_and_empty_tables_are_no_trouble() -> None:
    assert {len(_look(noise(width, height))) for width, height in ((1, 1), (9, 1), (1, 9), (300, 200))} == {LOOK_BYTES}
    assert len(LookTable([])) == 0
    assert LookTable([]).near(np.array([], np.int64), np.array([], np.int64)).shape == (0,)
