"""Files to upload: collected from paths, and named as keys."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Unknown to mimetypes in some versions of Python.
MORE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".jfif", ".jp2", ".jxl", ".webp"})

LONGEST_NAME = 600  # bytes; a key has 1,024, of which prefixes and the names of derivatives take some


@dataclass(frozen=True)
class Source:
    """A file to upload.

    Attributes:
        path: Its path.
        name: Its key, without prefix; unique among the collected files.
        size: Size in bytes.
    """

    path: Path
    name: str
    size: int


def collect(paths: Sequence[Path]) -> list[Source]:
    """Return the files among the paths, and the files in folders that are images by name, in order, each once.

    Raises:
        OperatorError: A path does not exist or cannot be read, or a folder has no images.
    """
    found: dict[Path, str] = {}
    problems: list[str] = []
    for path in paths:
        try:
            for file, name in _files(path):
                if not os.access(file, os.R_OK):
                    problems.append(f"{file} cannot be read: permission denied.")
                found.setdefault(file.resolve(), name)
        except OperatorError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{error.filename or path} cannot be read: {error.strerror or error}.")
    if problems:
        raise OperatorError(" ".join(problems))
    names = distinct(found.values())
    return [Source(path, name, path.stat().st_size) for path, name in zip(found, names, strict=True)]


def is_image_by_name(path: Path) -> bool:
    """Return True if the file's name is that of an image."""
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in MORE_SUFFIXES or (mimetypes.guess_type(path.name)[0] or "").startswith("image/")


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_dir():
        files = [file for file in _walk(path) if is_image_by_name(file)]
        if not files:
            raise OperatorError(f"no images found in the folder {path}: give a folder of photographs, or files.")
        for file in files:
            yield file, str(file.relative_to(path))
    elif path.is_file():
        yield path, path.name  # the user chose it, so any name will do
    elif path.exists():
        raise OperatorError(f"{path} is neither a file nor a folder.")
    else:
        raise OperatorError(f"{path} does not exist.")


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for directory, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (file for name in sorted(files) if (file := Path(directory, name)).is_file())


def distinct(names: Iterable[str]) -> list[str]:
    """Return the names as parts of keys: without control characters, not too long, and unique."""
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
