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

# D50-adapted primaries of sRGB (X, Y, Z), as ICC profiles of displays hold them.
RED, GREEN, BLUE = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)


def photo(width: int = 240, height: int = 160) -> Image.Image:
    """A picture with soft gradients, hard edges and no symmetry: every way to turn it looks different."""
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
    """A red ellipse that fades out towards the right, on nothing."""
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
    """The picture in full size by the plainest way that Pillow has: decode, turn, apply the profile."""
    image = ImageOps.exif_transpose(decoded(data))
    profile = image.info.get("icc_profile")
    if profile:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        image = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB").apply(image)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def difference(one: Image.Image, other: Image.Image) -> tuple[float, int]:
    """The mean and the largest difference of two pictures' channels, 0 to 255, on a background of magenta."""
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


def with_orientation(upright: Image.Image, orientation: int) -> Image.Image:
    """Store a picture the way a camera held so does: what has to be undone to see it upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return upright if undo is None else upright.transpose(undo)


def exif(orientation: int, secret: str = "") -> bytes:
    """EXIF data with an orientation, a comment and a place."""
    data = Image.Exif()
    data[0x0112] = orientation
    if secret:
        data[0x010E] = secret
        data[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return data.tobytes()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG made by hand, for what Pillow does not write. Each row begins with its filter, 0."""
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
    """The kinds of a PNG's chunks."""
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8]
        at += length + 12


def webp_chunks(data: bytes) -> Iterator[bytes]:
    """The kinds of a WebP's chunks."""
    at = 12
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4]
        at += 8 + length + length % 2


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers of a JPEG up to its first scan, with their payloads."""
    at = 2
    while True:
        assert data[at] == 0xFF
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length


def rgb_profile(
    red: tuple[float, float, float] = RED,
    green: tuple[float, float, float] = GREEN,
    blue: tuple[float, float, float] = BLUE,
    gamma: float = 2.2,
) -> bytes:
    """An ICC profile of a display with these primaries."""
    curve = _curve(gamma)
    return _profile(
        b"mntr",
        b"RGB ",
        b"XYZ ",
        {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
        | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    )


def grey_profile(gamma: float) -> bytes:
    """An ICC profile of a grey display."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """An ICC profile of an odd printer: the more black, the lighter it gets; other inks do nothing."""
    straight = bytes(range(256))
    grid = b"".join(bytes((255 if corner & 1 else 0, 128, 128)) for corner in range(16))  # L, a, b; black is last
    matrix = b"".join(struct.pack(">i", 65536 if row == column else 0) for row in range(3) for column in range(3))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + straight * 4 + grid + straight * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = (0.9642, 1.0, 0.8249)
    text = b"made for a test\0"
    tags = tags | {
        b"wtpt": _xyz(white),
        b"cprt": b"text" + bytes(4) + text,
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
    }
    index, body, start = [], b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        index.append(name + struct.pack(">II", start + len(body), len(content)))
        body += content + bytes(-len(content) % 4)
    table = struct.pack(">I", len(tags)) + b"".join(index) + body
    header = struct.pack(">I4sI4s4s4s", 128 + len(table), bytes(4), 0x02400000, device, space, connection)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header = header.ljust(68, b"\0") + _xyz(white)[8:]
    return header.ljust(128, b"\0") + table
