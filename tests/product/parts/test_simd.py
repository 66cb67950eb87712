"""The optional part `simd`: the same pictures, sooner."""

from __future__ import annotations

import platform
import sys
from typing import Any

import pytest
from PIL import Image

from benchmarks.metadata import exif, rgb_profile
from process_image.image import Limits, Variant, Watermark, render, scaling
from process_image.isolation import Budget, run
from tests.support.pictures import LANCZOS, cutout, decoded, difference, encoded, photo

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the part `simd` has wheels for x86_64 only"
)

# Of 255, as `scale` promises.
MEAN_TOLERANCE = 0.15
TOLERANCE = 32


def as_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "simd", None)


def test_simd_resizer_is_used() -> None:
    assert vars(scaling)["simd"] is sys.modules["cykooz_resizer"]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((300, 200), None),
        ((160, 110), None),
        ((1500, 1000), None),
        ((299, 200), (10.5, 20.25, 800.75, 590.0)),
        ((900, 600), (0, 0, 899, 599)),
    ],
)
def test_pixels_are_those_of_pillow_s_lanczos(
    mode: str, size: tuple[int, int], box: tuple[float, float, float, float] | None
) -> None:
    image = (cutout(900, 600) if "A" in mode else photo(900, 600)).convert(mode)
    scaled = scaling.scale(image, size, box)
    assert (scaled.mode, scaled.size) == (mode, size)
    mean, largest = difference(scaled, image.resize(size, LANCZOS, box))
    assert mean <= MEAN_TOLERANCE
    assert largest <= TOLERANCE


def test_derivatives_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    variants = [
        Variant(name="thumb", width=256, height=256, format="png"),
        Variant(name="web", width=1024, height=1024, format="png", watermark=Watermark(text="Darkroom")),
        Variant(name="card", width=300, height=300, fit="cover", format="png"),
    ]
    for data in (
        encoded(photo(2400, 1600), "JPEG", quality=92),
        encoded(photo(1200, 1600), "JPEG", exif=exif(6), icc_profile=rgb_profile(gamma=1.8)),
        encoded(cutout(1200, 800), "PNG"),
    ):
        by_vectors = render(data, variants, Limits())
        with monkeypatch.context() as context:
            as_stock(context)
            stock = render(data, variants, Limits())
        for one, other in zip(by_vectors.derivatives, stock.derivatives, strict=True):
            mean, largest = difference(decoded(one.data), decoded(other.data))
            assert mean <= 2 * MEAN_TOLERANCE  # scaled twice, and by stock with blocks averaged first
            assert largest <= TOLERANCE


@pytest.mark.parametrize(("width", "height"), [(24_000_000, 1), (1, 4_000_000)])
def test_a_line_of_millions_of_pixels(width: int, height: int) -> None:
    """Vectors do not get to see it: their library aborts the process over it."""
    data = encoded(Image.new("L", (width, height), 70), "PNG")
    derivative = run(lambda: render(data, [Variant(name="v", width=256, height=256)], Limits()), Budget()).result()
    assert (derivative.original.width, derivative.original.height) == (width, height)


@pytest.mark.parametrize(("size", "by_vectors"), [((150, 100), True), ((151, 50), False), ((50, 101), False)])
def test_averaging_of_blocks_is_as_fast_with_pillow(
    size: tuple[int, int], by_vectors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = photo(600, 599)
    called: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(image: Image.Image, size: tuple[int, int], *given: Any) -> Image.Image:
        called.append(size)
        return resize(image, size, *given)

    monkeypatch.setattr(Image.Image, "resize", watched)
    assert scaling.scale(image, size).size == size
    assert called == ([] if by_vectors else [size])


def test_the_same_bytes_come_out_every_time() -> None:
    data = encoded(photo(900, 600), "JPEG")
    variants = [Variant(name="v", width=400), Variant(name="w", width=100, format="webp")]
    assert render(data, variants, Limits()) == render(data, variants, Limits())


def test_an_image_of_one_pixel() -> None:
    dot = Image.new("RGB", (1, 1), "teal")
    assert scaling.scale(dot, (5, 5)).getcolors() == [(25, (0, 128, 128))]
