"""The pipeline of the demo: an emulator that keeps its state from run to run, and Terraform's root applied to it.

The deployment is kept for the next run. If nothing has changed since, Terraform does not run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
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
            (directory / _APPLIED).unlink(missing_ok=True)
            for state in (directory / "terraform").glob("terraform.tfstate*"):
                state.unlink()
        with environment(running.environment):
            yield running


@dataclass
class Progress:
    """Progress of Terraform, read from its output.

    Attributes:
        planned: Resources to create, change or remove; None until Terraform has planned.
        done: Number of finished ones.
        busy: The addresses of those it is at, and since when.
    """

    planned: int | None = None
    done: int = 0
    busy: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def read(self, line: str) -> None:
        """Take note of a line."""
        if plan := _PLAN.match(line):
            self.planned = sum(map(int, plan.groups()))
        elif begun := _BEGUN.match(line):
            self.busy[begun["address"]] = self.clock()
        elif ended := _ENDED.match(line):
            self.busy.pop(ended["address"], None)
            self.done += 1

    def describe(self) -> str:
        """Return one line with the resources that Terraform is waiting for."""
        if self.planned is None:
            return "Terraform plans what to make"
        if not self.busy:
            return f"Terraform: {self.done} of {self.planned} resources"
        address, since = next(iter(self.busy.items()))  # the one it has been waiting for longest
        others = f" and {len(self.busy) - 1} more" if len(self.busy) > 1 else ""
        return (
            f"Terraform: {self.done} of {self.planned} resources, waiting for "
            f"{address.removeprefix('module.')} ({self.clock() - since:.0f} s){others}"
        )


_PLAN = re.compile(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy")
_BEGUN = re.compile(r"(?P<address>\S+): (?:Creating|Modifying|Destroying)\.\.\.")
_ENDED = re.compile(r"(?P<address>\S+): (?:Creation|Modifications|Destruction) complete after")


@dataclass(frozen=True)
class Applied:
    """Result of an apply: the root's outputs, and whether the deployment existed before."""

    outputs: Mapping[str, Any]
    how: str


def apply(directory: Path, subscriber_arn: str, report: Callable[[str], None], progress: Progress) -> Applied:
    """Apply the root, with a subscription for the demo's queue, if anything has changed since the last run.

    Raises:
        TerraformError: Terraform has failed.
    """
    usual = emulator_variables(NAME)
    # Every environment of the function is a process of this machine, so their number is that of the processors.
    processors = max(os.cpu_count() or 1, LEAST_CONCURRENCY)
    variables = {
        **usual,
        "process_image": {**usual["process_image"], "max_concurrency": processors},
        "notifications": {"demo": {"protocol": "sqs", "endpoint": subscriber_arn}},
    }
    marker, wanted = directory / _APPLIED, fingerprint(variables)
    before = json.loads(marker.read_text()) if marker.exists() else {}
    if before.get("fingerprint") == wanted:
        return Applied(before["outputs"], "in place since the last run: nothing has changed")

    stack = Stack(directory, {}, variables, report=report)
    marker.unlink(missing_ok=True)
    fresh = not (stack.folder / "terraform.tfstate").exists()
    try:
        stack.init()
        stack.apply(on_line=progress.read)
        outputs = stack.outputs()
    except TerraformError:
        _write(marker, {"fingerprint": None})  # its state is complete, so the next apply continues
        raise
    _write(marker, {"fingerprint": wanted, "outputs": outputs})
    changed = "change" if progress.done == 1 else "changes"
    return Applied(outputs, f"{progress.done} resources" if fresh else f"{progress.done} {changed}")


def fingerprint(variables: Mapping[str, Any]) -> str:
    """Return a hash of everything that the result depends on: Terraform files, contracts, artifacts and variables."""
    terraform = ROOT / "terraform"
    files = [
        *(file for file in terraform.rglob("*") if file.is_file() and not _aside(file, terraform)),
        *(ROOT / "events").glob("*/pattern.json"),
        terraform / variables["artifacts"],
        ROOT / "requirements" / "ministack.txt",
    ]
    digest = hashlib.sha256(json.dumps(variables, sort_keys=True).encode())
    for file in sorted(files):
        content = file.read_bytes() if file.exists() else b""
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _aside(file: Path, terraform: Path) -> bool:
    """Return True if a file does not affect the apply: an example, test, document, or a file of another apply."""
    return (
        file.suffix == ".md"
        or file.name in ("backend.tf", "terraform.tfvars", "tfplan")
        or ".tfstate" in file.name
        or not {"examples", "tests"}.isdisjoint(file.relative_to(terraform).parts)
        or any(part.startswith(".") for part in file.relative_to(terraform).parts)
    )


def _write(path: Path, content: object) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(path)
