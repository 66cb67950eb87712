"""Conversion of all kinds of pixels to sRGB with 8 bits per channel."""

from __future__ import annotations

import struct
from functools import lru_cache
from io import BytesIO
from itertools import chain, product
from typing import Final

from PIL import Image, ImageChops, ImageCms

_SRGB: Final = ImageCms.createProfile("sRGB")
_DEEP: Final = 16  # bits per channel that Pillow reduces to eight

# Primaries by their number in ITU-T H.273, which a PNG's `cICP` and an AVIF's `nclx` contain: red, green and blue in
# XYZ, adapted to the white point of ICC profiles by Bradford's method. Other numbers are treated as sRGB.
_PRIMARIES: Final = {
    9: ((0.67346, 0.27903, -0.00193), (0.16566, 0.67534, 0.02998), (0.12510, 0.04563, 0.79716)),  # BT.2020
    12: ((0.51510, 0.24118, -0.00105), (0.29197, 0.69224, 0.04188), (0.15715, 0.06658, 0.78438)),  # Display P3
}

# Colours from the whole cube. A profile that does not change them is sRGB, even if it has another name.
_LEVELS: Final = (*range(0, 256, 32), 255)
_PROBE: Final = Image.frombytes("RGB", (len(_LEVELS) ** 3, 1), bytes(chain.from_iterable(product(_LEVELS, repeat=3))))


def to_plain_mode(image: Image.Image, bits: int = 8) -> Image.Image:
    """Convert palettes, bitmaps, 16 bit grey and transparent colours to channels that can be scaled.

    Args:
        image: A decoded image. Its `info` may have a transparent colour.
        bits: Bits per channel in the file, which is the scale of that colour in a PNG.

    Returns:
        An image in one of the modes L, LA, RGB, RGBA and CMYK, with alpha only if a pixel is transparent.
    """
    key = image.info.pop("transparency", None)
    if image.mode == "I;16":
        image = _reduce_deep_grey(image, key)
    else:
        match image.mode, key:
            case "P", int() | bytes():
                image.info["transparency"] = key
                image = image.convert("RGBA")
            case (("1" | "L"), int()):
                image.info["transparency"] = _to_8_bits(key, bits)
                image = image.convert("LA")
            case "RGB", (int(), int(), int()):
                image.info["transparency"] = tuple(_to_8_bits(channel, bits) for channel in key)
                image = image.convert("RGBA")
            case "1", _:
                image = image.convert("L")
            case (("L" | "LA" | "RGB" | "RGBA" | "CMYK"), _):
                pass
            case _:
                image = image.convert("RGB")
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert(_without_alpha(image.mode))
    return image


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image in a plain mode to sRGB.

    Args:
        image: Image in a mode that `to_plain_mode` returns.
        profile: ICC profile of the file. As in browsers, it is ignored if it is damaged or for another colour space.

    Returns:
        An image in mode RGB, or RGBA if the given one has alpha.
    """
    mode = _without_alpha(image.mode)
    has_alpha = mode != image.mode
    transform = transform_to_srgb(profile, mode) if profile else None
    if transform is None:
        return image.convert("RGBA" if has_alpha else "RGB")
    converted = transform.apply(image.convert(mode) if has_alpha else image)
    if has_alpha:
        converted.putalpha(image.getchannel("A"))
    return converted


@lru_cache(maxsize=8)
def transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB, built once for each profile; None if it changes nothing or is not valid."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB", ImageCms.Intent.PERCEPTUAL)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "RGB":
        change = ImageChops.difference(transform.apply(_PROBE), _PROBE)
        if max(change.tobytes()) <= 1:
            return None
    return transform


@lru_cache
def profile_of_primaries(number: int) -> bytes | None:
    """Return the ICC profile of sRGB with other primaries, or None if they are treated as sRGB."""
    if number not in _PRIMARIES:
        return None
    profile = bytearray(ImageCms.ImageCmsProfile(_SRGB).tobytes())
    for tag, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _PRIMARIES[number], strict=True):
        entry = profile.index(tag) + len(tag)
        content = int.from_bytes(profile[entry : entry + 4], "big") + 8  # after the type
        profile[content : content + 12] = struct.pack(">3i", *(round(value * 65536) for value in colour))
    return bytes(profile)


def _reduce_deep_grey(image: Image.Image, key: object) -> Image.Image:
    """Keep the high bytes. Pillow's own conversion turns everything above 255 into white."""
    wide = image.convert("I")
    grey = wide.point([value >> 8 for value in range(1 << 16)], "L")
    if not isinstance(key, int):
        return grey
    return Image.merge("LA", (grey, wide.point([255 * (value != key) for value in range(1 << 16)], "L")))


def _to_8_bits(sample: int, bits: int) -> int:
    largest = (1 << bits) - 1
    return sample >> 8 if bits == _DEEP else (sample & largest) * 255 // largest


def _without_alpha(mode: str) -> str:
    return mode.removesuffix("A")
