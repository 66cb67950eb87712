"""Pictures for the demo when the user gives none: drawn by Pillow, the same files every time."""

# ruff: noqa: S311 - the pictures need repeatable randomness

from __future__ import annotations

import hashlib
import io
import math
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Size = tuple[int, int]

ORIENTATION_TAG = 0x0112
TURNED_RIGHT = 6  # EXIF: turn a quarter clockwise to see it upright


def draw_pictures(directory: Path) -> list[Path]:
    """Draw the pictures that are missing in a folder; return all files in the order in which they are shown."""
    folder = directory / hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)

    def draw(name: str) -> Path:
        if not (folder / name).exists():
            data = PICTURES[name]()
            (folder / name).write_bytes(data)
        return folder / name

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow releases Python's lock while it computes
        return list(pool.map(draw, PICTURES))


def fractal(size: Size, rng: random.Random, cells: Size, octaves: int = 6) -> Image.Image:
    """Return grey clouds: soft noise with `cells` hills across and down, and finer noise on it."""
    total = Image.new("L", size)
    for octave in reversed(range(octaves)):
        columns, rows = cells[0] << octave, cells[1] << octave
        noise = Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))
        total = Image.blend(noise.resize(size, Image.Resampling.BICUBIC), total, 0.5 if octave < octaves - 1 else 0)
    return ImageOps.autocontrast(total)


def ramp(size: Size) -> Image.Image:
    """Return a gradient from black at the top to white at the bottom."""
    return Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)


def grained(picture: Image.Image) -> Image.Image:
    """Return a picture with fine grain, which hides the steps of its gradients."""
    rng = random.Random(picture.width)
    grain = Image.frombytes("L", picture.size, rng.randbytes(picture.width * picture.height))
    return Image.blend(picture, Image.merge("RGB", (grain, grain, grain)), 0.02)


def landscape(
    size: Size, seed: int, sky: tuple[str, str, str], ground: tuple[str, str], sun: tuple[float, float]
) -> Image.Image:
    """Return hills in front of a low sun at a place in parts of width and height."""
    rng = random.Random(seed)
    width, height = size
    clouds = Image.blend(ramp(size), fractal(size, rng, (3, 12)), 0.2)
    picture = ImageOps.colorize(clouds, sky[0], sky[2], sky[1], midpoint=110)
    for radius, tint in ((width // 2, "#b4643c"), (width // 16, "#fff0d0")):
        light = ImageOps.invert(Image.radial_gradient("L")).resize((2 * radius, 2 * radius))
        light = light.point(lambda value, radius=radius: max(value - 75, 0) * (12 if radius < width // 4 else 1))
        glow = Image.new("RGB", size)
        glow.paste(tint, (round(sun[0] * width) - radius, round(sun[1] * height) - radius), light)
        picture = ImageChops.screen(picture, glow)
    for layer in range(5):
        waves = [(rng.uniform(0.6, 1.4) * 2**k, rng.uniform(0, math.tau), 0.45**k) for k in range(7)]
        top = height * (0.56 + 0.09 * layer)
        line = [
            (x, top - height * 0.05 * sum(a * math.sin(math.tau * f * x / width + phase) for f, phase, a in waves))
            for x in range(0, width + 8, 8)
        ]
        hill = Image.new("L", size)
        ImageDraw.Draw(hill).polygon([*line, (width, height), (0, height)], fill=255)
        shade = Image.blend(fractal(size, rng, (2, 30 - 5 * layer), 4), ramp(size), 0.5)
        near = ImageOps.colorize(shade, ground[0], ground[1])
        picture.paste(ImageChops.multiply(near, Image.new("RGB", size, (250 - 45 * layer,) * 3)), mask=hill)
    return grained(picture)


def stone(seed: int, dark: str, middle: str, bright: str) -> Image.Image:
    """Return a cut stone: a palette repeated over clouds."""
    clouds = fractal((1920, 1280), random.Random(seed), (3, 2), 4)
    bands = clouds.point(lambda value: round(127.5 - 127.5 * math.cos(value / 255 * math.tau * 4)))
    return grained(ImageOps.colorize(bands, dark, bright, middle, midpoint=140))


def agate() -> Image.Image:
    """Return a cut agate."""
    return stone(21, "#0a1e30", "#208c92", "#faf0dc")


def _file(picture: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def _dunes() -> bytes:
    sky = ("#261842", "#d65c52", "#ffd6a0")
    return _file(landscape((3000, 2000), 1, sky, ("#5a2030", "#f0a070"), (0.66, 0.5)), "JPEG", quality=92)


def _held_upright() -> bytes:
    """Return a file as a camera held upright stores it: turned, with the EXIF tag that turns it back."""
    sky = ("#18204e", "#5c4280", "#ffa460")
    upright = landscape((1800, 2400), 8, sky, ("#0e1436", "#5a6ea0"), (0.5, 0.52))
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_RIGHT
    return _file(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=91, exif=exif)


def _torn() -> bytes:
    """Return half of a file, as an interrupted transfer leaves it."""
    whole = _file(agate(), "JPEG", quality=90)
    return whole[: len(whole) // 2]


PICTURES: Mapping[str, Callable[[], bytes]] = {
    "dunes at dusk.jpg": _dunes,
    "hills at dawn.webp": lambda: _file(
        landscape((2400, 1600), 3, ("#7fa6c9", "#c9c3d6", "#ffdcb4"), ("#243c30", "#c8d29a"), (0.3, 0.48)), "WEBP"
    ),
    "sunset, held upright.jpg": _held_upright,
    "agate.png": lambda: _file(agate(), "PNG"),
    "malachite.avif": lambda: _file(stone(34, "#06281c", "#1f9a63", "#b9e8c4"), "AVIF", quality=75, speed=8),
    "torn off half-way.jpg": _torn,
}
