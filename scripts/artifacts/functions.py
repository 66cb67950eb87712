"""Functions as lambdas/ holds them: code, shared packages, locked requirements, exclusions."""

from __future__ import annotations

import ast
import hashlib
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.artifacts.archive import Entry
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

HANDLER = "handler.py"
SETTINGS = "package.toml"

_IGNORED = (
    *(".*", "__pycache__", "tests", "*~", "*.md", "*.pyc", "*.pyi", "py.typed"),
    *("requirements*.in", "requirements*.txt", "pyproject.toml", SETTINGS),
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Files of the dependencies that a function does not need: a table [[exclude]] in package.toml.

    Attributes:
        paths: Patterns of paths in the zip; `*` also matches slashes.
        reason: The reason why the function does not need them.
        kept: Patterns of files that stay although they match; `except` in package.toml.
    """

    paths: list[str]
    reason: str
    kept: list[str]

    def __post_init__(self) -> None:
        texts = all(map(_are_texts, (self.paths, self.kept, [self.reason])))
        if not (texts and self.paths and self.reason):
            raise TypeError("`paths` and `except` are lists of texts, `reason` is a text")


@dataclass(frozen=True, slots=True)
class Function:
    """Content of the zips of one function.

    Attributes:
        name: Name of the function, of its folder and of its Python package.
        files: Its own files, and those of the shared packages that it imports.
        lock: Text of its locked requirements, and of those of its optional parts.
        exclusions: Files of its dependencies that the zip leaves out.
    """

    name: str
    files: tuple[Entry, ...]
    lock: str
    exclusions: tuple[Exclusion, ...]

    def inputs(self, bytecode: str) -> str:
        """Return the SHA-256 of what a zip is made from: the function, the packager, and the compiler's version."""
        packager = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
        return hashlib.sha256(repr((self, bytecode, packager, metadata.version("deflate"))).encode()).hexdigest()

    def without_excluded(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that no exclusion covers.

        Raises:
            ToolError: A pattern covers nothing.
        """
        kept, used = [], set()
        for entry in entries:
            rules = [rule for rule in self.exclusions if not _matches(entry.path, rule.kept)]
            covering = {path for rule in rules for path in rule.paths if fnmatchcase(entry.path, path)}
            used |= covering
            if not covering:
                kept.append(entry)
        unused = {path for rule in self.exclusions for path in rule.paths} - used
        if unused:
            raise ToolError(
                f"{self.name}/{SETTINGS} excludes {', '.join(sorted(unused))}, but no file matches. "
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
    folder, files = source / name, _with_shared(source, name)
    parts, exclusions = _read_settings(folder / SETTINGS)
    locks = [folder / "requirements.txt", *(folder / f"requirements-{part}.txt" for part in parts)]
    for lock in locks:
        if not lock.is_file():
            raise ToolError(
                f"{folder} has no {lock.name}. Write {lock.stem}.in and run `make lock`, or correct {SETTINGS}"
            )
    text = "\n".join(lock.read_text(encoding="utf-8") for lock in locks)
    return Function(name, files, text, exclusions)


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
    for path in (folder, *folder.rglob("*")):
        if any(_matches(name, _IGNORED) for name in path.relative_to(folder).parts):
            continue
        if path.is_symlink():
            raise ToolError(
                f"{path} is a symbolic link, which a checkout on Windows replaces by a text file. Copy the file, "
                f"or move what functions share into a package next to them"
            )
        if path.is_file():
            executable = bool(path.stat().st_mode & 0o100)
            found.append(Entry(path.relative_to(folder.parent).as_posix(), path.read_bytes(), executable))
    return sorted(found)


def _imports(files: Iterable[Entry]) -> set[str]:
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


def _read_settings(path: Path) -> tuple[list[str], tuple[Exclusion, ...]]:
    """Return the optional parts and the exclusions that a package.toml names."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        parts, tables = settings.pop("parts", []), settings.pop("exclude", [])
        exclusions = tuple(Exclusion(kept=table.pop("except", []), **table) for table in map(dict, tables))
    except (TypeError, ValueError) as error:
        raise ToolError(f"{path} is not valid: {error}. Correct it as docs/packaging.md says") from error
    if settings or not _are_texts(parts):
        raise ToolError(
            f"{path}: `parts` is {parts!r}, and {[*settings]} is unknown. Use a list `parts` and [[exclude]]"
        )
    return sorted(set(parts)), exclusions


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
