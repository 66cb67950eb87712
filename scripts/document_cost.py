"""Writes docs/cost.md and its chart from docs/cost.json, what a run measured, and terraform/prices.json.

With --measure, it first makes docs/cost.json anew: photographs of yours go through the embedded emulator, to which
Terraform's root is applied, several times each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import textwrap
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from PIL import Image

from darkroom.bill import sections
from darkroom.cli import main as darkroom
from darkroom.errors import OperatorError
from darkroom.measurements import measure
from darkroom.pricing import Case, Measurements, bill, by_component, load_prices
from darkroom.resources import Resources
from darkroom.sources import collect
from scripts import ROOT, package_lambdas
from scripts.demo.deployment import LEAST_CONCURRENCY
from scripts.engines.ministack import ministack
from scripts.generated.documents import draw_bars, machine, markdown, settle
from scripts.process.entry_point import ToolError, entry_point
from scripts.process.environment import environment
from scripts.terraform.stack import Stack, emulator_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from darkroom.bill import Section
    from darkroom.pricing import Prices

MEASURED = ROOT / "docs" / "cost.json"
PAGE = ROOT / "docs" / "cost.md"
CHART = ROOT / "docs" / "cost.svg"
COMMAND = "python scripts/document_cost.py"

NAME = "cost"
DIRECTORY = ROOT / "build" / "cost"
ROUNDS = 5
ARCHITECTURE = "arm64"  # what the root deploys, wherever this was measured
BARS = {"straight into the bucket": "#1a9850", "through the API": "#74a9cf"}

FAILED = 1
INTERRUPTED = 130

INTRODUCTION = """\
# What it costs

<!-- Written by `{command}` from docs/cost.json and terraform/prices.json; change it there. -->

What your pipeline costs, by what it measured of itself, this shows:

```sh
.venvs/dev/bin/darkroom cost --since 7d
.venvs/dev/bin/darkroom cost --api --memory 768 --images-per-month 250000
```

And this is what it shows for one run. Prices are those of {region} in {date}, on demand and without free tier; they
stand in [`terraform/prices.json`](../terraform/prices.json), each service with its source, and the dashboard's estimate
multiplies by the same.

{run}

![US dollars for a million images, by component and by the way in which they come](cost.svg)
"""

HOW = """\
## How it is counted

- **Times and sizes** are those of the function's log: its reports, and the measures of each image
  ([observe.md](observe.md)). Only invocations count that did nothing but process images, INIT included.
- **Memory**: Lambda gives a share of a processor that grows with the memory, up to a whole one at 1,769 MB. `Render`
  is computing in one thread: it takes as long as that share makes it. All else is waiting for S3 and EventBridge, and
  takes as long as it takes. INIT counts as computing. So computing costs the same with any memory up to 1,769 MB, and
  waiting costs in proportion to it. That a processor of Lambda is as fast as the one that measured is an assumption: on
  AWS none is needed, for the measures come from Lambda itself.
- **Step Functions**: the workflow's definition is walked with each record's event; each state that is entered is a
  transition. Express executions count in steps of 100 ms and 64 MB.
- **DynamoDB**: each write that the definition makes counts by the size of its item, and again for each index that
  holds the item.
- **S3's events** are paid for: what S3 tells EventBridge of objects is an opt-in data event. The bucket of the
  derivatives tells of them only where `processed = {{ events = true }}` asks it to.
- **X-Ray** traces the first request of each second and a twentieth of the others. Images that come evenly and slower
  than one a second are all traced; `--images-per-month` says how many come. An invocation of the function and an
  execution of the workflow count as a trace each, which is the most that they can be. `tracing = false` traces nothing,
  and costs nothing here.
- **KMS**: buckets, queues, topic and workflow keep a data key for minutes, so what they ask for grows with time, not
  with images. What EventBridge asks for is not documented, and not counted.
- **Dynamic Image Transformation**: what AWS tells is the
  [table in its guide]({solution})
  to version {version}, read in {told}; nine of ten pictures served come out of the cache there. Its price of Lambda is
  that of 128 MB; the solution
  [deploys {memory:,} MB]({deployed})
  and a REST API, and the column beside it counts with those, for the same milliseconds.
