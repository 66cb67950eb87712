from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from process_image.image import Limits, RejectedImageError, Variant, render
from scripts.demo import pictures as demo_pictures
from scripts.demo.pictures import ORIENTATION_TAG, PICTURES, draw_pictures

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(max_bytes=25 * 1024 * 1024, max_pixels=24_000_000)  # the root's own
FORMATS = {"jpg": "JPEG", "webp": "WEBP", "png": "PNG", "avif": "AVIF"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return draw_pictures(tmp_path_factory.mktemp("drawn"))


def test_pictures_have_various_formats_and_sizes(files: list[Path]) -> None:
    found = set()
    for file in files[:-1]:
        with Image.open(file) as picture:
            picture.load()
            assert picture.format == FORMATS[file.suffix[1:]]
            assert 2_000_000 < picture.width * picture.height <= 6_000_000
            found.add(picture.format)
    assert found == set(FORMATS.values())


def test_one_is_stored_sideways(files: list[Path]) -> None:
    turned = []
    for file in files:
        with Image.open(file) as picture:
            if picture.getexif().get(ORIENTATION_TAG, 1) != 1:
                turned.append((file.name, picture.width > picture.height))
    assert turned == [("sunset, held upright.jpg", True)]


def test_the_last_one_is_rejected_and_only_that(files: list[Path]) -> None:
    variant = Variant.from_mapping({"name": "small", "width": 64})
    for file in files[:-1]:
        assert render(file.read_bytes(), [variant], LIMITS).derivatives
    with pytest.raises(RejectedImageError) as rejection:
        render(files[-1].read_bytes(), [variant], LIMITS)
    assert rejection.value.code == "unreadable_image"


def test_pictures_are_reproducible(files: list[Path]) -> None:
    for name, file in zip(PICTURES, files, strict=True):
        assert PICTURES[name]() == file.read_bytes(), name


def test_existing_pictures_are_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makes = iter([b"a picture"])
    monkeypatch.setattr(demo_pictures, "PICTURES", {"one.png": lambda: next(makes)})
    assert [file.read_bytes() for file in draw_pictures(tmp_path)] == [b"a picture"]
    assert [file.read_bytes() for file in draw_pictures(tmp_path)] == [b"a picture"]


def test_an_interrupted_drawing_leaves_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_pictures, "PICTURES", {"one.png": fail})
    with pytest.raises(KeyboardInterrupt):
        draw_pictures(tmp_path)
    assert not list(tmp_path.rglob("one.*"))
