"""From functions and targets to zips, bills of materials and the manifest.

All files are made in a working folder and renamed when they are complete. So an interruption at any moment leaves what
was there before, or nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.artifacts import manifest
from scripts.artifacts.functions import load
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.artifacts.functions import Function
    from scripts.artifacts.targets import Target


@dataclass(frozen=True, slots=True)
class Job:
    """One zip to build.

    Attributes:
        function: The function in the zip.
        target: The target that runs it.
        compiler: Path and version of the interpreter that compiles it; None for a zip without bytecode.
    """

    function: Function
    target: Target
    compiler: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """Name of the zip without its extension, and its key in the manifest."""
        return self.target.artifact(self.function.name)

    @property
    def bytecode(self) -> str:
        """Version of the Python that compiles it; empty for a zip without bytecode."""
        return self.compiler[1] if self.compiler else ""

    @property
    def inputs(self) -> str:
        """SHA-256 of what the zip is made from."""
        return _inputs(self.function, self.bytecode)


def build(jobs: Sequence[Job], source: Path, output: Path) -> None:
    """Build the zips that are not up to date, and remove those that are out of date from the manifest.

    Raises:
        ToolError: A zip cannot be built. Those that were built before it are kept.
    """
    pending, outdated = _compare(jobs, source, output)
    if pending or outdated:
        with _exclusive(output) as work:
            pending, outdated = _compare(jobs, source, output)  # another process may have built them
            _forget(outdated, output, work)
            for key in sorted(outdated - {job.key for job in pending}):
                print(f"{key:<40} out of date: removed from {manifest.MANIFEST}")
            for job in pending:
                started = time.monotonic()
                size = _build(job, output, work)
                print(f"{job.key:<40} {size / 1e6:5.2f} MB  built in {time.monotonic() - started:.1f} s", flush=True)
    built = manifest.read(output)
    for job in jobs:
        if job not in pending:
            print(f"{job.key:<40} {built[job.key]['size'] / 1e6:5.2f} MB  up to date")


def _compare(jobs: Sequence[Job], source: Path, output: Path) -> tuple[list[Job], set[str]]:
    """Return the jobs whose zip must be built, and the keys of zips that are missing, damaged or too old."""
    entries = manifest.read(output)
    functions: dict[str, Function] = {}
    for name in {entry["function"] for entry in entries.values()}:
        with suppress(ToolError, FileNotFoundError):
            functions[name] = load(source, name)
    outdated = {
        key
        for key, entry in entries.items()
        if (function := functions.get(entry["function"])) is None
        or not manifest.is_current(output, entry, _inputs(function, entry["bytecode"]))
    }
    current = {(key, entry["inputs"]) for key, entry in entries.items() if key not in outdated}
    pending = [job for job in jobs if (job.key, job.inputs) not in current]
    return pending, outdated


@contextmanager
def _exclusive(output: Path) -> Iterator[Path]:
    """Wait for other builds in the same folder; give an empty working folder."""
    import fcntl  # noqa: PLC0415 - Windows does not have it, and can still read this module

    work = output / ".cache" / "work"
    work.parent.mkdir(parents=True, exist_ok=True)
    with (work.parent / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build in {output}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            shutil.rmtree(work, ignore_errors=True)  # a killed build left it
            work.mkdir()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _build(job: Job, output: Path, work: Path) -> int:
    """Build one zip with its bill of materials, add it to the manifest, and return its size."""
    # These are slow to import, and not needed when all is up to date.
    from scripts.artifacts.archive import combine, write_zip  # noqa: PLC0415
    from scripts.artifacts.bytecode import with_bytecode  # noqa: PLC0415
    from scripts.artifacts.sbom import bill_of_materials  # noqa: PLC0415
    from scripts.artifacts.wheels import install  # noqa: PLC0415

    function = job.function
    wheels = install(function, job.target, output / ".cache", work)
    layers = [(function.name, function.files), *((str(wheel), wheel.entries) for wheel in wheels)]
    entries = function.without_excluded(combine(layers))
    if job.compiler:
        own = {entry.path.partition("/")[0] for entry in function.files}
        entries = with_bytecode(entries, own, job.compiler, work)
    archive, sbom = work / f"{job.key}.zip", work / f"{job.key}.cdx.json"
    write_zip(archive, entries)
    digest, size = manifest.sha256(archive), archive.stat().st_size
    sbom.write_text(bill_of_materials(function.name, job.target, digest, wheels), encoding="utf-8")
    artifact: manifest.Artifact = {
        "path": archive.name,
        "sha256": digest,
        "size": size,
        "sbom": sbom.name,
        "function": function.name,
        "architecture": job.target.architecture,
        "runtime": job.target.runtime,
        "bytecode": job.bytecode,
        "inputs": job.inputs,
    }
    _forget({job.key}, output, work)
    archive.replace(output / archive.name)
    sbom.replace(output / sbom.name)
    manifest.write(output, {**manifest.read(output), job.key: artifact}, work)
    return size


def _forget(keys: set[str], output: Path, work: Path) -> None:
    entries = manifest.read(output)
    if entries.keys() & keys:
        manifest.write(output, {key: entry for key, entry in entries.items() if key not in keys}, work)


def _inputs(function: Function, bytecode: str) -> str:
    return hashlib.sha256(f"{function.inputs} {bytecode}".encode()).hexdigest() if bytecode else function.inputs
