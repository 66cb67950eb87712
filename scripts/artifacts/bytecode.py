"""Bytecode in a zip: modules compiled in advance for the Python that imports them.

A function's file system is read-only, so Lambda compiles modules at each cold start and drops the result. Bytecode
depends neither on time nor on place: it is marked as not to be compared with its source, and names the folder in which
Lambda unpacks zips.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from scripts.artifacts.archive import Entry
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

_TASK = "/var/task"  # where Lambda unpacks a zip; tracebacks show it


class Compiler(NamedTuple):
    """An interpreter that compiles bytecode: its path, and its version as `3.13.2`."""

    program: str
    version: str


NO_COMPILER = Compiler("", "")


def find_compiler(python: str) -> Compiler:
    """Return the interpreter that compiles for a Python version (as `3.13`): this one, or one on the PATH.

    Raises:
        ToolError: There is none.
    """
    if platform.python_version().startswith(f"{python}."):
        return Compiler(sys.executable, platform.python_version())
    # A program on the PATH may be a wrapper that only says how to install Python.
    if program := shutil.which(f"python{python}"):
        ask = (program, "-I", "-c", "import platform; print(platform.python_version())")
        version = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
        if version.startswith(f"{python}."):
            return Compiler(program, version)
    raise ToolError(
        f"--bytecode: Python {python} compiles bytecode for Python {python}, and there is no python{python} on the "
        f"PATH. Install it, or omit --bytecode: the function runs without, and its cold starts take longer"
    )


def with_bytecode(entries: Sequence[Entry], own: Container[str], compiler: Compiler, work: Path) -> list[Entry]:
    """Add bytecode to the entries of a zip.

    The project's own sources stay next to their bytecode, for tracebacks. A dependency's bytecode replaces its source,
    which saves half a megabyte. A file that cannot be compiled stays as it is.

    Args:
        entries: Entries of the zip.
        own: Paths of the project's own files.
        compiler: The interpreter.
        work: A working folder.
    """
    sources = work / "bytecode"
    for entry in entries:
        if entry.path.endswith(".py"):
            source = sources / entry.path
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(entry.content)
    # It fails if one file is not Python, after it has compiled all others.
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
        path = PurePosixPath(entry.path)
        cached = path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc"
        if path.suffix != ".py" or not (sources / cached).exists():
            result.append(entry)
        elif entry.path in own:
            result += [entry, Entry(str(cached), (sources / cached).read_bytes())]
        else:
            result.append(Entry(f"{entry.path}c", (sources / cached).read_bytes()))
    return result
