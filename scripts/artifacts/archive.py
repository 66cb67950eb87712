"""Zips whose bytes depend on their content alone."""

from __future__ import annotations

import re
import zipfile
import zlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAX_ZIP = 50 * 1024**2
"""Bytes of a zip that Lambda accepts by direct upload, which is how terraform/ deploys."""

MAX_UNPACKED = 250 * 1024**2
"""Bytes of a function that Lambda accepts, unpacked."""

_COMPRESSION_LEVEL = 9

_KEPT_METADATA = (
    "METADATA",  # importlib.metadata: name, version, requirements
    "entry_points.txt",  # importlib.metadata: plug-ins
    *("licenses/*", "license_files/*", "LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"),
    "sboms/*",  # PEP 770: what the wheel's author says about the libraries inside
)
_ADVICE = (
    "Leave out optional parts (`parts` in package.toml) or what the function does not use ([[exclude]] in package.toml)"
)


class Entry(NamedTuple):
    """One file in a zip.

    Attributes:
        path: Relative to the zip's root, with slashes.
        content: Its bytes, not compressed.
        executable: It can be started as a program.
    """

    path: str
    content: bytes
    executable: bool = False


def is_needed(path: str) -> bool:
    """Return True if a function reads an installed file; tests, type stubs and installers' metadata are not read."""
    metadata = re.fullmatch(r"[^/]+\.dist-info/(.+)", path)
    if metadata:
        return any(fnmatchcase(metadata[1], pattern) for pattern in _KEPT_METADATA)
    *folders, name = path.split("/")
    return not {"__pycache__", "tests"} & {*folders} and not name.endswith((".pyc", ".pyi")) and name != "py.typed"


def combine(layers: Iterable[tuple[str, Iterable[Entry]]]) -> list[Entry]:
    """Return the entries of all layers, sorted by path.

    Args:
        layers: Name of each layer (for messages) and its entries.

    Raises:
        ToolError: Two layers hold different files with the same path.
    """
    found: dict[str, tuple[str, Entry]] = {}
    for name, entries in layers:
        for entry in entries:
            other, existing = found.setdefault(entry.path, (name, entry))
            if existing.content != entry.content:
                raise conflict(other, name, entry.path)
    return [found[path][1] for path in sorted(found, key=str.encode)]


def conflict(one: str, other: str, path: str) -> ToolError:
    """Return the error for two parts of a zip that hold different files with the same path."""
    return ToolError(f"{one} and {other} both hold {path}, with different content. Remove one of them")


def write_zip(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries in the given order, with fixed dates and modes, and read the zip back.

    zlib, zlib-ng and Apple's zlib compress the same input to different bytes. So a libdeflate compresses, whose version
    is locked, and `zipfile` gets compressed bytes to store; the headers are corrected afterwards.

    Raises:
        ToolError: Lambda does not accept the zip because of its size.
    """
    import deflate  # noqa: PLC0415 - not needed when all is up to date

    unpacked = sum(len(entry.content) for entry in entries)
    if unpacked > MAX_UNPACKED:
        raise ToolError(f"{path.name} has {_mebibytes(unpacked, MAX_UNPACKED)} unpacked. {_ADVICE}")
    with zipfile.ZipFile(path, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.path)  # its date is 1980-01-01
            info.create_system = 3  # Unix, on Windows too
            info.external_attr = (0o100755 if entry.executable else 0o100644) << 16
            archive.writestr(info, bytes(deflate.deflate_compress(entry.content, _COMPRESSION_LEVEL)))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.CRC, info.file_size = zlib.crc32(entry.content), len(entry.content)
    with path.open("r+b") as file:
        for info in archive.infolist():
            file.seek(info.header_offset)
            file.write(info.FileHeader(zip64=False))
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ToolError(f"{path.name} is damaged in {damaged}. Build it again")
    size = path.stat().st_size
    if size > MAX_ZIP:
        raise ToolError(
            f"{path.name} has {_mebibytes(size, MAX_ZIP)} by direct upload. {_ADVICE}, "
            f"or deploy it from S3 (`s3_bucket` and `s3_key` of aws_lambda_function, instead of `filename`)"
        )


def _mebibytes(size: int, limit: int) -> str:
    return f"{size / 1024**2:.1f} MiB, and Lambda accepts {limit // 1024**2} MiB"
