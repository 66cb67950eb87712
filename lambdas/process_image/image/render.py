"""Rendering of all derivatives of an image: decoded once, each size scaled from the next larger one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from process_image.image.decode import open_source, read_picture
from process_image.image.encode import encode
from process_image.image.geometry import lay_out
from process_image.image.scaling import HEADROOM, scale
from process_image.image.watermark import add_watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from process_image.image.decode import Limits
    from process_image.image.geometry import Layout, Size
    from process_image.image.variants import Variant

# Encoders in parallel, each in its own thread: Pillow releases Python's lock meanwhile. Functions have up to six
# processors, most of them less than two.
_ENCODERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Measures of an image file.

    Attributes:
        bytes: Size of the file in bytes.
        width: Width in pixels, as displayed.
        height: Height in pixels, as displayed.
        format: jpeg, png, webp, gif or avif.
    """

    bytes: int
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """One derivative of an image.

    Attributes:
        variant: Name of the variant.
        data: Bytes of the file.
        width: Width in pixels.
        height: Height in pixels.
        content_type: Media type of the file.
    """

    variant: str
    data: bytes
    width: int
    height: int
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """An image's measures and its derivatives, in the order of the variants."""

    original: Original
    derivatives: tuple[Derivative, ...]


def render(
    data: bytes, variants: Sequence[Variant], limits: Limits, at: Callable[[str], None] | None = None
) -> Rendering:
    """Render all variants of an image.

    The same bytes, variants and limits give the same bytes. Derivatives contain only the file's (first) picture.

    Args:
        data: Bytes of an image file.
        variants: The variants, with the images of their watermarks loaded.
        limits: Limits of the file.
        at: Called at the beginning of each stage: `look`, `decode`, `scale`, and `encode`, which is the remaining
            encoding after all sizes are scaled.

    Returns:
        The image's measures and one derivative for each variant.

    Raises:
        RejectedImageError: The file cannot be rendered, now or later.
        InvalidVariantError: A variant's watermark cannot be read.
    """
    begin = at or (lambda _: None)
    begin("look")
    source = open_source(data, limits)
    width, height = source.size
    layouts = [lay_out(source.size, variant) for variant in variants]
    largest = max((layout.frame for layout in layouts), default=(1, 1))
    begin("decode")
    wholes = [read_picture(source, (min(largest[0], width), min(largest[1], height)))]
    derivatives: dict[int, Future[Derivative]] = {}
    begin("scale")
    with ThreadPoolExecutor(_ENCODERS) as encoders:
        for index in sorted(range(len(variants)), key=lambda index: layouts[index].frame, reverse=True):
            variant, layout = variants[index], layouts[index]
            picture = _show(_closest(wholes, layout.frame), layout)
            if picture.size == layout.frame and picture.size < wholes[-1].size:
                wholes.append(picture)
            finished = add_watermark(_put_on_canvas(picture, layout, variant), variant)
            derivatives[index] = encoders.submit(_finish, finished, variant)
        begin("encode")
        return Rendering(
            original=Original(bytes=len(data), width=width, height=height, format=source.format),
            derivatives=tuple(derivatives[index].result() for index in range(len(variants))),
        )


def _finish(picture: Image.Image, variant: Variant) -> Derivative:
    return Derivative(
        variant=variant.name,
        data=encode(picture, variant),
        width=picture.width,
        height=picture.height,
        content_type=variant.content_type,
    )


def _closest(wholes: Sequence[Image.Image], frame: Size) -> Image.Image:
    """Return the smallest whole picture of this size, or with enough more pixels for the same quality."""
    for whole in reversed(wholes):
        if whole.size == frame or (whole.width >= frame[0] * HEADROOM and whole.height >= frame[1] * HEADROOM):
            return whole
    return wholes[0]


def _show(whole: Image.Image, layout: Layout) -> Image.Image:
    """Crop and scale the visible part of a whole picture."""
    box = layout.cut(whole.size)
    if whole.size == layout.frame:
        left, top, right, bottom = map(round, box)
        return whole.crop((left, top, right, bottom))
    return scale(whole, layout.visible, box)


def _put_on_canvas(picture: Image.Image, layout: Layout, variant: Variant) -> Image.Image:
    """Put the background behind and around a picture, if any of it is visible."""
    transparent = picture.mode == "RGBA"
    opaque = variant.format == "jpeg" or variant.fit == "contain"
    if not (opaque and (transparent or picture.size != layout.canvas)):
        return picture
    canvas = Image.new("RGB", layout.canvas, variant.background)
    canvas.paste(picture, layout.offset, picture if transparent else None)
    return canvas
