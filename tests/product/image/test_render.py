from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from benchmarks.metadata import exif, rgb_profile
from process_image.image import Limits, Variant, Watermark, render
from process_image.image.variants import FITS, OUTPUT_FORMATS
from tests.support.pictures import (
    LANCZOS,
    cutout,
    decoded,
    difference,
    encoded,
    jpeg_segments,
    photo,
    pixel,
    png_chunk,
    png_chunks,
    reference,
    webp_chunks,
)

if TYPE_CHECKING:
    from process_image.image.variants import Fit, OutputFormat

LIMITS = Limits(max_bytes=10_000_000, max_pixels=10_000_000)
SECRET = "confidential"  # noqa: S105 - a marker in metadata
PHOTO = encoded(photo(900, 600), "JPEG", quality=95)


def one(data: bytes, variant: Variant) -> Image.Image:
    derivative = render(data, [variant], LIMITS).derivatives[0]
    image = decoded(derivative.data)
    assert image.size == (derivative.width, derivative.height)
    return image


def test_rendering_has_measures() -> None:
    variants = [
        Variant(name="thumb", width=90, height=90),
        Variant(name="card", width=300, height=300, fit="cover", format="webp"),
        Variant(name="print", width=5000, format="png"),
        Variant(name="modern", height=100, format="avif"),
    ]
    rendering = render(PHOTO, variants, LIMITS)
    original = rendering.original
    assert (original.bytes, original.width, original.height, original.format) == (
        len(PHOTO),
        900,
        600,
        "jpeg",
    )
    assert [
        (derivative.variant, derivative.width, derivative.height, derivative.content_type)
        for derivative in rendering.derivatives
    ] == [
        ("thumb", 90, 60, "image/jpeg"),
        ("card", 300, 300, "image/webp"),
        ("print", 900, 600, "image/png"),
        ("modern", 150, 100, "image/avif"),
    ]
    for derivative, variant in zip(rendering.derivatives, variants, strict=True):
        image = decoded(derivative.data)
        assert image.size == (derivative.width, derivative.height)
        assert (image.format or "").lower() == variant.format


def test_no_variants_only_measures() -> None:
    rendering = render(PHOTO, [], LIMITS)
    assert rendering.derivatives == ()
    assert rendering.original.width == 900


@pytest.mark.parametrize(
    ("fit", "box", "enlarge", "size"),
    [
        ("inside", (300, 300), False, (300, 200)),
        ("inside", (300, None), False, (300, 200)),
        ("inside", (None, 300), False, (450, 300)),
        ("inside", (1800, 1800), False, (900, 600)),
        ("inside", (1800, 1800), True, (1800, 1200)),
        ("inside", (1200, None), True, (1200, 800)),
        ("cover", (300, 300), False, (300, 300)),
        ("cover", (1200, 1200), False, (600, 600)),
        ("cover", (1200, 300), False, (900, 225)),
        ("cover", (1200, 1200), True, (1200, 1200)),
        ("contain", (300, 300), False, (300, 300)),
        ("contain", (1200, 1200), False, (1200, 1200)),
        ("contain", (1200, 1200), True, (1200, 1200)),
    ],
)
def test_sizes(fit: Fit, box: tuple[int | None, int | None], enlarge: bool, size: tuple[int, int]) -> None:
    variant = Variant(name="v", width=box[0], height=box[1], fit=fit, enlarge=enlarge)
    assert one(PHOTO, variant).size == size


def test_cover_shows_the_middle() -> None:
    wide = one(PHOTO, Variant(name="v", width=300, height=300, fit="cover", format="png"))
    assert difference(wide, reference(PHOTO).crop((150, 0, 750, 600)).resize((300, 300), LANCZOS))[0] <= 0.5
    flat = one(PHOTO, Variant(name="v", width=300, height=50, fit="cover", format="png"))
    assert difference(flat, reference(PHOTO).crop((0, 225, 900, 375)).resize((300, 50), LANCZOS))[0] <= 0.5


