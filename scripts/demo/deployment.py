"""The pipeline of the demo: an emulator that keeps its state from run to run, and Terraform's root applied to it.

The deployment is kept for the next run. If nothing has changed since, Terraform does not run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.engines.ministack import forget, ministack
from scripts.process.entry_point import ToolError
from scripts.process.environment import environment
from scripts.terraform.stack import Stack, TerraformError, emulator_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from scripts.artifacts.targets import Target
    from scripts.engines.ministack import Emulator

NAME = "demo"
LEAST_CONCURRENCY = 2  # what Lambda allows

_APPLIED = "applied.json"  # variables and outputs of the last apply; missing after an interrupted one


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Keep other demos out of the directory.

    Raises:
        ToolError: Another one runs in it.
    """
    import fcntl  # noqa: PLC0415 - not on Windows, where the rest of the module can still be read

    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ToolError(f"another demo runs in {directory}: let it end first.") from None
        yield


@contextmanager
def emulator(directory: Path) -> Iterator[Emulator]:
    """Start the demo's emulator with the state of the last run, and yield it; this process then uses it as AWS.

    Raises:
        ToolError: The emulator does not start.
    """
    if not (directory / _APPLIED).exists():
        forget(directory)
    with ministack(directory, persist=True) as running:
        if not running.restored:
            for stale in (directory / _APPLIED, *(directory / "terraform").glob("terraform.tfstate*")):
                stale.unlink(missing_ok=True)
        with environment(running.environment):
            yield running


@dataclass
class Progress:
    """Progress of Terraform, read from its output.

    Attributes:
        planned: Resources to create, change or remove; None until Terraform has planned.
        done: Number of finished ones.
        busy: Addresses of those it is waiting for, in the order of their start.
    """

    planned: int | None = None
    done: int = 0
    busy: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take note of a line."""
        if plan := _PLAN.match(line):
            self.planned = sum(map(int, plan.groups()))
        elif begun := _BEGUN.match(line):
            self.busy.append(begun["address"])
        elif ended := _ENDED.match(line):
            self.busy = [address for address in self.busy if address != ended["address"]]
            self.done += 1

    def describe(self) -> str:
        """Return one line with the resource that Terraform has been waiting for longest."""
        if self.planned is None:
            return "Terraform plans what to make"
        others = f" and {len(self.busy) - 1} more" if len(self.busy) > 1 else ""
        waiting = f", waiting for {self.busy[0].removeprefix('module.')}{others}" if self.busy else ""
        return f"Terraform: {self.done} of {self.planned} resources{waiting}"


_PLAN = re.compile(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy")
_BEGUN = re.compile(r"(?P<address>\S+): (?:Creating|Modifying|Destroying)\.\.\.")
_ENDED = re.compile(r"(?P<address>\S+): (?:Creation|Modifications|Destruction) complete after")


def local_variables(name: str, target: Target | None = None) -> dict[str, Any]:
    """Return the root's variables for an emulator, with as many environments of the function as processors.

    Every environment is a process of this machine.
    """
    usual = emulator_variables(name, target)
    processors = max(os.cpu_count() or 1, LEAST_CONCURRENCY)
    return {**usual, "process_image": {**usual["process_image"], "max_concurrency": processors}}


def apply(directory: Path, subscriber_arn: str, report: Callable[[str], None], progress: Progress) -> Mapping[str, Any]:
    """Apply the root with a subscription for the demo's queue, unless nothing has changed; return its outputs.

    Raises:
        TerraformError: Terraform has failed.
    """
    subscription = {"protocol": "sqs", "endpoint": subscriber_arn}
    variables = {**local_variables(NAME), "notifications": {"demo": subscription}}
    marker, wanted = directory / _APPLIED, fingerprint(variables)
    before = json.loads(marker.read_text()) if marker.exists() else {}
    if before.get("fingerprint") == wanted:
        outputs: dict[str, Any] = before["outputs"]
        return outputs

    stack = Stack(directory, {}, variables, report=report)
    marker.unlink(missing_ok=True)
    try:
        stack.init()
        stack.apply(on_line=progress.read)
        outputs = stack.outputs()
    except TerraformError:
        marker.write_text("{}")  # its state is complete, so the next apply continues
        raise
    marker.write_text(json.dumps({"fingerprint": wanted, "outputs": outputs}))
    return outputs


def fingerprint(variables: Mapping[str, Any]) -> str:
    """Return a hash of everything that the result depends on: Terraform files, contracts, artifacts and variables."""
    files = [
        *(file for suffix in ("tf", "json") for file in (ROOT / "terraform").rglob(f"[!.]*.{suffix}")),
        *(ROOT / "events").glob("*/pattern.json"),
        ROOT / "terraform" / variables["artifacts"],
        ROOT / "requirements" / "ministack.txt",
    ]
    digest = hashlib.sha256(json.dumps(variables, sort_keys=True).encode())
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
