"""Proof that the zips are reproducible: build them twice, as two different machines would, and compare the bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.artifacts import manifest
from scripts.artifacts.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Circumstances(NamedTuple):
    """What the bytes must not depend on.

    Attributes:
        folder: Where the build happens, relative to a temporary folder.
        umask: Umask of the process.
        mtime: Time of every source file, in seconds since 1970.
        environment: Variables of the process.
        cached: The wheels come from uv's cache; otherwise they are fetched again.
    """

    folder: str
    umask: int
    mtime: int
    environment: dict[str, str]
    cached: bool

    def __str__(self) -> str:
        wheels = "cached wheels" if self.cached else "wheels fetched again"
        return f"umask {self.umask:03o}, TZ {self.environment['TZ']}, {wheels}"


CIRCUMSTANCES = (
    Circumstances("a", 0o022, 946684800, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, cached=True),
    Circumstances(
        "another/folder with a much longer name, and with spaces",
        0o077,
        1767225599,
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
        cached=False,
    ),
)


def find_differences(
    script: Path, arguments: Sequence[str], keys: Sequence[str], source: Path, output: Path, subfolder: str
) -> list[str]:
    """Build in different circumstances; return one line for each file that differs from the one in the output folder.

    Args:
        script: The command that builds.
        arguments: Its functions and targets.
        keys: The artifacts to compare.
        source: The functions.
        output: The folder of the ordinary build.
        subfolder: The subfolder that has the artifacts.

    Raises:
        PackagingError: A build failed.
    """
    folders = [output / subfolder]
    with tempfile.TemporaryDirectory(prefix="darkroom-") as temporary:
        for number, where in enumerate(CIRCUMSTANCES, 1):
            print(f"build {number} of {len(CIRCUMSTANCES)}: {where}", flush=True)
            place = Path(temporary, where.folder)
            _build(where, place, source, [sys.executable, str(script), *arguments])
            folders.append(place / "build" / subfolder)
        return [line for key in keys for line in _compare(key, folders)]


def _build(where: Circumstances, place: Path, source: Path, command: Sequence[str]) -> None:
    shutil.copytree(source, place / "lambdas", symlinks=True)
    for path in place.rglob("*"):
        os.utime(path, (where.mtime, where.mtime))
    cold = {} if where.cached else {"UV_CACHE_DIR": str(place / "uv")}
    done = subprocess.run(
        [*command, "--source", str(place / "lambdas"), "--output", str(place / "build")],
        env={**os.environ, **where.environment, **cold},
        umask=where.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingError(f"the build with {where} failed:\n{done.stderr.strip()}")


def _compare(key: str, folders: Sequence[Path]) -> list[str]:
    """Return what differs between builds of one artifact, or between one and its manifest."""
    found = []
    for name in (f"{key}.zip", f"{key}.cdx.json"):
        first, *others = (folder / name for folder in folders)
        found += [_difference(first, other) for other in others if first.read_bytes() != other.read_bytes()]
    entries = [manifest.read(folder)[key] for folder in folders]
    if any(entry != entries[0] for entry in entries):
        found.append(f"{key}: the manifests differ")
    for folder, entry in zip(folders, entries, strict=True):
        if manifest.sha256(folder / entry["path"]) != entry["sha256"]:
            found.append(f"{key}: {folder / entry['path']} is not what its manifest says")
    return found


def _difference(first: Path, second: Path) -> str:
    if first.suffix != ".zip":
        return f"{first.name} differs"
    members = []
    for path in (first, second):
        with zipfile.ZipFile(path) as archive:
            members.append({(info.filename, info.CRC, info.external_attr) for info in archive.infolist()})
    paths = sorted({name for name, *_ in members[0] ^ members[1]})
    return f"{first.name} differs in {', '.join(paths) or 'the order, the headers or the compression of its files'}"
