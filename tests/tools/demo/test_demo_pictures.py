from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageStat

from process_image.image import Limits, RejectedImageError, Variant, render
from scripts.demo import pictures as demo_pictures
from scripts.demo.pictures import ORIENTATION_TAG, PICTURES, Picture, draw_pictures

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(max_bytes=25 * 1024 * 1024, max_pixels=24_000_000)  # the root's own
FORMATS = {"jpg": "JPEG", "webp": "WEBP", "png": "PNG", "avif": "AVIF"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_pictures(tmp_path_factory.mktemp("drawn"))


def whole(files: list[Path]) -> list[Path]:
    return files[:-1]


def orientation(file: Path) -> int:
    with Image.open(file) as picture:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))


def test_pictures_have_various_formats_and_sizes(files: list[Path]) -> None:
    found = set()
    for file in whole(files):
        with Image.open(file) as picture:
            picture.load()
            assert picture.format == FORMATS[file.suffix[1:]]
            assert 2_000_000 < picture.width * picture.height <= 6_000_000
            found.add(picture.format)
    assert found == set(FORMATS.values())


def test_pictures_are_not_uniform(files: list[Path]) -> None:
    for file in whole(files):
        with Image.open(file) as picture:
            statistics = ImageStat.Stat(picture.convert("RGB").resize((64, 64)))
        assert max(statistics.stddev) > 20, file.name


def test_one_is_stored_sideways(files: list[Path]) -> None:
    turned = [file for file in whole(files) if orientation(file) != 1]
    assert [file.name for file in turned] == ["sunset, held upright.jpg"]
    data = turned[0].read_bytes()
    original = render(data, [Variant.from_mapping({"name": "small", "width": 64})], LIMITS).original
    assert original.height > original.width
    with Image.open(io.BytesIO(data)) as stored:
        assert stored.width > stored.height


def test_the_last_one_is_rejected_and_only_that(files: list[Path]) -> None:
    variant = Variant.from_mapping({"name": "small", "width": 64})
    for file in whole(files):
        assert render(file.read_bytes(), [variant], LIMITS).derivatives
    with pytest.raises(RejectedImageError) as rejection:
        render(files[-1].read_bytes(), [variant], LIMITS)
    assert rejection.value.code == "unreadable_image"


def test_pictures_are_reproducible(files: list[Path]) -> None:
    for picture, file in zip(PICTURES, files, strict=True):
        assert picture.make() == file.read_bytes(), picture.name


def test_existing_pictures_are_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def make() -> bytes:
        drawn.append(1)
        return b"a picture"

    monkeypatch.setattr(demo_pictures, "PICTURES", (Picture("one.png", make),))
    (file,) = draw_pictures(tmp_path)
    assert file.read_bytes() == b"a picture"
    assert draw_pictures(tmp_path) == [file]
    assert len(drawn) == 1


def test_an_interrupted_drawing_leaves_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_pictures, "PICTURES", (Picture("one.png", fail),))
    with pytest.raises(KeyboardInterrupt):
        draw_pictures(tmp_path)
    assert not list(tmp_path.rglob("one.*"))
