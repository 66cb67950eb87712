"""Photographs for tests: those of the folder that DARKROOM_CORPUS names, or, where there is none, drawn ones."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.metadata import exif, with_orientation

ORIENTATIONS = range(1, 9)
ORIENTATION_TAG = 0x0112


@dataclass(frozen=True)
class Photograph:
    """An image file and what it shows: `size` is that of the picture as it is to be seen, in pixels."""

    name: str
    data: bytes
    size: tuple[int, int]
    format: str


def corpus() -> Path | None:
    """Return the folder of real photographs; None without one."""
    folder = os.environ.get("DARKROOM_CORPUS")
    return Path(folder) if folder and Path(folder).is_dir() else None


def draw(size: tuple[int, int] = (800, 600), hue: int = 0) -> Image.Image:
    """Return a picture with four different corners, so that a wrong orientation is visible."""
    width, height = size
    red = Image.linear_gradient("L").resize(size)
    green = Image.linear_gradient("L").rotate(90).resize(size)
    picture = Image.merge("RGB", (red, green, Image.new("L", size, hue)))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, width // 4, height // 4), fill="white")
    pen.ellipse((width // 2, height // 2, width - 1, height - 1), fill="navy")
    return picture


def encode(picture: Image.Image, image_format: str = "JPEG", **options: object) -> bytes:
    """Return the picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def oriented(orientation: int) -> Photograph:
    """Return a photograph stored in one of EXIF's eight orientations."""
    folder = corpus()
    if folder:
        data = (folder / "photos" / "orientation" / f"landscape_{orientation}.jpg").read_bytes()
        return Photograph(f"landscape_{orientation}.jpg", data, (600, 450), "jpeg")
    stored = with_orientation(draw((600, 450)), orientation)
    data = encode(stored, "JPEG", quality=92, exif=exif(orientation))
    return Photograph(f"drawn_{orientation}.jpg", data, (600, 450), "jpeg")


def in_each_format() -> list[Photograph]:
    """Return the same picture, a real one if available, in every format that can be uploaded."""
    folder = corpus()
    if folder:
        with Image.open(folder / "photos" / "orientation" / "landscape_1.jpg") as photograph:
            picture = photograph.convert("RGB").resize((900, 600))
    else:
        picture = draw((900, 600))
    files = {
        "jpeg": encode(picture, "JPEG", quality=92),
        "png": encode(picture, "PNG"),
        "webp": encode(picture, "WEBP", quality=90),
        "gif": encode(picture, "GIF"),
        "avif": encode(picture, "AVIF", quality=80),
    }
    return [Photograph(f"picture.{name}", data, (900, 600), name) for name, data in files.items()]


def from_cameras() -> list[Photograph]:
    """Return real photographs of several cameras, or drawn ones."""
    folder = corpus()
    if folder is None:
        return [
            Photograph(f"drawn_{hue}.jpg", encode(draw((1600, 1200), hue)), (1600, 1200), "jpeg")
            for hue in (0, 120, 240)
        ]
    found = []
    for file in sorted((folder / "photos" / "camera").glob("*.jpg")):
        with Image.open(file) as image:
            turned = image.getexif().get(ORIENTATION_TAG, 1) >= 5
            size = (image.height, image.width) if turned else image.size
        found.append(Photograph(file.name, file.read_bytes(), size, "jpeg"))
    return found
