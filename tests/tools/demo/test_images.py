from __future__ import annotations

from pathlib import Path

import pytest

from scripts.demo.images import split_paths

NAMES = ("my photos", "it's", 'a "b"', "$HOME", "für 日本", "a*b", " padded ", "-x", "50%")


@pytest.mark.parametrize("name", NAMES)
def test_existing_path_is_one_path(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert split_paths(str(tmp_path / name)) == [tmp_path / name]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []),
        ("  ", []),
        ("a b.jpg", ["a", "b.jpg"]),
        ("'a b' c\\ d", ["a b", "c d"]),
        ('"a b"', ["a b"]),
        ("it's", ["it's"]),
        ("none-*.jpg", ["none-*.jpg"]),
    ],
)
def test_other_text_is_split_as_in_a_shell(
    text: str, paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert split_paths(text) == [Path(path) for path in paths]


def test_patterns_and_the_home_folder_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("b.jpg", "a.jpg", "c.png"):
        (tmp_path / name).touch()
    assert split_paths("~") == [tmp_path]
    assert split_paths("~/*.jpg ~/c.png") == [tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.png"]
