import base64
import io
import os

import pytest
from PIL import Image

from components.curation.card_images import SIDE, Budget, picture, size_and_format
from tests.curation.made_dataset import bomb, image


def _bytes(uri: str) -> bytes:
    return base64.b64decode(uri.partition("base64,")[2])


def _noise(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(buffer, format="PNG")
    return buffer.getvalue()


def test_small_image_is_shown_as_it_is() -> None:
    small = image((56, 28))

    shown = picture(small)

    assert _bytes(shown.uri) == small
    assert shown.uri.startswith("data:image/png;")
    assert (shown.width, shown.height) == (56, 28)


@pytest.mark.parametrize("made", [image((2000, 500)), image((60, 1200), format_="TIFF"), _noise(600), _noise(1200)])
def test_large_image_is_scaled_down_and_keeps_its_size_in_mind(made: bytes) -> None:
    shown = picture(made)

    scaled = Image.open(io.BytesIO(_bytes(shown.uri)))
    assert scaled.format == "JPEG"
    assert max(scaled.size) <= SIDE
    assert (shown.width, shown.height) == Image.open(io.BytesIO(made)).size
    assert len(shown.uri) < 200_000


def test_format_that_browsers_do_not_show_becomes_one_that_they_do() -> None:
    assert picture(image((20, 20), format_="TIFF")).uri.startswith("data:image/jpeg;")


def test_transparent_diagram_is_put_on_white() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (900, 900), (0, 0, 0, 0)).save(buffer, format="PNG")

    shown = Image.open(io.BytesIO(_bytes(picture(buffer.getvalue()).uri)))

    assert shown.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("broken", [b"", b"no image", image((300, 300), format_="JPEG")[:-200], bomb()])
def test_broken_image_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        picture(broken)


def test_sizes_are_those_of_the_header() -> None:
    assert size_and_format(image((31, 17), format_="JPEG")) == (31, 17, "JPEG")
    assert size_and_format(b"no image") is None
    assert size_and_format(bomb()) is None


def test_images_are_taken_until_the_budget_is_spent() -> None:
    one = image((50, 50))
    budget = Budget(int(2.5 * len(one)))

    assert len(budget.take([b"broken", one, one, one], 2)) == 1
    assert len(budget.take([one], 4)) == 1
    assert budget.take([one], 4) == []


def test_what_is_left_is_shared_by_the_samples_that_wait() -> None:
    one = image((50, 50))
    budget = Budget(int(4.5 * len(one)))

    assert [len(budget.take([one] * 4, 4, waiting)) for waiting in (3, 2, 1)] == [1, 1, 2]
