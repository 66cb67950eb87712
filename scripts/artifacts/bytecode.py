"""Bytecode in a zip: modules compiled in advance for the Python that imports them.

A function's file system is read-only, so Lambda compiles modules at each cold start and drops the result. Bytecode
depends neither on time nor on place: it is marked as not to be compared with its source, and names the folder in which
Lambda unpacks zips.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.artifacts.archive import Entry
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TASK = "/var/task"  # where Lambda unpacks a zip; tracebacks show it

_ABOUT = "import json, platform, sys; print(json.dumps([platform.python_implementation(), platform.python_version()]))"


def find_compiler(python: str) -> tuple[str, str]:
    """Return path and version (as `3.13.2`) of the interpreter that compiles for a Python version (as `3.13`).

    It is this one, or one on the PATH. The patch release matters: another one may write other bytes.

    Raises:
        ToolError: There is none.
    """
    programs = [sys.executable, shutil.which(f"python{python}"), shutil.which("python3")]
    for program in dict.fromkeys(filter(None, programs)):
        # A program on the PATH may be a wrapper that only says how to install Python.
        done = subprocess.run([program, "-I", "-c", _ABOUT], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            implementation, version = json.loads(done.stdout)
            if implementation == "CPython" and version.startswith(f"{python}."):
                return program, version
    raise ToolError(
        f"--bytecode: Python {python} compiles bytecode for Python {python}, and there is no python{python} on the "
        f"PATH. Install it, or omit --bytecode: the function runs without, and its cold starts take longer"
    )


def with_bytecode(entries: Sequence[Entry], packages: set[str], compiler: tuple[str, str], work: Path) -> list[Entry]:
    """Add bytecode to the entries of a zip.

    The project's own sources stay next to their bytecode, for tracebacks. A dependency's bytecode replaces its source,
    which saves half a megabyte. A file that cannot be compiled stays as it is.

    Args:
        entries: Entries of the zip.
        packages: The project's own packages: the function and what it shares.
        compiler: The interpreter, as `find_compiler` returns it.
        work: A working folder.

    Returns:
        The entries, sorted by path.
    """
    program, version = compiler
    sources = work / "bytecode"
    for entry in entries:
        if entry.path.endswith(".py"):
            path = sources / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)
    # It fails if one file is not Python, after it has compiled all others.
    subprocess.run(
        [
            *(program, "-I", "-S", "-W", "ignore", "-m", "compileall", "-qq", "-j", "1"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(sources), "-p", _TASK, str(sources)),
        ],
        check=False,
    )
    tag = "cpython-" + "".join(version.split(".")[:2])
    result = []
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        cached = Path(folder, "__pycache__", f"{name.removesuffix('.py')}.{tag}.pyc")
        compiled = sources / cached
        if not entry.path.endswith(".py") or not compiled.exists():
            result.append(entry)
        elif entry.path.partition("/")[0] in packages:
            result += [entry, Entry(cached.as_posix(), compiled.read_bytes())]
        else:
            result.append(Entry(f"{entry.path}c", compiled.read_bytes()))
    shutil.rmtree(sources, ignore_errors=True)
    return sorted(result, key=lambda entry: entry.path.encode())
