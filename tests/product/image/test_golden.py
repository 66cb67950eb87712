"""Derivatives match golden pictures, which a person has reviewed. Colours are compared as people see them.

Where one differs, build/golden/ gets the picture as it is now and, brightened, what differs. A change that is meant
is accepted by moving the new picture into golden/ here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageCms, ImageFilter, ImageStat

from benchmarks.metadata import exif, rgb_profile, with_orientation
from process_image.image import Limits, Variant, Watermark, render
from scripts import ROOT
from tests.support.pictures import cutout, decoded, encoded, photo

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
RESULTS = ROOT / "build" / "golden"

# Colour differences (CIE 76): one is visible in a direct comparison, ten immediately.
MEAN_TOLERANCE, LARGEST_TOLERANCE = 0.5, 10.0

LOGO = encoded(cutout(60, 40), "PNG")
PHOTO = encoded(photo(600, 400), "JPEG", quality=92)
CASES = {
    "inside": (PHOTO, Variant(name="v", width=96, height=96)),
    "cover-text": (
        PHOTO,
        Variant(name="v", width=96, height=96, fit="cover", watermark=Watermark(text="© Dark", scale=0.8)),
    ),
    "contain-image": (
        PHOTO,
        Variant(
            name="v",
            width=96,
            height=96,
            fit="contain",
            background="#203040",
            watermark=Watermark(image=LOGO, scale=0.5, opacity=0.8, position="top-left"),
        ),
    ),
    "transparent-webp": (encoded(cutout(300, 200), "PNG"), Variant(name="v", width=96, format="webp", quality=90)),
    "avif": (PHOTO, Variant(name="v", width=96, format="avif", quality=80)),
    "upright-wide-gamut": (
        encoded(
            with_orientation(photo(300, 200), 6), "JPEG", quality=92, exif=exif(6), icc_profile=rgb_profile(gamma=1.4)
        ),
        Variant(name="v", width=96, format="png"),
    ),
    "cmyk": (encoded(photo(300, 200).convert("CMYK"), "JPEG", quality=92), Variant(name="v", width=96, format="png")),
    "palette": (encoded(photo(300, 200).quantize(8), "GIF", transparency=2), Variant(name="v", width=96)),
}

_SRGB = ImageCms.createProfile("sRGB")
_TO_LAB = ImageCms.buildTransform(_SRGB, ImageCms.createProfile("LAB"), "RGB", "LAB")


def distance(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Return the mean and the largest difference of colours, after a slight blur."""
    (l1, a1, b1), (l2, a2, b2) = (list(_channels(image)) for image in (one, other))
    differences = [
        ((100 / 255 * (l1[at] - l2[at])) ** 2 + (a1[at] - a2[at]) ** 2 + (b1[at] - b2[at]) ** 2) ** 0.5
        for at in range(len(l1))
    ]
    return sum(differences) / len(differences), max(differences)


def _seen(image: Image.Image) -> Image.Image:
    """Return the picture on a background."""
    behind = Image.new("RGBA", image.size, "magenta")
    return Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")


def _channels(image: Image.Image) -> Iterator[list[int]]:
    blurred = _seen(image).filter(ImageFilter.GaussianBlur(0.7))
    for channel in _TO_LAB.apply(blurred).split():  # a and b are neutral at 128
        yield list(channel.tobytes())


@pytest.mark.parametrize("case", CASES)
def test_pictures_match_the_golden_ones(case: str) -> None:
    data, variant = CASES[case]
    picture = decoded(render(data, [variant], Limits()).derivatives[0].data)
    file = GOLDEN / f"{case}.png"
    golden = decoded(file.read_bytes()) if file.exists() else Image.new("RGB", (1, 1))
    mean, largest = distance(picture, golden) if picture.size == golden.size else (float("inf"), float("inf"))
    if mean > MEAN_TOLERANCE or largest > LARGEST_TOLERANCE:
        RESULTS.mkdir(parents=True, exist_ok=True)
        picture.save(RESULTS / f"{case}.png", optimize=True)
        if picture.size == golden.size:
            change = ImageChops.difference(_seen(picture), _seen(golden))
            change.point(lambda value: min(255, value * 8)).save(RESULTS / f"{case}-difference.png")
        pytest.fail(f"{case} differs by {mean:.2f} on average and {largest:.1f} at most: see {RESULTS}")


def test_golden_comparison_finds_differences() -> None:
    picture = decoded(PHOTO).resize((96, 64))
    assert distance(picture, picture) == (0, 0)
    for other in (
        picture.point(lambda value: min(255, value + 6)),
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        ImageChops.offset(picture, 1, 0),
        Image.merge("RGB", picture.split()[::-1]),
    ):
        mean, largest = distance(picture, other)
        assert mean > MEAN_TOLERANCE or largest > LARGEST_TOLERANCE


def test_golden_pictures_are_small_and_used() -> None:
    files = {file.stem: file.stat().st_size for file in GOLDEN.iterdir()}
    assert files.keys() == CASES.keys()
    assert max(files.values()) < 20_000
    assert all(ImageStat.Stat(decoded((GOLDEN / f"{name}.png").read_bytes())).stddev[0] > 5 for name in files)
