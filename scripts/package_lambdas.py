"""Package the functions in lambdas/ for AWS Lambda: one zip for each function, CPU and version of Python."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.artifacts.build import Job, build
from scripts.artifacts.bytecode import find_compiler
from scripts.artifacts.functions import HANDLER, discover, load
from scripts.artifacts.targets import ARCHITECTURES, DEFAULT_PYTHON, lambda_target, local_target
from scripts.process.entry_point import FAILED, ToolError, entry_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.artifacts.targets import Target

EPILOG = """\
A zip is made from the function's folder, the packages that it shares with others, and its hash-locked
requirements.txt. It is byte-identical on every machine and at any time. Next to it are a CycloneDX bill of materials
(<name>.cdx.json) and the manifest.json that Terraform reads. Zips that are up to date are not built again.

examples:
  package_lambdas.py                          every function, for Lambda on arm64 and x86_64
  package_lambdas.py --local                  every function, for the emulator on this machine
  package_lambdas.py process_image --arch arm64
  package_lambdas.py --check                  prove that the zips are reproducible

exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted
"""


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return package(arguments)


def package(arguments: Sequence[str] | None = None) -> int:
    """Build the zips that the arguments of the command ask for, and return its exit status.

    Raises:
        ToolError: A zip cannot be built.
    """
    options = _parse(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt as interruption:
        raise KeyboardInterrupt("finished zips are kept") from interruption


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("function", nargs="*", metavar="FUNCTION", help="folder in lambdas/ (default: all)")
    parser.add_argument(
        "--arch",
        nargs="+",
        action="extend",
        choices=sorted(ARCHITECTURES),
        help="CPU of the Lambda function (default: both)",
    )
    parser.add_argument(
        "--python",
        nargs="+",
        action="extend",
        metavar="VERSION",
        help=f"Python version of the Lambda function (default: {DEFAULT_PYTHON})",
    )
    parser.add_argument(
        "--local",
        action="store_true",
        help="build for this interpreter on this machine, as an emulator without containers runs it, and not for "
        "Lambda unless --arch or --python is given; if this machine cannot run what Lambda runs (macOS, for example), "
        "the zips and their manifest go into the subfolder local",
    )
    parser.add_argument(
        "--bytecode",
        action="store_true",
        help="add bytecode, for faster cold starts; needs the target's version of Python on this machine",
    )
    parser.add_argument("--check", action="store_true", help="build everything twice elsewhere and compare the bytes")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build", metavar="FOLDER", help="folder for the zips (default: build)"
    )
    parser.add_argument(
        "--source",
        type=Path,
        default=ROOT / "lambdas",
        metavar="FOLDER",
        help="folder of the functions (default: lambdas)",
    )
    options = parser.parse_args(arguments)
    known = discover(options.source)
    unknown = [name for name in options.function if name not in known]
    if not known:
        parser.error(f"no function in {options.source}: a function is a folder with a {HANDLER}")
    if unknown:
        parser.error(f"no function {', '.join(unknown)} in {options.source}. Choose from: {', '.join(known)}")
    try:
        options.targets = _targets(options)
    except ToolError as error:
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
        raise ToolError("--local: Lambda cannot run the zips of this machine. Build them without --arch, --python")
    return list(dict.fromkeys(targets))


def _run(options: argparse.Namespace) -> int:
    source, output = options.source.resolve(), options.output.resolve()
    folder = options.targets[0].folder
    functions = [load(source, name) for name in dict.fromkeys(options.function or discover(source))]
    compilers = {target: find_compiler(target.python) if options.bytecode else None for target in options.targets}
    jobs = [Job(function, target, compilers[target]) for function in functions for target in options.targets]
    build(jobs, source, output / folder)
    return _check(jobs, source, output, options) if options.check else 0


def _check(jobs: Sequence[Job], source: Path, output: Path, options: argparse.Namespace) -> int:
    from scripts.artifacts.check import find_differences  # noqa: PLC0415 - slow to import, and seldom needed

    command = [sys.executable, __file__, *(job.function.name for job in jobs)]
    for name in ("arch", "python"):
        if values := getattr(options, name):
            command += [f"--{name}", *values]
    command += [f"--{name}" for name in ("local", "bytecode") if getattr(options, name)]
    found = find_differences(command, [job.key for job in jobs], source, output, options.targets[0].folder)
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    if found:
        return FAILED
    print(f"reproducible: {len(jobs)} zip{'s' if len(jobs) > 1 else ''}, each built three times with the same bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
