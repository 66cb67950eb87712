"""Test the pipeline on AWS: apply it, upload photographs, break it, repair it, destroy it.

The test runs in the account and region of the environment's credentials. It shows them and the estimated cost, and asks
for confirmation. The results are in `build/aws-smoke-test/<name>/facts.json` and `facts.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from darkroom.errors import explain
from darkroom.interrupt import graceful
from darkroom.pricing import load_prices
from scripts import ROOT, package_lambdas
from scripts.demo.deployment import Progress
from scripts.demo.pictures import draw_pictures
from scripts.demo.terminal import Steps
from scripts.process.entry_point import FAILED, ToolError, entry_point
from scripts.smoke import api as smoke_api
from scripts.smoke.checks import KEYS, Smoke, SmokeClients, Witness, leave
from scripts.smoke.facts import AWS, Facts, Outcome, estimate
from scripts.terraform.stack import Stack, TerraformError, check_terraform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from darkroom.interrupt import Stop

DONE = 0

DIRECTORY = ROOT / "build" / "aws-smoke-test"
RUN = "run.json"  # resources to destroy, and their place; exists until all are destroyed

EPILOG = """\
It takes from half an hour to an hour: S3 needs minutes to make a new bucket's events known, EventBridge to archive
events, and all services to notice a key's change. The first Ctrl-C lets Terraform finish its current operation and then
destroys everything. What an engine other than AWS cannot do is reported as "not on this engine".

examples:
  aws_smoke_test.py                              asks before it makes anything
  aws_smoke_test.py --photo holiday.jpg --yes
  aws_smoke_test.py --destroy smoke-3f9a1c       the resources of an interrupted run

exit status: 0 all checks passed, 1 a check failed, 2 wrong usage, 130 interrupted. In all cases,
all resources are destroyed unless the last line reports others
"""


class Interrupted(Exception):  # noqa: N818 - no error: the user has said so
    """Ctrl-C came."""


@dataclass(frozen=True)
class Place:
    """Place of the test: account, region, and the address of an emulator."""

    account: str
    identity: str
    region: str
    endpoint: str | None

    @property
    def partition(self) -> str:
        """The partition of the region: aws, aws-cn, aws-us-gov and so on."""
        return self.identity.split(":")[1]

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.endpoint or AWS


def find_place() -> Place:
    """Return the place of the environment's credentials.

    Raises:
        ToolError: There are no credentials or no region; the message says what to set.
    """
    session = boto3.Session()
    try:
        if session.get_credentials() is None:
            raise NoCredentialsError
        if session.region_name is None:
            raise NoRegionError
        with closing(session.client("sts")) as sts:
            identity = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise ToolError(explain(error)) from error
    return Place(identity["Account"], identity["Arn"], session.region_name, os.environ.get("AWS_ENDPOINT_URL") or None)


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the test; gives its exit status."""
    options = _parse(arguments)
    try:
        check_terraform()
        place = find_place()
        with graceful("Terraform ends what it is at, then all is destroyed") as stop:
            test = SmokeTest(options, place, Steps(), stop)
            return test.destroy_only() if options.destroy else test.run()
    except Interrupted:
        raise KeyboardInterrupt from None
    except (BotoCoreError, ClientError) as error:
        raise ToolError(explain(error)) from error


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="aws_smoke_test.py",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--photo", type=Path, metavar="FILE", help="the photograph to upload; default: a drawn one")
    parser.add_argument("--keep", action="store_true", help="leave the pipeline there; it is destroyed with --destroy")
    parser.add_argument("--destroy", metavar="NAME", help="destroy the resources of the run with this name")
    parser.add_argument(
        "--variables",
        type=Path,
        metavar="FILE",
        help="JSON with additional variables of the root; with `artifacts`, no function is packaged",
    )
    options = parser.parse_args(arguments)
    if options.photo and not options.photo.is_file():
        parser.error(f"{options.photo} is no file")
    if options.destroy and not (DIRECTORY / options.destroy / RUN).exists():
        left = sorted(path.parent.name for path in DIRECTORY.glob(f"*/{RUN}"))
        parser.error(f"no run {options.destroy} is left; there are: {', '.join(left) or 'none'}")
    return options