def test_cover_without_scaling_only_crops() -> None:
    data = encoded(photo(), "PNG")
    square = one(data, Variant(name="v", width=160, height=160, fit="cover", format="png"))
    assert difference(square, photo().crop((40, 0, 200, 160))) == (0, 0)


def test_contain_shows_the_whole_picture() -> None:
    variant = Variant(name="v", width=300, height=300, fit="contain", format="png", background="#102030")
    picture = one(PHOTO, variant)
    assert picture.mode == "RGB"
    assert pixel(picture, 150, 49) == pixel(picture, 150, 250) == (0x10, 0x20, 0x30)
    shown = picture.crop((0, 50, 300, 250))
    assert difference(shown, reference(PHOTO).resize((300, 200), LANCZOS))[0] <= 0.5


def test_contain_does_not_enlarge_by_default() -> None:
    data = encoded(photo(30, 20), "PNG")
    variant = Variant(name="v", width=60, height=60, fit="contain", format="png", background="#000000")
    kept = one(data, variant)
    assert difference(kept.crop((15, 20, 45, 40)), photo(30, 20)) == (0, 0)
    assert kept.getbbox() == (15, 20, 45, 40)
    grown = one(data, replace(variant, enlarge=True))
    assert difference(grown.crop((0, 10, 60, 50)), photo(30, 20).resize((60, 40), LANCZOS)) == (0, 0)


def test_contain_shows_background_through_pixels() -> None:
    variant = Variant(name="v", width=120, height=120, fit="contain", format="png", background="#0000ff")
    picture = one(encoded(cutout(), "PNG"), variant)
    expected = Image.new("RGBA", (120, 120), "#0000ff")
    expected.alpha_composite(cutout(), (0, 20))
    assert picture.mode == "RGB"
    assert difference(picture, expected)[1] <= 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (3, 2)])
@pytest.mark.parametrize("enlarge", [False, True])
def test_extreme_proportions(size: tuple[int, int], fit: Fit, enlarge: bool) -> None:
    data = encoded(Image.new("RGB", size, "teal"), "PNG")
    for output_format in OUTPUT_FORMATS:
        variant = Variant(name="v", width=20, height=30, fit=fit, enlarge=enlarge, format=output_format)
        picture = one(data, variant)
        assert picture.width <= 20
        assert picture.height <= 30


def test_unlimited_side_has_a_maximum() -> None:
    tower = encoded(Image.new("L", (20, 20_000)), "PNG")
    for output_format in OUTPUT_FORMATS:
        assert one(tower, Variant(name="v", width=100, format=output_format)).size == (8, 8192)
    assert one(tower, Variant(name="v", width=100, enlarge=True)).size == (8, 8192)


def test_variants_together_equal_variants_alone() -> None:
    """A variant scaled from a larger one resembles one scaled from the original."""
    sides = (600, 550, 400, 380, 200, 150, 64, 31)
    variants = [Variant(name=str(side), width=side, format="png") for side in sides]
    full = reference(PHOTO)
    for derivative in render(PHOTO, variants, LIMITS).derivatives:
        picture = decoded(derivative.data)
        mean, largest = difference(picture, full.resize(picture.size, LANCZOS))
        assert mean <= 1.0, derivative.variant
        assert largest <= 40, derivative.variant


def test_order_of_variants_keeps_the_bytes() -> None:
    variants = [
        Variant(name="a", width=100),
        Variant(name="b", width=600, watermark=Watermark(text="x")),
        Variant(name="c", width=600, format="webp"),
        Variant(name="d", width=80, height=300, fit="cover"),
        Variant(name="e", width=1200, enlarge=True),
    ]
    forwards = render(PHOTO, variants, LIMITS).derivatives
    backwards = render(PHOTO, variants[::-1], LIMITS).derivatives
    assert forwards == backwards[::-1]


def test_enlarged_variant_does_not_affect_others() -> None:
    data = encoded(photo(), "PNG")
    variants = [
        Variant(name="large", width=960, enlarge=True, format="png"),
        Variant(name="same", width=240, format="png"),
        Variant(name="small", width=60, format="png"),
    ]
    large, same, small = (decoded(derivative.data) for derivative in render(data, variants, LIMITS).derivatives)
    assert difference(large, photo().resize((960, 640), LANCZOS)) == (0, 0)
    assert difference(same, photo()) == (0, 0)
    assert difference(small, photo().resize((60, 40), LANCZOS))[1] <= 1


