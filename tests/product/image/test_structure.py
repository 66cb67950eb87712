"""Structures of files are measured and rejected before decoding."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageFile

from benchmarks.metadata import exif, rgb_profile
from process_image.image import (
    Limits,
    RejectedImageError,
    TooComplexError,
    TooManyFramesError,
    TooManyPixelsError,
    TooMuchMetadataError,
    Variant,
    render,
)
from process_image.image.structure import MOST_JPEG_PIECES, MOST_PARTS, Structure, survey
from tests.support.pictures import cutout, encoded, photo, png, png_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

THUMBNAIL = Variant(name="thumb", width=16, height=16)
FRAMES = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
JPEG = encoded(photo(), "JPEG")
PROGRESSIVE = encoded(photo(), "JPEG", progressive=True)


def animated(image_format: str) -> bytes:
    return encoded(FRAMES[0], image_format, save_all=True, append_images=FRAMES[1:], duration=100)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def behind_soi(*segments: bytes, jpeg: bytes = JPEG) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def scans(data: bytes) -> int:
    return survey("jpeg", data, 10**6).scans


class DecodedError(BaseException):
    """Structures of random bytes raise no other error."""


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise DecodedError

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)


def refused(data: bytes, limits: Limits) -> type[RejectedImageError]:
    with pytest.raises(RejectedImageError) as caught:
        render(data, [THUMBNAIL], limits)
    return caught.type


def test_scans_are_counted_like_a_decoder() -> None:
    assert scans(JPEG) == 1
    assert scans(PROGRESSIVE) == 10
    assert scans(encoded(photo(), "JPEG", progressive=True, restart_marker_blocks=1)) == 10
    assert scans(encoded(photo().convert("L"), "JPEG", progressive=True)) == 6


def test_padding_is_not_counted_as_scan() -> None:
    thumbnail = segment(0xE1, b"Exif\0\0" + JPEG)
    noise = segment(0xFE, b"\xff\xda" * 1000)
    assert scans(behind_soi(thumbnail, noise)) == 1
    assert scans(JPEG + b"\xff\xda\0\2" * 1000) == 1  # after the end, as in photographs with a video


def test_scans_after_padding_are_found() -> None:
    at = PROGRESSIVE.index(b"\xff\xda")
    assert scans(PROGRESSIVE[:at] + b"\xff" * 1000 + PROGRESSIVE[at:]) == 10


@pytest.mark.usefixtures("undecoded")
def test_too_many_scans_are_rejected() -> None:
    megapixels = 240 * 160 / 1e6
    data = PROGRESSIVE[:-2] + PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2] * 100 + PROGRESSIVE[-2:]
    assert scans(data) == 110
    most = int(megapixels * 110)
    assert refused(data, Limits(max_scan_megapixels=most)) is TooComplexError
    with pytest.raises(DecodedError):
        render(data, [THUMBNAIL], Limits(max_scan_megapixels=most + 1))


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_too_many_frames(image_format: str) -> None:
    data = animated(image_format)
    assert render(data, [THUMBNAIL], Limits(max_frames=3))
    assert refused(data, Limits(max_frames=2)) is TooManyFramesError


def text(size: int) -> bytes:
    return b"keyword\0" + bytes(size)


def packed(size: int) -> bytes:
    return b"keyword\0\0" + zlib.compress(bytes(size))


def international(size: int, flag: bytes = b"\1") -> bytes:
    content = zlib.compress(bytes(size)) if flag == b"\1" else b"." * size
    return b"keyword\0" + flag + b"\0en\0translated\0" + content


@pytest.mark.parametrize(
    "make",
    [
        lambda size: png_chunk(b"tEXt", text(size)),
        lambda size: png_chunk(b"zTXt", packed(size)),
        lambda size: png_chunk(b"iCCP", packed(size)),
        lambda size: png_chunk(b"iTXt", international(size)),
        lambda size: png_chunk(b"iTXt", international(size, b"\0")),
        lambda size: png_chunk(b"eXIf", bytes(size)),
        lambda size: png_chunk(b"zTXt", packed(size // 3)) * 3,
    ],
    ids=["tEXt", "zTXt", "iCCP", "iTXt packed", "iTXt", "eXIf", "several"],
)
@pytest.mark.usefixtures("undecoded")
def test_too_much_metadata_in_a_png(make: Callable[[int], bytes]) -> None:
    limits = Limits(max_metadata_bytes=100_000)
    assert refused(png(1, 1, 8, 0, b"\0\x7f", make(100_100)), limits) is TooMuchMetadataError
    with pytest.raises(DecodedError):
        render(png(1, 1, 8, 0, b"\0\x7f", make(98_000)), [THUMBNAIL], limits)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", ["icc_profile", "exif"])
def test_too_much_metadata_elsewhere(image_format: str, kind: str) -> None:
    content = rgb_profile() if kind == "icc_profile" else exif(1, "a" * 5000)
    data = encoded(photo(), image_format, **{kind: content})
    assert render(data, [THUMBNAIL], Limits(max_metadata_bytes=len(content) + 100))
    assert refused(data, Limits(max_metadata_bytes=len(content) - 100)) is TooMuchMetadataError


def test_large_printer_profile_is_applied() -> None:
    large = png_chunk(b"iCCP", b"p\0\0" + zlib.compress(random.Random(1).randbytes(3_000_000)))
    assert render(png(1, 1, 8, 0, b"\0\x7f", large), [THUMBNAIL], Limits())


@pytest.mark.parametrize(
    "data",
    [
        behind_soi(segment(0xFE, b"") * MOST_PARTS),
        behind_soi(segment(0xDD, b"\0\0") * MOST_PARTS),
        png(1, 1, 8, 0, b"\0\x7f", png_chunk(b"teST", b"") * MOST_PARTS),
        animated("GIF")[:13] + b"!\xfe\1.\0" * MOST_PARTS + animated("GIF")[13:],
        animated("GIF")[:13] + b"!\xfe" + b"\1." * MOST_PARTS + b"\0" + animated("GIF")[13:],
        animated("GIF")[:13] + b"?" * MOST_PARTS + animated("GIF")[13:],
        animated("WEBP") + b"teST\0\0\0\0" * MOST_PARTS,
        behind_soi(*[segment(0xE1, b"Exif\0\0")] * (MOST_JPEG_PIECES + 1)),
    ],
    ids=["COM", "DRI", "PNG", "GIF blocks", "GIF sub-blocks", "GIF junk", "WebP", "EXIF pieces"],
)
@pytest.mark.usefixtures("undecoded")
def test_too_many_parts(data: bytes) -> None:
    assert refused(data, Limits()) is TooComplexError


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_webp_size_is_read(lossless: bool, alpha: bool) -> None:
    """The decoder allocates memory for two pictures before it returns their size."""
    image = photo(123, 45)
    if alpha:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encoded(image, "WEBP", lossless=lossless)
    assert survey("webp", data, 0).size == (123, 45)
    assert refused(data, Limits(max_pixels=123 * 45 - 1)) is TooManyPixelsError


def test_large_webp_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile._open", lambda *_: pytest.fail("opened"))
    data = animated("WEBP")
    assert data[12:16] == b"VP8X"
    large = data[:24] + b"\xff\x3f\0\xff\x3f\0" + data[30:]
    assert refused(large, Limits()) is TooManyPixelsError


def box(kind: bytes, *content: bytes) -> bytes:
    joined = b"".join(content)
    return struct.pack(">I", 8 + len(joined)) + kind + joined


def avif(obus: bytes, *, in_idat: bool = False, extents: int = 1, times: int = 1) -> bytes:
    """Return an AVIF with one picture of repeated pieces, in a separate box or next to its description."""
    begin = box(b"ftyp", b"avifavif") + (b"" if in_idat else box(b"mdat", obus))
    start = 0 if in_idat else len(begin) - len(obus)
    step = -(-len(obus) // extents)
    pieces = [(start + at, min(step, len(obus) - at)) for at in range(0, len(obus), step)] * times
    # iloc of version 2 with a base and an index, infe of version 3.
    iloc = struct.pack(">I", 2 << 24) + b"\x44\x44" + struct.pack(">IIHHIH", 1, 7, in_idat, 0, 0, len(pieces))
    iloc += b"".join(struct.pack(">III", 0, *piece) for piece in pieces)
    infe = box(b"infe", struct.pack(">IIH4s", 3 << 24, 7, 0, b"av01"), b"\0")
    iinf = box(b"iinf", struct.pack(">II", 1 << 24, 1), infe)
    return begin + box(b"meta", bytes(4), iinf, box(b"iloc", iloc), box(b"idat", obus) if in_idat else b"")


def sequence_header(bits: str) -> bytes:
    """Return a picture that begins and ends with unused parts."""
    content = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    return b"\x12\0" + b"\x7a\x81\0." + bytes((0x0A, len(content))) + content + b"\x30rest"


# Profile, still picture, a short header, level; lengths of width and height; both minus one: 300 x 200.
SHORT_HEADER = "000" + "1" + "1" + "00000"
SIZE_IN_HEADER = "1000" + "0111" + f"{299:09b}" + f"{199:08b}"
# Timing with a number of three bits after three zeros, a decoder model, delays, two operating points.
LONG_HEADER = (
    "000" + "0" + "0" + "1" + "0" * 64 + "1" + "0001101" + "1" + f"{9:05b}" + "0" * 42 + "1" + f"{1:05b}"
    + ("0" * 12 + f"{8:05b}" + "1" + "1" + "0" * 21 + "1" + "0000")
    + ("0" * 12 + f"{7:05b}" + "0" + "0")
)  # fmt: skip


@pytest.mark.parametrize("header", [SHORT_HEADER, LONG_HEADER], ids=["short", "long"])
@pytest.mark.parametrize("extents", [1, 2, 9])
@pytest.mark.parametrize("in_idat", [False, True])
def test_avif_size_is_that_of_its_picture(header: str, extents: int, in_idat: bool) -> None:
    data = avif(sequence_header(header + SIZE_IN_HEADER), in_idat=in_idat, extents=extents)
    assert survey("avif", data, 0) == Structure(size=(300, 200))


def test_every_picture_in_an_avif_counts() -> None:
    assert survey("avif", encoded(photo(), "AVIF"), 0) == Structure(size=(240, 160), primaries=1)
    assert survey("avif", encoded(cutout(), "AVIF"), 0) == Structure(scans=2, size=(120, 80), primaries=1)
    moving = animated("AVIF")
    assert survey("avif", moving, 0) == Structure(scans=2, size=(32, 32), primaries=1)
    # Only the sequence, without the still picture.
    assert survey("avif", moving.replace(b"meta", b"free"), 0) == Structure(size=(32, 32))


def test_repeated_pieces_of_an_avif_are_rejected() -> None:
    with pytest.raises(TooComplexError, match="many times over"):
        survey("avif", avif(bytes(5_000), times=2), 0)
    assert survey("avif", avif(bytes(5_000), extents=2), 0)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_survey_accepts_any_bytes(image_format: str) -> None:
    data = animated(image_format) if image_format != "JPEG" else behind_soi(segment(0xE1, exif(6)), jpeg=PROGRESSIVE)
    chance = random.Random(4)
    kind = image_format.lower()
    for length in range(len(data)):
        assert isinstance(survey(kind, data[:length], 10**6), Structure)
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        assert isinstance(survey(kind, bytes(damaged), 10**6), Structure)


def test_frames_are_counted_without_decoding() -> None:
    assert [survey(kind, animated(kind.upper()), 0).frames for kind in ("gif", "png", "webp")] == [3, 3, 3]
    assert survey("gif", encoded(photo(), "GIF"), 0) == Structure()
    assert replace(survey("webp", encoded(photo(), "WEBP"), 0), size=(0, 0)) == Structure()
