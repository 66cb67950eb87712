"""Watermarks: a text or an image over a picture."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from process_image.image.decode import Limits, open_source, read_picture
from process_image.image.errors import InvalidVariantError, RejectedImageError
from process_image.image.geometry import place, scaled_into
from process_image.image.scaling import scale

if TYPE_CHECKING:
    from process_image.image.geometry import Size
    from process_image.image.variants import Variant, Watermark

# Limits of a watermark's image, which comes from the operator.
LIMITS: Final = Limits(max_bytes=10_000_000, max_pixels=25_000_000)

_FILL: Final = (255, 255, 255, 255)
_OUTLINE: Final = (0, 0, 0, 160)  # keeps white letters legible on a white background
_OUTLINE_WIDTH: Final = 0.04  # fraction of the letters' size
_SAMPLE_SIZE: Final = 100.0  # size of letters in pixels at which a text is measured
_SMALLEST_SIZE: Final = 24.0  # smaller letters are drawn at this size and scaled down


def add_watermark(picture: Image.Image, variant: Variant) -> Image.Image:
    """Put the variant's watermark, if there is one, over a picture of the variant's size.

    Args:
        picture: Picture in mode RGB or RGBA. It is not changed.
        variant: The variant.

    Returns:
        A new image, or the same one if there is no watermark.

    Raises:
        InvalidVariantError: The watermark's image cannot be read.
    """
    watermark = variant.watermark
    if watermark is None:
        return picture
    margin = round(watermark.margin * min(picture.size))
    width = min(round(watermark.scale * picture.width), picture.width - 2 * margin)
    height = picture.height - 2 * margin
    try:
        patch = draw(watermark, (max(1, width), max(1, height)))
    except RejectedImageError as rejection:
        # The watermark is the reason, not the uploaded image.
        raise InvalidVariantError(variant.name, "watermark.image", f"is not usable: {rejection}") from rejection
    position = place(patch.size, picture.size, watermark.position, margin)
    marked = picture.copy()
    if marked.mode == "RGBA":
        marked.alpha_composite(patch, position)
    else:
        marked.paste(patch, position, patch)
    return marked


@lru_cache(maxsize=32)
def draw(watermark: Watermark, box: Size) -> Image.Image:
    """Return a watermark that is as large as fits in a box. It is drawn once for each size of derivatives."""
    if watermark.text is not None:
        patch = _text_patch(watermark.text, box)
    elif isinstance(watermark.image, bytes):
        patch = _image_patch(watermark.image, box)
    else:
        raise TypeError(f"the watermark's image is not loaded: {watermark.image!r}")
    patch.putalpha(patch.getchannel("A").point(lambda alpha: alpha * watermark.opacity))
    return patch


def _text_patch(text: str, box: Size) -> Image.Image:
    sample = _write(text, _SAMPLE_SIZE)
    letters = _SAMPLE_SIZE * min(side / length for side, length in zip(box, sample.size, strict=True))
    # Letters have sizes in whole pixels, and small ones are not legible: scaling adjusts the size.
    patch = _write(text, max(letters, _SMALLEST_SIZE))
    return scale(patch, scaled_into(patch.size, box))


def _write(text: str, letters: float) -> Image.Image:
    """Return a text with letters of a size, on a transparent background and cropped to its ink."""
    font = ImageFont.load_default(letters)
    outline = _OUTLINE_WIDTH * letters
    draft = ImageDraw.Draw(Image.new("RGBA", (1, 1)))
    left, top, right, bottom = draft.textbbox((0, 0), text, font, stroke_width=outline)
    patch = Image.new("RGBA", (ceil(right - left), ceil(bottom - top)))
    ImageDraw.Draw(patch).text((-left, -top), text, _FILL, font, stroke_width=outline, stroke_fill=_OUTLINE)
    return patch.crop(patch.getbbox())


def _image_patch(data: bytes, box: Size) -> Image.Image:
    source = open_source(data, LIMITS)
    size = scaled_into(source.size, box)
    smaller = min(size[0], source.size[0]), min(size[1], source.size[1])
    picture = read_picture(source, smaller)
    return scale(picture, size).convert("RGBA")
