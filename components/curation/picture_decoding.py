"""A picture from its encoded bytes: whole, upright, of mode RGB, or a Rejection that says why not.

What is returned decodes, by any reader that converts to RGB, to exactly the pixels that were hashed. So bytes stay as
they were where that holds of them already (grey and palette pictures too), and everything else becomes a PNG.
Runs in a worker: decoders crash, hang and exhaust the memory on bytes that are made for it.
"""

import contextlib
import importlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from PIL import Image, ImageFile, UnidentifiedImageError

from components.curation.candidate import Rejection
from components.curation.picture_signs import look_of, pixels_of

Animated = Literal["first frame", "reject"]
_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright
_UPRIGHT = {  # what undoes each other value (EXIF 2.32, 4.6.4)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_COMPRESSION = 3  # Pillow's own level 6 takes 1.7 times as long for files as large
_SNIFFED = 1024  # bytes looked at to name what is no picture
_GZIP = b"\x1f\x8b"
_PLUGINS = {"WEBP": "WebP", "TIFF": "Tiff", "JPEG2000": "Jpeg2K", "AVIF": "Avif"}
_STRAIGHT_ALPHA = {"La": "LA", "RGBa": "RGBA"}  # of modes whose colours are multiplied by it


@dataclass(frozen=True)
class Limits:
    """What is a fit picture; see PictureConfig."""

    formats: Sequence[str]
    max_bytes: int
    max_pixels: int
    min_side: int
    max_aspect_ratio: float
    animated: Animated


@dataclass(frozen=True)
class Picture:
    """A picture that was found fit."""

    data: bytes | None
    """Encoded anew; None where the bytes can stay as they were."""
    pixels: str
    """See picture_signs.pixels_of."""
    look: bytes
    """See picture_signs.look_of."""
    flags: tuple[str, ...]
    """Of animated, pages, mpo, rotated, alpha, cmyk, ycbcr, hsv, 16-bit, converted."""


def decode(data: bytes, limits: Limits) -> Picture:
    """Decode a picture in full and bring it into shape.

    Args:
        data: Encoded bytes, of whatever kind.
        limits: What is accepted.

    Raises:
        Rejection: It is no picture, damaged, or beyond a limit.
        MemoryError: Decoding it takes more memory than the process has.
    """
    if not data:
        raise Rejection("image empty", "0 bytes")
    if len(data) > limits.max_bytes:
        raise Rejection("image too large", f"{len(data)} bytes")
    try:
        return _decode(data, limits)
    except (Rejection, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit, which workers lift, is below ours
        raise Rejection("image too large", str(error)) from None
    except Exception as error:  # decoders raise whatever damaged bytes lead them to
        raise Rejection("image damaged", f"{type(error).__name__}: {error}"[:200]) from None


def _decode(data: bytes, limits: Limits) -> Picture:
    formats = _readable(tuple(limits.formats))
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise _unidentified(data, limits) from None
    if image.format not in limits.formats:  # an MPO opens as a JPEG
        raise _not_allowed(str(image.format), limits)
    _check_size(*image.size, limits)
    flags = _frames(image, limits)
    if ";16" in str(image.tile):
        flags.append("16-bit")  # Pillow keeps the upper eight bits of colours itself
    if getattr(image, "tag_v2", {}).get(_ORIENTATION) in _UPRIGHT:
        flags.append("rotated")  # Pillow turns a TIFF itself, and not every reader does
    image.load()
    return _finish(image, flags)


@cache
def _readable(formats: tuple[str, ...]) -> tuple[str, ...]:
    """The formats as Pillow opens them, once it can: it loads few by itself, and all of them take long."""
    for name in formats:
        if name in _PLUGINS:
            importlib.import_module(f"PIL.{_PLUGINS[name]}ImagePlugin")
    return tuple(dict.fromkeys("JPEG" if name == "MPO" else name for name in formats))


def _unidentified(data: bytes, limits: Limits) -> Rejection:
    """Why bytes that none of the accepted formats knows are refused."""
    kind = _kind_of_text(data) or _other_format(data)
    if kind == "HTML":
        return Rejection("not an image", "an HTML page, as servers send in place of what they do not have")
    if kind in limits.formats:
        return Rejection("image damaged", f"begins like {kind} and cannot be read")
    if kind:
        return _not_allowed(kind, limits)
    return Rejection("not an image", f"{len(data)} bytes, beginning {data[:8]!r}")


def _not_allowed(kind: str, limits: Limits) -> Rejection:
    return Rejection("image format not allowed", f"{kind} is none of {', '.join(limits.formats)}")


def _kind_of_text(data: bytes) -> str:
    """SVG, HTML, PDF, or "" for what is none of them."""
    head = data[:_SNIFFED]
    if head.startswith(_GZIP):
        with contextlib.suppress(zlib.error):
            head = zlib.decompressobj(wbits=31).decompress(head, _SNIFFED)
    if head.startswith(b"%PDF"):
        return "PDF"
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "ignore").casefold()
    if "<svg" in text:
        return "SVG"
    return "HTML" if "<html" in text or "<!doctype html" in text else ""


def _other_format(data: bytes) -> str:
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data)) as image:  # any failure means that it is none
        return image.format or ""
    return ""


