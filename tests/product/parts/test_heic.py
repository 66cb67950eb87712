"""The optional part `heic`: what iPhones take is read like everything else."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from benchmarks.metadata import exif, rgb_profile
from process_image.image import (
    INPUT_FORMATS,
    Limits,
    RejectedImageError,
    TooManyFramesError,
    TooManyPixelsError,
    TooMuchMetadataError,
    UnreadableImageError,
    Variant,
    render,
)
from tests.support.photographs import corpus
from tests.support.pictures import LANCZOS, decoded, difference, photo, reference

FULL_SIZE = Variant(name="full", width=8192, format="png")


def heic(*images: Image.Image, **options: object) -> bytes:
    file = pillow_heif.HeifFile()
    for image in images:
        file.add_from_pillow(image)
    buffer = BytesIO()
    file.save(buffer, quality=90, **options)
    return buffer.getvalue()


def full_size(data: bytes) -> Image.Image:
    return decoded(render(data, [FULL_SIZE], Limits()).derivatives[0].data)


def test_heic_is_read() -> None:
    assert "heic" in INPUT_FORMATS
    rendering = render(heic(photo()), [FULL_SIZE, Variant(name="thumb", width=60, format="png")], Limits())
    assert (rendering.original.format, rendering.original.width, rendering.original.height) == ("heic", 240, 160)
    full, thumb = (decoded(derivative.data) for derivative in rendering.derivatives)
    assert difference(full, photo())[0] <= 6
    assert difference(thumb, photo().resize((60, 40), LANCZOS))[0] <= 6


@pytest.mark.skipif(corpus() is None, reason="DARKROOM_CORPUS names no folder of test images")
def test_a_photograph_of_an_iphone() -> None:
    """With profile, EXIF data and additional pictures: like a reference decoded and converted in full size."""
    data = Path(str(corpus()), "photos", "special", "IMG_5195.HEIC").read_bytes()
    variants = [
        Variant(name="web", width=1024, height=1024, format="png"),
        Variant(name="thumb", width=256, height=256, format="png"),
    ]
    rendering = render(data, variants, Limits())
    pillow_heif.register_heif_opener()
    full = reference(data)
    assert (rendering.original.format, rendering.original.width, rendering.original.height) == ("heic", *full.size)
    for derivative, tolerance in zip(rendering.derivatives, (0.5, 1.0), strict=True):
        picture = decoded(derivative.data)
        assert difference(picture, full.resize(picture.size, LANCZOS))[0] <= tolerance
        assert not {"exif", "xmp", "icc_profile"} & picture.info.keys()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_derivative_is_upright(orientation: int) -> None:
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = photo().transpose(turn[orientation]) if orientation in turn else photo()
    buffer = BytesIO()
    # Pillow's plugin writes the turn where HEIC has it. The EXIF data, where iPhones repeat it, do not count.
    pillow_heif.register_heif_opener()
    stored.save(buffer, "HEIF", quality=90, exif=exif(orientation))
    picture = full_size(buffer.getvalue())
    assert picture.size == (240, 160)
    assert difference(picture, photo())[0] <= 6


def test_its_profile_counts() -> None:
    image = photo()
    image.info["icc_profile"] = rgb_profile(gamma=1.0)
    assert difference(full_size(heic(image)), photo())[0] > 20


def test_limits_hold() -> None:
    image = photo()
    image.info["exif"] = exif(1, "a" * 5000)
    for data, limits, kind in (
        (heic(photo()), Limits(max_pixels=240 * 160 - 1), TooManyPixelsError),
        (heic(photo(), photo(), photo()), Limits(max_frames=2), TooManyFramesError),
        (heic(image), Limits(max_metadata_bytes=1000), TooMuchMetadataError),
    ):
        with pytest.raises(kind):
            render(data, [FULL_SIZE], limits)


def test_damage_is_rejected() -> None:
    data = heic(photo())
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(UnreadableImageError):
            render(data[: int(len(data) * share)], [FULL_SIZE], Limits())
    for at in range(24, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        try:
            render(bytes(damaged), [FULL_SIZE], Limits())
        except RejectedImageError:
            continue