@pytest.mark.parametrize("output_format", ["jpeg", "webp", "avif"])
def test_quality_affects_size_and_likeness(output_format: OutputFormat) -> None:
    variants = [
        Variant(name=str(quality), width=900, format=output_format, quality=quality) for quality in (20, None, 95)
    ]
    low, default, high = render(PHOTO, variants, LIMITS).derivatives
    assert len(low.data) < len(default.data) < len(high.data)
    full = reference(PHOTO)
    errors = [difference(decoded(derivative.data), full)[0] for derivative in (low, default, high)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] <= 3


def test_png_is_lossless() -> None:
    assert difference(one(encoded(cutout(), "PNG"), Variant(name="v", width=500, format="png")), cutout()) == (0, 0)


@pytest.mark.parametrize("input_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_no_metadata_gets_through(input_format: str, output_format: OutputFormat) -> None:
    image = photo()
    options: dict[str, object] = {"comment": SECRET}
    if input_format != "GIF":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET.encode()
        options |= {
            "exif": exif(6, SECRET),
            "xmp": f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode(),
            "icc_profile": profile,
            "dpi": (300, 300),
        }
    data = encoded(image, input_format, **options)
    assert SECRET.encode() in data or input_format == "PNG"  # profile and texts of a PNG are compressed
    assert decoded(data).info
    for variant in (
        Variant(name="same", width=500, format=output_format),
        Variant(name="small", width=50, format=output_format, watermark=Watermark(text="x")),
        Variant(name="canvas", width=50, height=50, format=output_format, fit="contain"),
        Variant(name="cut", width=50, height=50, format=output_format, fit="cover"),
    ):
        assert_clean(render(data, [variant], LIMITS).derivatives[0].data, output_format)


def assert_clean(data: bytes, output_format: OutputFormat) -> None:
    """Check that the file has only the parts that its pixels need."""
    assert SECRET.encode() not in data
    if output_format == "png":
        assert set(png_chunks(data)) == {b"IHDR", b"IDAT", b"IEND"}
    elif output_format == "webp":
        assert set(webp_chunks(data)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
    elif output_format == "jpeg":
        segments = dict(jpeg_segments(data))
        needed = {0xDB, 0xC0, 0xC2, 0xC4, 0xDA, 0xDD}
        assert set(segments) <= {0xE0} | needed
        assert segments[0xE0] == b"JFIF\0\1\1\0\0\1\0\1\0\0"
    else:
        for box in (b"Exif", b"mime", b"prof", b"rICC", b"irot", b"imir"):
            assert box not in data[: data.index(b"mdat")]
    assert not {"exif", "xmp", "icc_profile", "comment", "dpi"} & decoded(data).info.keys()


def test_metadata_after_png_pixels_is_dropped() -> None:
    data = encoded(photo(), "PNG")
    end = data.index(b"IEND") - 4
    chunks = png_chunk(b"eXIf", exif(1, SECRET)[6:]), png_chunk(b"tEXt", b"comment\0" + SECRET.encode())
    data = data[:end] + b"".join(chunks) + data[end:]
    for output_format in OUTPUT_FORMATS:
        derivative = render(data, [Variant(name="v", width=100, format=output_format)], LIMITS).derivatives[0]
        assert_clean(derivative.data, output_format)


every_kind = [
    Variant(
        name=f"{output_format}-{fit}",
        width=120,
        height=100,
        fit=fit,
        format=output_format,
        watermark=watermark,
    )
    for output_format in OUTPUT_FORMATS
    for fit in FITS
    for watermark in (None, Watermark(text="© Darkroom"))
]


def test_rendering_is_deterministic() -> None:
    data = encoded(photo(), "JPEG", icc_profile=rgb_profile(), exif=exif(5))
    assert render(data, every_kind, LIMITS) == render(data, every_kind, LIMITS)


def test_processors_do_not_change_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(photo(1200, 900), "JPEG")
    variant = Variant(name="v", width=1200, format="avif")
    results = set()
    for processors in (1, 2, 8):
        monkeypatch.setattr("PIL.AvifImagePlugin._get_default_max_threads", lambda count=processors: count)
        results.add(render(data, [variant], LIMITS).derivatives[0].data)
    assert len(results) == 1


def test_another_process_gives_the_same_bytes() -> None:
    data = encoded(photo(), "PNG")
    program = """
import hashlib, json, sys
from process_image.image import Limits, Variant, Watermark, render
data = sys.stdin.buffer.read()
variants = [
    Variant(name="v", width=100, format=format, watermark=Watermark(text="x"))
    for format in ("jpeg", "png", "webp", "avif")
]
derivatives = render(data, variants, Limits(max_bytes=10_000_000, max_pixels=10_000_000)).derivatives
digests = [hashlib.sha256(derivative.data).hexdigest() for derivative in derivatives]
json.dump({"digests": digests, "modules": sorted(sys.modules)}, sys.stdout)
"""
    outputs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-W", "error", "-c", program],
                input=data,
                capture_output=True,
                check=True,
                env={"PYTHONHASHSEED": seed},
            ).stdout
        )
        for seed in ("1", "2")
    ]
    variants = [
        Variant(name="v", width=100, format=output_format, watermark=Watermark(text="x"))
        for output_format in OUTPUT_FORMATS
    ]
    here = [hashlib.sha256(d.data).hexdigest() for d in render(data, variants, LIMITS).derivatives]
    assert [output["digests"] for output in outputs] == [here, here]
    plugins = {
        match[1] for module in outputs[0]["modules"] if (match := re.fullmatch(r"PIL\.(\w+)ImagePlugin", module))
    }
    # TIFF's plugin reads EXIF. Pillow loads those of BMP and PPM before it writes a file.
    assert plugins <= {"Jpeg", "Png", "WebP", "Gif", "Avif", "Tiff", "Bmp", "Ppm"}
    assert not {"boto3", "botocore", "numpy"} & set(outputs[0]["modules"])


