"""Classes of harmful files: each file is generated from a seed, with a known outcome."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Final

from PIL import Image

from benchmarks.metadata import exif
from process_image.image import Limits
from process_image.image.structure import MOST_JPEG_PIECES, MOST_PARTS
from tests.support.pictures import cutout, encoded, photo, png_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSED: Final = "processed"
FILES_EACH: Final = 50
LIMITS: Final = Limits(max_bytes=3_000_000, max_frames=100, max_metadata_bytes=500_000, max_pixels=4_000_000)

Make = "Callable[[random.Random], bytes]"


@dataclass(frozen=True)
class HostileClass:
    """Files of one kind.

    Attributes:
        name: Kind of the files.
        outcome: The code of their rejection, or `PROCESSED`.
        make: Draws one.
    """

    name: str
    outcome: str
    make: Callable[[random.Random], bytes]

    def files(self) -> list[bytes]:
        """Return the same files every time."""
        return [self.make(random.Random(f"{self.name} {number}")) for number in range(FILES_EACH)]


CLASSES: Final[list[HostileClass]] = []


def hostile(name: str, outcome: str) -> Callable[[Callable[[random.Random], bytes]], Callable[[random.Random], bytes]]:
    """Add a class."""

    def add(make: Callable[[random.Random], bytes]) -> Callable[[random.Random], bytes]:
        CLASSES.append(HostileClass(name, outcome, make))
        return make

    return add


def picture(chance: random.Random) -> Image.Image:
    """Return a small picture of any size and mode."""
    size = chance.randint(8, 60), chance.randint(8, 60)
    return photo(*size)


def saved(chance: random.Random, image_format: str) -> bytes:
    """Return a small valid file of a format."""
    options: dict[str, object] = {"exif": exif(chance.randint(1, 8))} if image_format in ("JPEG", "WEBP") else {}
    if image_format == "JPEG":
        options |= {"quality": chance.randint(30, 95), "progressive": chance.random() < 0.5}
    return encoded(picture(chance), image_format, **options)


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def behind(data: bytes, at: int, *more: bytes) -> bytes:
    """Return data with more after a position."""
    return data[:at] + b"".join(more) + data[at:]


def behind_colours(gif: bytes, more: bytes) -> bytes:
    """Return a GIF with more after its colour table."""
    return behind(gif, 13 + (3 << (gif[10] & 7) + 1), more)


def huge(chance: random.Random) -> tuple[int, int]:
    """Return a size above the limit."""
    side = chance.randint(2_001, 16_000)
    return side, chance.randint(LIMITS.max_pixels // side + 1, 16_000)


def cut(chance: random.Random, data: bytes, first: int = 12) -> bytes:
    """Return data without its end."""
    return data[: chance.randint(first, len(data) * 9 // 10)]


# Nothing at all, and other things


@hostile("empty", "empty")
def _(_: random.Random) -> bytes:
    return b""


@hostile("noise", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return b"\1" + chance.randbytes(chance.randint(0, 5000))


@hostile("text", "unsupported_format")
def _(chance: random.Random) -> bytes:
    words = [
        "<script>alert(1)</script>",
        "${jndi:ldap://x}",
        "'; DROP TABLE images;--",
        "\x1b[31m",
        "\n{",
        "%s%n",
        "../",
    ]
    return " ".join(chance.choices(words, k=20)).encode()


@hostile("SVG, with an entity that grows or a file to fetch", "unsupported_format")
def _(chance: random.Random) -> bytes:
    entity = chance.choice(('<!ENTITY a "&b;&b;&b;">', '<!ENTITY a SYSTEM "file:///etc/passwd">'))
    return f'<?xml version="1.0"?><!DOCTYPE svg [{entity}]><svg width="{chance.randint(1, 10**9)}">&a;</svg>'.encode()


@hostile("PostScript", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return b"%%!PS-Adobe-3.0 EPSF-3.0\n%%%%BoundingBox: 0 0 9 9\n(%d) run\n" % chance.randint(0, 10**9)


@hostile("PDF", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return b"%PDF-1.7\n" + chance.randbytes(200)


@hostile("ImageMagick's script languages", "unsupported_format")
def _(chance: random.Random) -> bytes:
    start = chance.choice(
        (b"push graphic-context\nfill 'url(https://x/|ls)'\n", b"<image><read filename='x'/></image>")
    )
    return start + chance.randbytes(20)


@hostile("formats that Pillow reads and we do not", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return encoded(
        picture(chance), chance.choice(("BMP", "TIFF", "PPM", "ICO", "TGA", "JPEG2000", "PCX", "SGI", "DDS"))
    )


@hostile("HEIC", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return b"\0\0\0\x18ftyp" + chance.choice((b"heic", b"mif1")) + b"\0\0\0\0mif1heic" + chance.randbytes(300)


@hostile("films", "unsupported_format")
def _(chance: random.Random) -> bytes:
    brand = chance.choice((b"isom", b"mp42", b"qt  ", b"M4V "))
    return b"\0\0\0\x14ftyp" + brand + b"\0\0\0\0" + brand + chance.randbytes(300)


@hostile("RIFF of another kind", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return b"RIFF" + chance.randbytes(4) + chance.choice((b"WAVE", b"AVI ", b"ACON", b"webp")) + chance.randbytes(100)


@hostile("archives and programs", "unsupported_format")
def _(chance: random.Random) -> bytes:
    return chance.choice((b"PK\3\4", b"\x1f\x8b\x08", b"MZ", b"\x7fELF", b"Rar!")) + chance.randbytes(200)


@hostile("only the beginning of a format", "unreadable_image")
def _(chance: random.Random) -> bytes:
    beginnings = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x24\0\0\0WEBP", b"\0\0\0\x1cftypavif")
    return chance.choice(beginnings)


@hostile("a beginning, then noise", "unreadable_image")
def _(chance: random.Random) -> bytes:
    beginning = chance.choice((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x24\1\0\0WEBP", b"\0\0\0\x1cftypavif"))
    return beginning + b"\1" + chance.randbytes(chance.randint(50, 3000)).replace(b"\xff", b"\0")


@hostile("too many bytes", "too_many_bytes")
def _(chance: random.Random) -> bytes:
    return saved(chance, "JPEG") + bytes(LIMITS.max_bytes)


# Cut off


def _cut_off(image_format: str) -> None:
    @hostile(f"{image_format} cut off", "unreadable_image")
    def _(chance: random.Random) -> bytes:
        return cut(chance, saved(chance, image_format), 30)


for _format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
    _cut_off(_format)


# Too many pixels, in few bytes


@hostile("PNG of a huge size that has no pixels", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", *huge(chance), 8, chance.choice((0, 2, 3, 6)), 0, 0, chance.randint(0, 1))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b""))
        + png_chunk(b"IEND", b"")
    )


@hostile("PNG of zeros, packed a thousandfold", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    width, height = huge(chance)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile("PNG as wide as can be", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = saved(chance, "PNG")
    width, height = chance.choice(((2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (1, 2**31 - 1), (2**16, 2**16)))
    header = struct.pack(">II", width, height) + data[24:29]
    return data[:8] + png_chunk(b"IHDR", header) + data[33:]


@hostile("JPEG whose header says more pixels", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "JPEG"))
    at = next(data.index(start) for start in (b"\xff\xc0\0\x11", b"\xff\xc2\0\x11") if start in data)
    struct.pack_into(">HH", data, at + 5, *huge(chance))
    return bytes(data)


@hostile("GIF of a huge screen", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "GIF"))
    struct.pack_into("<HH", data, 6, *huge(chance))
    return bytes(data)


@hostile("GIF of a huge first frame", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "GIF"))
    struct.pack_into("<HH", data, data.index(b",\0\0\0\0") + 5, *huge(chance))
    return bytes(data)


@hostile("WebP of a huge canvas", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    sizes = b"".join((side - 1).to_bytes(3, "little") for side in huge(chance))
    body = b"WEBPVP8X" + struct.pack("<IB3x", 10, chance.choice((0, 2, 16))) + sizes + saved(chance, "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


@hostile("WebP, lossless and huge", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    width, height = huge(chance)
    content = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + chance.randbytes(60)
    body = b"WEBPVP8L" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


@hostile("AVIF whose header says more pixels", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "AVIF"))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, *huge(chance))
    return bytes(data)


@lru_cache
def flat_avif(side: int) -> bytes:
    """Return a square of one colour, whose file is small for any size."""
    return encoded(Image.new("RGB", (side, side), "teal"), "AVIF", speed=10)


@hostile("AVIF whose picture is larger than its header says", "too_many_pixels")
def _(chance: random.Random) -> bytes:
    data = bytearray(flat_avif(isqrt(LIMITS.max_pixels) + 1))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, chance.randint(1, 2_000), chance.randint(1, 2_000))
    return bytes(data)


# Work without end


@hostile("JPEG of a thousand scans behind what looks like segments", "too_complex")
def _(chance: random.Random) -> bytes:
    """Hide lengths in a scan, where a decoder ignores them."""
    data = encoded(Image.new("L", (2_000, 2_000), 128), "JPEG", progressive=True, quality=50)
    first = data.index(b"\xff\xda")
    scan = data[first : first + 2 + int.from_bytes(data[first + 2 : first + 4], "big")] + b"\0\0"
    hidden = (scan + b"\xff\x02") * chance.randint(1_000, 2_000)
    restarts = segment(0xDD, b"\0\1")
    return data[:first] + restarts + scan + b"\xff\x02" + b"\xff\xff" + hidden + b"\xff\xd9"


@hostile("JPEG of a thousand scans", "too_complex")
def _(chance: random.Random) -> bytes:
    data = bytearray(encoded(picture(chance), "JPEG", progressive=True))
    struct.pack_into(">HH", data, data.index(b"\xff\xc2\0\x11") + 5, chance.randint(1_900, 1_999), 1_999)
    scan = bytes(data[data.rindex(b"\xff\xda") : -2])
    return bytes(data[:-2]) + scan * chance.randint(600, 1_000) + b"\xff\xd9"


@hostile("JPEG of empty segments", "too_complex")
def _(chance: random.Random) -> bytes:
    return behind(saved(chance, "JPEG"), 2, segment(chance.choice((0xFE, 0xE0, 0xEF, 0xDD)), b"\0\0") * MOST_PARTS)


@hostile("JPEG with EXIF data in pieces", "too_complex")
def _(chance: random.Random) -> bytes:
    pieces = MOST_JPEG_PIECES + chance.randint(1, 200)
    return behind(saved(chance, "JPEG"), 2, segment(0xE1, b"Exif\0\0" + bytes(chance.randint(0, 200))) * pieces)


@hostile("PNG of empty chunks", "too_complex")
def _(chance: random.Random) -> bytes:
    return behind(saved(chance, "PNG"), 33, png_chunk(chance.choice((b"teST", b"tIME", b"vpAg")), b"") * MOST_PARTS)


@hostile("GIF of empty extensions", "too_complex")
def _(chance: random.Random) -> bytes:
    return behind_colours(saved(chance, "GIF"), chance.choice((b"!\xfe\0", b"!\xff\0", b"!\1\0")) * MOST_PARTS)


@hostile("GIF with a comment in single letters", "too_complex")
def _(chance: random.Random) -> bytes:
    return behind_colours(saved(chance, "GIF"), b"!\xfe" + b"\1." * (MOST_PARTS + chance.randint(0, 100)) + b"\0")


@hostile("WebP of empty chunks", "too_complex")
def _(chance: random.Random) -> bytes:
    body = saved(chance, "WEBP")[8:] + b"teST\0\0\0\0" * MOST_PARTS
    return b"RIFF" + struct.pack("<I", len(body)) + body


# Metadata without end


@hostile("PNG with a profile that expands", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    content = b"p\0\0" + zlib.compress(bytes(chance.randint(LIMITS.max_metadata_bytes + 100_000, 20_000_000)), 9)
    return behind(saved(chance, "PNG"), 33, png_chunk(b"iCCP", content))


@hostile("PNG with a text that expands", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    packed = zlib.compress(bytes(chance.randint(LIMITS.max_metadata_bytes + 100_000, 20_000_000)), 9)
    chunk = chance.choice((png_chunk(b"zTXt", b"k\0\0" + packed), png_chunk(b"iTXt", b"k\0\1\0\0\0" + packed)))
    return behind(saved(chance, "PNG"), 33, chunk)


@hostile("PNG with many texts that expand", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    chunk = png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000), 9))
    return behind(saved(chance, "PNG"), 33, chunk * chance.randint(LIMITS.max_metadata_bytes // 100_000 + 1, 200))


@hostile("PNG with many texts that expand until they break", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    packing = zlib.compressobj(9)
    size = LIMITS.max_metadata_bytes - chance.randint(1, 100_000)
    packed = packing.compress(bytes(size)) + packing.flush(zlib.Z_FULL_FLUSH)
    chunk = png_chunk(b"zTXt", b"k\0\0" + packed + b"\7" + chance.randbytes(5))
    return behind(saved(chance, "PNG"), 33, chunk * chance.randint(50, 200))


@hostile("JPEG with a profile too large", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    count = LIMITS.max_metadata_bytes // 60_000 + 1
    pieces = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes((number, count)) + bytes(60_000)) for number in range(1, count + 1)
    ]
    return behind(saved(chance, "JPEG"), 2, *pieces)


@hostile("WebP with EXIF data too large", "too_much_metadata")
def _(chance: random.Random) -> bytes:
    return encoded(
        picture(chance), "WEBP", exif=b"Exif\0\0" + bytes(LIMITS.max_metadata_bytes + chance.randint(1, 400_000))
    )


# Animations


@hostile("PNG that says it has many frames", "too_many_frames")
def _(chance: random.Random) -> bytes:
    return behind(
        saved(chance, "PNG"),
        33,
        png_chunk(b"acTL", struct.pack(">II", chance.randint(LIMITS.max_frames + 1, 2**31), 0)),
    )


@hostile("GIF of many frames", "too_many_frames")
def _(chance: random.Random) -> bytes:
    data = encoded(picture(chance).convert("L"), "GIF")
    frame = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    return data[:-1] + frame * chance.randint(LIMITS.max_frames + 1, 3_000) + b";"


@hostile("WebP of many frames", "too_many_frames")
def _(chance: random.Random) -> bytes:
    frames = [Image.new("L", (16, 16), value) for value in (0, 255)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    at = data.index(b"ANMF")
    frame = data[at : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")]
    body = data[8:] + frame * (LIMITS.max_frames + chance.randint(1, 400))
    return b"RIFF" + struct.pack("<I", len(body)) + body


# Contradictions


@hostile("PNG whose checksums are wrong", "unreadable_image")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "PNG"))
    data[chance.randint(29, 32)] ^= chance.randint(1, 255)
    return bytes(data)


@hostile("PNG with a palette that is missing", "unreadable_image")
def _(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", 4, 4, chance.choice((3, 5, 7, 9, 33)), chance.choice((0, 2, 3)), 0, 0, 0)
    rows = zlib.compress(chance.randbytes(80))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile("PNG with too few pixels", "unreadable_image")
def _(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", chance.randint(50, 400), 400, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(chance.randint(1, 400)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile("JPEG without tables", "unreadable_image")
def _(chance: random.Random) -> bytes:
    data = saved(chance, "JPEG")
    at = data.index(b"\xff\xdb")
    return data[:at] + data[data.index(b"\xff\xda") :]


@hostile("JPEG of no width", "unreadable_image")
def _(chance: random.Random) -> bytes:
    data = bytearray(saved(chance, "JPEG"))
    at = next(data.index(start) for start in (b"\xff\xc0\0\x11", b"\xff\xc2\0\x11") if start in data)
    struct.pack_into(">HH", data, at + 5, *chance.choice(((0, 9), (9, 0), (0, 0))))
    return bytes(data)


@hostile("GIF without a picture", "unreadable_image")
def _(chance: random.Random) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HH", chance.randint(1, 99), 9)
        + b"\0\0\0"
        + b"!\xfe\1.\0" * chance.randint(0, 9)
        + b";"
    )


@hostile("WebP whose picture is called something else", "unreadable_image")
def _(chance: random.Random) -> bytes:
    data = bytearray(encoded(cutout(20, 20), "WEBP", lossless=True))
    data[12:16] = chance.choice((b"ALPH", b"ANMF", b"JUNK"))
    return bytes(data)


# Harmless files that look harmful


@hostile("polyglots", PROCESSED)
def _(chance: random.Random) -> bytes:
    tails = (b"PK\3\4", b"<?php system($_GET['c']); ?>", b"<script>alert(1)</script>", b"%PDF-1.7")
    return saved(chance, chance.choice(("JPEG", "PNG", "GIF", "AVIF"))) + chance.choice(tails) + chance.randbytes(99)


@hostile("scripts in comments", PROCESSED)
def _(chance: random.Random) -> bytes:
    return behind(
        saved(chance, "JPEG"), 2, segment(0xFE, b"<?php system($_GET['c']); ?>\n\x1b[31m" + chance.randbytes(20))
    )


@hostile("EXIF data of noise", PROCESSED)
def _(chance: random.Random) -> bytes:
    content = chance.choice((b"Exif\0\0MM\0*\0\0\0\x08", b"Exif\0\0II*\0\x08\0\0\0", b"Exif\0\0")) + chance.randbytes(
        200
    )
    return encoded(picture(chance), chance.choice(("JPEG", "WEBP")), exif=content)


@hostile("EXIF data that point at themselves", PROCESSED)
def _(chance: random.Random) -> bytes:
    tag = struct.pack(">HHII", chance.choice((0x8769, 0x8825, 0xA005, 0x14A)), 4, 1, 8)
    return encoded(picture(chance), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1" + tag + struct.pack(">I", 8))


@hostile("profiles of noise", PROCESSED)
def _(chance: random.Random) -> bytes:
    return encoded(picture(chance), chance.choice(("JPEG", "PNG", "WEBP")), icc_profile=chance.randbytes(3000))


@hostile("a colour profile whose tags overlap", PROCESSED)
def _(chance: random.Random) -> bytes:
    head = struct.pack(">I4sI4s4s4s", 400, b"lcms", 0x04000000, b"mntr", b"RGB ", b"XYZ ").ljust(36, b"\0") + b"acsp"
    tags = struct.pack(">I", 20) + struct.pack(">4sII", b"rXYZ", 128, chance.randint(0, 2**32 - 1)) * 20
    return encoded(picture(chance), "PNG", icc_profile=(head.ljust(128, b"\0") + tags).ljust(400, b"\0"))


@hostile("names of other formats in the wrong place", PROCESSED)
def _(chance: random.Random) -> bytes:
    text = chance.choice((b"transparency", b"icc_profile", b"exif", b"gamma", b"dpi", b"comment"))
    return behind(
        saved(chance, "PNG"), 33, png_chunk(b"tEXt", text + b"\0" + chance.randbytes(20).replace(b"\0", b"."))
    )


@hostile("a text that Pillow takes for the order of the rows", "unreadable_image")
def _(chance: random.Random) -> bytes:
    data = encoded(photo(chance.randint(30, 60), chance.randint(30, 60)), "PNG")
    return behind(data, 33, png_chunk(b"tEXt", b"interlace\0" + chance.randbytes(20).replace(b"\0", b".")))
