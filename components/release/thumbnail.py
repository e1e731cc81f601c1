"""Images small enough for a page that holds thousands of them."""

import io
import warnings

_SIDE = 320
_SHOWN_BY_BROWSERS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")


def thumbnail(image: bytes) -> bytes:
    """An image for the report.

    Args:
        image: An encoded image.

    Returns:
        The same bytes where no side exceeds 320 pixels and every browser shows the format, else a JPEG scaled down to
        that.

    Raises:
        ValueError: The image is broken, or so large that decoding it is refused.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _scaled(image)
    # Pillow raises SyntaxError for some broken PNG files.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the image cannot be decoded: {error}") from error


def _scaled(image: bytes) -> bytes:
    from PIL import Image

    picture = Image.open(io.BytesIO(image))
    if max(picture.size) <= _SIDE and picture.format in _SHOWN_BY_BROWSERS:
        return image
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()
