"""Images small enough for a page: scaled down where they are large, in a format that browsers show."""

import io
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

_SHOWN_BY_BROWSERS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_QUALITIES = (80, 60, 40, 20)


class Thumbnail(NamedTuple):
    """An image for a page."""

    data: bytes
    format: str
    """In small letters, as in a media type."""
    size: tuple[int, int]
    """Width and height of the image itself, pixels, upright."""


def thumbnail(image: bytes, side: int, max_bytes: int | None = None) -> Thumbnail:
    """An image as it is where it is small and browsers show it, else a JPEG: upright, on white, scaled down.

    Args:
        image: An encoded image.
        side: Pixels of the longer side at most.
        max_bytes: Of an image that stays as it is, and about of a JPEG; None for any number.

    Raises:
        ValueError: The image is broken, or so large that decoding it is refused.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _thumbnail(image, side, max_bytes)
    # Pillow raises SyntaxError for some broken PNG files.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the image cannot be decoded: {error}") from error


def _thumbnail(image: bytes, side: int, max_bytes: int | None) -> Thumbnail:
    from PIL import Image, ImageOps

    opened = Image.open(io.BytesIO(image))
    is_small = max(opened.size) <= side and (max_bytes is None or len(image) <= max_bytes)
    if is_small and opened.format in _SHOWN_BY_BROWSERS:
        opened.load()
        return Thumbnail(image, opened.format.lower(), opened.size)
    upright = ImageOps.exif_transpose(opened)
    size = upright.size
    upright.thumbnail((side, side))
    return Thumbnail(_jpeg(_on_white(upright), max_bytes), "jpeg", size)


def _on_white(picture: "Image.Image") -> "Image.Image":
    """Diagrams are often black on transparent: on black, which a JPEG would give them, they could not be seen."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _jpeg(picture: "Image.Image", max_bytes: int | None) -> bytes:
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=quality)
        if max_bytes is None or buffer.tell() <= max_bytes:
            break
    return buffer.getvalue()
