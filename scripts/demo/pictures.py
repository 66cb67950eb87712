"""The pictures that the demo shows when it is given none: drawn, the same ones every time, with Pillow alone.

Brightness is drawn as floating-point images, 0 to 1, and becomes colour at the very end, with grain: smooth skies
would show bands else.
"""

# ruff: noqa: S311 - randomness that is the same every time is what the pictures want

from __future__ import annotations

import hashlib
import io
import math
import os
import random
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageMath

if TYPE_CHECKING:
    from collections.abc import Callable

Size = tuple[int, int]
Colour = tuple[int, int, int]
Stops = tuple[tuple[float, Colour], ...]

ORIENTATION_TAG = 0x0112
TURNED_RIGHT = 6  # EXIF: to be turned a quarter clockwise in order to be seen upright

BLACK = (0, 0, 0)


@dataclass(frozen=True)
class Picture:
    """A file to draw: its name and how its bytes are made."""

    name: str
    make: Callable[[], bytes]


def draw_pictures(directory: Path) -> list[Path]:
    """Draw what is not there yet; gives the files in the order in which they are shown."""
    folder = directory / hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)

    def draw(picture: Picture) -> Path:
        path = folder / picture.name
        if not path.exists():
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(picture.make())
            unfinished.replace(path)
        return path

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow computes outside of Python's lock
        return list(pool.map(draw, PICTURES))


# Brightness


def ramp(size: Size, *, exponent: float = 1) -> Image.Image:
    """From 0 at the top to 1 at the bottom."""
    column = Image.new("F", (1, 512))
    column.putdata([(y / 511) ** exponent for y in range(512)])
    return column.resize(size, Image.Resampling.BICUBIC)


def noise(size: Size, rng: random.Random, cells: Size) -> Image.Image:
    """Soft random brightness, with so many hills side by side and one above the other."""
    columns, rows = cells
    grid = Image.frombytes("L", cells, rng.randbytes(columns * rows)).convert("F")
    return _compute(lambda of: of["grid"] / 255.0, grid=grid).resize(size, Image.Resampling.BICUBIC)


def fractal(size: Size, rng: random.Random, cells: Size, octaves: int = 6) -> Image.Image:
    """Clouds, rock, ink: noise upon finer noise."""
    small = (math.ceil(size[0] / 2), math.ceil(size[1] / 2))  # a quarter of the work, and nobody sees it
    total, weight, whole = Image.new("F", small), 0.5, 0.0
    for octave in range(octaves):
        finer = noise(small, rng, (cells[0] << octave, cells[1] << octave))
        total = _add(total, finer, weight)
        whole += weight
        weight /= 2
    return _compute(lambda of: of["total"] / whole, total=total).resize(size, Image.Resampling.BICUBIC)


def _add(one: Image.Image, other: Image.Image, weight: float) -> Image.Image:
    return _compute(lambda of: of["one"] + of["other"] * weight, one=one, other=other)


def glow(size: Size, centre: tuple[float, float], radius: float, *, sharpness: float = 1) -> Image.Image:
    """A light at a place given in parts of width and height; 1 in its middle, a third of that at its radius."""
    side = 257
    small = Image.new("F", (side, side))
    middle = side // 2
    small.putdata(
        [
            math.exp(-(((math.hypot(x - middle, y - middle) * 4 / middle) ** 2) ** sharpness))
            for y in range(side)
            for x in range(side)
        ]
    )
    reach = round(radius * 4)
    light = Image.new("F", size)
    x, y = round(centre[0] * size[0]), round(centre[1] * size[1])
    light.paste(small.resize((2 * reach, 2 * reach), Image.Resampling.BICUBIC), (x - reach, y - reach))
    return light


def ridge(size: Size, rng: random.Random, height: float, *, roughness: float, swell: float) -> Image.Image:
    """A mask of what lies below a skyline: `height` and `swell` in parts of the picture's height."""
    waves = [(rng.uniform(0.6, 1.4) * (2**k), rng.uniform(0, math.tau), roughness**k) for k in range(9)]
    whole = sum(amplitude for _, _, amplitude in waves)
    width, tall = size[0] * 2, size[1] * 2  # drawn twice as large, for smooth edges
    line = []
    for x in range(0, width + 8, 8):
        lift = sum(a * math.sin(math.pi * 2 * f * x / width + phase) for f, phase, a in waves) / whole
        line.append((x, tall * (height - swell * lift)))
    mask = Image.new("L", (width, tall))
    ImageDraw.Draw(mask).polygon([*line, (width, tall), (0, tall)], fill=255)
    return mask.reduce(2)


