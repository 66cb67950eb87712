"""Bytecode in a zip: modules compiled ahead for the Python that imports them.

A function's file system is read-only, so what Lambda compiles at a cold start is thrown away and compiled again
at the next. Bytecode holds neither time nor place: it is marked as never to be compared with its source, and
names the folder that Lambda unpacks zips in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging_archive import Entry
from packaging_errors import PackagingError
from packaging_functions import SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging_targets import Target

_TASK = "/var/task"  # where Lambda unpacks a zip: what a traceback shows
# Of libdeflate, which is locked to one version, where each machine has a zlib of its own that gives other bytes.
_LEVEL = 9

_ABOUT = "import json, platform, sys; print(json.dumps([platform.python_implementation(), platform.python_version()]))"


@dataclass(frozen=True, slots=True)
class Compiler:
    """An interpreter that makes bytecode.

    Attributes:
        program: Its path.
        version: Its version with the patch release, as `3.13.2`: another one may make other bytes.
    """

    program: str
    version: str


def find_compiler(target: Target) -> Compiler:
    """The interpreter whose bytecode a target runs: this one, or one on the PATH.

    Raises:
        PackagingError: There is none.
    """
    programs = [sys.executable, shutil.which(f"python{target.python}"), shutil.which("python3")]
    for program in dict.fromkeys(filter(None, programs)):
        # What lies on the PATH may be a wrapper that only says how to install it.
        done = subprocess.run([program, "-I", "-c", _ABOUT], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            implementation, version = json.loads(done.stdout)
            if implementation == "CPython" and version.startswith(f"{target.python}."):
                return Compiler(program, version)
    raise PackagingError(
        f"--bytecode: bytecode for Python {target.python} is made by Python {target.python}, and there is no "
        f"python{target.python} on the PATH. Install it, or leave out --bytecode: the function runs without, and "
        f"its cold starts take longer"
    )


def with_bytecode(entries: Sequence[Entry], function: str, compiler: Compiler, work: Path) -> list[Entry]:
    """Put bytecode into what will be a zip.

    The function's own sources stay beside theirs, for tracebacks; a dependency's bytecode takes its source's
    place, which saves half a megabyte. What cannot be compiled stays as it is.

    Args:
        entries: Of the zip.
        function: The function's name, which is its folder in the zip.
        compiler: Makes the bytecode.
        work: An empty folder.

    Returns:
        The entries, sorted by path.
    """
    sources = work / "bytecode"
    for entry in entries:
        if entry.path.endswith(".py"):
            path = sources / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_content(entry))
    # It fails for a single file that is no Python, and has compiled all others by then.
    subprocess.run(
        [
            *(compiler.program, "-I", "-S", "-W", "ignore", "-m", "compileall", "-qq", "-j", "1"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(sources), "-p", _TASK, str(sources)),
        ],
        check=False,
    )
    tag = "cpython-" + "".join(compiler.version.split(".")[:2])
    result = []
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        cached = Path(folder, "__pycache__", f"{name.removesuffix('.py')}.{tag}.pyc")
        compiled = sources / cached
        if not entry.path.endswith(".py") or not compiled.exists():
            result.append(entry)
        elif entry.path.startswith((f"{function}/", f"{SHARED}/")):
            result += [entry, _compressed(cached.as_posix(), compiled.read_bytes())]
        else:
            result.append(_compressed(f"{entry.path}c", compiled.read_bytes()))
    shutil.rmtree(sources, ignore_errors=True)
    return sorted(result, key=lambda entry: entry.path.encode())


def _content(entry: Entry) -> bytes:
    return zlib.decompress(entry.data, -zlib.MAX_WBITS) if entry.method == zipfile.ZIP_DEFLATED else entry.data


def _compressed(path: str, content: bytes) -> Entry:
    import deflate  # noqa: PLC0415 - only for who asks for bytecode

    data = bytes(deflate.deflate_compress(content, _LEVEL))
    return Entry(path, data, zipfile.ZIP_DEFLATED, zlib.crc32(content), len(content))
