"""From pixels to a file's bytes: the same pixels always become the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

# Imported for what they register: where a format is missing, Pillow loads all the plugins it has.
from PIL import AvifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

if TYPE_CHECKING:
    from PIL import Image

    from process_image.image.variants import OutputFormat, Variant

DEFAULT_QUALITY: Final[dict[OutputFormat, int | None]] = {"jpeg": 80, "png": None, "webp": 80, "avif": 60}

_OPTIONS: Final[dict[OutputFormat, dict[str, Any]]] = {
    "jpeg": {"optimize": True},
    "png": {"compress_level": 6},
    "webp": {"method": 4},
    # Left alone, the number of processors decides on the tiles, and so on the bytes.
    # At this speed it takes less time than a WebP; at 6, the usual one, twelve times as long for a sixth fewer bytes.
    "avif": {"speed": 10, "max_threads": 1, "autotiling": False},
}


def encode(picture: Image.Image, variant: Variant) -> bytes:
    """Write a picture in the variant's format.

    Args:
        picture: In mode RGB, or, except for a JPEG, RGBA. Its `info` must be empty.
        variant: The variant.
    """
    options = dict(_OPTIONS[variant.format])
    quality = variant.quality or DEFAULT_QUALITY[variant.format]
    if quality is not None:
        options["quality"] = quality
    file = BytesIO()
    picture.save(file, variant.format, **options)
    return file.getvalue()
