import gzip
import hashlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.core.config import parse_config
from components.curation.candidate import Rejection
from components.curation.picture_decoding import Picture, decode
from components.curation.pictures import PictureConfig
from tests.curation.picture_files import animation, decoded, encode, noise, pixel_bomb, png, with_orientation

_SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
_INVERSE = {  # what makes an upright picture one that its EXIF orientation turns upright again (EXIF 2.32, tag 274)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _decode(data: bytes, **settings: object) -> Picture:
    return decode(data, parse_config(PictureConfig, settings, "test").limits())


def _refusal(data: bytes, **settings: object) -> tuple[str, str]:
    with pytest.raises(Rejection) as caught:
        _decode(data, **settings)
    return caught.value.reason, caught.value.evidence


def _hash(image: Image.Image) -> str:
    return hashlib.sha256(struct.pack("<II", *image.size) + image.convert("RGB").tobytes()).hexdigest()[:32]


def _is_true_to(picture: Picture, data: bytes) -> bool:
    """Whether a plain reader of what is kept gets the pixels that were hashed."""
    return _hash(decoded(data if picture.data is None else picture.data)) == picture.pixels


@pytest.mark.parametrize(
    ("data", "reason", "evidence"),
    [
        (b"", "image empty", "0 bytes"),
        (b"no image at all", "not an image", "15 bytes, beginning b'no image'"),
        (b"<!DOCTYPE html><html>404</html>", "not an image", "an HTML page"),
        (_SVG, "image format not allowed", "SVG is none of PNG"),
        (b"\xef\xbb\xbf" + _SVG, "image format not allowed", "SVG"),
        (_SVG.decode().encode("utf-16"), "image format not allowed", "SVG"),
        (gzip.compress(_SVG), "image format not allowed", "SVG"),
        (b"%PDF-1.7", "image format not allowed", "PDF"),
        (encode(noise(), "ICO"), "image format not allowed", "ICO"),
        (encode(noise(), "PPM"), "image format not allowed", "PPM"),
        (encode(Image.new("F", (20, 20)), "TIFF"), "image mode not supported", "F"),
    ],
    ids=["0 bytes", "text", "html", "svg", "svg with mark", "svg utf-16", "svgz", "pdf", "ico", "ppm", "floats"],
)
def test_what_is_no_fit_picture_is_refused_by_name(data: bytes, reason: str, evidence: str) -> None:
    found, said = _refusal(data)

    assert (found, said[: len(evidence)]) == (reason, evidence)


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.floats(0.05, 0.95))
def test_a_truncated_picture_is_damaged_in_whatever_format(format_: str, share: float) -> None:
    whole = encode(noise(), format_)

    reason, _ = _refusal(whole[: int(len(whole) * share)])

    assert reason in ("image damaged", "not an image")


def test_a_truncated_jpeg_that_verify_passes_is_damaged() -> None:
    cut = encode(noise(300, 300), "JPEG")[:-2000]
    Image.open(io.BytesIO(cut)).verify()

    assert _refusal(cut) == ("image damaged", _refusal(cut)[1])
    assert "truncated" in _refusal(cut)[1]


