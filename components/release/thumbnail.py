"""Images small enough for a page that holds thousands of them."""

import io

_SIDE = 320


def thumbnail(image: bytes) -> bytes:
    """An image for the report.

    Args:
        image: An encoded image.

    Returns:
        The same bytes where no side exceeds 320 pixels, else a JPEG scaled down to that.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(image))
    if max(picture.size) <= _SIDE:
        return image
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()
