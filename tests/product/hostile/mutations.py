"""Small good files of every kind, and ways to break them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image

from benchmarks.metadata import exif, rgb_profile
from tests.support.pictures import cutout, encoded, photo

if TYPE_CHECKING:
    import random

_SMALL = photo(24, 16)
_FRAMES = [Image.new("RGB", (12, 12), colour) for colour in ("red", "blue")]

SEEDS: Final = {
    "jpeg": encoded(_SMALL, "JPEG", exif=exif(6), icc_profile=rgb_profile()),
    "progressive jpeg": encoded(_SMALL, "JPEG", progressive=True),
    "cmyk jpeg": encoded(_SMALL.convert("CMYK"), "JPEG"),
    "png": encoded(cutout(24, 16), "PNG", exif=exif(3)),
    "palette png": encoded(_SMALL.quantize(8), "PNG", transparency=1),
    "deep png": encoded(Image.new("I;16", (24, 16), 4711), "PNG"),
    "animated png": encoded(_FRAMES[0], "PNG", save_all=True, append_images=_FRAMES[1:]),
    "gif": encoded(_SMALL.quantize(16), "GIF", comment="a comment"),
    "webp": encoded(_SMALL, "WEBP", exif=exif(8)),
    "lossless webp": encoded(cutout(24, 16), "WEBP", lossless=True),
    "animated webp": encoded(_FRAMES[0], "WEBP", save_all=True, append_images=_FRAMES[1:]),
    "avif": encoded(_SMALL, "AVIF", icc_profile=rgb_profile()),
}

_TYPICAL: Final = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change a file in one to four places, most of them near the beginning, where most of the structure is."""
    broken = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = min(int(chance.expovariate(3 / len(data))), len(broken) - 1)
        match chance.randrange(7):
            case 0 | 1:
                broken[at] ^= 1 << chance.randrange(8)
            case 2:
                broken[at] = chance.choice(_TYPICAL)
            case 3:
                broken[at : at + 4] = chance.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
                )
            case 4:
                del broken[at : at + chance.randint(1, 8)]
            case 5:
                length = chance.randint(1, 16)
                broken[at:at] = broken[at : at + length]
            case _:
                broken[at:at] = chance.randbytes(chance.randint(1, 8))
        if not broken:
            return data
    return bytes(broken)