def test_a_flipped_bit_in_a_png_is_damage() -> None:
    data = bytearray(encode(noise()))
    data[len(data) // 2] ^= 1

    assert _refusal(bytes(data))[0] == "image damaged"


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own about damaged TIFF tags
@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_damaged_bytes_are_refused_or_decoded_and_raise_nothing_else(
    junk: bytes, format_: str, data: st.DataObject
) -> None:
    whole = encode(noise(), format_)
    place = data.draw(st.integers(0, len(whole)))
    spoilt = whole[:place] + junk + whole[place + len(junk) :]

    try:
        picture = _decode(spoilt)
    except Rejection:
        return
    assert _is_true_to(picture, spoilt)


def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    assert len(pixel_bomb()) < 100_000
    assert _refusal(pixel_bomb())[0] == "image too large"


@pytest.mark.parametrize(
    ("size", "settings", "reason"),
    [
        ((7, 50), {}, "image too small"),
        ((50, 7), {}, "image too small"),
        ((8, 8), {}, ""),
        ((8, 400), {}, ""),
        ((8, 401), {}, "image too narrow"),
        ((401, 8), {}, "image too narrow"),
        ((100, 100), {"max_pixels": 9_999}, "image too large"),
        ((100, 100), {"max_pixels": 10_000}, ""),
        ((100, 100), {"max_bytes": 50}, "image too large"),
    ],
)
def test_limits_of_size_hold_at_their_very_edge(
    size: tuple[int, int], settings: dict[str, object], reason: str
) -> None:
    data = encode(Image.new("RGB", size, "green"))

    if reason:
        assert _refusal(data, **settings)[0] == reason
    else:
        assert _decode(data, **settings).data is None


@pytest.mark.parametrize(
    "image",
    [
        noise(),
        noise().convert("L"),
        noise().convert("1"),
        noise().convert("P"),
        noise().convert("RGBA"),
        noise().convert("LA"),
    ],
    ids=lambda image: image.mode,
)
def test_bytes_that_any_reader_turns_into_the_hashed_pixels_stay_as_they_were(image: Image.Image) -> None:
    data = encode(image)

    picture = _decode(data)

    assert (picture.data, picture.flags) == (None, ())
    assert _is_true_to(picture, data)


def test_transparent_parts_become_white() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 10, 20))
    image.paste((0, 0, 0, 128), (0, 0, 1, 1))

    picture = _decode(encode(image))

    assert picture.flags == ("alpha", "converted")
    assert picture.data
    flat = decoded(picture.data)
    assert [flat.getpixel(place) for place in ((0, 0), (5, 5), (15, 5))] == [(127,) * 3, (255,) * 3, (255, 0, 0)]
    assert _hash(flat) == picture.pixels


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_becomes_white(mode: str) -> None:
    image = Image.new("L", (20, 20), 0)
    image.paste(200, (0, 0, 10, 20))
    transparent: object = {"P": 0, "L": 0, "RGB": (0, 0, 0)}[mode]

    picture = _decode(encode(image.convert(mode), transparency=transparent))

    assert "alpha" in picture.flags
    assert picture.data
    assert [decoded(picture.data).getpixel(place) for place in ((5, 5), (15, 5))] == [(200,) * 3, (255,) * 3]


