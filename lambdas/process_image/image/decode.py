"""Decoding: a file is recognised by its content, measured before it is decoded, and decoded once.

Only this module passes hostile data to decoders, and turns their errors into rejections.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any, Final, Literal

from PIL import ExifTags, Image, PngImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from process_image.image.colour import profile_of_primaries, to_plain_mode, to_srgb
from process_image.image.errors import (
    EmptyObjectError,
    RejectedImageError,
    TooComplexError,
    TooManyBytesError,
    TooManyFramesError,
    TooManyPixelsError,
    TooMuchMetadataError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from process_image.image.scaling import HEADROOM, scale
from process_image.image.structure import Structure, survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.ImageFile import ImageFile

    from process_image.image.geometry import Box, Size

try:
    from pillow_heif import HeifImageFile
except ImportError:  # an optional part (package.toml)
    HeifImageFile = None


class _StillWebP(WebPImageFile):
    """First frame of a WebP. After reading it, the memory of the decoder's two canvases is released."""

    def _get_next(self) -> tuple[bytes, int, int]:
        frame = super()._get_next()
        self._decoder = None
        return frame


class _StillAvif(AvifImageFile):
    """First frame of an AVIF. After reading it, the decoder's memory is released."""

    def load(self) -> Any:  # noqa: ANN401 - Pillow's access to pixels
        pixels = super().load()
        self._decoder = None
        return pixels


InputFormat = Literal["jpeg", "png", "webp", "gif", "avif", "heic"]

# The content of a file selects its only decoder. Pillow's forty other decoders cannot be reached.
_READERS: Final[dict[InputFormat, type[ImageFile]]] = {
    "jpeg": JpegImageFile,  # for an MPO, the first of its pictures
    "png": PngImagePlugin.PngImageFile,
    "webp": _StillWebP,
    "gif": GifImageFile,
    "avif": _StillAvif,
}
if HeifImageFile is not None:
    _READERS["heic"] = HeifImageFile
INPUT_FORMATS: Final = tuple(_READERS)

_BEGINNINGS: Final[dict[bytes, InputFormat]] = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
# Other common formats, which the rejection names.
_OTHERS: Final = {
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF-": "PDF",
    b"8BPS": "PSD",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
}
_BRANDS: Final[dict[InputFormat, set[bytes]]] = {
    "avif": {b"avif", b"avis"},
    "heic": {b"heic", b"heix", b"heim", b"heis"},
}

# Pillow itself refuses to open larger pictures of some formats.
MAX_PIXELS: Final = 178_956_970
# Limit of an unpacked profile or text in a PNG. Pillow's default is smaller than some printers' profiles.
MAX_METADATA_BYTES: Final = 16 * 1024 * 1024
PngImagePlugin.MAX_TEXT_CHUNK = MAX_METADATA_BYTES

_REPORTED_BY_DECODER: Final = (
    "AVIF",
    "HEIF",
)  # Pillow's names of formats whose decoders report the parts without decoding them
_PNG_BIT_DEPTH: Final = 24  # position of the byte with the bits per channel in a PNG
_LONGEST_FTYP: Final = 256  # bytes of an AVIF's first box to read

