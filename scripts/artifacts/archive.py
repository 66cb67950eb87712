"""A zip whose bytes follow from its content alone.

Compressors differ: zlib-ng, Apple's zlib and the classic one give different bytes for the same input and
level. So nothing is compressed here. What comes out of a wheel is copied as its maker compressed it, and
wheels are locked by hash; the function's own files, which are small, are stored.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scripts.artifacts.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from scripts.artifacts.functions import Exclusion

MAX_UNPACKED = 250 * 1024 * 1024
"""Bytes that Lambda admits in a function, unpacked."""

_KEPT_METADATA = (
    "METADATA",  # importlib.metadata: name, version, requirements
    "entry_points.txt",  # importlib.metadata: plug-ins
    *("licenses/*", "license_files/*", "LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"),
    "sboms/*",  # PEP 770: what the wheel's maker says of the libraries inside
)
_TRIMMED = ("*.pyc", "*.pyi", "py.typed")

_DATE = 0x0021  # 1980-01-01, the first day that the format knows; the time is midnight
_VERSION = 20
_UNIX = 3
_UTF8_NAMES = 0x800
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a zip.

    Attributes:
        path: With slashes, relative to the zip's root.
        data: The bytes as the zip holds them.
        method: How: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
        crc: CRC-32 of the unpacked bytes.
        size: Bytes, unpacked.
        executable: Whether it can be started as a program.
    """

    path: str
    data: bytes
    method: int
    crc: int
    size: int
    executable: bool = False

    @classmethod
    def stored(cls, path: str, content: bytes, *, executable: bool = False) -> Entry:
        """An entry that is not compressed."""
        return cls(path, content, zipfile.ZIP_STORED, zlib.crc32(content), len(content), executable)


def wheel_entries(wheel: Path) -> Iterator[Entry]:
    """The files that installing a wheel would put beside a function's code.

    Left out are scripts, headers and data files, which would go elsewhere, and what nothing reads there:
    tests, type stubs, bytecode, and the metadata that serves installers.

    Raises:
        PackagingError: The wheel holds a path that leads out of its folder.
    """
    with zipfile.ZipFile(wheel) as archive, wheel.open("rb") as raw:
        for info in archive.infolist():
            path = _installed_path(info.filename)
            if info.is_dir() or path is None or _is_trimmed(path):
                continue
            if path.startswith("/") or ".." in PurePosixPath(path).parts:
                raise PackagingError(f"{wheel.name} holds the path {info.filename!r}, which leads out of the zip")
            executable = bool(info.external_attr >> 16 & 0o111)
            if info.compress_type == zipfile.ZIP_DEFLATED:
                data = _raw(raw, info)
                yield Entry(path, data, info.compress_type, info.CRC, info.file_size, executable)
            else:
                yield Entry.stored(path, archive.read(info), executable=executable)


def combine(layers: Iterable[tuple[str, Iterable[Entry]]], exclusions: Sequence[Exclusion]) -> list[Entry]:
    """Lay the parts of a zip over each other: sorted by path, without what is excluded.

    Args:
        layers: Name of each part (for messages) and its entries.
        exclusions: What to leave out.

    Raises:
        PackagingError: Two parts hold different files of one path, or an exclusion excludes nothing.
    """
    entries: dict[str, Entry] = {}
    origin: dict[str, str] = {}
    used: set[str] = set()
    for name, layer in layers:
        for entry in layer:
            excluding = {one.pattern for one in exclusions if one.covers(entry.path)}
            used |= excluding
            if excluding:
                continue
            other = entries.setdefault(entry.path, entry)
            if (other.crc, other.size) != (entry.crc, entry.size):
                raise PackagingError(f"{origin[entry.path]} and {name} both hold {entry.path}, and not the same")
            origin.setdefault(entry.path, name)
    idle = [one.pattern for one in exclusions if one.pattern not in used]
    if idle:
        raise PackagingError(f"package.toml excludes what is not there: {', '.join(idle)}; remove it from the file")
    unpacked = sum(entry.size for entry in entries.values())
    if unpacked > MAX_UNPACKED:
        raise PackagingError(f"{unpacked / 1024**2:.0f} MB unpacked; Lambda admits {MAX_UNPACKED // 1024**2} MB")
    return [entries[path] for path in sorted(entries, key=str.encode)]


def write_zip(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries in the given order, with fixed dates and modes, and read them back.

    Raises:
        PackagingError: What was written is not what the entries say.
    """
    central = []
    with path.open("wb") as file:
        for entry in entries:
            name = entry.path.encode()
            flags = 0 if entry.path.isascii() else _UTF8_NAMES
            common = (flags, entry.method, 0, _DATE, entry.crc, len(entry.data), entry.size, len(name), 0)
            mode = 0o100755 if entry.executable else 0o100644
            tail = (0, 0, 0, mode << 16, file.tell())
            central.append(_CENTRAL_HEADER.pack(b"PK\1\2", _UNIX << 8 | _VERSION, _VERSION, *common, *tail) + name)
            file.write(_LOCAL_HEADER.pack(b"PK\3\4", _VERSION, *common) + name + entry.data)
        start = file.tell()
        directory = b"".join(central)
        file.write(directory)
        file.write(_END.pack(b"PK\5\6", 0, 0, len(central), len(central), len(directory), start, 0))
    with zipfile.ZipFile(path) as archive:
        try:
            damaged = archive.testzip()
        except zlib.error as error:
            damaged = str(error)
    if damaged:
        raise PackagingError(f"the zip came out damaged ({damaged}): a wheel must be broken or encrypted")


def _installed_path(name: str) -> str | None:
    """Where an installer puts a wheel's file, relative to site-packages; none for what goes elsewhere."""
    data = re.fullmatch(r"[^/]+\.data/([^/]+)/(.+)", name)
    if data is None:
        return name
    return data[2] if data[1] in {"purelib", "platlib"} else None


def _is_trimmed(path: str) -> bool:
    metadata = re.fullmatch(r"[^/]+\.dist-info/(.+)", path)
    if metadata:
        return not any(fnmatchcase(metadata[1], pattern) for pattern in _KEPT_METADATA)
    *folders, name = path.split("/")
    return "__pycache__" in folders or "tests" in folders or any(fnmatchcase(name, pattern) for pattern in _TRIMMED)


def _raw(wheel: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """The compressed bytes of an entry. Their number is sometimes missing before them, so `info` tells it."""
    wheel.seek(info.header_offset)
    *_, name_length, extra_length = _LOCAL_HEADER.unpack(wheel.read(_LOCAL_HEADER.size))
    wheel.seek(name_length + extra_length, 1)
    return wheel.read(info.compress_size)