# Colour


def colour(brightness: Image.Image, palette: Stops, grain: float = 1.5) -> Image.Image:
    """Brightness as colour, through a palette of places from 0 to 1; `grain` in steps of 255."""
    rng = random.Random(brightness.width)
    tile = Image.frombytes("L", (512, 512), rng.randbytes(512 * 512)).convert("F")
    dust = Image.new("F", brightness.size)
    for x in range(0, dust.width, 512):
        for y in range(0, dust.height, 512):
            dust.paste(tile, (x, y))
    grained = _compute(
        lambda of: of["brightness"] * 255.0 + (of["dust"] / 255.0 - 0.5) * (2 * grain) + 0.5,
        brightness=brightness,
        dust=dust,
    ).convert("L")
    return Image.merge("RGB", [grained.point(_curve(palette, channel)) for channel in range(3)])


def _curve(palette: Stops, channel: int) -> list[int]:
    values = []
    for step in range(256):
        at = step / 255
        after = next((i for i, (place, _) in enumerate(palette) if place >= at), len(palette) - 1)
        before = max(after - 1, 0)
        (low, start), (high, end) = palette[before], palette[after]
        part = (at - low) / (high - low) if high > low else 0
        values.append(round(start[channel] + (end[channel] - start[channel]) * min(max(part, 0), 1)))
    return values


def _compute(expression: Callable[[dict[str, Any]], Any], **images: Image.Image) -> Image.Image:
    return cast("Image.Image", ImageMath.lambda_eval(expression, **images))


def _expose(picture: Image.Image, light: Image.Image, tint: Colour) -> Image.Image:
    """Add light of one colour, as a second exposure would."""
    return ImageChops.screen(picture, colour(light, ((0, BLACK), (1, tint)), grain=0.7))


def _tinted(layer: Image.Image, top: Colour, bottom: Colour) -> Image.Image:
    return colour(layer, ((0, top), (1, bottom)))


# The pictures


def dunes() -> Image.Image:
    """Dunes, one behind the other, before a low sun."""
    size, rng = (3000, 2000), random.Random(1)
    sky: Stops = (
        (0.0, (38, 24, 66)),
        (0.28, (112, 44, 92)),
        (0.5, (214, 92, 82)),
        (0.66, (249, 158, 98)),
        (0.8, (255, 214, 160)),
        (1.0, (255, 236, 200)),
    )
    clouds = fractal(size, rng, (3, 14), 5)
    depth = _compute(lambda of: of["ramp"] * 1.45 + (of["clouds"] - 0.5) * 0.22, ramp=ramp(size), clouds=clouds)
    picture = colour(depth, sky)
    sun = (0.66, 0.47)
    picture = _expose(picture, glow(size, sun, 620), (255, 150, 80))
    picture = _expose(picture, glow(size, sun, 118, sharpness=9), (255, 250, 225))
    far, near = ((236, 138, 104), (30, 14, 34)), 6
    for layer in range(near):
        part = layer / (near - 1)
        mask = ridge(size, rng, 0.56 + 0.40 * part**1.15, roughness=0.42, swell=0.085)
        ripples = fractal(size, rng, (2, 40 - 5 * layer), 4)
        shade = _compute(
            lambda of: of["ramp"] * 0.75 + (of["ripples"] - 0.5) * 0.5 + 0.12, ramp=ramp(size), ripples=ripples
        )
        lit = _mix(far[0], far[1], part)
        picture.paste(
            _tinted(shade, _mix(lit, (255, 196, 140), 0.35 * (1 - part)), _mix(lit, (20, 8, 28), 0.7)), mask=mask
        )
    return picture


