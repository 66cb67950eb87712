"""From one image file to all of its derivatives: decoded once, each size scaled from the next larger one."""

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

# Encoders at work side by side, each in one thread of its own: Pillow lets go of Python meanwhile. Functions have
# up to six processors, most of them less than two.
_ENCODERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What an image file turned out to be.

    Attributes:
        bytes: Size of the file.
        width: Pixels, of the picture as it is to be seen.
        height: Pixels, of the picture as it is to be seen.
        format: jpeg, png, webp, gif or avif.
    """

    bytes: int
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """One variant of an image.

    Attributes:
        variant: The variant's name.
        data: The file.
        width: Pixels.
        height: Pixels.
        content_type: The file's media type.
    """

    variant: str
    data: bytes
    width: int
    height: int
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """An image and its derivatives, in the order of the variants."""

    original: Original
    derivatives: tuple[Derivative, ...]


def render(
    data: bytes, variants: Sequence[Variant], limits: Limits, at: Callable[[str], None] | None = None
) -> Rendering:
    """Make all variants of an image.

    The same bytes, variants and limits give the same bytes. Nothing of the file but its (first) picture gets
    into a derivative.

    Args:
        data: An image file, in whatever format.
        variants: What to make of it, each with its watermark's image loaded.
        limits: What it may measure.
        at: Told as each stage begins: `look`, `decode`, `scale`, and `encode`, which is what is left of encoding
            when all is scaled.

    Returns:
        The image's measures and one derivative for each variant.

    Raises:
        RejectedImageError: The file is no image that can be rendered; trying again would not help.
        InvalidVariantError: A variant's watermark cannot be read.
    """
    tell = at or (lambda _: None)
    tell("look")
    source = open_source(data, limits)
    width, height = source.size
    layouts = [lay_out(source.size, variant) for variant in variants]
    largest = max((layout.frame for layout in layouts), default=(1, 1))
    tell("decode")
    wholes = [read_picture(source, (min(largest[0], width), min(largest[1], height)))]
    derivatives: dict[int, Future[Derivative]] = {}
    tell("scale")
    with ThreadPoolExecutor(_ENCODERS) as encoders:
        for index in sorted(range(len(variants)), key=lambda index: layouts[index].frame, reverse=True):
            variant, layout = variants[index], layouts[index]
            picture = _show(_closest(wholes, layout.frame), layout)
            if picture.size == layout.frame and picture.size < wholes[-1].size:
                wholes.append(picture)
            finished = add_watermark(_put_on_canvas(picture, layout, variant), variant)
            derivatives[index] = encoders.submit(_finish, finished, variant)
        tell("encode")
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
    """Choose the smallest whole picture that has this size, or enough more pixels to lose nothing by it."""
    for whole in reversed(wholes):
        if whole.size == frame or (whole.width >= frame[0] * HEADROOM and whole.height >= frame[1] * HEADROOM):
            return whole
    return wholes[0]


def _show(whole: Image.Image, layout: Layout) -> Image.Image:
    """Cut out and scale what the layout shows of a whole picture."""
    box = layout.cut(whole.size)
    if whole.size == layout.frame:
        left, top, right, bottom = map(round, box)
        return whole.crop((left, top, right, bottom))
    return scale(whole, layout.visible, box)


def _put_on_canvas(picture: Image.Image, layout: Layout, variant: Variant) -> Image.Image:
    """Put the background behind and around a picture, where the variant shows any."""
    transparent = picture.mode == "RGBA"
    opaque = variant.format == "jpeg" or variant.fit == "contain"
    if not (opaque and (transparent or picture.size != layout.canvas)):
        return picture
    canvas = Image.new("RGB", layout.canvas, variant.background)
    canvas.paste(picture, layout.offset, picture if transparent else None)
    return canvas