- **Not counted**: failures and what is done again, deletions, reading through the API, data transfer, free tier.

This run is made anew, with photographs of yours, by

```sh
.venvs/dev/bin/{command} --measure ~/Pictures --rounds 5
```
"""


def render(run: Mapping[str, Any], prices: Prices) -> tuple[str, str]:
    """The page and its chart."""
    measured = replace(Measurements(**run["measured"]), architecture=ARCHITECTURE)
    case = Case(measured.memory)
    solution = prices.solution
    parts = [
        INTRODUCTION.format(command=COMMAND, region=prices.region, date=prices.date, run=_wrapped(_run(run, measured))),
        *(_section(section) for section in sections(measured, prices, case)),
        HOW.format(
            command=COMMAND,
            solution=solution["source"],
            told=solution["date"],
            version=solution["version"],
            deployed=solution["deployed"]["source"],
            memory=solution["deployed"]["memory"],
        ),
        *_list("What this run could not measure", measured.notes),
        *_list("Sources of the prices", [service["source"] for service in prices.services.values()]),
    ]
    direct, through = (by_component(bill(measured, prices, replace(case, through_api=way))) for way in (False, True))
    groups = {one: dict(zip(BARS, (direct[one], through[one]), strict=True)) for one in direct}
    longest = max(usd for bars in groups.values() for usd in bars.values())
    return "\n".join(parts), draw_bars("US dollars for a million images", groups, BARS, longest)


def _run(run: Mapping[str, Any], measured: Measurements) -> str:
    photographs = run["photographs"]
    sizes = photographs["megapixels"]
    return (
        f"This run, of {run['date']}: {measured.images} uploads of {photographs['count']} photographs, "
        f"{min(sizes):.1f} to {max(sizes):.1f} megapixels ({fmean(sizes):.1f} on average, "
        f"{measured.bytes_in / 1_000_000:.1f} MB), {measured.variants:g} derivatives each, on {run['engine']}; "
        f"{run['machine']}. Priced as {ARCHITECTURE}, which Terraform deploys."
    )


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    """A list, if there is anything to list."""
    if items:
        yield f"## {title}\n\n" + "\n".join(_wrapped(f"- {item}", "  ") for item in items) + "\n"


def _wrapped(text: str, indent: str = "") -> str:
    """Prose in lines as long as elsewhere."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)


def _section(section: Section) -> str:
    table = markdown([[cell or " " for cell in row] for row in (section.columns, *section.rows)])
    parts = [f"## {section.title}", _wrapped(section.before), table.rstrip("\n"), _wrapped(section.after)]
    return "\n\n".join(part for part in parts if part) + "\n"


def make_run(paths: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Send photographs through the embedded emulator, and measure.

    Raises:
        OperatorError: There are none.
        ToolError, TerraformError: Something else is missing.
        ToolError: The pipeline was not packaged, or an image was not processed.
    """
    photographs = collect(paths)
    if package_lambdas.main(["--local"]):
        raise ToolError("the function could not be packaged: see above")
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    usual = emulator_variables(NAME)
    processors = max(os.cpu_count() or 1, LEAST_CONCURRENCY)
    variables = {**usual, "process_image": {**usual["process_image"], "max_concurrency": processors}}
    with ExitStack() as on_exit:
        running = on_exit.enter_context(ministack(DIRECTORY))
        on_exit.enter_context(environment(running.environment))
        stack = Stack(DIRECTORY, {}, variables, tell=print)
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
    """Write the page, or check it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if page and chart are not what would be written")
    parser.add_argument("--measure", nargs="+", type=Path, metavar="PATH", help="photographs, and folders of them")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"times each; default: {ROUNDS}")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.measure:
        try:
            run = make_run(options.measure, options.rounds)
        except OperatorError as error:
            raise ToolError(str(error)) from error
        MEASURED.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    wanted = render(json.loads(MEASURED.read_text(encoding="utf-8")), load_prices())
    return max(
        settle(file, text, COMMAND, check=options.check) for file, text in zip((PAGE, CHART), wanted, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