def _mix(one: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def aurora() -> Image.Image:
    """Northern lights over a lake."""
    size, rng = (2700, 1800), random.Random(5)
    width, shore = size[0], 1180
    above = (width, shore)
    sky = colour(ramp(above), ((0, (4, 7, 22)), (0.6, (8, 22, 46)), (1, (22, 58, 78))))
    stars = Image.new("L", above)
    pen = ImageDraw.Draw(stars)
    for _ in range(1500):
        x, y, bright = rng.randrange(width), rng.randrange(shore), rng.randrange(60, 255)
        pen.ellipse((x, y, x + bright // 110, y + bright // 110), fill=bright)
    sky = ImageChops.screen(sky, Image.merge("RGB", (stars, stars, stars)))
    for tint, height, seed in (((40, 255, 150), 0.62, 11), ((70, 190, 255), 0.48, 12), ((196, 80, 255), 0.40, 13)):
        sky = _expose(sky, _curtain(above, random.Random(seed), height), tint)
    for height, tone in ((0.93, (10, 24, 38)), (0.985, (3, 8, 16))):
        mask = ridge(above, rng, height, roughness=0.62, swell=0.14)
        sky.paste(tone, mask=mask)
    picture = Image.new("RGB", size)
    picture.paste(sky)
    water = sky.transpose(Image.Transpose.FLIP_TOP_BOTTOM).crop((0, 0, width, size[1] - shore))
    water = water.resize((width // 24, water.height), Image.Resampling.BOX).resize(water.size, Image.Resampling.BICUBIC)
    ripples = colour(fractal(water.size, rng, (4, 90), 3), ((0, (90, 100, 110)), (1, (235, 240, 245))))
    picture.paste(ImageChops.multiply(water, ripples), (0, shore))
    return picture


def _curtain(size: Size, rng: random.Random, height: float) -> Image.Image:
    """Light that hangs from the sky in folds: bright at its lower hem, fading upwards."""
    width, tall = size
    small = (width // 3, tall // 3)
    folds, slow = _row(noise((small[0], 1), rng, (90, 1))), _row(noise((small[0], 1), rng, (5, 1)))
    hem = [small[1] * (height + 0.5 * (lift - 0.5)) for lift in _row(fractal((small[0], 1), rng, (3, 1), 4))]
    bright = [0.6 * fold + 0.7 * long for fold, long in zip(folds, slow, strict=True)]
    light = Image.new("F", small)
    pixels = []
    for y in range(light.height):
        for x in range(light.width):
            over = (hem[x] - y) / light.height
            pixels.append(bright[x] ** 2 * (math.exp(-over * 4.2) if over > 0 else math.exp(over * 60)) * 0.8)
    light.putdata(pixels)
    return light.resize(size, Image.Resampling.BICUBIC)


def _row(brightness: Image.Image) -> array[float]:
    return array("f", brightness.tobytes())


def sea() -> Image.Image:
    """The sun sets into the sea; upright."""
    size, rng = (1800, 2400), random.Random(8)
    width, horizon = size[0], 1330
    above, below = (width, horizon), (width, size[1] - horizon)
    clouds = fractal(above, rng, (2, 9), 6)
    depth = _compute(
        lambda of: of["ramp"] + (of["clouds"] - 0.5) * 0.55 * (1.15 - of["ramp"]), ramp=ramp(above), clouds=clouds
    )
    sky = colour(
        depth,
        (
            (0, (24, 32, 78)),
            (0.35, (92, 66, 128)),
            (0.62, (216, 104, 112)),
            (0.82, (255, 164, 96)),
            (1, (255, 222, 140)),
        ),
    )
    sun = (0.5, 0.985)
    sky = _expose(sky, glow(above, sun, 520), (255, 140, 60))
    sky = _expose(sky, glow(above, sun, 150, sharpness=10), (255, 248, 214))
    waves = _in_perspective(fractal((2400, 2400), rng, (24, 110), 5), below)
    far = ramp(below, exponent=0.7)
    water = colour(
        _compute(lambda of: of["far"] * 0.72 + (of["waves"] - 0.5) * 0.42 + 0.1, far=far, waves=waves),
        ((0, (255, 176, 112)), (0.25, (206, 106, 112)), (0.55, (84, 60, 112)), (1, (14, 20, 54))),
    )
    glitter = _compute(lambda of: of["path"] * (of["waves"] * 3.4 - 1.45), path=_streak(below), waves=waves)
    water = _expose(water, glitter, (255, 226, 160))
    picture = Image.new("RGB", size)
    picture.paste(sky)
    picture.paste(water, (0, horizon))
    return picture


def _streak(size: Size) -> Image.Image:
    """The sun's way over the water: narrow at the horizon, wide at the shore."""
    small = Image.new("F", (180, 120))
    small.putdata(
        [
            math.exp(-((((x - 90) / 90) / (0.14 + 0.30 * y / 120)) ** 2)) * (1 - 0.45 * y / 120)
            for y in range(120)
            for x in range(180)
        ]
    )
    return small.resize(size, Image.Resampling.BICUBIC)


def _in_perspective(surface: Image.Image, size: Size) -> Image.Image:
    """A surface seen from a little above, from the horizon at the top of `size` to the near shore at its bottom."""
    nearness = 6  # how many times larger the nearest wave looks than the farthest
    grow, scale = (nearness - 1) / size[1], surface.width / size[0]
    return surface.transform(
        size,
        Image.Transform.PERSPECTIVE,
        (
            *(scale, surface.width / 2 * grow, 0),
            *(0, surface.height * grow * nearness / (nearness - 1), 0),
            *(0, grow),
        ),
        Image.Resampling.BICUBIC,
    )


def agate() -> Image.Image:
    """A cut stone: bands of one brightness after the other, through a palette that repeats."""
    size, rng = (1920, 1280), random.Random(21)
    stone = fractal(size, rng, (3, 2), 5)
    veins = fractal(size, rng, (7, 5), 4)
    bands = _compute(lambda of: of["stone"] * 5.2 + of["veins"] * 0.9, stone=stone, veins=veins)
    cycle = _compute(lambda of: of["bands"] - of["whole"], bands=bands, whole=bands.convert("I").convert("F"))
    return colour(
        cycle,
        (
            (0.0, (10, 30, 48)),
            (0.16, (13, 70, 92)),
            (0.34, (32, 140, 146)),
            (0.5, (188, 224, 208)),
            (0.56, (250, 240, 220)),
            (0.6, (226, 176, 92)),
            (0.66, (148, 82, 44)),
            (0.8, (58, 24, 44)),
            (1.0, (10, 30, 48)),
        ),
        grain=0.5,
    )


def lights() -> Image.Image:
    """The lights of a city at night, out of focus."""
    size, rng = (2400, 1600), random.Random(34)
    picture = colour(ramp(size), ((0, (6, 7, 20)), (0.55, (22, 14, 40)), (1, (10, 6, 16))))
    tints = ((255, 120, 60), (255, 190, 110), (255, 80, 100), (90, 170, 255), (170, 110, 255), (255, 230, 190))
    for blur, largest in ((24, 1.25), (8, 0.8), (3, 0.8)):
        layer = Image.new("RGB", size)
        for _ in range(46):
            radius = rng.randrange(36, 150) * largest
            x, y = rng.gauss(0.5, 0.27) * size[0], rng.gauss(0.60, 0.13) * size[1]
            layer = _disc(layer, (x, y), radius, rng.choice(tints), rng.uniform(0.12, 0.5))
        picture = ImageChops.screen(picture, layer.filter(ImageFilter.GaussianBlur(blur)))
    return picture


def _disc(layer: Image.Image, centre: tuple[float, float], radius: float, tint: Colour, strength: float) -> Image.Image:
    side = round(radius) * 2 + 4
    box = (round(centre[0]) - side // 2, round(centre[1]) - side // 2)
    disc = Image.new("L", (side * 2, side * 2))
    pen = ImageDraw.Draw(disc)
    edge = side * 2 - 4
    pen.ellipse((4, 4, edge, edge), fill=round(255 * strength))
    pen.ellipse((4, 4, edge, edge), outline=round(255 * min(strength * 1.5, 1)), width=max(side // 14, 3))
    disc = disc.reduce(2)
    region = layer.crop((*box, box[0] + side, box[1] + side))
    lit = Image.merge("RGB", [disc.point(lambda value, part=part: value * part // 255) for part in tint])
    layer.paste(ImageChops.screen(region, lit), box)
    return layer


# The files


def _file(picture: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def _stored_sideways(picture: Image.Image) -> bytes:
    """As a camera held upright stores it: its rows are columns, and EXIF says so."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_RIGHT
    return _file(picture.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=91, exif=exif)


def _torn() -> bytes:
    """A file whose transfer broke off half-way."""
    whole = _file(agate(), "JPEG", quality=90)
    return whole[: len(whole) // 2]


PICTURES = (
    Picture("dunes at dusk.jpg", lambda: _file(dunes(), "JPEG", quality=92)),
    Picture("northern lights.webp", lambda: _file(aurora(), "WEBP", quality=90, method=2)),
    Picture("sunset, held upright.jpg", lambda: _stored_sideways(sea())),
    Picture("agate.png", lambda: _file(agate(), "PNG")),
    Picture("city at night.avif", lambda: _file(lights(), "AVIF", quality=75, speed=8)),
    Picture("torn off half-way.jpg", _torn),
)
