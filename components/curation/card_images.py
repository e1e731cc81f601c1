"""Images small enough for a data card, and still large enough to be looked at."""

import base64
import io
import warnings
from collections.abc import Sequence

from components.core.thumbnail import thumbnail
from components.curation.numbers import Picture

SIDE = 640
"""Longest side of an image on the card, pixels."""
PICTURE_BYTES = 6_000_000
"""What all images of a card may take before base64 makes them a third larger."""
_IMAGE_BYTES = 120_000


def picture(image: bytes) -> Picture:
    """An image as the card shows it: as it is where it is small, else a JPEG scaled down.

    Args:
        image: An encoded image.

    Raises:
        ValueError: The image is broken, or so large that decoding it is refused.
    """
    shown = thumbnail(image, SIDE, _IMAGE_BYTES)
    return Picture(f"data:image/{shown.format};base64,{base64.b64encode(shown.data).decode()}", *shown.size)


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
