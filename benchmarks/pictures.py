"""The originals: generated for each run, always the same, from real photographs if available.

DARKROOM_CORPUS is a folder of photographs. Without it, or with `--quick`, pictures are generated whose detail decreases
with its size as in nature, because the work of an encoder depends on that.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from benchmarks.metadata import exif, rgb_profile, with_orientation
from benchmarks.work import WATERMARK_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

BICUBIC = Image.Resampling.BICUBIC

# D50-adapted primaries of Display P3 (X, Y, Z).
P3 = (0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)

LARGE_ENOUGH = 2_000_000  # pixels of a photograph
SIZES = {"2 MP": (1600, 1200), "12 MP": (4000, 3000), "48 MP": (8000, 6000)}
LARGEST = (6000, 4000)  # as many pixels as the pipeline accepts
PAPER = "photos/special/alpha-premultiply-2048x1536-paper.png"


@dataclass(frozen=True, slots=True)
class Original:
    """One original.

    Attributes:
        name: In tables.
        path: Path of the file.
        size: Width and height of the picture as it is to be seen.
        format: As Pillow calls it, in small letters.
    """

    name: str
    path: Path
    size: tuple[int, int]
    format: str


def photographs() -> list[Path]:
    """Return photographs of at least 2 MP, the largest first; none without a corpus."""
    folder = os.environ.get("DARKROOM_CORPUS")
    if not folder:
        return []
    sizes = {path: _pixels(path) for path in Path(folder, "photos", "camera").glob("*.jpg")}
    return sorted(
        (path for path, size in sizes.items() if size >= LARGE_ENOUGH), key=lambda path: (-sizes[path], path.name)
    )


def make_originals(folder: Path, *, quick: bool = False) -> list[Original]:
    """Write the originals into a folder; with `quick` only two small ones."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = [] if quick else [_upright(path) for path in photographs()]

    def picture(size: tuple[int, int]) -> Image.Image:
        return mosaic(photos, size) if photos else generated(size)

    if quick:
        small = picture((800, 600))
        return [
            _write(folder, "small JPEG", small, "jpeg", quality=90),
            _write(folder, "small PNG", small, "png"),
        ]
    twelve = picture(SIZES["12 MP"])
    turned = with_orientation(twelve, 6)
    return [
        _write(folder, "2 MP", twelve.resize(SIZES["2 MP"], Image.Resampling.LANCZOS), "jpeg", quality=90),
        _write(folder, "12 MP", twelve, "jpeg", quality=90),
        _write(folder, "48 MP", picture(SIZES["48 MP"]), "jpeg", quality=90),
        _write(folder, "12 MP, EXIF 6, P3", turned, "jpeg", quality=90, exif=exif(6), icc_profile=rgb_profile(*P3)),
        _write(folder, "12 MP progressive", twelve, "jpeg", quality=90, progressive=True),
        _write(folder, "12 MP PNG", twelve, "png"),
        _write(folder, "PNG with alpha", transparent(), "png"),
    ]


