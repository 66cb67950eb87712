from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops

from benchmarks.metadata import exif, rgb_profile
from process_image.image import InvalidVariantError, Limits, Variant, Watermark, render
from process_image.image.variants import POSITIONS
from process_image.image.watermark import LIMITS as WATERMARK_LIMITS
from process_image.image.watermark import draw
from tests.support.pictures import LANCZOS, cutout, decoded, difference, encoded, photo, pixel

if TYPE_CHECKING:
    from process_image.image.variants import Position

LIMITS = Limits(max_bytes=10_000_000, max_pixels=10_000_000)
RED_SQUARE = encoded(Image.new("RGB", (30, 30), "red"), "PNG")
GREY = encoded(Image.new("RGB", (400, 300), (100, 100, 100)), "PNG")


def marked(watermark: Watermark | None, data: bytes = GREY, **variant: Any) -> Image.Image:
    wanted = Variant(name="v", watermark=watermark, **{"width": 400, "format": "png", **variant})
    return decoded(render(data, [wanted], LIMITS).derivatives[0].data)


def mark_box(watermark: Watermark, data: bytes = GREY, **variant: Any) -> tuple[int, int, int, int]:
    """Return the box in which a watermark changes the picture (left, top, right, bottom)."""
    change = ImageChops.difference(marked(watermark, data, **variant), marked(None, data, **variant))
    box = change.convert("RGB").getbbox()
    assert box
    return box


@pytest.mark.parametrize(
    ("position", "corner"),
    [
        ("top-left", (15, 15)),
        ("top", (160, 15)),
        ("top-right", (305, 15)),
        ("left", (15, 110)),
        ("center", (160, 110)),
        ("right", (305, 110)),
        ("bottom-left", (15, 205)),
        ("bottom", (160, 205)),
        ("bottom-right", (305, 205)),
    ],
)
def test_image_watermark_is_at_its_position(position: Position, corner: tuple[int, int]) -> None:
    # 0.2 of the width 400 are 80; 0.05 of the shorter side 300 are 15.
    watermark = Watermark(image=RED_SQUARE, position=position, scale=0.2, opacity=1, margin=0.05)
    left, top = corner
    assert mark_box(watermark) == (left, top, left + 80, top + 80)
    assert pixel(marked(watermark), left + 40, top + 40) == (255, 0, 0)


@pytest.mark.parametrize("position", POSITIONS)
def test_text_stays_between_the_margins(position: Position) -> None:
    left, top, right, bottom = mark_box(Watermark(text="© Darkroom", position=position, margin=0.1, opacity=1))
    assert 30 <= left < right <= 370
    assert 30 <= top < bottom <= 270


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("width", [64, 200, 400])
def test_scale_is_a_fraction_of_the_width(scale: float, width: int) -> None:
    for watermark in (
        Watermark(text="© Darkroom", scale=scale, opacity=1),
        Watermark(image=RED_SQUARE, scale=scale * 0.7, opacity=1),
    ):
        left, _, right, _ = mark_box(watermark, width=width)
        assert right - left == pytest.approx(watermark.scale * width, abs=2)


def test_watermark_shrinks_to_fit() -> None:
    banner = encoded(Image.new("RGB", (400, 40), (100, 100, 100)), "PNG")
    for watermark in (Watermark(text="Darkroom", scale=1), Watermark(image=RED_SQUARE, scale=1)):
        left, top, right, bottom = mark_box(watermark, banner)
        assert left >= 1
        assert top >= 1
        assert right <= 399
        assert bottom <= 39
        assert bottom - top >= 30


def test_watermark_fits_between_the_margins() -> None:
    square = encoded(Image.new("RGB", (400, 400), (100, 100, 100)), "PNG")
    for watermark in (
        Watermark(text="Darkroom", scale=1, margin=0.1),
        Watermark(image=RED_SQUARE, scale=1, margin=0.1),
    ):
        left, top, right, bottom = mark_box(watermark, square)
        assert (left, right) == (40, 360)
        assert top >= 40
        assert bottom <= 360


def test_small_text_resembles_a_large_one() -> None:
    watermark = Watermark(text="Darkroom", opacity=1)
    small = draw(watermark, (20, 20))
    large = draw(watermark, (600, 600)).resize(small.size, LANCZOS)
    assert difference(small, large)[0] <= 10


def test_opacity_is_the_watermarks_share() -> None:
    for opacity, red, others in ((1.0, 255, 0), (0.5, 178, 50), (0.25, 139, 75)):
        box = Watermark(image=RED_SQUARE, position="center", opacity=opacity)
        assert pixel(marked(box), 200, 150) == pytest.approx((red, others, others), abs=1)


def test_zero_opacity_changes_nothing() -> None:
    assert difference(marked(Watermark(text="Darkroom", opacity=0)), marked(None)) == (0, 0)


