"""Boxes of an AVIF: its colours, and the sizes of its pictures.

The file's header may have other sizes, which only help to lay out a page. The decoder allocates memory for the size in
the AV1 sequence header of each picture: the image, its transparency, its gain map, every tile of a grid.

Boxes are specified in ISO/IEC 14496-12, sequence headers in the AV1 specification, 5.5. Contradictions are ignored,
because the decoder reports them. A frame can have another size than its sequence, although no known encoder of still
pictures writes such frames: the limits of the process apply to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from process_image.image.errors import TooComplexError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from process_image.image.geometry import Size

_SEQUENCE_HEADER: Final = 1  # type of an OBU, a part of an AV1 stream
_OBU_HAS_EXTENSION: Final = 4
_OBU_HAS_SIZE: Final = 2
_LONGEST_SEQUENCE_HEADER: Final = 512  # bytes, with all of 32 operating points
_FIRST_LEVEL_WITH_TIER: Final = 8
_LONGEST_LEB128: Final = 8  # bytes
_FIRST_LARGE_ILOC: Final = 2  # first version in which numbers of items have 32 bits
_FIRST_LARGE_INFE: Final = 3
_AV1: Final = int.from_bytes(b"av01", "big")

_TO_SAMPLES: Final = (b"mdia", b"minf", b"stbl")


def picture_sizes(data: bytes, parts: Iterator[int]) -> Iterator[Size]:
    """Yield width and height of every picture that may have to be decoded for the first frame.

    Args:
        data: Bytes of an AVIF file.
        parts: Counts the parts of the file, and raises if there are too many.

    Raises:
        TooComplexError: Its pictures repeat the same pieces too often.
    """
    for kind, start, end in _boxes(data, 0, len(data), parts):
        if kind == b"meta":
            pictures = _items(data, start + 4, end, parts)
        elif kind == b"moov":
            pictures = _first_samples(data, start, end, parts)
        else:
            continue
        for picture in pictures:
            yield from _sequence_sizes(picture, parts)


def primaries_named(data: bytes, parts: Iterator[int]) -> int | None:
    """Return the primaries in the `nclx` box of the first picture, by their number in ITU-T H.273."""
    places = [(b"", 0, len(data))]
    for kind, skipped in ((b"meta", 0), (b"iprp", 4), (b"ipco", 0), (b"colr", 0)):
        places = [
            found for _, start, end in places for found in _boxes(data, start + skipped, end, parts) if found[0] == kind
        ]
    named = (data[start + 4 : start + 6] for _, start, _ in places if data[start : start + 4] == b"nclx")
    return next((int.from_bytes(number, "big") for number in named), None)


def _boxes(data: bytes, start: int, end: int, parts: Iterator[int]) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box."""
    while start + 8 <= end:
        next(parts)
        size, kind, head = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = end - start
        yield kind, start + head, min(end, start + size)
        start += max(size, head)


def _items(data: bytes, start: int, end: int, parts: Iterator[int]) -> Iterator[memoryview]:
    """Yield the content of each AV1 item that a `meta` box lists."""
    inner = {kind: (start, end) for kind, start, end in _boxes(data, start, end, parts)}
    if not {b"iinf", b"iloc"} <= inner.keys():
        return
    pictures = set(_picture_numbers(data, *inner[b"iinf"], parts))
    numbers = _Numbers(data, *inner[b"iloc"])
    origins = {0: 0, 1: inner.get(b"idat", (0, 0))[0]}
    version = numbers.take(4) >> 24
    sizes = numbers.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    id_size = 4 if version >= _FIRST_LARGE_ILOC else 2
    whole, joined = memoryview(data), 0
    for _ in numbers.repeat(id_size):
        item = numbers.take(id_size)
        base = origins.get(numbers.take(2) & 15 if version else 0, 0)
        numbers.take(2)
        base += numbers.take(base_size)
        extents = []
        for _ in numbers.repeat(2):
            next(parts)
            numbers.take(index_size if version else 0)
            at = base + numbers.take(offset_size)
            extents.append(whole[at : at + numbers.take(length_size)])
        next(parts)
        if item not in pictures:
            continue
        if len(extents) > 1:
            joined += sum(map(len, extents))
            if joined > len(data):
                raise TooComplexError("its pictures are made of the same pieces many times over")
            extents = [memoryview(b"".join(extents))]
        yield from extents