def make_largest(folder: Path) -> list[Original]:
    """Write a picture of 24 megapixels in every format that is read, and in the ways that take the most memory.

    Enlarged from a few pixels, as no file may have more than 25 MB: memory depends on their number alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = generated((600, 400)).resize(LARGEST, BICUBIC)
    cut_out = picture.copy()
    cut_out.putalpha(picture.getchannel("R"))
    palette = picture.quantize(16)
    return [
        _write(folder, "JPEG", picture, "jpeg", quality=90),
        _write(folder, "JPEG, progressive, 4:4:4", picture, "jpeg", quality=90, progressive=True, subsampling=0),
        _write(folder, "JPEG, CMYK", picture.convert("CMYK"), "jpeg", quality=90),
        _write(folder, "PNG", picture, "png", compress_level=1),
        _write(folder, "PNG with alpha", cut_out, "png", compress_level=1),
        _write(folder, "PNG, palette with transparency", palette, "png", transparency=3),
        _write(folder, "PNG, 16 bit grey", picture.convert("L").convert("I;16"), "png", compress_level=1),
        _write(folder, "GIF with transparency", palette, "gif", transparency=3),
        _write(folder, "WebP", picture, "webp", method=0),
        _write(folder, "WebP with alpha", cut_out, "webp", method=0),
        _write(folder, "WebP, lossless, with alpha", cut_out, "webp", method=0, lossless=True),
        _write(folder, "AVIF", picture, "avif", speed=10),
        _write(folder, "AVIF with alpha", cut_out, "avif", speed=10),
    ]


def samples() -> dict[str, Image.Image]:
    """Return pictures to compare encoders with: each photograph, or three generated ones."""
    found = {path.stem: _upright(path) for path in photographs()}
    return found or {f"generated {seed}": generated((1600, 1200), seed) for seed in range(1, 4)}


def make_watermark(path: Path) -> Path:
    """Write a semi-transparent image, as wide as a quarter of the derivative that it is laid over."""
    image = Image.new("RGBA", WATERMARK_SIZE)
    ImageDraw.Draw(image).text(
        (WATERMARK_SIZE[0] / 2, WATERMARK_SIZE[1] / 2),
        "Darkroom",
        (255, 255, 255, 128),
        ImageFont.load_default(48),
        anchor="mm",
        stroke_width=2,
        stroke_fill=(0, 0, 0, 80),
    )
    image.save(path)
    return path


def mosaic(photos: Sequence[Image.Image], size: tuple[int, int]) -> Image.Image:
    """Lay photographs side by side, each pixel as the camera made it, until a size is filled."""
    canvas = Image.new("RGB", size)
    top, turn = 0, 0
    while top < size[1]:
        left, heights = 0, []
        while left < size[0]:
            # The same photograph is mirrored when its turn comes again.
            photo = photos[turn % len(photos)]
            canvas.paste(ImageOps.mirror(photo) if turn // len(photos) % 2 else photo, (left, top))
            left, turn = left + photo.width, turn + 1
            heights.append(photo.height)
        top += min(heights)
    return canvas


def generated(size: tuple[int, int], seed: int = 4) -> Image.Image:
    """Return noise of all sizes, each half as strong as the one twice as large, with a few hard edges."""
    chance = random.Random(seed)  # noqa: S311 - the same picture every time
    bands = []
    for _ in range(3):
        band = Image.new("L", size, 128)
        cell, weight = max(size) // 4, 0.5
        while cell >= 1:
            grid = (size[0] // cell + 2, size[1] // cell + 2)
            noise = Image.frombytes("L", grid, chance.randbytes(grid[0] * grid[1]))
            band = Image.blend(band, noise.resize(size, BICUBIC), weight)
            cell, weight = cell // 4, weight * 0.45
        bands.append(band)
    picture = Image.merge("RGB", bands)
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, reach = chance.randrange(size[0]), chance.randrange(size[1]), chance.randrange(max(size) // 6)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline="black", width=max(1, reach // 20))
    return picture


def transparent() -> Image.Image:
    """Return a picture with soft edges on a transparent background, 2,048 x 1,536 pixels."""
    folder = os.environ.get("DARKROOM_CORPUS")
    if folder:
        with Image.open(Path(folder, PAPER)) as image:
            return image.convert("RGBA")
    picture = generated((2048, 1536)).convert("RGBA")
    shape = Image.new("L", picture.size)
    ImageDraw.Draw(shape).ellipse((100, 80, 1950, 1460), fill=255)
    shape = shape.filter(ImageFilter.GaussianBlur(20))
    picture.putalpha(ImageChops.multiply(shape, generated(picture.size, seed=5).getchannel("R").point(_brighter)))
    return picture


def _brighter(level: int) -> int:
    return min(255, 100 + level)


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height


def _upright(path: Path) -> Image.Image:
    image = ImageOps.exif_transpose(Image.open(BytesIO(path.read_bytes())))
    return image.convert("RGB")


def _write(folder: Path, name: str, image: Image.Image, kind: str, **options: Any) -> Original:  # noqa: ANN401
    path = folder / f"{re.sub('[^A-Za-z0-9]+', '-', name)}.{kind}"
    image.info.clear()
    image.save(path, kind, **options)
    upright = image.size[::-1] if "exif" in options else image.size
    return Original(name, path, upright, kind)
