"""The pipeline at work: uploads images to an embedded emulator that Terraform's root is applied to, and shows it.

Each image's way is shown hop by hop, live in the terminal and then in a report, together with its derivatives, its
record and its notification. Without images of yours, a few are drawn.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from darkroom.dead_letters import image_of
from darkroom.errors import OperatorError
from darkroom.sources import collect
from scripts import ROOT, package_lambdas
from scripts.demo.deployment import NAME, Progress, apply, emulator, exclusive
from scripts.demo.images import split_paths
from scripts.demo.journey import describe_outcome
from scripts.demo.pictures import draw_pictures
from scripts.demo.pipeline import Clients, Observer, Run
from scripts.demo.report import write_report
from scripts.demo.terminal import Steps, live_journeys, results_table
from scripts.process.entry_point import FAILED, WRONG_USAGE, ToolError, entry_point
from scripts.terraform.stack import check_terraform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.demo.journey import Journey
    from scripts.engines.ministack import Emulator

DONE = 0

PATIENCE_SECONDS = 90

EPILOG = """\
The first run takes about a minute, most of it because Terraform waits for queues. The deployment
is kept, and the next run takes seconds. `make clean-demo` removes everything.

examples:
  run_demo.py                            pictures that it draws
  run_demo.py ~/Pictures holiday.heic    folders, with all that is in them, and files
  run_demo.py --keep                     leave the emulator running, to look around with the AWS CLI

exit status: 0 every image was recorded and announced (a rejection counts: it is a result), 1 some were not,
or something failed, 2 wrong usage, 130 interrupted
"""


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    options = _parse(arguments)
    try:
        return _run(options, Steps())
    except OperatorError as error:  # of `collect`
        raise ToolError(str(error), WRONG_USAGE) from error
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"{error}\nThe emulator's log: {options.directory / 'ministack.log'}") from error
    except KeyboardInterrupt as interruption:
        raise KeyboardInterrupt("nothing is left running. Run it again to continue.") from interruption


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run_demo.py", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="IMAGE", help="files and folders to upload; default: drawn pictures"
    )
    parser.add_argument(
        "--images",
        type=split_paths,
        default=[],
        metavar="TEXT",
        help="more of them in one argument, as `make demo IMAGES=` passes it: a path if it exists, else paths and "
        "patterns, separated and quoted as in a shell",
    )
    parser.add_argument("--keep", action="store_true", help="leave the emulator running until Ctrl-C")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_SECONDS,
        metavar="SECONDS",
        help=f"give up after so long without news of any image; default: {PATIENCE_SECONDS}",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=ROOT / "build" / "demo",
        metavar="FOLDER",
        help="for the report, the state and the emulator's log; default: build/demo",
    )
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, steps: Steps) -> int:
    sources = collect([*options.paths, *options.images])  # first of all: a mistyped path should not cost a minute
    check_terraform()
    directory: Path = options.directory.resolve()
    package_lambdas.package(["--local"])
    with ExitStack() as on_exit:
        on_exit.enter_context(exclusive(directory))
        if not sources:
            with steps.step(lambda: "Pictures are drawn") as done:
                sources = collect(draw_pictures(directory / "originals"))
                done.append(f"{len(sources)} pictures are drawn, one of them broken on purpose")
        with steps.step(lambda: "The emulator starts") as done:
            running = on_exit.enter_context(emulator(directory))
            state = ", with the state of the last run" if running.restored else ""
            done.append(f"MiniStack runs at {running.endpoint}, with IAM enforced{state}")
        clients = on_exit.enter_context(closing(Clients()))
        observer = Observer(clients, NAME)
        outputs = _apply(directory, observer, steps)
        observer.listen(outputs)
        run = Run(clients, outputs, observer, sources)
        steps.say(f"\nImages on the way: {len(sources)}. Times are seconds since the start of each upload.\n")
        with live_journeys(steps.console, run.journeys) as show:
            run.follow(options.patience, show)
        steps.say("")
        steps.console.print(results_table(run.journeys, steps.console.width))
        steps.say("")
        with steps.step(lambda: "The report is written"):
            report = write_report(directory, run.began, run.journeys, run.download)
        missing = [journey for journey in run.journeys if not journey.complete]
        if missing:
            _explain(missing, run, steps)
            steps.say(f"The emulator's log: {running.log}\n")
        steps.say(f"The report: {report.as_uri()}", "bold")
        if options.keep:
            _keep(running, steps)
    steps.say("The emulator is stopped.")
    return FAILED if missing else DONE


def _apply(directory: Path, observer: Observer, steps: Steps) -> Mapping[str, Any]:
    progress = Progress()
    if not (directory / "terraform").exists():
        steps.say("Terraform now makes the pipeline, as it would on AWS: about a minute, this one time.")
    with steps.step(progress.describe) as done:
        outputs = apply(directory, observer.arn, lambda sentence: done.append(f"({sentence})"), progress)
        how = "in place since the last run" if progress.planned is None else f"{progress.done} resources"
        done.insert(0, f"Terraform's root is applied: {how}")
    return outputs


def _explain(missing: Sequence[Journey], run: Run, steps: Steps) -> None:
    """Say which images did not arrive, and where to look."""
    letters = run.dead_letters()
    waiting = {image_of(body): name for name, bodies in letters.items() for body in bodies}
    steps.say(f"{len(missing)} of {len(run.journeys)} were not recorded and announced:", "bold red")
    for journey in missing:
        queue = waiting.get(journey.image_id)
        where = f"; its event is in the DLQ {queue}" if queue else ""
        steps.say(f"  {journey.source.path}: {describe_outcome(journey)}{where}")
    for error in run.log.errors:
        steps.say(f"The function's log: {error}")
    if not letters:
        steps.say("The DLQs are empty: failed messages are retried after some minutes, then go to a DLQ.")


def _keep(running: Emulator, steps: Steps) -> None:
    """Leave the emulator running until Ctrl-C."""
    steps.say("\nThe emulator runs until Ctrl-C. To use it from another terminal:\n")
    for name, value in running.environment.items():
        steps.say(f"  export {name}={shlex.quote(value)}")
    with suppress(KeyboardInterrupt):
        signal.pause()
    steps.say("")


if __name__ == "__main__":
    sys.exit(main())
