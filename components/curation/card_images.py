"""Images small enough for a data card, and still large enough to be looked at."""

import base64
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.curation.numbers import Picture

if TYPE_CHECKING:
    from PIL import Image

SIDE = 640
"""Longest side of an image on the card, pixels."""
PICTURE_BYTES = 6_000_000
"""What all images of a card may take before base64 makes them a third larger."""
_IMAGE_BYTES = 120_000
_SHOWN_BY_BROWSERS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


def picture(image: bytes) -> Picture:
    """An image as the card shows it: as it is where it is small, else a JPEG scaled down.

    Args:
        image: An encoded image.

    Raises:
        ValueError: The image is broken, or so large that decoding it is refused.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _picture(image)
    # Pillow raises SyntaxError for some broken PNG files.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the image cannot be decoded: {error}") from error


def _picture(image: bytes) -> Picture:
    from PIL import Image, ImageOps

    opened = Image.open(io.BytesIO(image))
    small = max(opened.size) <= SIDE and len(image) <= _IMAGE_BYTES
    if small and opened.format in _SHOWN_BY_BROWSERS:
        opened.load()
        return Picture(_uri(image, opened.format.lower()), *opened.size)
    upright = ImageOps.exif_transpose(opened)
    size = upright.size
    upright.thumbnail((SIDE, SIDE))
    return Picture(_uri(_jpeg(_on_white(upright)), "jpeg"), *size)


def _on_white(picture: "Image.Image") -> "Image.Image":
    """Diagrams are often black on transparent: on black, which a JPEG would give them, they could not be seen."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _jpeg(picture: "Image.Image") -> bytes:
    for quality in (80, 60, 40, 20):
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=quality)
        if buffer.tell() <= _IMAGE_BYTES:
            break
    return buffer.getvalue()


def _uri(image: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def size_and_format(image: bytes) -> tuple[int, int, str] | None:
    """Width, height (pixels) and format of an encoded image, from its header; None where it has none."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(image))
            return *opened.size, opened.format or "unknown"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


class Budget:
    """What the images of a card may still take.

    Args:
        left: Bytes.
    """

    def __init__(self, left: int = PICTURE_BYTES) -> None:
        self._left = left * 4 // 3

    def take(self, images: Sequence[bytes], most: int, waiting: int = 1) -> list[Picture]:
        """The first images that can be decoded, as long as what is left is shared evenly.

        Args:
            images: Of one sample.
            most: How many to take at most.
            waiting: Samples that are to share what is left, this one among them.
        """
        share, taken = self._left // waiting, []
        for image in images[:most]:
            try:
                shown = picture(image)
            except ValueError:
                continue
            if len(shown.uri) > share:
                break
            share -= len(shown.uri)
            self._left -= len(shown.uri)
            taken.append(shown)
        return taken
