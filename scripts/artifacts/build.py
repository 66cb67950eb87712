"""From functions and targets to zips, bills of materials and the manifest.

Everything is made in a working folder and renamed into its place when it is whole, so an interruption at any
moment leaves what was there before, or nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.artifacts import manifest as packaging_manifest
from scripts.artifacts.errors import PackagingError
from scripts.artifacts.functions import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from scripts.artifacts.bytecode import Compiler
    from scripts.artifacts.functions import Function
    from scripts.artifacts.manifest import Artifact
    from scripts.artifacts.targets import Target

STEPS = 5
"""How often `build` reports at most what it does next."""


@dataclass(frozen=True, slots=True)
class Job:
    """One zip to be made.

    Attributes:
        function: What goes in.
        target: Where it runs.
        compiler: Makes the bytecode that goes in; None if none does.
    """

    function: Function
    target: Target
    compiler: Compiler | None = None

    @property
    def key(self) -> str:
        """The zip's name without its extension, and its key in the manifest."""
        return self.target.artifact(self.function.name)

    @property
    def bytecode(self) -> str:
        """Version of the Python whose bytecode goes in; empty if none does."""
        return self.compiler.version if self.compiler else ""

    @property
    def inputs(self) -> str:
        """SHA-256 of what the zip is made from."""
        return _inputs(self.function, self.bytecode)


def pending(jobs: Sequence[Job], output: Path) -> list[Job]:
    """The jobs whose zip is not there or was made from something else."""
    manifest = packaging_manifest.read(output)
    return [job for job in jobs if not packaging_manifest.is_current(output, manifest.get(job.key), job.inputs)]


def outdated(source: Path, output: Path) -> list[str]:
    """Keys of the manifest whose zip is gone, damaged, or older than its sources."""
    manifest = packaging_manifest.read(output)
    functions: dict[str, Function] = {}
    for name in {entry["function"] for entry in manifest.values()}:
        with suppress(PackagingError):
            functions[name] = load(source, name)
    return [
        key
        for key, entry in manifest.items()
        if (function := functions.get(entry["function"])) is None
        or not packaging_manifest.is_current(output, entry, _inputs(function, entry["bytecode"]))
    ]


@contextmanager
def exclusive(output: Path) -> Iterator[Path]:
    """Keep other builds of the same folder waiting; gives an empty working folder."""
    import fcntl  # noqa: PLC0415 - not on Windows, where the rest of the module can still be read

    work = output / ".cache" / "work"
    work.mkdir(parents=True, exist_ok=True)
    with (output / ".cache" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build in {output}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _empty(work)  # whatever a killed build left
        try:
            yield work
        finally:
            _empty(work)


def forget(keys: Sequence[str], output: Path, work: Path) -> None:
    """Take artifacts out of the manifest."""
    manifest = packaging_manifest.read(output)
    if manifest.keys() & set(keys):
        packaging_manifest.write(output, {key: entry for key, entry in manifest.items() if key not in keys}, work)


def build(job: Job, output: Path, work: Path, report: Callable[[str], None]) -> Artifact:
    """Make one zip and its bill of materials, and put them into the manifest.

    Args:
        job: What to make; the manifest must not hold an older one any more (see `forget`).
        output: The folder that gets it.
        work: A working folder on the same file system, as `exclusive` gives it.
        report: Called with a few words before each of the steps.

    Raises:
        PackagingError: It cannot be made; the message says why.
    """
    # These cost a tenth of a second, which a call with nothing to do need not spend.
    from scripts.artifacts.archive import Entry, combine, wheel_entries, write_zip  # noqa: PLC0415
    from scripts.artifacts.bytecode import with_bytecode  # noqa: PLC0415
    from scripts.artifacts.sbom import bill_of_materials  # noqa: PLC0415
    from scripts.artifacts.wheels import fetch  # noqa: PLC0415

    report("fetching wheels")
    wheels = fetch(job.function, job.target, output / ".cache" / "wheels", work)

    report("writing the zip")
    own = [Entry.stored(path, content) for path, content in job.function.files]
    layers = [(job.function.name, own), *((str(wheel.pin), wheel_entries(wheel.path)) for wheel in wheels)]
    archive = work / f"{job.key}.zip"
    entries = combine(layers, job.function.exclusions)
    if job.compiler:
        report("compiling")
        entries = with_bytecode(entries, job.function.name, job.compiler, work)
    write_zip(archive, entries)
    digest = packaging_manifest.sha256(archive)

    report("writing the bill of materials")
    sbom = work / f"{job.key}.cdx.json"
    sbom.write_text(bill_of_materials(job.function, job.target, digest, wheels), encoding="utf-8")

    report("finishing")
    entry: Artifact = {
        "path": archive.name,
        "sha256": digest,
        "size": archive.stat().st_size,
        "sbom": sbom.name,
        "function": job.function.name,
        "architecture": job.target.architecture,
        "runtime": job.target.runtime,
        "bytecode": job.bytecode,
        "inputs": job.inputs,
    }
    archive.replace(output / archive.name)
    sbom.replace(output / sbom.name)
    packaging_manifest.write(output, {**packaging_manifest.read(output), job.key: entry}, work)
    return entry


def _inputs(function: Function, bytecode: str) -> str:
    return hashlib.sha256(f"{function.inputs} {bytecode}".encode()).hexdigest() if bytecode else function.inputs


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
