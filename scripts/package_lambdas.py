"""Package the functions in lambdas/ for AWS Lambda: one zip for each function, CPU and version of Python."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.artifacts.build import build
from scripts.artifacts.check import find_differences
from scripts.artifacts.functions import HANDLER, discover, load
from scripts.artifacts.targets import ARCHITECTURES, DEFAULT_PYTHON, lambda_target, local_target
from scripts.process.entry_point import WRONG_USAGE, ToolError, entry_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.artifacts.targets import Target

EPILOG = """\
A zip is byte-identical on every machine and at any time. Next to it are a CycloneDX bill of materials and the
manifest.json that Terraform reads. Zips that are up to date are not built again.

examples:
  package_lambdas.py --local                  every function, for the emulator on this machine
  package_lambdas.py process_image --arch arm64

exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted
"""


def package(arguments: Sequence[str] | None = None) -> int:
    """Build the zips that the arguments of the command ask for, and return its exit status.

    Raises:
        ToolError: A zip cannot be built, or another build results in other bytes.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parse(arguments)
    targets = _targets(options)
    source, output, folder = options.source.resolve(), options.output.resolve(), targets[0].folder
    functions = [load(source, name) for name in _names(options)]
    keys = build(functions, targets, source, output / folder, bytecode=options.bytecode)
    if options.check:
        command = [sys.executable, __file__, *(argument for argument in arguments if argument != "--check")]
        found = find_differences(command, keys, source, output, folder)
        if found:
            raise ToolError("\n".join(found))
        print(f"reproducible: {len(keys)} zips, each built three times with the same bytes")
    return 0


main = entry_point(package)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("function", nargs="*", metavar="FUNCTION", help="folder in lambdas/ (default: all)")
    add("--arch", nargs="+", action="extend", choices=sorted(ARCHITECTURES), help="CPU of Lambda (default: both)")
    add("--python", nargs="+", action="extend", help=f"version of Lambda's Python (default: {DEFAULT_PYTHON})")
    add(
        "--local",
        action="store_true",
        help="build for this interpreter on this machine, as an emulator without containers runs it, and not for "
        "Lambda unless --arch or --python is given; zips that Lambda cannot run (built on macOS, for example) go into "
        "the subfolder local",
    )
    add("--bytecode", action="store_true", help="add bytecode, for faster cold starts; needs the same Python here")
    add("--check", action="store_true", help="build everything twice elsewhere and compare the bytes")
    add("--output", type=Path, default=ROOT / "build", help="folder for the zips (default: build)")
    add("--source", type=Path, default=ROOT / "lambdas", help="folder of the functions (default: lambdas)")
    return parser.parse_args(arguments)


def _names(options: argparse.Namespace) -> list[str]:
    known = discover(options.source)
    names = list(dict.fromkeys(options.function or known))
    if not names or not {*names} <= {*known}:
        raise ToolError(
            f"no function {' '.join(names)} in {options.source}. A function is a folder with a {HANDLER}. "
            f"Choose from: {', '.join(known) or 'none'}",
            WRONG_USAGE,
        )
    return names


def _targets(options: argparse.Namespace) -> list[Target]:
    pythons, architectures = options.python or [DEFAULT_PYTHON], options.arch or sorted(ARCHITECTURES)
    targets = [lambda_target(architecture, python) for python in pythons for architecture in architectures]
    if options.local:
        targets = [*(targets if options.arch or options.python else ()), local_target()]
    if len({target.folder for target in targets}) > 1:
        raise ToolError(
            "--local: Lambda cannot run the zips of this machine. Build them without --arch, --python", WRONG_USAGE
        )
    return list(dict.fromkeys(targets))


if __name__ == "__main__":
    sys.exit(main())
