import io

import pytest
from PIL import Image

from components.release.thumbnail import thumbnail


def _png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format="PNG")
    return buffer.getvalue()


def test_small_image_is_kept_byte_for_byte() -> None:
    image = _png((320, 56))

    assert thumbnail(image) is image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_large_image_is_scaled_to_320_pixels_and_keeps_its_shape(mode: str) -> None:
    small = Image.open(io.BytesIO(thumbnail(_png((1600, 400), mode))))

    assert small.size == (320, 80)


def test_format_that_browsers_do_not_show_becomes_a_jpeg() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, format="TIFF")

    small = Image.open(io.BytesIO(thumbnail(buffer.getvalue())))

    assert (small.format, small.size) == ("JPEG", (30, 20))


@pytest.mark.parametrize("image", [b"", b"GIF89a", _png((1600, 400))[:300]])
def test_broken_image_is_a_value_error(image: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        thumbnail(image)
