"""Metadata for pictures: orientation, EXIF and colour profiles."""

from __future__ import annotations

import struct

from PIL import Image

# D50-adapted primaries of sRGB (X, Y, Z), as ICC profiles of displays hold them.
RED, GREEN, BLUE = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)


def with_orientation(upright: Image.Image, orientation: int) -> Image.Image:
    """Return an upright picture as a camera in this orientation stores it: a viewer reverses the transformation."""
    stored_as = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return upright if stored_as is None else upright.transpose(stored_as)


def exif(orientation: int, secret: str = "") -> bytes:
    """Return EXIF data with an orientation, a comment and a place."""
    data = Image.Exif()
    data[0x0112] = orientation
    if secret:
        data[0x010E] = secret
        data[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    return data.tobytes()


def rgb_profile(
    red: tuple[float, float, float] = RED,
    green: tuple[float, float, float] = GREEN,
    blue: tuple[float, float, float] = BLUE,
    gamma: float = 2.2,
) -> bytes:
    """Return an ICC profile of a display with these primaries."""
    curve = _curve(gamma)
    return _profile(
        b"mntr",
        b"RGB ",
        b"XYZ ",
        {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
        | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    )


def grey_profile(gamma: float) -> bytes:
    """Return an ICC profile of a grey display."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """Return an ICC profile of an unusual printer: more black is lighter, other inks have no effect."""
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
