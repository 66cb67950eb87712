"""Colours in `render`: pixels of all kinds become sRGB."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageCms

from benchmarks.metadata import BLUE, GREEN, RED, cmyk_profile, grey_profile, rgb_profile
from process_image.image import Limits, Variant, render
from process_image.image.colour import transform_to_srgb
from tests.support.pictures import cutout, decoded, difference, encoded, photo, pixel, png, png_chunk, reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from process_image.image.variants import OutputFormat

LIMITS = Limits(max_bytes=10_000_000, max_pixels=10_000_000)
SWAPPED = rgb_profile(red=GREEN, green=RED)  # red in the file is green


def rendered(data: bytes, output_format: OutputFormat = "png", **variant: Any) -> Image.Image:
    wanted = Variant(name="v", format=output_format, **{"width": 8192, **variant})
    return decoded(render(data, [wanted], LIMITS).derivatives[0].data)


def test_profile_is_applied() -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    assert pixel(rendered(encoded(red, "PNG")), 4, 4) == (255, 0, 0)
    green = pixel(rendered(encoded(red, "PNG", icc_profile=SWAPPED)), 4, 4)
    assert max(abs(got - wanted) for got, wanted in zip(green, (0, 255, 0), strict=True)) <= 2


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "profile",
    [
        rgb_profile(green=(0.2919, 0.6922, 0.0419), red=(0.5151, 0.2412, -0.0011), blue=(0.1572, 0.0666, 0.7841)),
        rgb_profile(green=(0.2052, 0.6257, 0.0608), red=(0.6097, 0.3111, 0.0195), blue=(0.1492, 0.0632, 0.7446)),
        SWAPPED,
    ],
    ids=["Display P3", "Adobe RGB", "swapped"],
)
def test_profile_is_applied_after_scaling(image_format: str, profile: bytes) -> None:
    data = encoded(photo(), image_format, icc_profile=profile)
    mean, largest = difference(rendered(data), reference(data))
    assert mean <= 0.2
    assert largest <= 2


TEAL = (40, 160, 150)  # within sRGB even if it is BT.2020's
# From linear light with these primaries to linear sRGB, with the same white point.
TO_SRGB = {
    12: ((1.2249, -0.2247, 0.0), (-0.0421, 1.0419, 0.0), (-0.0196, -0.0786, 1.0979)),
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
}


def converted(colour: tuple[int, int, int], primaries: int) -> list[float]:
    linear = [((one / 255 + 0.055) / 1.055) ** 2.4 for one in colour]
    light = [sum(factor * one for factor, one in zip(row, linear, strict=True)) for row in TO_SRGB[primaries]]
    return [255 * (1.055 * max(0.0, one) ** (1 / 2.4) - 0.055) if one > 0 else 0.0 for one in light]


def named_in_png(primaries: int, *chunks: bytes) -> bytes:
    return png(1, 1, 8, 2, b"\0" + bytes(TEAL), png_chunk(b"cICP", bytes((primaries, 13, 0, 1))), *chunks)


def named_in_avif(primaries: int, **options: Any) -> bytes:
    data = encoded(Image.new("RGB", (16, 16), TEAL), "AVIF", quality=100, subsampling="4:4:4", **options)
    at = data.index(b"colrnclx") + 8
    assert data[at : at + 2] == b"\0\1"
    return data[:at] + primaries.to_bytes(2, "big") + data[at + 2 :]


@pytest.mark.parametrize("primaries", [9, 12])
@pytest.mark.parametrize("make", [named_in_png, named_in_avif])
def test_named_primaries_are_converted(make: Callable[[int], bytes], primaries: int) -> None:
    wanted = [max(0.0, one) for one in converted(TEAL, primaries)]
    assert pixel(rendered(make(primaries)), 0, 0) == pytest.approx(wanted, abs=3)
    assert max(abs(one - other) for one, other in zip(wanted, TEAL, strict=True)) > 20
    assert pixel(rendered(make(1)), 0, 0) == pytest.approx(TEAL, abs=2)


def test_primaries_precede_a_profile_only_in_png() -> None:
    profile = png_chunk(b"iCCP", b"p\0\0" + zlib.compress(SWAPPED))
    assert pixel(rendered(named_in_png(1, profile)), 0, 0) == TEAL
    swapped = pixel(rendered(encoded(Image.new("RGB", (16, 16), TEAL), "PNG", icc_profile=SWAPPED)), 0, 0)
    avif = encoded(Image.new("RGB", (16, 16), TEAL), "AVIF", quality=100, subsampling="4:4:4", icc_profile=SWAPPED)
    assert b"colrnclx" in avif
    assert pixel(rendered(avif), 0, 0) == pytest.approx(swapped, abs=3)


def test_profile_applies_with_transparency() -> None:
    data = encoded(cutout(), "PNG", icc_profile=SWAPPED)
    picture = rendered(data)
    assert picture.mode == "RGBA"
    assert difference(picture.getchannel("A"), cutout().getchannel("A")) == (0, 0)
    red, green, blue, _ = pixel(picture, 90, 40)
    assert red <= 2
    assert green >= 253
    assert blue <= 2


def test_grey_with_a_profile() -> None:
    grey = Image.new("L", (8, 8), 128)
    assert pixel(rendered(encoded(grey, "PNG")), 4, 4) == (128, 128, 128)
    # 128/255 of the light is 188/255 in sRGB.
    linear = pixel(rendered(encoded(grey, "PNG", icc_profile=grey_profile(1.0))), 4, 4)
    assert max(abs(channel - 188) for channel in linear) <= 1


def test_cmyk_with_and_without_a_profile() -> None:
    black = Image.new("CMYK", (16, 16), (0, 0, 0, 255))
    plain = rendered(encoded(black, "JPEG", quality=95))
    assert max(pixel(plain, 8, 8)) <= 2
    odd = rendered(encoded(black, "JPEG", quality=95, icc_profile=cmyk_profile()))
    assert min(pixel(odd, 8, 8)) >= 253


def test_cmyk_conversion_equals_a_direct_one() -> None:
    data = encoded(photo().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data  # the inks are stored inverted
    assert difference(rendered(data), reference(data)) == (0, 0)
    assert difference(rendered(data), photo())[0] <= 6


@pytest.mark.parametrize(
    ("image", "profile"),
    [
        (photo(), b"not a profile"),
        (photo(), SWAPPED[:200]),
        (photo(), SWAPPED[:128]),
        (photo(), grey_profile(1.0)),
        (photo(), cmyk_profile()),
        (photo().convert("L"), SWAPPED),
        (photo().convert("CMYK"), SWAPPED),
    ],
    ids=["text", "cut", "header", "grey for RGB", "CMYK for RGB", "RGB for grey", "RGB for CMYK"],
)
def test_invalid_profile_is_ignored(image: Image.Image, profile: bytes) -> None:
    plain = rendered(encoded(image, "JPEG", quality=95))
    assert difference(rendered(encoded(image, "JPEG", quality=95, icc_profile=profile)), plain) == (0, 0)


def test_profile_without_effect_is_skipped() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert transform_to_srgb(srgb, "RGB") is None
    assert transform_to_srgb(rgb_profile(gamma=2.2), "RGB") is not None  # similar, but not the same
    assert transform_to_srgb(SWAPPED, "RGB") is not None
    assert difference(rendered(encoded(photo(), "PNG", icc_profile=srgb)), photo()) == (0, 0)


def test_profile_transform_is_built_once() -> None:
    transform_to_srgb.cache_clear()
    data = encoded(photo(), "PNG", icc_profile=rgb_profile(red=BLUE, blue=RED))
    for _ in range(3):
        rendered(data)
    assert transform_to_srgb.cache_info().misses == 1
    assert transform_to_srgb.cache_info().hits == 2


def test_palette_bitmap_and_grey() -> None:
    palette = photo().quantize(64)
    assert difference(rendered(encoded(palette, "PNG")), palette.convert("RGB")) == (0, 0)
    assert difference(rendered(encoded(palette, "GIF")), palette.convert("RGB")) == (0, 0)
    bitmap = photo().convert("1")
    assert difference(rendered(encoded(bitmap, "PNG")), bitmap.convert("RGB")) == (0, 0)
    grey = photo().convert("L")
    assert difference(rendered(encoded(grey, "PNG")), grey.convert("RGB")) == (0, 0)
    assert difference(rendered(encoded(grey, "GIF")), grey.convert("RGB")) == (0, 0)


def test_palettes_and_bitmaps_scale_smoothly() -> None:
    stripes = Image.new("1", (64, 64))
    stripes.paste(1, (0, 0, 32, 64))
    small = rendered(encoded(stripes, "PNG"), width=3)
    assert pixel(small, 1, 1)[0] in range(100, 156)
    small = rendered(encoded(stripes.convert("P"), "PNG"), width=3)
    assert pixel(small, 1, 1)[0] in range(100, 156)


def test_16_bit_grey_keeps_its_shades() -> None:
    rows = b"\0" + struct.pack(">4H", 0, 0x00FF, 0x8000, 0xFFFF)
    picture = rendered(png(4, 1, 16, 0, rows))
    assert [pixel(picture, x, 0)[0] for x in range(4)] == [0, 0, 128, 255]


def test_16_bit_colours_keep_their_shades() -> None:
    rows = b"\0" + struct.pack(">6H", 0, 0x4000, 0xFFFF, 0x8000, 0xC000, 0x0100)
    picture = rendered(png(2, 1, 16, 2, rows))
    assert [pixel(picture, x, 0) for x in range(2)] == [(0, 64, 255), (128, 192, 1)]


@pytest.mark.parametrize(
    ("depth", "colour_type", "rows", "transparent", "expected"),
    [
        (1, 0, b"\0\x40", struct.pack(">H", 1), [255, 0]),
        (2, 0, b"\0\x60", struct.pack(">H", 2), [255, 0]),
        (4, 0, b"\0\x5a", struct.pack(">H", 10), [255, 0]),
        (8, 0, b"\0\x10\x20", struct.pack(">H", 0x20), [255, 0]),
        (16, 0, b"\0\x12\x34\x12\x35", struct.pack(">H", 0x1235), [255, 0]),
        (8, 2, b"\0\1\2\3\4\5\6", struct.pack(">3H", 4, 5, 6), [255, 0]),
        (16, 2, b"\0\1\1\2\2\3\3\4\4\5\5\6\6", struct.pack(">3H", 0x0404, 0x0505, 0x0606), [255, 0]),
    ],
    ids=["grey 1", "grey 2", "grey 4", "grey 8", "grey 16", "RGB 8", "RGB 16"],
)
def test_transparent_colour_of_a_png(
    depth: int, colour_type: int, rows: bytes, transparent: bytes, expected: list[int]
) -> None:
    picture = rendered(png(2, 1, depth, colour_type, rows, png_chunk(b"tRNS", transparent)))
    assert list(picture.getchannel("A").tobytes()) == expected


def test_deep_transparent_colour_uses_upper_bits() -> None:
    """Pillow has removed the lower bits by then, except for 16 bit grey."""
    rows = b"\0" + struct.pack(">6H", 0x0404, 0x0505, 0x0606, 0x0405, 0x0506, 0x0607)
    picture = rendered(png(2, 1, 16, 2, rows, png_chunk(b"tRNS", struct.pack(">3H", 0x0404, 0x0505, 0x0606))))
    assert list(picture.getchannel("A").tobytes()) == [0, 0]


def test_palette_with_transparency() -> None:
    chunks = (
        png_chunk(b"PLTE", bytes((255, 0, 0, 0, 255, 0, 0, 0, 255))),
        png_chunk(b"tRNS", bytes((255, 128, 0))),
    )
    picture = rendered(png(3, 1, 8, 3, b"\0\0\1\2", *chunks))
    assert pixel(picture, 0, 0) == (255, 0, 0, 255)
    assert pixel(picture, 1, 0) == (0, 255, 0, 128)
    assert pixel(picture, 2, 0)[3] == 0


def test_gif_with_transparency() -> None:
    image = cutout().quantize(16)
    data = encoded(image, "GIF", transparency=image.getpixel((0, 0)))
    assert pixel(rendered(data), 0, 0)[3] == 0
    assert pixel(rendered(data), 60, 40)[3] == 255
    assert difference(rendered(data), reference(data)) == (0, 0)


def test_unused_transparency_is_dropped() -> None:
    data = encoded(photo().convert("RGBA"), "PNG")
    assert decoded(data).mode == "RGBA"
    assert rendered(data).mode == "RGB"
    assert rendered(data, "webp").mode == "RGB"


def test_transparent_colour_does_not_bleed() -> None:
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    picture = rendered(encoded(image, "PNG"), width=4)
    for x in range(4):
        red, green, _, alpha = pixel(picture, x, 2)
        assert not alpha or (red, green) == (255, 0)


def test_grey_with_transparency() -> None:
    picture = rendered(encoded(cutout().convert("LA"), "PNG"))
    assert difference(picture, cutout().convert("LA").convert("RGBA")) == (0, 0)


@pytest.mark.parametrize("output_format", ["png", "webp", "avif"])
def test_transparency_stays_if_the_format_has_it(output_format: OutputFormat) -> None:
    picture = rendered(encoded(cutout(), "PNG"), output_format, quality=95)
    mean, _ = difference(picture, cutout())
    assert picture.mode == "RGBA"
    assert mean <= 2


def test_jpeg_shows_the_background() -> None:
    picture = rendered(encoded(cutout(), "PNG"), "jpeg", quality=95, background="#0000ff")
    flat = Image.alpha_composite(Image.new("RGBA", (120, 80), "#0000ff"), cutout())
    assert pixel(picture, 1, 1) == pytest.approx((0, 0, 254), abs=3)
    assert difference(picture, flat)[0] <= 3