def test_watermark_keeps_its_transparency() -> None:
    watermark = Watermark(image=encoded(cutout(), "PNG"), position="center", scale=0.3, opacity=0.5)
    picture = marked(watermark)
    assert pixel(picture, 141, 111) == (100, 100, 100)  # an empty corner of the watermark
    patch = Image.new("RGBA", (120, 80))
    patch.paste(cutout())
    patch.putalpha(patch.getchannel("A").point(lambda alpha: alpha * 0.5))
    expected = Image.new("RGBA", (400, 300), (100, 100, 100))
    expected.alpha_composite(patch, (140, 110))
    assert difference(picture, expected)[1] <= 1


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128)])
def test_text_is_legible_on_any_background(colour: tuple[int, int, int]) -> None:
    ground = encoded(Image.new("RGB", (400, 300), colour), "PNG")
    change = ImageChops.difference(marked(Watermark(text="Darkroom"), ground), marked(None, ground))
    assert max(change.tobytes()) >= 60


def test_watermark_on_a_transparent_picture() -> None:
    picture = marked(
        Watermark(image=RED_SQUARE, position="top-left", opacity=0.5, margin=0),
        encoded(cutout(), "PNG"),
        width=120,
    )
    assert picture.mode == "RGBA"
    assert pixel(picture, 2, 2) == pytest.approx((255, 0, 0, 128), abs=1)
    assert pixel(picture, 118, 78)[3] == 0


def test_watermark_is_placed_on_the_canvas() -> None:
    box = mark_box(
        Watermark(image=RED_SQUARE, position="top-left", scale=0.1, margin=0, opacity=1),
        encoded(photo(), "PNG"),
        width=200,
        height=200,
        fit="contain",
    )
    assert box == (0, 0, 20, 20)


def test_image_watermark_is_upright_srgb() -> None:
    logo = Image.new("RGB", (40, 20), (255, 0, 0))
    logo.paste((0, 0, 255), (20, 0, 40, 20))
    swapped = rgb_profile(red=(0.3851, 0.7169, 0.0971), green=(0.4360, 0.2225, 0.0139))
    stored = encoded(logo, "PNG", exif=exif(3), icc_profile=swapped)  # to turn by 180°
    picture = marked(Watermark(image=stored, position="top-left", scale=0.1, opacity=1, margin=0))
    assert pixel(picture, 5, 10) == pytest.approx((0, 0, 255), abs=3)
    assert pixel(picture, 35, 10) == pytest.approx((0, 255, 0), abs=3)


@pytest.mark.parametrize("side", [1, 2, 3, 5])
@pytest.mark.parametrize("margin", [0.0, 0.03, 0.5])
def test_smallest_variants_have_watermarks(side: int, margin: float) -> None:
    for watermark in (
        Watermark(text="© Darkroom", margin=margin, scale=1, opacity=1),
        Watermark(image=RED_SQUARE, margin=margin, scale=0.01, opacity=1),
    ):
        for position in POSITIONS:
            draw.cache_clear()
            picture = marked(
                Watermark(
                    text=watermark.text,
                    image=watermark.image,
                    position=position,
                    margin=margin,
                    scale=watermark.scale,
                ),
                width=side,
                height=side,
                fit="cover",
            )
            assert picture.size == (side, side)


def test_watermark_is_drawn_once_per_size() -> None:
    draw.cache_clear()
    watermark = Watermark(text="Darkroom")
    variants = [
        Variant(name="jpeg", width=200, watermark=watermark),
        Variant(name="webp", width=200, format="webp", watermark=watermark),
        Variant(name="small", width=100, watermark=watermark),
    ]
    for _ in range(2):
        render(GREY, variants, LIMITS)
    assert draw.cache_info().misses == 2
    assert draw.cache_info().hits == 4


def test_cached_watermark_is_not_changed() -> None:
    watermark = Watermark(text="Darkroom", opacity=0.3)
    first = marked(watermark)
    assert marked(watermark) == first
    draw.cache_clear()
    assert marked(watermark) == first


def test_watermark_stays_in_its_variant() -> None:
    variants = [
        Variant(name="marked", width=200, format="png", watermark=Watermark(text="Darkroom", scale=1)),
        Variant(name="plain", width=200, format="png"),
        Variant(name="small", width=50, format="png"),
    ]
    together = render(GREY, variants, LIMITS).derivatives
    alone = [render(GREY, [variant], LIMITS).derivatives[0] for variant in variants[:2]]
    assert together[:2] == tuple(alone)
    assert decoded(together[2].data).getextrema() == ((100, 100),) * 3


@pytest.mark.parametrize(
    "image",
    [b"", b"not an image", RED_SQUARE[:-30], encoded(Image.new("1", (6000, 5000)), "PNG")],
    ids=["empty", "text", "damaged", "too large"],
)
def test_broken_watermark_is_not_a_rejection(image: bytes) -> None:
    with pytest.raises(InvalidVariantError, match=r"variant 'v': watermark\.image is not usable: ") as caught:
        marked(Watermark(image=image))
    assert caught.value.field == "watermark.image"


def test_watermarks_have_their_own_limits() -> None:
    limits = Limits(max_bytes=len(GREY), max_pixels=400 * 300)
    logo = encoded(photo(800, 600), "PNG")
    assert len(logo) > limits.max_bytes
    assert WATERMARK_LIMITS.max_pixels > limits.max_pixels
    variant = Variant(name="v", width=100, watermark=Watermark(image=logo))
    assert render(GREY, [variant], limits).derivatives[0].width == 100


def test_unloaded_watermark_raises_type_error() -> None:
    with pytest.raises(TypeError, match="not loaded: 'watermarks/logo\\.png'"):
        marked(Watermark(image="watermarks/logo.png"))