@settings(deadline=None, max_examples=150)
@given(
    st.tuples(st.integers(1, 80), st.integers(1, 80)),
    st.lists(
        st.builds(
            Variant,
            name=st.just("v"),
            width=st.integers(1, 120),
            height=st.integers(1, 120),
            fit=st.sampled_from(FITS),
            format=st.sampled_from(OUTPUT_FORMATS),
            enlarge=st.booleans(),
            watermark=st.none() | st.just(Watermark(text="x")),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(
        [("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "1", "P", "I;16")]
        + [("JPEG", mode) for mode in ("RGB", "L", "CMYK")]
        + [("WEBP", "RGB"), ("WEBP", "RGBA"), ("AVIF", "RGB"), ("AVIF", "RGBA"), ("GIF", "P"), ("GIF", "L")]
    ),
    st.integers(1, 8),
)
def test_every_valid_variant_renders(
    size: tuple[int, int], variants: list[Variant], kind: tuple[str, str], orientation: int
) -> None:
    image_format, mode = kind
    orientation = orientation if image_format != "GIF" else 1
    image = cutout(*size).convert(mode) if mode.endswith("A") else photo(*size).convert("L" if mode == "I;16" else mode)
    image = image.convert(mode)
    rendering = render(encoded(image, image_format, exif=exif(orientation)), variants, LIMITS)
    assert (rendering.original.width, rendering.original.height) == (size if orientation < 5 else size[::-1])
    for variant, derivative in zip(variants, rendering.derivatives, strict=True):
        picture = decoded(derivative.data)
        assert picture.size == (derivative.width, derivative.height)
        assert picture.width <= (variant.width or 0)
        assert picture.height <= (variant.height or 0)
        if not variant.enlarge and variant.fit != "contain":
            assert picture.width <= rendering.original.width
            assert picture.height <= rendering.original.height
