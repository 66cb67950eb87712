"""Encoding: the same pixels always give the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

# Imported because they register formats. If a format is missing, Pillow loads all of its plugins.
from PIL import AvifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

if TYPE_CHECKING:
    from PIL import Image

    from process_image.image.variants import OutputFormat, Variant

DEFAULT_QUALITY: Final[dict[OutputFormat, int | None]] = {"jpeg": 80, "png": None, "webp": 80, "avif": 60}

_OPTIONS: Final[dict[OutputFormat, dict[str, Any]]] = {
    "jpeg": {"optimize": True},
    "png": {"compress_level": 6},
    "webp": {"method": 4},
    # By default, the number of processors decides the number of tiles, and so the bytes.
    # At this speed an AVIF is faster than a WebP. The usual speed 6 takes twelve times as long for a sixth fewer bytes.
    "avif": {"speed": 10, "max_threads": 1, "autotiling": False},
}


def encode(picture: Image.Image, variant: Variant) -> bytes:
    """Return a picture as a file in the variant's format.

    Args:
        picture: Picture in mode RGB, or RGBA if the format is not JPEG. Its `info` must be empty.
        variant: The variant.
    """
    options = dict(_OPTIONS[variant.format])
    quality = variant.quality or DEFAULT_QUALITY[variant.format]
    if quality is not None:
        options["quality"] = quality
    file = BytesIO()
    picture.save(file, variant.format, **options)
    return file.getvalue()
