"""Images small enough for a page that holds thousands of them."""

from components.core import thumbnail as images

_SIDE = 320


def thumbnail(image: bytes) -> bytes:
    """An image for the report: of 320 pixels at most; see `components.core.thumbnail`.

    Raises:
        ValueError: The image is broken, or so large that decoding it is refused.
    """
    return images.thumbnail(image, _SIDE).data
