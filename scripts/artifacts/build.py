"""From functions and targets to zips, bills of materials and the manifest.

All files are made in a working folder and renamed when they are complete. So an interruption at any moment leaves what
was there before, or nothing.
"""

from __future__ import annotations

import fcntl
import shutil
import sys
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING

from scripts.artifacts import manifest
from scripts.artifacts.archive import write_zip
from scripts.artifacts.bytecode import NO_COMPILER, find_compiler, with_bytecode
from scripts.artifacts.functions import load
from scripts.artifacts.sbom import bill_of_materials
from scripts.artifacts.wheels import install
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from scripts.artifacts.bytecode import Compiler
    from scripts.artifacts.functions import Function
    from scripts.artifacts.manifest import Artifact
    from scripts.artifacts.targets import Target


def build(
    functions: Iterable[Function], targets: Sequence[Target], source: Path, output: Path, *, bytecode: bool
) -> list[str]:
    """Build the zips that are not up to date, and remove those that are out of date from the manifest.

    Returns:
        The keys of the zips in the manifest.

    Raises:
        ToolError: A zip cannot be built. Those that were built before it are kept.
    """
    compilers = {target: find_compiler(target.python) if bytecode else NO_COMPILER for target in targets}
    jobs = {target.artifact(function.name): (function, target) for function, target in product(functions, targets)}
    with _exclusive(output) as work:
        known = manifest.read(output)
        current = {key: entry for key, entry in known.items() if _is_current(entry, source, output)}
        for key, (_, target) in jobs.items():
            if key in current and current[key]["bytecode"] != compilers[target].version:
                del current[key]
        if current != known:
            manifest.write(output, current, work)
            print(f"out of date: {', '.join(sorted(known.keys() - current.keys()))}")
        for key, (function, target) in jobs.items():
            done = "up to date" if key in current else "built"
            entry = current.get(key) or _build(function, target, compilers[target], output, work / key)
            print(f"{key:<40} {entry['size'] / 1e6:5.2f} MB  {done}", flush=True)
    return list(jobs)


@contextmanager
def _exclusive(output: Path) -> Iterator[Path]:
    """Wait for other builds in the same folder; give an empty working folder."""
    output.mkdir(parents=True, exist_ok=True)
    with (output / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build in {output}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        work = output / ".work"
        try:
            shutil.rmtree(work, ignore_errors=True)  # a killed build left it
            work.mkdir()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _is_current(entry: Artifact, source: Path, output: Path) -> bool:
    """Return True if a zip is whole, has a bill of materials, and was made from the function as it is now."""
    try:
        return (
            entry["inputs"] == load(source, entry["function"]).inputs(entry["bytecode"])
            and entry["sha256"] == manifest.sha256(output / entry["path"])
            and (output / entry["sbom"]).is_file()
        )
    except (FileNotFoundError, ToolError):
        return False


def _build(function: Function, target: Target, compiler: Compiler, output: Path, work: Path) -> Artifact:
    """Build a zip that the manifest does not name, add it, and return its entry."""
    work.mkdir()
    archive, sbom = work / f"{work.name}.zip", work / f"{work.name}.cdx.json"
    wheels = install(function, target, work)
    own = {entry.path: entry for entry in function.files}
    foreign = {entry.path: entry for wheel in wheels for entry in wheel.entries}
    if both := own.keys() & foreign.keys():
        raise ToolError(f"{function.name} and a package that it requires hold {', '.join(sorted(both))}. Rename it")
    entries = function.without_excluded((own | foreign).values())
    write_zip(archive, with_bytecode(entries, own.keys(), compiler, work) if compiler.version else entries)
    digest = manifest.sha256(archive)
    sbom.write_text(bill_of_materials(function.name, target, digest, wheels), encoding="utf-8")
    entry: Artifact = {
        "path": archive.name,
        "sha256": digest,
        "size": archive.stat().st_size,
        "sbom": sbom.name,
        "function": function.name,
        "architecture": target.architecture,
        "runtime": target.runtime,
        "bytecode": compiler.version,
        "inputs": function.inputs(compiler.version),
    }
    archive.replace(output / archive.name)
    sbom.replace(output / sbom.name)
    manifest.write(output, manifest.read(output) | {work.name: entry}, work)
    return entry
