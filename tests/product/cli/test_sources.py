from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from darkroom.errors import OperatorError
from darkroom.sources import LONGEST_NAME, collect, distinct, is_image_by_name

if TYPE_CHECKING:
    from pathlib import Path


def names(*paths: Path) -> list[str]:
    return [source.name for source in collect(paths)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", "deep/er/c.webp", "deep/d.heic", "README", "notes.txt", ".hidden.jpg", ".git/x.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "photos"


def test_folders_are_searched_for_images_by_name(folder: Path) -> None:
    assert names(folder) == ["a.png", "b.JPG", "deep/d.heic", "deep/er/c.webp"]


def test_a_file_is_taken_by_any_name(folder: Path) -> None:
    assert names(folder / "README", folder / ".hidden.jpg") == ["README", ".hidden.jpg"]


def test_a_file_given_twice_is_taken_once(folder: Path) -> None:
    assert names(folder / "b.JPG", folder, folder / "deep" / ".." / "b.JPG").count("b.JPG") == 1


def test_files_of_the_same_name_are_numbered(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes(b"another")
    assert names(folder / "a.png", other / "a.png") == ["a.png", "a (2).png"]


def test_sizes_are_those_of_the_files(folder: Path) -> None:
    assert [source.size for source in collect([folder / "a.png"])] == [len("a.png")]


def test_no_paths_are_no_sources() -> None:
    assert collect([]) == []


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OperatorError, match=r"no images found in the folder .*give a folder of photographs"):
        collect([tmp_path])


def test_all_problems_are_reported_at_once(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OperatorError) as error:
        collect([folder, tmp_path / "missing", tmp_path / "pipe"])
    assert str(error.value) == (f"{tmp_path}/missing does not exist. {tmp_path}/pipe is neither a file nor a folder.")


def test_an_unreadable_file_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, which can read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: "a.png" not in str(path) or mode != os.R_OK)
    with pytest.raises(OperatorError, match=r"a\.png cannot be read: permission denied"):
        collect([folder])


def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(OperatorError, match="deep cannot be read: Permission denied"):
        collect([folder])


@pytest.mark.parametrize("name", ["x.jpg", "x.JPEG", "x.avif", "x.heic", "x.webp", "x.gif", "x.tiff", "x.svg"])
def test_names_of_images(name: str, tmp_path: Path) -> None:
    assert is_image_by_name(tmp_path / name)


@pytest.mark.parametrize("name", ["x", "x.txt", "jpg", ".jpg", ".x.jpg", "x.mp4", "x.jpg.part"])
def test_names_of_other_files(name: str, tmp_path: Path) -> None:
    assert not is_image_by_name(tmp_path / name)


def test_names_fit_into_a_key() -> None:
    (name,) = distinct(["ü" * 500 + ".jpg"])
    assert len(name.encode()) <= LONGEST_NAME
    assert name.endswith("ü.jpg")


def test_names_hold_no_control_characters() -> None:
    assert distinct(["a\nb.jpg", "broken\udcff.jpg", "\x1b[2J.jpg", "a + %2B ü 日本.jpg"]) == [
        "a_b.jpg",
        "broken_.jpg",
        "_[2J.jpg",
        "a + %2B ü 日本.jpg",
    ]


def test_numbered_names_do_not_collide_with_given_ones() -> None:
    assert distinct(["a.png", "a (2).png", "a.png", "a.png"]) == ["a.png", "a (2).png", "a (3).png", "a (4).png"]
