"""A function as its folder holds it: its own files, its locked requirements, and what its zip leaves out."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging_errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK = "requirements.txt"
PART_LOCK = "requirements-{}.txt"
SETTINGS = "package.toml"
SHARED = "darkroom_shared"

_IGNORED_FOLDERS = (".*", "__pycache__", "tests")
_IGNORED_FILES = (
    ".*",
    "*~",
    "*.md",
    "*.pyc",
    "*.pyi",
    "py.typed",
    "requirements*",
    "pyproject.toml",
    SETTINGS,
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a function can do without.

    Attributes:
        pattern: Of paths inside the zip; `*` also matches slashes.
        exceptions: Patterns of what stays although it matches.
        reason: Why it can go.
    """

    pattern: str
    exceptions: tuple[str, ...]
    reason: str

    def covers(self, path: str) -> bool:
        """Whether this takes a path out of the zip."""
        return fnmatchcase(path, self.pattern) and not _matches(path, self.exceptions)


@dataclass(frozen=True, slots=True)
class Function:
    """What goes into the zips of one function.

    Attributes:
        name: The function's, which is its folder's and its Python package's.
        files: Its own files: path in the zip and content, sorted.
        lock: Text of its locked requirements, and of those of the optional parts that it is to have.
        exclusions: What its dependencies bring and it does not need.
        inputs: SHA-256 of all of the above and of the scripts that package it.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    lock: str
    exclusions: tuple[Exclusion, ...]
    inputs: str


def discover(source: Path) -> list[str]:
    """Names of the functions in a folder: its subfolders that hold locked requirements."""
    return sorted(lock.parent.name for lock in source.glob(f"*/{LOCK}"))


def load(source: Path, name: str) -> Function:
    """Read a function's folder.

    Raises:
        PackagingError: There is no such function, or its settings are wrong.
    """
    folder = source / name
    if not (folder / LOCK).is_file():
        known = ", ".join(discover(source)) or "none"
        raise PackagingError(f"no function {name!r} in {source} (a folder with a {LOCK}); there: {known}")
    files = tuple(_own_files(folder))
    if any(SHARED.encode() in content for _, content in files):
        files = tuple(sorted((*files, *_own_files(source / SHARED))))
    if not files:
        raise PackagingError(f"{folder} holds no code to package")
    settings = _settings(folder / SETTINGS)
    locks = [LOCK, *_parts(folder, settings)]
    lock = "\n".join((folder / name).read_text(encoding="utf-8") for name in locks)
    exclusions = tuple(
        exclusion for table in settings.get("exclude", []) for exclusion in _read_exclusion(folder / SETTINGS, table)
    )
    return Function(name, files, lock, exclusions, _digest(files, lock, exclusions))


def _own_files(folder: Path) -> list[tuple[str, bytes]]:
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _matches(name, _IGNORED_FOLDERS)]
        for name in names:
            if not _matches(name, _IGNORED_FILES):
                path = Path(root, name)
                found.append((path.relative_to(folder.parent).as_posix(), path.read_bytes()))
    return sorted(found)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _settings(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PackagingError(f"{path}: {error}") from error
    if document.keys() - {"parts", "exclude"} or not isinstance(document.get("exclude", []), list):
        raise PackagingError(f"{path}: it holds a list `parts`, tables [[exclude]], and nothing else")
    return document


def _parts(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """The locks of the optional parts that the zip is to have."""
    prefix, suffix = PART_LOCK.split("{}")
    known = sorted(path.name[len(prefix) : -len(suffix)] for path in folder.glob(PART_LOCK.format("*")))
    parts = settings.get("parts", [])
    if not _are_texts(parts) or not set(parts) <= set(known):
        raise PackagingError(f"{folder / SETTINGS}: `parts` is {parts!r}; there are: {', '.join(known) or 'none'}")
    return [PART_LOCK.format(part) for part in sorted(set(parts))]


def _read_exclusion(settings: Path, table: Mapping[str, Any]) -> Iterator[Exclusion]:
    paths, kept, reason = table.get("paths"), table.get("except", []), table.get("reason")
    unknown = table.keys() - {"paths", "except", "reason"}
    if unknown or not (paths and _are_texts(paths) and _are_texts(kept) and reason and _are_texts([reason])):
        raise PackagingError(
            f"{settings}: an [[exclude]] has a list `paths`, may have a list `except`, and has a `reason`; "
            f"this one has {dict(table)}"
        )
    for path in paths:
        yield Exclusion(path, tuple(kept), reason)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _digest(files: tuple[tuple[str, bytes], ...], lock: str, exclusions: tuple[Exclusion, ...]) -> str:
    parts = {path: hashlib.sha256(content).hexdigest() for path, content in files}
    rules = [[exclusion.pattern, *exclusion.exceptions] for exclusion in exclusions]
    scripts = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(_scripts())}
    return hashlib.sha256(json.dumps([parts, lock, rules, scripts]).encode()).hexdigest()


def _scripts() -> list[Path]:
    here = Path(__file__).parent
    return [here / "package_lambdas.py", *here.glob("packaging_*.py")]
