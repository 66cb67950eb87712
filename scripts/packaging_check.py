"""Proof that the zips are reproducible: build them twice, as two different machines would, and compare."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import packaging_manifest
from packaging_errors import PackagingError
from packaging_functions import SHARED, discover
from packaging_targets import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What must not show in the bytes.

    Attributes:
        folder: Where the build happens, relative to a temporary folder.
        umask: Of the process.
        environment: Variables of the process.
        mtime: Of every source file, in seconds since 1970.
        warm: Whether the wheels come from the cache; otherwise they are fetched again.
    """

    folder: str
    umask: int
    environment: dict[str, str]
    mtime: int
    warm: bool

    def __str__(self) -> str:
        wheels = "cached wheels" if self.warm else "wheels fetched anew"
        return f"umask {self.umask:03o}, TZ {self.environment['TZ']}, {wheels}"


CIRCUMSTANCES = (
    Circumstances("a", 0o022, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, 946684800, warm=True),
    Circumstances(
        "another/folder with a much longer name, and with spaces",
        0o077,
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
        1767225599,
        warm=False,
    ),
)


def build_elsewhere(
    where: Circumstances, temporary: Path, source: Path, output: Path, arguments: Sequence[str]
) -> Path:
    """Build copies of the functions in a temporary folder; gives the folder with the results.

    Args:
        where: How this build differs from others.
        temporary: An empty folder.
        source: The functions.
        output: The folder of the ordinary build, whose cache may serve.
        arguments: Of the command: functions and targets.

    Raises:
        PackagingError: The build failed.
    """
    functions, results = temporary / where.folder / "lambdas", temporary / where.folder / "build"
    results.mkdir(parents=True)
    for name in (*discover(source), SHARED):
        if (source / name).is_dir():
            shutil.copytree(source / name, functions / name)
    for path in functions.rglob("*"):
        os.utime(path, (where.mtime, where.mtime))
    for folder in FOLDERS:
        cache = Path(folder, ".cache", "wheels")
        if where.warm and (output / cache).exists():
            shutil.copytree(output / cache, results / cache)
    script = Path(__file__).with_name("package_lambdas.py")
    done = subprocess.run(
        [sys.executable, str(script), *arguments, "--source", str(functions), "--output", str(results)],
        env={**os.environ, **where.environment},
        umask=where.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingError(f"the build with {where} failed:\n{done.stderr.strip()}")
    return results


def differences(keys: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """What differs between builds of the same artifacts, or between one and its manifest."""
    found = []
    for key in keys:
        for extension in ("zip", "cdx.json"):
            first, *others = (folder / f"{key}.{extension}" for folder in folders)
            found += [_difference(first, other) for other in others if first.read_bytes() != other.read_bytes()]
        entries = [packaging_manifest.read(folder)[key] for folder in folders]
        if any(entry != entries[0] for entry in entries):
            found.append(f"{key}: the manifests differ")
        for folder, entry in zip(folders, entries, strict=True):
            if packaging_manifest.sha256(folder / entry["path"]) != entry["sha256"]:
                found.append(f"{key}: {folder / entry['path']} is not what its manifest says")
    return found


def _difference(first: Path, second: Path) -> str:
    if first.suffix != ".zip":
        return f"{first.name} differs"
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
        left, right = ({info.filename: _identity(info) for info in archive.infolist()} for archive in (one, two))
    paths = sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
    return f"{first.name} differs in {', '.join(paths) or 'the order or the header of its entries'}"


def _identity(info: zipfile.ZipInfo) -> tuple[object, ...]:
    return (
        info.CRC,
        info.file_size,
        info.compress_size,
        info.date_time,
        info.external_attr,
        info.header_offset,
    )
