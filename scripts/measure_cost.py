"""Measure docs/cost.json: send photographs through the pipeline on the embedded emulator, several times each.

`make docs` then writes docs/cost.md from it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from darkroom.cli import main as darkroom
from darkroom.errors import OperatorError
from darkroom.measurements import measure
from darkroom.resources import Resources
from darkroom.sources import collect
from scripts import ROOT, package_lambdas
from scripts.demo.deployment import local_variables
from scripts.engines.ministack import ministack
from scripts.generated.cost import MEASURED
from scripts.generated.documents import machine
from scripts.process.entry_point import ToolError, entry_point
from scripts.process.environment import environment
from scripts.terraform.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "cost"
DIRECTORY = ROOT / "build" / "cost"
ROUNDS = 5


def make_run(paths: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Send photographs through the embedded emulator and measure.

    Raises:
        OperatorError: There are no photographs.
        ToolError: The emulator or Terraform does not work.
        ToolError: The pipeline was not packaged, or an image was not processed.
    """
    photographs = collect(paths)
    package_lambdas.package(["--local"])
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    with ExitStack() as on_exit:
        running = on_exit.enter_context(ministack(DIRECTORY))
        on_exit.enter_context(environment(running.environment))
        stack = Stack(DIRECTORY, {}, local_variables(NAME), report=print)
        stack.init()
        stack.apply(on_line=print)
        for number in range(rounds):
            files = [str(photograph.path) for photograph in photographs]
            if darkroom(["upload", *files, "--name", NAME, "--prefix", f"{number}/", "--at-once", "1", "--wait"]):
                raise ToolError("not every photograph was processed: see above")
        until = datetime.now(UTC)
        measured = measure(Resources(NAME), until - timedelta(hours=1), until)
    return {
        "date": f"{until:%Y-%m-%d}",
        "engine": f"MiniStack {_version('ministack')}",
        "machine": machine(),
        "photographs": {"count": len(photographs), "megapixels": [_megapixels(one.path) for one in photographs]},
        "measured": {**asdict(measured), "engine": "MiniStack"},
    }


def _megapixels(path: Path) -> float:
    with Image.open(path) as image:
        return round(image.width * image.height / 1_000_000, 2)


def _version(package: str) -> str:
    pinned = re.search(rf"^{package}==(\S+)", (ROOT / "requirements" / f"{package}.txt").read_text(), re.MULTILINE)
    return pinned[1] if pinned else "of unknown version"


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write docs/cost.json; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="+", type=Path, metavar="PATH", help="photographs or folders")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="N", help=f"times that each is sent; default: {ROUNDS}"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}. Set it to at least 1")
    try:
        run = make_run(options.photographs, options.rounds)
    except OperatorError as error:
        raise ToolError(str(error)) from error
    MEASURED.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