def test_cmyk_becomes_rgb() -> None:
    picture = _decode(encode(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"))

    assert picture.flags == ("cmyk", "converted")
    assert picture.data
    red, green, blue = decoded(picture.data).getpixel((9, 9))
    assert red > 250
    assert max(green, blue) < 5


def test_16_bits_keep_their_shades_where_others_clip_them() -> None:
    values = np.arange(400, dtype=np.uint16).reshape(20, 20) * 164

    picture = _decode(encode(Image.fromarray(values)))

    assert picture.flags == ("16-bit", "converted")
    assert picture.data
    assert np.array_equal(np.asarray(decoded(picture.data))[:, :, 1], values >> 8)


def test_16_bits_a_channel_become_8() -> None:
    row = b"\0" + struct.pack(">HHH", 0x1234, 0x8000, 0xFFFF) * 10

    picture = _decode(png(10, 10, 16, 2, row * 10))

    assert picture.flags == ("16-bit", "converted")
    assert picture.data
    assert picture.data[24] == 8
    assert decoded(picture.data).getpixel((3, 3)) == (0x12, 0x80, 0xFF)


@pytest.mark.parametrize(
    ("format_", "flag"), [("GIF", "animated"), ("WEBP", "animated"), ("PNG", "animated"), ("TIFF", "pages")]
)
def test_of_several_frames_the_first_is_taken_or_none(format_: str, flag: str) -> None:
    data = animation(format_)

    picture = _decode(data)

    assert picture.flags == (flag, "converted")
    assert picture.data
    kept = Image.open(io.BytesIO(picture.data))
    assert getattr(kept, "n_frames", 1) == 1
    assert kept.convert("RGB").getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=5)
    assert _refusal(data, animated="reject")[0] == "image animated"


def test_an_mpo_is_the_jpeg_at_its_beginning() -> None:
    data = encode(noise(seed=1), "MPO", save_all=True, append_images=[noise(seed=2)])
    assert Image.open(io.BytesIO(data)).format == "MPO"

    picture = _decode(data)

    assert (picture.data, picture.flags) == (None, ("mpo",))
    assert _is_true_to(picture, data)
    assert _refusal(data, formats=["JPEG"]) == ("image format not allowed", "MPO is none of JPEG")


@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
@given(st.sampled_from(sorted(_INVERSE)), st.integers(0, 99))
def test_exif_orientation_is_undone(format_: str, orientation: int, seed: int) -> None:
    upright = noise(24, 16, seed)

    picture = _decode(with_orientation(upright.transpose(_INVERSE[orientation]), orientation, format_))

    assert picture.flags == ("rotated", "converted")
    assert picture.pixels == _hash(upright)
    assert picture.data
    assert _hash(decoded(picture.data)) == picture.pixels
    again = _decode(picture.data)
    assert (again.data, again.flags, again.pixels, again.look) == (None, (), picture.pixels, picture.look)


@pytest.mark.parametrize(("orientation", "turn"), [(3, "ROTATE_180"), (6, "ROTATE_270"), (8, "ROTATE_90")])
def test_a_photograph_taken_with_a_turned_camera_is_turned_upright(orientation: int, turn: str) -> None:
    data = with_orientation(noise(), orientation, "JPEG")

    picture = _decode(data)

    assert picture.flags == ("rotated", "converted")
    assert picture.pixels == _hash(decoded(data).transpose(Image.Transpose[turn]))


def test_exif_that_cannot_be_written_again_is_no_reason_not_to_turn() -> None:
    tags = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHII", 0x8769, 4, 1, 0xFFFFFF)  # points nowhere
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)
    plain = encode(noise(), "JPEG")

    picture = _decode(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:])

    assert picture.pixels == _hash(decoded(plain).transpose(Image.Transpose.ROTATE_270))


def test_an_upright_orientation_and_a_damaged_one_leave_the_bytes_alone() -> None:
    plain = encode(noise(), "JPEG")
    spoilt = plain[:2] + b"\xff\xe1\x00\x10Exif\0\0" + b"\xff" * 8 + plain[2:]

    assert _decode(with_orientation(noise(), 1, "JPEG")).data is None
    assert _decode(spoilt).data is None


@given(st.integers(8, 40), st.integers(8, 40), st.integers(0, 999))
def test_hash_and_look_do_not_depend_on_the_encoding(width: int, height: int, seed: int) -> None:
    image = noise(width, height, seed)
    encodings = [
        encode(image, "PNG"),
        encode(image, "PNG", compress_level=0),
        encode(image.convert("RGBA"), "PNG"),
        encode(image, "BMP"),
        encode(image, "WEBP", lossless=True),
        encode(image, "TIFF", compression="tiff_deflate"),
    ]

    found = {(picture.pixels, picture.look) for picture in map(_decode, encodings)}

    assert {pixels for pixels, _ in found} == {_hash(image)}
    assert len(found) == 1


def test_the_hash_of_a_large_picture_is_that_of_its_pixels_and_size() -> None:
    image = noise(1500, 1000)

    assert _decode(encode(image, "BMP")).pixels == _hash(image)
    assert _decode(encode(Image.new("RGB", (40, 20)))).pixels != _decode(encode(Image.new("RGB", (20, 40)))).pixels
