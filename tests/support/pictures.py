"""Images to test with, and ways to look at images that do not go through the code under test."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, ImageStat

if TYPE_CHECKING:
    from collections.abc import Iterator

LANCZOS = Image.Resampling.LANCZOS


def photo(width: int = 240, height: int = 160) -> Image.Image:
    """Return a picture with soft gradients, hard edges and no symmetry, so that every orientation looks different."""
    image = Image.merge(
        "RGB",
        (
            Image.linear_gradient("L").resize((width, height)),
            Image.linear_gradient("L").rotate(90).resize((width, height)),
            Image.radial_gradient("L").resize((width, height)),
        ),
    )
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(255, 0, 0))
    draw.rectangle((width * 3 // 4, 0, width, height // 8), fill=(0, 0, 255))
    draw.ellipse((width // 3, height // 2, width // 2, height * 4 // 5), fill=(255, 255, 0))
    return image


def cutout(width: int = 120, height: int = 80) -> Image.Image:
    """Return a red ellipse that fades out to the right, on a transparent background."""
    image = Image.new("RGBA", (width, height))
    ImageDraw.Draw(image).ellipse((width // 8, height // 8, width * 7 // 8, height * 7 // 8), fill="red")
    fading = Image.linear_gradient("L").rotate(-90).resize((width, height))
    image.putalpha(ImageChops.multiply(image.getchannel("A"), fading))
    return image


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def reference(data: bytes) -> Image.Image:
    """Return the picture in full size with plain Pillow: decode, turn, apply the profile."""
    image = ImageOps.exif_transpose(decoded(data))
    profile = image.info.get("icc_profile")
    if profile:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        image = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB").apply(image)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def difference(one: Image.Image, other: Image.Image) -> tuple[float, int]:
    """Return the mean and the largest difference of two pictures' channels, 0 to 255, on a background of magenta."""
    assert one.size == other.size
    flat = []
    for image in (one, other):
        behind = Image.new("RGBA", image.size, "magenta")
        flat.append(Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB"))
    change = ImageChops.difference(*flat)
    return sum(ImageStat.Stat(change).mean) / 3, max(change.tobytes())


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return tuple(int(channel) for channel in value)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *chunks: bytes) -> bytes:
    """Return a PNG that Pillow cannot write. Each row begins with its filter, 0."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *chunks,
            png_chunk(b"IDAT", zlib.compress(rows)),
            png_chunk(b"IEND", b""),
        )
    )


def png_chunks(data: bytes) -> Iterator[bytes]:
    """Yield the types of a PNG's chunks."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8]
        at += length + 12


def webp_chunks(data: bytes) -> Iterator[bytes]:
    """Yield the types of a WebP's chunks."""
    at = 12
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4]
        at += 8 + length + length % 2


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the markers of a JPEG up to its first scan, with their payloads."""
    at = 2
    while True:
        assert data[at] == 0xFF
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length