class SmokeTest:
    """One run, from the plan to the destruction."""

    def __init__(self, options: argparse.Namespace, place: Place, steps: Steps, stop: Stop) -> None:
        self._options = options
        self._place = place
        self._steps = steps
        self._stop = stop
        self._name: str = options.destroy or f"smoke-{secrets.token_hex(3)}"
        self._directory = DIRECTORY / self._name

    def run(self) -> int:
        """Plan, ask, apply, check, destroy."""
        steps, place = self._steps, self._place
        variables = self._variables()
        photograph = self._options.photo or draw_pictures(DIRECTORY / "originals")[0]
        stack = Stack(self._directory, {}, variables, report=steps.say)
        with steps.step(lambda: "Terraform plans what to make"):
            stack.init()
            plan = stack.plan()
        made = sum(change["change"]["actions"] == ["create"] for change in plan["resource_changes"])
        steps.say(f"To be made and destroyed: {made} resources called {self._name}-…")
        steps.say(f"  in {place.region} of account {place.account}, at {place.engine}, as {place.identity}")
        self._report_cost(plan)
        if not self._options.yes and not self._agreed():
            raise ToolError("nothing was made.")
        self._note_run(variables)
        facts = Facts(place.engine, place.region, datetime.now(UTC).isoformat(timespec="seconds"))
        with closing(SmokeClients()) as clients:
            try:
                self._make_and_check(clients, stack, photograph, facts)
            finally:
                self._write(facts)
                if not self._options.keep:
                    self._destroy(clients, stack)
        failed = [check for check in facts.checks if check.outcome is Outcome.FAILED]
        steps.say(self._evidence(facts))
        steps.say(f"The facts: {self._directory / 'facts.md'}", "bold")
        if self._options.keep:
            steps.say(f"It is still there. To destroy it: make aws-smoke-test SMOKE='--destroy {self._name}'", "bold")
        if failed:
            steps.say(f"{len(failed)} of {len(facts.checks)} steps failed.", "bold red")
        return FAILED if failed else DONE

    def destroy_only(self) -> int:
        """Destroy the resources of a run."""
        left = json.loads((self._directory / RUN).read_text())
        here = {"account": self._place.account, "region": self._place.region, "engine": self._place.engine}
        if there := {name: left[name] for name, value in here.items() if left[name] != value}:
            raise ToolError(
                f"that run was elsewhere ({', '.join(f'{name} {value}' for name, value in there.items())}): "
                "set credentials, AWS_REGION and AWS_ENDPOINT_URL as it had them."
            )
        stack = Stack(self._directory, {}, left["variables"], report=self._steps.say)
        stack.init()
        with closing(SmokeClients()) as clients:
            self._destroy(clients, stack)
        return DONE

    def _variables(self) -> dict[str, Any]:
        variables: dict[str, Any] = {"name": self._name, "region": self._place.region, "force_destroy": True}
        variables["api"] = smoke_api.VARIABLES
        variables["reconcile"] = {"schedule": "rate(1 minute)"}
        account = self._place.account
        queues = {
            queue: f"arn:{self._place.partition}:sqs:{self._place.region}:{account}:{self._name}-{queue}"
            for queue in ("observer", "sealed")
        }
        variables["notifications"] = {name: {"protocol": "sqs", "endpoint": arn} for name, arn in queues.items()}
        if self._options.variables:
            variables |= json.loads(self._options.variables.read_text())
        if "artifacts" not in variables:
            package_lambdas.package(["--arch", variables.get("architecture", "arm64")])
        return variables

    def _report_cost(self, plan: Mapping[str, Any]) -> None:
        prices = load_prices()
        lines = estimate(plan, prices, len(KEYS) + 10)
        self._steps.say(
            f"It will cost about ${sum(usd for _, usd in lines):.2f}, on prices of {prices.date}, {prices.region}:"
        )
        for what, usd in lines:
            self._steps.say(f"  {usd:.4f}  {what}")
        self._steps.say("KMS deletes the key after 30 days, without costs until then.")

    def _agreed(self) -> bool:
        if not sys.stdin.isatty():
            raise ToolError("there is no terminal to ask for confirmation: use --yes to confirm.")
        return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}

    def _note_run(self, variables: Mapping[str, Any]) -> None:
        run = {
            "account": self._place.account,
            "engine": self._place.engine,
            "region": self._place.region,
            "variables": variables,
        }
        (self._directory / RUN).write_text(json.dumps(run, indent=2) + "\n")

    def _make_and_check(self, clients: SmokeClients, stack: Stack, photograph: Path, facts: Facts) -> None:
        witness = Witness(clients, self._name, self._end_if_stopped)
        progress = Progress()
        with self._steps.step(progress.describe) as done:
            stack.apply(on_line=progress.read)
            done.append(f"Terraform has made {progress.done} resources")
        self._end_if_stopped()
        Smoke(clients, witness, stack, photograph, facts, self._steps).run()

    def _end_if_stopped(self) -> None:
        if self._stop:
            raise Interrupted

    def _destroy(self, clients: SmokeClients, stack: Stack) -> None:
        progress = Progress()
        try:
            with self._steps.step(lambda: f"Destroying. {progress.describe()}") as done:
                leave(clients, self._name)
                stack.destroy(on_line=progress.read)
                done.append("Everything is destroyed")
        except (BotoCoreError, ClientError, TerraformError):
            self._steps.say(
                f"SOMETHING IS LEFT. Give this until it succeeds: make aws-smoke-test SMOKE='--destroy {self._name}'",
                "bold red",
            )
            raise
        (self._directory / RUN).unlink()

    def _write(self, facts: Facts) -> None:
        (self._directory / "facts.json").write_text(json.dumps(facts.as_json(), indent=2, ensure_ascii=False) + "\n")
        (self._directory / "facts.md").write_text(self._evidence(facts))

    def _evidence(self, facts: Facts) -> str:
        """Return the facts as they can be shown to anyone: the account's number is left out."""
        return facts.as_markdown().replace(self._place.account, "<account>")


if __name__ == "__main__":
    sys.exit(main())
