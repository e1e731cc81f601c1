"""Pictures that answers are about, in the forms in which they come, and whether a scorer looks at them."""

import io
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from PIL.Image import Image

Picture = Union[bytes, Path, "Image"]
"""An encoded image (PNG, JPEG …), the file of one, or a decoded one."""


def wants_images(scorer: object) -> bool:
    """Whether a scorer, or what is built on one, takes `images`: only then may they be given."""
    return bool(getattr(scorer, "wants_images", False))


def picture_of(images: Sequence[bytes]) -> bytes | None:
    """The picture that an example's answers are held against: its only image.

    None for an example of several images, since no single one of them stands for what is asked.
    """
    return images[0] if len(images) == 1 else None


def encoded(pictures: Sequence[Picture | None]) -> list[bytes | None]:
    """Pictures as encoded images, each distinct one read once; None stays None.

    Raises:
        OSError: A file cannot be read.
    """
    known: dict[Hashable, bytes] = {}
    found: list[bytes | None] = []
    for picture in pictures:
        if picture is None or isinstance(picture, bytes):
            found.append(picture)
            continue
        key = picture if isinstance(picture, Path) else id(picture)
        if key not in known:
            known[key] = picture.read_bytes() if isinstance(picture, Path) else _png(picture)
        found.append(known[key])
    return found


def _png(picture: "Image") -> bytes:
    """Without loss, as the colours that an image embedder sees."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
