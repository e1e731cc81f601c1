"""Encoded pictures of every kind that a source may hold, made here."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def encode(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    """As any reader does that wants RGB."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def noise(width: int = 40, height: int = 30, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG by its specification, for what Pillow cannot write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


@cache
def pixel_bomb(megapixels: int = 200) -> bytes:
    """A black picture of a hundred bytes a megapixel."""
    return png(1000 * megapixels // 10, 10_000, 1, 0, bytes(10_000 * (1 + 1000 * megapixels // 80)))


def animation(format_: str) -> bytes:
    """A red frame, then a blue one."""
    first, second = Image.new("RGB", (32, 24), "red"), Image.new("RGB", (32, 24), "blue")
    options = {"lossless": True} if format_ == "WEBP" else {}
    return encode(first, format_, save_all=True, append_images=[second], duration=100, **options)


def with_orientation(image: Image.Image, orientation: int, format_: str = "PNG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(image, format_, exif=exif, **({"lossless": True} if format_ == "WEBP" else {}))


def photographs() -> dict[str, Image.Image]:
    """Photographs that come with libraries of this project, at most 512 pixels along a side."""
    import matplotlib

    sklearn = find_spec("sklearn")  # importing it takes seconds
    assert sklearn
    assert sklearn.origin
    folder = Path(sklearn.origin).parent / "datasets" / "images"
    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    found = {}
    for path in (folder / "china.jpg", folder / "flower.jpg", portrait):
        image = Image.open(path).convert("RGB")
        image.thumbnail((512, 512), Image.Resampling.LANCZOS)
        found[path.stem] = image
    return found


def triangle(numbers: Sequence[int], side: int = 512, text: int = 18) -> Image.Image:
    """The same triangle, with these numbers at its sides."""
    import matplotlib

    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    corners = [(x * side / 512, y * side / 512) for x, y in ((80, 420), (430, 420), (200, 90))]
    draw.polygon(corners, outline="black", width=max(1, 3 * side // 512))
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", text)
    for place, number in enumerate(numbers):
        (left, top), (right, bottom) = corners[place], corners[(place + 1) % 3]
        draw.text(((left + right) / 2 + 6, (top + bottom) / 2 + 4), str(number), fill="black", font=font)
    return image
