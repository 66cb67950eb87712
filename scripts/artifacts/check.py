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
    from collections.abc import Iterable, Sequence

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


def find_differences(command: Sequence[str], keys: Iterable[str], source: Path, output: Path, local: str) -> list[str]:
    """Run a command in different circumstances, and return what differs from the artifacts in `output / local`.

    Raises:
        ToolError: A build failed.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="darkroom-") as temporary:
        for name, umask, mtime, environment in CIRCUMSTANCES:
            functions, build = Path(temporary, name, "lambdas"), Path(temporary, name, "build")
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
                raise ToolError(f"the build with {environment} failed:\n{done.stderr.strip()}")
            for key in keys:
                found += _compare(key, output / local, build / local)
    return found


def _compare(key: str, first: Path, second: Path) -> list[str]:
    """Return a line for each difference between two builds of one artifact."""
    found = []
    if manifest.read(first)[key] != manifest.read(second)[key]:
        found.append(f"{key} differs in {manifest.MANIFEST}")
    for name in (f"{key}.zip", f"{key}.cdx.json"):
        if (first / name).read_bytes() != (second / name).read_bytes():
            members = {path for path, *_ in _members(first / name) ^ _members(second / name)}
            found.append("\n  ".join((f"{name} differs", *sorted(members))))
    return found


def _members(path: Path) -> set[tuple[str, int, int]]:
    if path.suffix != ".zip":
        return set()
    with zipfile.ZipFile(path) as archive:
        return {(info.filename, info.CRC, info.external_attr) for info in archive.infolist()}
