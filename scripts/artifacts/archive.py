"""Zips whose bytes depend on their content alone."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

import deflate

from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_ZIP = 50 * 1024**2
"""Bytes of a zip that Lambda accepts by direct upload, which is how terraform/ deploys."""

MAX_UNPACKED = 250 * 1024**2
"""Bytes of a function that Lambda accepts, unpacked."""

_COMPRESSION_LEVEL = 9

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


def write_zip(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries sorted by path, with fixed dates and modes.

    zlib, zlib-ng and Apple's zlib compress the same input to different bytes. So a libdeflate compresses, whose version
    is locked, and `zipfile` gets compressed bytes to store; the headers are corrected afterwards.

    Raises:
        ToolError: Lambda does not accept the zip because of its size.
    """
    unpacked = sum(len(entry.content) for entry in entries)
    if unpacked > MAX_UNPACKED:
        raise ToolError(f"{path.name} has {_mebibytes(unpacked, MAX_UNPACKED)} unpacked. {_ADVICE}")
    with zipfile.ZipFile(path, "w") as archive:
        for entry in sorted(entries, key=lambda entry: entry.path.encode()):
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
    size = path.stat().st_size
    if size > MAX_ZIP:
        raise ToolError(
            f"{path.name} has {_mebibytes(size, MAX_ZIP)} by direct upload. {_ADVICE}, "
            f"or deploy it from S3 (`s3_bucket` and `s3_key` of aws_lambda_function, instead of `filename`)"
        )


def _mebibytes(size: int, limit: int) -> str:
    return f"{size / 1024**2:.1f} MiB, and Lambda accepts {limit // 1024**2} MiB"
