"""Derivatives are valid for another strict decoder: libvips, with its own libraries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import pyvips
from PIL import Image, ImageCms

from benchmarks.metadata import exif
from process_image.image import Limits, Variant, Watermark, render
from process_image.image.variants import FITS, OUTPUT_FORMATS
from tests.support.pictures import cutout, decoded, difference, encoded, jpeg_segments, photo

if TYPE_CHECKING:
    from process_image.image.variants import OutputFormat

LOADERS = {"jpeg": "jpegload", "png": "pngload", "webp": "webpload", "avif": "heifload"}
METADATA = re.compile(r"exif|xmp|icc|iptc|gps|comment|orientation|thumbnail", re.IGNORECASE)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

SOURCES = {
    "photograph": encoded(photo(600, 400), "JPEG", quality=92, exif=exif(6, "secret"), icc_profile=SRGB),
    "cutout": encoded(cutout(300, 200), "PNG", exif=exif(3, "secret"), icc_profile=SRGB),
    "grey": encoded(photo(300, 200).convert("L"), "PNG"),
    "palette": encoded(photo(300, 200).quantize(16), "GIF", comment="secret"),
    "dot": encoded(Image.new("RGB", (1, 1), "teal"), "PNG"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_every_output_is_valid_and_similar(source: str, output_format: OutputFormat) -> None:
    variants = [
        Variant(name=f"{fit}", width=97, height=61, fit=fit, format=output_format, watermark=watermark)
        for fit in FITS
        for watermark in (None, Watermark(text="© Darkroom", scale=0.9))
    ]
    for derivative in render(SOURCES[source], variants, Limits()).derivatives:
        image = pyvips.Image.new_from_buffer(derivative.data, "", fail_on="warning")
        assert image.get("vips-loader").startswith(LOADERS[output_format])
        assert (image.width, image.height) == (derivative.width, derivative.height)
        assert derivative.content_type == f"image/{output_format}"
        assert [field for field in image.get_fields() if METADATA.search(field)] == []
        mode = "RGBA" if image.hasalpha() else "RGB"
        there = Image.frombytes(mode, (image.width, image.height), image.colourspace("srgb").write_to_memory())
        mean, _ = difference(there, decoded(derivative.data))
        # Decoders round differently, and have several ways to expand the colours of four pixels.
        assert mean <= (4 if output_format == "avif" else 1)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_no_bytes_after_the_picture(output_format: OutputFormat) -> None:
    """Return the length of a file according to its format."""
    for source in SOURCES.values():
        data = render(source, [Variant(name="v", width=97, format=output_format)], Limits()).derivatives[0].data
        if output_format == "jpeg":
            *_, (marker, _) = jpeg_segments(data)
            assert marker == 0xDA
            assert data.index(b"\xff\xd9", data.index(b"\xff\xda")) == len(data) - 2
        elif output_format == "png":
            assert data.index(b"IEND") == len(data) - 8
        elif output_format == "webp":
            assert int.from_bytes(data[4:8], "little") + 8 == len(data)
        else:
            at = 0
            while at < len(data):
                at += int.from_bytes(data[at : at + 4], "big")
            assert at == len(data)
