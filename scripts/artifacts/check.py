"""Proof that the zips are reproducible: build them twice, as two different machines would, and compare the bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.artifacts import manifest
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The bytes must not depend on the build's folder, its umask, the time of the sources, or the environment.
# The second build fetches the wheels again.
CIRCUMSTANCES = (
    ("a", 0o022, 946684800, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
    (
        "another/folder with a much longer name, and with spaces",
        0o077,
        1767225599,
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "UV_NO_CACHE": "1"},
    ),
)


def find_differences(command: Sequence[str], keys: Sequence[str], source: Path, output: Path, local: str) -> list[str]:
    """Build in different circumstances, and return a line for each file that differs from the one in `output`.

    Args:
        command: The command that builds, with its functions and targets.
        keys: The artifacts to compare.
        source: The functions.
        output: The folder of the ordinary build.
        local: The subfolder that the artifacts are in.

    Raises:
        ToolError: A build failed.
    """
    folders = [output / local]
    with tempfile.TemporaryDirectory(prefix="darkroom-") as temporary:
        for number, (folder, umask, mtime, environment) in enumerate(CIRCUMSTANCES, 1):
            shown = ", ".join(f"{name}={value}" for name, value in environment.items())
            print(f"build {number} of {len(CIRCUMSTANCES)}: umask {umask:03o}, {shown}", flush=True)
            functions, build = Path(temporary, folder, "lambdas"), Path(temporary, folder, "build")
            shutil.copytree(source, functions, symlinks=True)
            for path in functions.rglob("*"):
                os.utime(path, (mtime, mtime))
            done = subprocess.run(
                [*command, "--source", str(functions), "--output", str(build)],
                env={**os.environ, **environment},
                umask=umask,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise ToolError(f"build {number} failed:\n{done.stderr.strip()}")
            folders.append(build / local)
        return [line for key in keys for line in _compare(key, folders)]


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
