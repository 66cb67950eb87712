"""Package the functions in lambdas/ for AWS Lambda: one zip for each function, CPU and version of Python."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.artifacts.build import STEPS, Job, build, exclusive, forget, outdated, pending
from scripts.artifacts.bytecode import find_compiler
from scripts.artifacts.errors import PackagingError
from scripts.artifacts.functions import discover, load
from scripts.artifacts.manifest import MANIFEST, read
from scripts.artifacts.targets import ARCHITECTURES, DEFAULT_PYTHON, lambda_target, local_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import TaskID

    from scripts.artifacts.targets import Target


FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

EPILOG = """\
A zip is made from the function's folder and its hash-locked requirements.txt, and is byte-identical wherever
and whenever it is made. Beside it lie a CycloneDX bill of materials (<name>.cdx.json) and the manifest.json
that Terraform reads. What is up to date is not made again; wheels are kept in <output>/.cache.

examples:
  package_lambdas.py                          every function, for Lambda on arm64 and x86_64
  package_lambdas.py --local                  every function, for the emulator on this machine
  package_lambdas.py process_image --arch arm64
  package_lambdas.py --check                  prove that the zips are reproducible

exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parse(arguments)
    try:
        return _run(options)
    except (PackagingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; what was finished before is kept", file=sys.stderr)
        return INTERRUPTED


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("function", nargs="*", metavar="FUNCTION", help="folder in lambdas/; default: all of them")
    parser.add_argument(
        "--arch",
        nargs="+",
        action="extend",
        choices=sorted(ARCHITECTURES),
        help="CPU of the Lambda function; default: both",
    )
    parser.add_argument(
        "--python",
        nargs="+",
        action="extend",
        metavar="VERSION",
        help=f"Python version of the Lambda function; default: {DEFAULT_PYTHON}",
    )
    parser.add_argument(
        "--local",
        action="store_true",
        help="for this interpreter on this machine, as an emulator without containers runs it; "
        "instead of the targets for Lambda, unless --arch or --python name some; on a machine that cannot "
        "run what Lambda runs (macOS, for one), its zips and their manifest go into the subfolder local",
    )
    parser.add_argument(
        "--bytecode",
        action="store_true",
        help="put bytecode in, for faster cold starts; needs the target's version of Python on this machine",
    )
    parser.add_argument("--check", action="store_true", help="build everything twice elsewhere and compare the bytes")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build", metavar="FOLDER", help="gets the zips; default: build"
    )
    parser.add_argument(
        "--source",
        type=Path,
        default=ROOT / "lambdas",
        metavar="FOLDER",
        help="holds the functions; default: lambdas",
    )
    options = parser.parse_args(arguments)
    known = discover(options.source)
    unknown = [name for name in options.function if name not in known]
    if unknown:
        parser.error(f"no function {', '.join(unknown)} in {options.source}; there: {', '.join(known) or 'none'}")
    if not known:
        parser.error(f"no function in {options.source}: a function is a folder with a requirements.txt")
    try:
        options.targets = _targets(options)
    except PackagingError as error:
        parser.error(str(error))
    return options


def _targets(options: argparse.Namespace) -> list[Target]:
    targets = []
    if options.arch or options.python or not options.local:
        pythons = options.python or [DEFAULT_PYTHON]
        architectures = options.arch or sorted(ARCHITECTURES)
        targets = [lambda_target(arch, python) for python in pythons for arch in architectures]
    if options.local:
        targets.append(local_target())
    if len({target.folder for target in targets}) > 1:
        raise PackagingError("--local: the zips for this machine are none for Lambda; build them by themselves")
    return list(dict.fromkeys(targets))


def _run(options: argparse.Namespace) -> int:
    source, output = options.source.resolve(), options.output.resolve()
    folder = options.targets[0].folder
    functions = [load(source, name) for name in dict.fromkeys(options.function or discover(source))]
    compilers = {target: find_compiler(target) if options.bytecode else None for target in options.targets}
    jobs = [Job(function, target, compilers[target]) for function in functions for target in options.targets]
    _build(jobs, source, output / folder)
    return _check(jobs, source, output, options) if options.check else 0


def _build(jobs: Sequence[Job], source: Path, output: Path) -> None:
    todo, stale = pending(jobs, output), outdated(source, output)
    if todo or stale:
        with exclusive(output) as work:
            # Somebody else may have built in the meantime.
            todo, stale = pending(jobs, output), outdated(source, output)
            forget(stale, output, work)
            _show_current(jobs, todo, output)
            for key in sorted(set(stale) - {job.key for job in todo}):
                print(f"{key:<40} out of date: not in {MANIFEST} until it is built again")
            if todo:
                _build_all(todo, output, work)
    else:
        _show_current(jobs, todo, output)


def _show_current(jobs: Sequence[Job], todo: Sequence[Job], output: Path) -> None:
    manifest = read(output)
    for job in jobs:
        if job not in todo:
            print(f"{job.key:<40} {_megabytes(manifest[job.key]['size'])}  up to date")


def _build_all(jobs: Sequence[Job], output: Path, work: Path) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and not needed when all is up to date
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(highlight=False, soft_wrap=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        for job in jobs:
            task = progress.add_task(f"{job.key}", total=STEPS)
            started = time.monotonic()

            def report(step: str, job: Job = job, task: TaskID = task) -> None:
                progress.update(task, advance=1, description=f"{job.key:<40} {step}")

            entry = build(job, output, work, report)
            progress.remove_task(task)
            seconds = time.monotonic() - started
            console.print(f"{job.key:<40} {_megabytes(entry['size'])}  built in {seconds:.1f} s", markup=False)


def _check(jobs: Sequence[Job], source: Path, output: Path, options: argparse.Namespace) -> int:
    from scripts.artifacts.check import CIRCUMSTANCES, build_elsewhere, differences  # noqa: PLC0415

    arguments = [job.function.name for job in jobs]
    for name in ("arch", "python"):
        if values := getattr(options, name):
            arguments += [f"--{name}", *values]
    arguments += [f"--{name}" for name in ("local", "bytecode") if getattr(options, name)]
    folder = options.targets[0].folder
    folders = [output / folder]
    with tempfile.TemporaryDirectory(prefix="darkroom-") as temporary:
        for number, where in enumerate(CIRCUMSTANCES, 1):
            print(f"build {number} of {len(CIRCUMSTANCES)}: {where}", flush=True)
            results = build_elsewhere(where, Path(temporary), source, output, arguments)
            folders.append(results / folder)
        found = differences([job.key for job in jobs], folders)
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    if found:
        return FAILED
    print(f"reproducible: {len(jobs)} zip{'s' if len(jobs) > 1 else ''}, each three times the same bytes")
    return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:5.2f} MB"


if __name__ == "__main__":
    sys.exit(main())
