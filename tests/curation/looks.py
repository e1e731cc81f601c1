"""Ways of comparing images for tests of the reduce steps, simple enough to be checked by eye."""

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from components.curation.shingles import mixed

_SIDE = 48
_RANDOM = np.random.default_rng(5)
_CELLS = _RANDOM.integers(0, 64, (24, 6))
_OFFSETS = _RANDOM.integers(0, 12, (24, 6))


def pixel_digest(image: Image.Image) -> str:
    """Of size and pixels."""
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()[:32]


class TileLooks:
    """Brightness of 48 x 48 tiles; near where no tile differs by more than `most` of 256."""

    def __init__(self, most: int = 11) -> None:
        self._most = most

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        try:
            picture = ImageOps.exif_transpose(Image.open(io.BytesIO(image))).convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
        tiles = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.HAMMING)
        return pixel_digest(picture), tiles.tobytes()

    def columns(self, looks: Sequence[bytes]) -> "_Tiles":
        return _Tiles(looks, self._most)


class _Tiles:
    def __init__(self, looks: Sequence[bytes], most: int) -> None:
        self._tiles = np.frombuffer(b"".join(looks), dtype=np.uint8).reshape(len(looks), _SIDE**2)
        self._most = most

    def bands(self) -> NDArray[np.uint64]:
        """24 keys of six of 8 x 8 larger tiles each, in steps of 12."""
        large = self._tiles.reshape(-1, 8, 6, 8, 6).mean(axis=(2, 4)).reshape(-1, 64)
        steps = ((large[:, _CELLS] + _OFFSETS) // 12).astype(np.uint64)
        keys = np.zeros(steps.shape[:2], dtype=np.uint64)
        for place in range(steps.shape[2]):
            keys = mixed(keys ^ steps[:, :, place])
        return keys

    def near(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        apart = np.zeros(len(ones), dtype=np.int16)
        for start in range(0, len(ones), 4096):
            block = slice(start, start + 4096)
            left, right = (self._tiles[places[block]].astype(np.int16) for places in (ones, others))
            apart[block] = np.abs(left - right).max(axis=1, initial=0)
        return np.asarray(apart <= self._most)

    alike = near


class HammingLooks:
    """Bits of a hash; near where at most `most` differ, which two bytes of eight or more pairs of bytes always tell."""

    def __init__(self, most: int = 6) -> None:
        self._most = most

    def sign(self, image: bytes) -> tuple[str, bytes] | None:
        """8 x 8 differences of neighbouring tiles (dHash)."""
        picture = Image.open(io.BytesIO(image)).convert("RGB")
        tiles = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
        return pixel_digest(picture), np.packbits(tiles[:, 1:] > tiles[:, :-1]).tobytes()

    def columns(self, looks: Sequence[bytes]) -> "_Bits":
        return _Bits(looks, self._most)


class _Bits:
    def __init__(self, looks: Sequence[bytes], most: int) -> None:
        self._bits = np.frombuffer(b"".join(looks), dtype=np.uint8).reshape(len(looks), -1)
        self._most = most

    def bands(self) -> NDArray[np.uint64]:
        """A pair of bytes each: all pairs with fewer differing bits than bands share one."""
        keys = self._bits.reshape(len(self._bits), -1, 2).astype(np.uint64)
        return mixed(keys[:, :, 0] << np.uint64(8) | keys[:, :, 1])

    def near(self, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(np.bitwise_count(self._bits[ones] ^ self._bits[others]).sum(axis=1) <= self._most)

    alike = near
