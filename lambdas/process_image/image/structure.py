"""Structure of a file, read from its parts before and without a decoder.

A decoder handles each part as it comes. The cost of thousands of parts, of unpacking a text or of another pass over the
pixels is known here first.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from process_image.image.avif import picture_sizes, primaries_named
from process_image.image.errors import TooComplexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from process_image.image.geometry import Size

# Segments, chunks or blocks: more than any camera or program writes, and few enough for every decoder.
MOST_PARTS: Final = 20_000
# The pieces of an ICC profile are numbered by a byte. Pillow joins those of EXIF data one by one and copies all of them
# each time, so the time is proportional to the square of their number.
MOST_JPEG_PIECES: Final = 255

# In a scan, 0xFF is followed by a zero or by the number of a restart, or repeated as padding. Followed by less than
# 0xC0 it does not begin a segment: a decoder in a scan skips only these two bytes, and ignores any length after them.
_JPEG_MARKER: Final = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_START_OF_IMAGE: Final = 0xD8

_PNG_TEXTS: Final = (b"tEXt", b"zTXt", b"iTXt")
_STEP: Final = 64 * 1024  # bytes to unpack at once
_PNG_PACKED: Final = (b"iCCP", b"zTXt", b"iTXt")

_GIF_EXTENSION: Final = 0x21
_GIF_IMAGE: Final = 0x2C
_GIF_END: Final = 0x3B
_GIF_COLOURS: Final = 0x80  # the flag of a colour table

_WEBP_METADATA: Final = (b"ICCP", b"EXIF", b"XMP ")


@dataclass(frozen=True, slots=True)
class Structure:
    """Measures in the parts of a file.

    Attributes:
        scans: Number of passes over the pixels. For an AVIF: number of pictures that form the visible one.
        frames: Number of pictures of an animation.
        metadata: Size of profiles, EXIF data and texts in bytes, unpacked.
        size: Width and height. For an AVIF: those of its largest picture. (0, 0) if only the decoder reads them,
            which it does without allocating memory for pixels.
        primaries: Number of the file's primaries in ITU-T H.273, or None.
    """

    scans: int = 1
    frames: int = 1
    metadata: int = 0
    size: Size = (0, 0)
    primaries: int | None = None


def survey(kind: str, data: bytes, most_metadata: int) -> Structure:
    """Return the structure of a file. Contradictions are ignored, because the decoder reports them.

    Args:
        kind: Format of the content. HEIC is skipped: its decoder checks sizes before it decodes.
        data: Bytes of the file.
        most_metadata: Limit of metadata in bytes, above which nothing is unpacked.

    Raises:
        TooComplexError: The file has more than `MOST_PARTS` parts.
    """
    reader = _READERS.get(kind)
    return reader(data, most_metadata) if reader else Structure()


def _survey_jpeg(data: bytes, _: int) -> Structure:
    scans = pieces = metadata = 0
    at = 2
    for _ in _parts():
        found = _JPEG_MARKER.search(data, at)
        if found is None or found[1][0] == _END_OF_IMAGE:
            break
        at = found.end()
        if found[1][0] == _START_OF_IMAGE:
            continue
        length = max(2, int.from_bytes(data[at : at + 2], "big"))
        if found[1][0] == _START_OF_SCAN:
            scans += 1
        elif data.startswith((b"Exif\0\0", b"ICC_PROFILE\0"), at + 2):
            pieces, metadata = pieces + 1, metadata + length
            if pieces > MOST_JPEG_PIECES:
                raise TooComplexError(f"its metadata are in more than {MOST_JPEG_PIECES} pieces")
        at += length
    return Structure(scans=scans, metadata=metadata)


def _survey_png(data: bytes, most_metadata: int) -> Structure:
    frames, metadata = 1, 0
    primaries = None
    at = 8
    for _ in _parts():
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if not kind or kind == b"IEND":
            break
        if kind == b"acTL":
            frames = int.from_bytes(data[at + 8 : at + 12], "big")
        elif kind == b"cICP" and length:
            primaries = next(iter(data[at + 8 : at + 9]), None)
        elif kind in _PNG_TEXTS or kind in (b"iCCP", b"eXIf"):
            content = data[at + 8 : at + 8 + length]
            unpacked = _unpacked(kind, content, most_metadata - metadata) if kind in _PNG_PACKED else 0
            metadata += max(len(content), unpacked)
        at += length + 12
    return Structure(frames=frames, metadata=metadata, primaries=primaries)


def _unpacked(kind: bytes, content: bytes, most: int) -> int:
    """Return the unpacked size of a chunk's content, or somewhat more than `most`."""
    _, _, packed = content.partition(b"\0")  # after the name or the keyword
    if kind == b"iTXt":
        flag, (_, _, packed) = packed[:1], packed[2:].partition(b"\0")  # after the language
        _, _, packed = packed.partition(b"\0")  # after the translated keyword
        if flag != b"\1":
            return 0
    else:
        packed = packed[1:]
    unpacker, size = zlib.decompressobj(), 0
    for at in range(0, len(packed), _STEP):
        piece = packed[at : at + _STEP]
        while piece and size <= most and not unpacker.eof:
            try:
                size += len(unpacker.decompress(piece, _STEP))
            except zlib.error:  # the content until then is unpacked already
                return size + _STEP
            piece = unpacker.unconsumed_tail
    return size


def _survey_gif(data: bytes, _: int) -> Structure:
    frames = 0
    at = 13 + _colours(data, 10)
    for _ in (parts := _parts()):
        kind = data[at] if at < len(data) else _GIF_END
        if kind == _GIF_END:
            break
        if kind == _GIF_EXTENSION:
            at += 2
            while at < len(data) and data[at]:
                at += data[at] + 1
                next(parts)
        elif kind == _GIF_IMAGE:
            frames += 1
            at += 11 + _colours(data, at + 9)
            while at < len(data) and data[at]:
                at += data[at] + 1
        at += 1
    return Structure(frames=max(1, frames))


def _colours(data: bytes, at: int) -> int:
    """Return the size in bytes of the colour table, from the flags at a position."""
    flags = data[at] if at < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & _GIF_COLOURS else 0


def _survey_webp(data: bytes, _: int) -> Structure:
    frames = metadata = 0
    at = 12
    for _ in _parts():
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if not kind:
            break
        if kind == b"ANMF":
            frames += 1
        elif kind in _WEBP_METADATA:
            metadata += length
        at += 8 + length + length % 2
    return Structure(frames=max(1, frames), metadata=metadata, size=_webp_size(data))


def _webp_size(data: bytes) -> Size:
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return 0, 0


def _survey_avif(data: bytes, _: int) -> Structure:
    sizes = list(picture_sizes(data, _parts()))
    return Structure(
        scans=len(sizes),
        size=max(sizes, key=lambda size: size[0] * size[1], default=(0, 0)),
        primaries=primaries_named(data, _parts()),
    )


def _parts() -> Iterator[int]:
    """Count the parts of a file, up to the limit."""
    yield from range(MOST_PARTS)
    raise TooComplexError(f"it has more than {MOST_PARTS:,} parts")


_READERS: Final[Mapping[str, Callable[[bytes, int], Structure]]] = {
    "jpeg": _survey_jpeg,
    "png": _survey_png,
    "gif": _survey_gif,
    "webp": _survey_webp,
    "avif": _survey_avif,
}