def _picture_numbers(data: bytes, start: int, end: int, parts: Iterator[int]) -> Iterator[int]:
    """Yield the numbers of the AV1 items in an `iinf` box."""
    for _, *entry in _boxes(data, start + (8 if data[start : start + 1] > b"\0" else 6), end, parts):
        numbers = _Numbers(data, *entry)
        item = numbers.take(4 if numbers.take(4) >> 24 >= _FIRST_LARGE_INFE else 2)
        numbers.take(2)
        if numbers.take(4) == _AV1:
            yield item


def _first_samples(data: bytes, start: int, end: int, parts: Iterator[int]) -> Iterator[memoryview]:
    """Yield the first picture of each track in a `moov` box, the only one that is decoded."""
    for kind, track_start, track_end in _boxes(data, start, end, parts):
        if kind != b"trak":
            continue
        inside = (track_start, track_end)
        for name in _TO_SAMPLES:
            found = {kind: (start, end) for kind, start, end in _boxes(data, *inside, parts)}
            inside = found.get(name, (0, 0))
        tables = {kind: (start, end) for kind, start, end in _boxes(data, *inside, parts)}
        for name, width in ((b"stco", 4), (b"co64", 8)):
            if name in tables and b"stsz" in tables:
                chunks, sizes = (_Numbers(data, *tables[kind]) for kind in (name, b"stsz"))
                chunks.take(8)  # version and count
                sizes.take(4)
                at, size = chunks.take(width), sizes.take(4)
                if not size:  # each picture has its own size
                    sizes.take(4)
                    size = sizes.take(4)
                yield memoryview(data)[at : at + size]


def _sequence_sizes(picture: memoryview, parts: Iterator[int]) -> Iterator[Size]:
    at = 0
    while at < len(picture):
        next(parts)
        head = picture[at]
        at += 2 if head & _OBU_HAS_EXTENSION else 1
        size = len(picture) - at
        if head & _OBU_HAS_SIZE:
            size = 0
            for number, byte in enumerate(picture[at : at + _LONGEST_LEB128]):
                size |= (byte & 0x7F) << 7 * number
                at += 1
                if byte < 0x80:  # noqa: PLR2004 - the flag of one more byte
                    break
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _sequence_size(bytes(picture[at : at + min(size, _LONGEST_SEQUENCE_HEADER)]))
        at += size


def _sequence_size(header: bytes) -> Size:
    bits = _Bits(header)
    bits.take(4)  # profile and flag of a still picture
    if bits.take(1):  # a short header
        bits.take(5)
    else:
        delay_bits = 0
        if bits.take(1):  # timing
            bits.take(64)
            if bits.take(1):
                bits.take_uvlc()
            if bits.take(1):  # decoder model
                delay_bits = bits.take(5) + 1
                bits.take(42)
        display_delay = bits.take(1)
        for _ in range(bits.take(5) + 1):  # operating points
            bits.take(12)
            if bits.take(5) >= _FIRST_LEVEL_WITH_TIER:
                bits.take(1)
            if delay_bits and bits.take(1):
                bits.take(2 * delay_bits + 1)
            if display_delay and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


class _Numbers:
    """Whole numbers in a part of a file, one after another. After its end they are zero."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def take(self, size: int) -> int:
        self._at += size
        return int.from_bytes(self._data[self._at - size : min(self._at, self._end)], "big")

    def repeat(self, size: int) -> Iterator[int]:
        """Yield as many numbers as the next number says, but none after the end."""
        for number in range(self.take(size)):
            if self._at >= self._end:
                return
            yield number


class _Bits:
    """Numbers of some bits, one after another. After the end they are zero."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big") << 64
        self._left = 8 * len(data) + 64

    def take(self, count: int) -> int:
        self._left -= count
        return self._bits >> max(0, self._left) & (1 << count) - 1

    def take_uvlc(self) -> None:
        """Skip a number whose length is the number of zeros before it."""
        zeros = 0
        while self._left > 0 and not self.take(1):
            zeros += 1
        self.take(zeros)