def _check_size(width: int, height: int, limits: Limits) -> None:
    evidence = f"{width}x{height} pixels"
    if width * height > limits.max_pixels:
        raise Rejection("image too large", evidence)
    if min(width, height) < limits.min_side:
        raise Rejection("image too small", evidence)
    if max(width, height) > limits.max_aspect_ratio * min(width, height):
        raise Rejection("image too narrow", evidence)


def _frames(image: ImageFile.ImageFile, limits: Limits) -> list[str]:
    """The flag of a file of several pictures, of which the first is taken."""
    if image.format == "MPO":
        return ["mpo"]  # a JPEG with another view, a preview or a depth map behind it
    try:
        is_animated = bool(getattr(image, "is_animated", False))
    except Exception:  # what follows the first frame is damaged: it is not needed
        is_animated = True
    if not is_animated:
        return []
    kind = "pages" if image.format == "TIFF" else "animated"
    if limits.animated == "reject":
        raise Rejection("image animated", f"{image.format} of several {'pages' if kind == 'pages' else 'frames'}")
    image.seek(0)
    return [kind]


def _finish(image: Image.Image, flags: list[str]) -> Picture:
    upright = _upright(image)
    if upright is not image:
        flags.append("rotated")
    rgb, kind = _to_rgb(upright)
    if kind and kind not in flags:
        flags.append(kind)
    is_changed = bool(set(flags) - {"mpo"})
    pixels = pixels_of(rgb)
    return Picture(
        data=_encode(rgb) if is_changed else None,
        pixels=pixels,
        look=look_of(rgb, pixels),
        flags=(*flags, "converted") if is_changed else tuple(flags),
    )


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF orientation asks; itself where that asks nothing or cannot be read."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata spoil no pixels, and other readers pass over them too
        return image
    return image.transpose(turn) if turn is not None else image


def _to_rgb(image: Image.Image) -> tuple[Image.Image, str]:
    """The image in mode RGB, and a flag where converting it takes more than any reader does by itself.

    Raises:
        Rejection: Its mode has no meaning as colours.
    """
    mode = image.mode
    if mode in _STRAIGHT_ALPHA or mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        return _without_alpha(image)
    if mode in ("RGB", "L", "1", "P"):
        return (image if mode == "RGB" else image.convert("RGB")), ""
    if mode.startswith("I"):
        return _from_16_bits(image), "16-bit"
    if mode in ("CMYK", "YCbCr", "HSV"):
        return image.convert("RGB"), mode.lower()
    raise Rejection("image mode not supported", mode)


def _without_alpha(image: Image.Image) -> tuple[Image.Image, str]:
    """Transparent parts on white; where there are none, the colours as they are."""
    straight = image.convert(_STRAIGHT_ALPHA.get(image.mode, "RGBA")).convert("RGBA")
    if straight.getchannel("A").getextrema() == (255, 255):
        return straight.convert("RGB"), ""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(straight)
    return ground.convert("RGB"), "alpha"


def _from_16_bits(image: Image.Image) -> Image.Image:
    """The upper eight bits; some readers clip instead, which whitens the picture."""
    wide = image.convert("I")
    low, high = cast(tuple[int, int], wide.getextrema())  # a pair for a mode of one channel
    if low < 0 or high > 2**16 - 1:
        raise Rejection("image mode not supported", f"{image.mode} with values from {low} to {high}")
    return wide.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")


def _encode(image: Image.Image) -> bytes:
    """As PNG, without loss, so that the pixels' hash stays true, and without the old metadata."""
    plain = image.copy()
    plain.info = {}
    buffer = io.BytesIO()
    plain.save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()
