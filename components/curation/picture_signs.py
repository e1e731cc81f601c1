"""What is remembered of a picture: a hash of its pixels, and its look, for comparisons with others (`looks`).

A look is `LOOK_BYTES` long, whatever the picture: kind, width, height, the first 8 bytes of the pixels' hash, a 64-bit
difference hash of the cells, and the cells: means of 16x16 equal parts, row by row, a byte for red, green and blue.

Needs Pillow alone, since it runs in the worker that is started anew for every image that kills it.
"""

import hashlib
import struct

from PIL import Image, ImageChops

SIDE = 16
"""Cells along each side."""
CELLS = SIDE * SIDE * 3
HEAD = struct.Struct("<BHH8sQ")
LOOK_BYTES = HEAD.size + CELLS
DRAWING, PHOTOGRAPH, SMALL = 1, 0, 2
"""Kinds. Drawings have an even ground or flat colours: what tells them apart may be one printed digit. A small picture
is none of them, and too small to be called a photograph: its single pixels matter."""
PHOTOGRAPH_SIDE = 160
"""Pixels that a photograph has along its shorter side."""
_FLAT = 0.75  # share of pixels like their right neighbour; 23 photographs: 0.07 to 0.84, drawings of 256: 0.92 to 0.99
_EVEN = 0.5  # share of pixels within 8 levels of the commonest luminance: scans and line drawings
_STRIP = 2**20  # pixels hashed at a time, so that a large picture is not copied whole


def pixels_of(image: Image.Image) -> str:
    """32 hexadecimal digits of a sha-256 over size and pixels.

    Args:
        image: Upright, of mode RGB.
    """
    width, height = image.size
    digest = hashlib.sha256(struct.pack("<II", width, height))
    rows = max(1, _STRIP // width)
    if rows >= height:
        digest.update(image.tobytes())
    else:
        for top in range(0, height, rows):
            digest.update(image.crop((0, top, width, min(top + rows, height))).tobytes())
    return digest.hexdigest()[:32]


def look_of(image: Image.Image, pixels: str) -> bytes:
    """The look of a picture.

    Args:
        image: Upright, of mode RGB.
        pixels: Its hash by `pixels_of`.
    """
    cells = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    width, height = (min(side, 2**16 - 1) for side in image.size)
    head = HEAD.pack(_kind_of(image.convert("L")), width, height, bytes.fromhex(pixels[:16]), _difference_hash(cells))
    return head + cells.tobytes()


def _difference_hash(cells: Image.Image) -> int:
    """A bit for each of 8x8 parts: whether it is darker than the one at its right (Krawetz's dHash)."""
    small = cells.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(0, 72, 9):
        for place in range(row, row + 8):
            bits = bits << 1 | (small[place] < small[place + 1])
    return bits


def _kind_of(luminance: Image.Image) -> int:
    width, height = luminance.size
    counts = luminance.histogram()
    if max(sum(counts[level : level + 17]) for level in range(240)) >= _EVEN * width * height:
        return DRAWING
    left, right = luminance.crop((0, 0, width - 1, height)), luminance.crop((1, 0, width, height))
    steps = ImageChops.difference(left, right).histogram()
    if steps[0] + steps[1] >= _FLAT * (width - 1) * height:
        return DRAWING
    return PHOTOGRAPH if min(width, height) >= PHOTOGRAPH_SIDE else SMALL
