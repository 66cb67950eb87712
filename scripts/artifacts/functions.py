"""Functions as lambdas/ holds them: code, shared packages, locked requirements, exclusions."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.artifacts.archive import Entry
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HANDLER = "handler.py"
SETTINGS = "package.toml"

_LOCK = "requirements.txt"
_PART_LOCK = "requirements-{}.txt"
_IGNORED_FOLDERS = (".*", "__pycache__", "tests")
_IGNORED_FILES = (".*", "*~", "*.md", "*.pyc", "*.pyi", "py.typed", "requirements*", "pyproject.toml", SETTINGS)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Files of the dependencies that a function does not need.

    Attributes:
        pattern: Pattern of paths inside the zip; `*` also matches slashes.
        exceptions: Patterns of files that stay although they match.
    """

    pattern: str
    exceptions: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Return True if the zip leaves the path out."""
        return fnmatchcase(path, self.pattern) and not _matches(path, self.exceptions)


@dataclass(frozen=True, slots=True)
class Function:
    """Content of the zips of one function.

    Attributes:
        name: Name of the function, of its folder and of its Python package.
        files: Its own files, and those of the shared packages that it imports.
        lock: Text of its locked requirements, and of those of its optional parts.
        exclusions: Files of its dependencies that the zip leaves out.
        inputs: SHA-256 of all of the above and of the packager.
    """

    name: str
    files: tuple[Entry, ...]
    lock: str
    exclusions: tuple[Exclusion, ...]
    inputs: str

    def without_excluded(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that no exclusion covers.

        Raises:
            ToolError: An exclusion covers nothing.
        """
        kept, idle = [], {exclusion.pattern for exclusion in self.exclusions}
        for entry in entries:
            covering = {exclusion.pattern for exclusion in self.exclusions if exclusion.covers(entry.path)}
            idle -= covering
            if not covering:
                kept.append(entry)
        if idle:
            raise ToolError(
                f"{self.name}/{SETTINGS} excludes {', '.join(sorted(idle))}, but no file matches. "
                f"Remove or correct the pattern"
            )
        return kept


def discover(source: Path) -> list[str]:
    """Return the names of the functions in a folder: its subfolders that hold a handler.py."""
    return sorted(handler.parent.name for handler in source.glob(f"*/{HANDLER}"))


def load(source: Path, name: str) -> Function:
    """Read a function's folder.

    Raises:
        ToolError: The folder holds a symbolic link or no lock, or its settings or its code are not valid.
    """
    folder = source / name
    files = _with_shared(source, name)
    settings = _read_settings(folder / SETTINGS)
    locks = [folder / _LOCK, *_part_locks(folder, settings)]
    if not locks[0].is_file():
        raise ToolError(f"{folder} has a {HANDLER} but no {_LOCK}. Write a requirements.in and run `make lock`")
    lock = "\n".join(path.read_text(encoding="utf-8") for path in locks)
    exclusions = tuple(
        exclusion for table in settings.get("exclude", []) for exclusion in _read_exclusions(folder / SETTINGS, table)
    )
    return Function(name, files, lock, exclusions, _digest(files, lock, exclusions))


def _with_shared(source: Path, name: str) -> tuple[Entry, ...]:
    """Return the files of a function and of all shared packages that it imports, directly or through one another."""
    shared = {path.parent.name for path in source.glob("*/__init__.py")} - set(discover(source))
    packages, files = [name], []
    for package in packages:  # grows
        own = _read_files(source / package)
        files += own
        packages += sorted(_imports(own) & shared - {*packages})
    return tuple(files)


def _read_files(folder: Path) -> list[Entry]:
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _matches(name, _IGNORED_FOLDERS)]
        names[:] = [name for name in names if not _matches(name, _IGNORED_FILES)]
        for path in (Path(root), *(Path(root, name) for name in (*folders, *names))):
            if path.is_symlink():
                raise ToolError(
                    f"{path} is a symbolic link, which a checkout on Windows replaces by a text file. Copy the file, "
                    f"or move what functions share into a package next to them"
                )
        for path in (Path(root, name) for name in names):
            executable = bool(path.stat().st_mode & 0o100)
            found.append(Entry(path.relative_to(folder.parent).as_posix(), path.read_bytes(), executable))
    return sorted(found)


def _imports(files: Sequence[Entry]) -> set[str]:
    """Return the names of the top-level packages that modules import."""
    found = set()
    for path, content, _ in files:
        if not path.endswith(".py"):
            continue
        try:
            nodes = ast.walk(ast.parse(content))
        except (SyntaxError, ValueError) as error:
            raise ToolError(f"{path} is not valid Python: {error}. Correct it") from error
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _read_settings(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"{path} is not valid TOML: {error}. Correct it") from error
    if document.keys() - {"parts", "exclude"} or not isinstance(document.get("exclude", []), list):
        raise ToolError(f"{path} has {', '.join(document)}. Use a list `parts`, tables [[exclude]], nothing else")
    return document


def _part_locks(folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Return the locks of the optional parts that the settings name."""
    prefix, suffix = _PART_LOCK.split("{}")
    known = sorted(path.name[len(prefix) : -len(suffix)] for path in folder.glob(_PART_LOCK.format("*")))
    parts = settings.get("parts", [])
    if not _are_texts(parts) or not set(parts) <= set(known):
        raise ToolError(f"{folder / SETTINGS}: `parts` is {parts!r}. Choose from: {', '.join(known) or 'none'}")
    return [folder / _PART_LOCK.format(part) for part in sorted(set(parts))]


def _read_exclusions(settings: Path, table: Mapping[str, Any]) -> Iterator[Exclusion]:
    paths, kept, reason = table.get("paths"), table.get("except", []), table.get("reason")
    unknown = table.keys() - {"paths", "except", "reason"}
    if unknown or not (paths and _are_texts(paths) and _are_texts(kept) and reason and _are_texts([reason])):
        raise ToolError(
            f"{settings}: an [[exclude]] is {dict(table)}. It needs a list `paths` and a text `reason`, may have a "
            f"list `except`, and has nothing else"
        )
    for path in paths:
        yield Exclusion(path, tuple(kept))


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _digest(files: Sequence[Entry], lock: str, exclusions: Sequence[Exclusion]) -> str:
    packager = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    hashes = [hashlib.sha256(content).hexdigest() for content in (*(entry.content for entry in files), *packager)]
    names = [(entry.path, entry.executable) for entry in files]
    rules = [(exclusion.pattern, exclusion.exceptions) for exclusion in exclusions]
    return hashlib.sha256(json.dumps([names, hashes, lock, rules, metadata.version("deflate")]).encode()).hexdigest()
