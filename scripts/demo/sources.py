"""The files that the demo uploads: collected from paths, and named as objects."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.process.entry_point import WRONG_USAGE, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# What mimetypes does not know in every version of Python.
MORE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".jfif", ".jp2", ".jxl", ".webp"})

LONGEST_NAME = 600  # bytes; a key has 1,024 for name, run and what derivatives add


class SourceError(ToolError):
    """There is nothing to upload, or some of it cannot be read. The message says what to give instead."""

    status = WRONG_USAGE


@dataclass(frozen=True)
class Source:
    """A file to upload.

    Attributes:
        path: Where it is.
        name: What it is called in the demo; no two are called the same.
        size: Bytes.
    """

    path: Path
    name: str
    size: int


def collect(paths: Sequence[Path]) -> list[Source]:
    """All files among the paths, and in their folders all that are images by name, in order, each once.

    Raises:
        SourceError: A path does not exist or cannot be read, or there is no image at all.
    """
    found: dict[Path, str] = {}
    problems: list[str] = []
    for path in paths:
        try:
            for file, name in _files(path):
                if not os.access(file, os.R_OK):
                    problems.append(f"{file} cannot be read: permission denied.")
                found.setdefault(file.resolve(), name)
        except SourceError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{error.filename or path} cannot be read: {error.strerror or error}.")
    if problems:
        raise SourceError("\n".join(problems))
    names = distinct(found.values())
    return [Source(path, name, path.stat().st_size) for path, name in zip(found, names, strict=True)]


def is_image_by_name(path: Path) -> bool:
    """Whether a file's name says that it is an image."""
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in MORE_SUFFIXES or (mimetypes.guess_type(path.name)[0] or "").startswith("image/")


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_dir():
        files = [file for file in _walk(path) if is_image_by_name(file)]
        if not files:
            raise SourceError(f"no images found in the folder {path}: give a folder of photographs, or files.")
        for file in files:
            yield file, str(file.relative_to(path))
    elif path.is_file():
        yield path, path.name  # named by the user, so whatever it is called
    elif path.exists():
        raise SourceError(f"{path} is neither a file nor a folder.")
    else:
        raise SourceError(f"{path} does not exist.")


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for directory, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (file for name in sorted(files) if (file := Path(directory, name)).is_file())


def distinct(names: Iterable[str]) -> list[str]:
    """Names that do well in an object's key (no control characters, not too long), each one only once."""
    taken: set[str] = set()
    result = []
    for name in names:
        clean = "".join(character if character.isprintable() else "_" for character in name)
        short = clean.encode()[-LONGEST_NAME:].decode("utf-8", "ignore")
        candidate, number = short, 2
        while candidate in taken:
            stem, suffix = os.path.splitext(short)  # noqa: PTH122 - a name, not a path
            candidate, number = f"{stem} ({number}){suffix}", number + 1
        taken.add(candidate)
        result.append(candidate)
    return result