# How a picture is turned upright, by its EXIF orientation. From 5 on, width and height are swapped.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_SIDEWAYS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of an original. Each is at least 1.

    Attributes:
        max_bytes: Size of the file in bytes.
        max_frames: Number of pictures of an animation, although only the first is shown.
        max_metadata_bytes: Size of profile, EXIF data and texts in bytes, unpacked; up to `MAX_METADATA_BYTES`.
        max_pixels: Width times height, up to `MAX_PIXELS`.
        max_scan_megapixels: Millions of pixels times the scans of a JPEG. A progressive JPEG is decoded once for each
            scan.
    """

    max_bytes: int = 25 * 1024 * 1024
    max_frames: int = 2_000
    max_metadata_bytes: int = 4_000_000
    max_pixels: int = 24_000_000
    max_scan_megapixels: int = 2_000

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} must be at least 1, not {getattr(self, field.name)}")
        for name, most in (("max_pixels", MAX_PIXELS), ("max_metadata_bytes", MAX_METADATA_BYTES)):
            if getattr(self, name) > most:
                raise ValueError(f"{name} must be at most {most}, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Source:
    """An image file that is recognised and measured, but not decoded yet.

    Attributes:
        format: Format of the content.
        size: Width and height of the picture, as displayed.
        orientation: EXIF orientation of the stored picture.
        profile: ICC profile of the file, or of its primaries.
        bits: Bits per channel.
        image: Pillow's object for the file.
    """

    format: InputFormat
    size: Size
    orientation: int
    profile: bytes | None
    bits: int
    image: ImageFile


def open_source(data: bytes, limits: Limits) -> Source:
    """Recognise and measure an image file.

    Raises:
        RejectedImageError: The file is empty, too large, damaged, or not in a supported format.
    """
    if not data:
        raise EmptyObjectError
    if len(data) > limits.max_bytes:
        raise TooManyBytesError(len(data), limits.max_bytes)
    kind = recognise(data)
    if kind not in _READERS:
        raise UnsupportedFormatError(INPUT_FORMATS, "HEIC" if kind else _name(data))
    structure = survey(kind, data, limits.max_metadata_bytes)
    _check(structure, limits)
    with _rejecting_damage(kind):
        try:
            image = _READERS[kind](BytesIO(data))
        except Image.DecompressionBombError as error:
            raise TooManyPixelsError(limits.max_pixels) from error
        _check(_as_opened(structure, image), limits)
        if kind != "jpeg":  # a JPEG is decoded later, at a smaller size if possible
            image.load()
        orientation = _orientation(image)
        profile = _profile(kind, image, structure.primaries)
    return Source(
        format=kind,
        size=image.size[::-1] if orientation >= _FIRST_SIDEWAYS else image.size,
        orientation=orientation,
        profile=profile,
        bits=data[_PNG_BIT_DEPTH] if kind == "png" else 8,
        image=image,
    )


def read_picture(source: Source, size: Size) -> Image.Image:
    """Decode the whole picture, scaled down to a size, in sRGB and upright.

    Scaling comes first, so that fewer pixels are converted and turned. The source cannot be used again.

    Args:
        source: The result of `open_source`.
        size: Size of the result, at most `source.size`.

    Returns:
        An image in mode RGB or RGBA without metadata.

    Raises:
        RejectedImageError: The file is damaged or incomplete.
    """
    stored = size[::-1] if source.orientation >= _FIRST_SIDEWAYS else size
    image = source.image
    with _rejecting_damage(source.format):
        box: Box = (0, 0, *image.size)
        if isinstance(image, JpegImageFile):
            drafted = image.draft(None, (ceil(stored[0] * HEADROOM), ceil(stored[1] * HEADROOM)))
            if drafted:
                _, box = drafted
        image.load()
        plain = to_plain_mode(image, source.bits)
    if plain is not image:
        image.close()  # so that at most two are in memory
    picture = to_srgb(scale(plain, stored, box), source.profile)
    plain.close()
    if source.orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[source.orientation])
    # Profile, EXIF, comments: Pillow would write them into the derivatives.
    picture.info.clear()
    return picture


def recognise(data: bytes) -> InputFormat | None:
    """Return the format of a file from its first bytes, or None."""
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        # HEIC and AVIF may have the same major brand: the compatible brands after it decide.
        size = int.from_bytes(data[:4], "big")
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(size, _LONGEST_FTYP), 4))}
        for kind, own in _BRANDS.items():
            if brands & own:
                return kind
    return None


def _name(data: bytes) -> str | None:
    """Return the name of a common format that is not supported, or None."""
    return next((name for beginning, name in _OTHERS.items() if data.startswith(beginning)), None)


def _as_opened(structure: Structure, image: ImageFile) -> Structure:
    """Return the structure of a file after its decoder has opened it."""
    if image.format in _REPORTED_BY_DECODER:
        metadata = sum(len(image.info.get(name) or b"") for name in ("icc_profile", "exif", "xmp"))
        structure = Structure(frames=getattr(image, "n_frames", 1), metadata=metadata)
    return replace(structure, size=image.size)


def _check(structure: Structure, limits: Limits) -> None:
    if structure.metadata > limits.max_metadata_bytes:
        raise TooMuchMetadataError(limits.max_metadata_bytes)
    if structure.frames > limits.max_frames:
        raise TooManyFramesError(structure.frames, limits.max_frames)
    width, height = structure.size
    if width * height > limits.max_pixels:
        raise TooManyPixelsError(limits.max_pixels, structure.size)
    if structure.scans * width * height > limits.max_scan_megapixels * 1_000_000:
        raise TooComplexError(f"it has {width:,} x {height:,} pixels in {structure.scans:,} scans")


def _profile(kind: InputFormat, image: ImageFile, primaries: int | None) -> bytes | None:
    """Return the profile to use: a PNG's primaries precede its profile, an AVIF's profile precedes its primaries."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes):  # a text chunk of a PNG can have this name
        profile = None
    if primaries is None or (profile and kind != "png"):
        return profile
    return profile_of_primaries(primaries)


def _orientation(image: ImageFile) -> int:
    # Browsers use only EXIF data. Pillow would use XMP if there are none.
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)
    # Damaged EXIF data is not a reason to reject a picture.
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the parser raises many kinds of errors
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


@contextmanager
def _rejecting_damage(kind: str) -> Iterator[None]:
    """Turn every exception from decoding hostile data into a rejection, except for MemoryError.

    Pillow's decoders raise OSError, SyntaxError, ValueError, EOFError, struct.error, ZeroDivisionError and, because of
    errors in their code, any other exception. The same data would raise it again.
    """
    try:
        with warnings.catch_warnings():
            # Warnings about metadata: as errors they would reject readable pictures.
            warnings.simplefilter("ignore")
            yield
    except (RejectedImageError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableImageError(kind) from error
