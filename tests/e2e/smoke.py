"""Runs of `make aws-smoke-test` against an emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.terraform.stack import emulator_variables
from tests.e2e.conftest import DIRECTORY
from tests.e2e.engines import session
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from pathlib import Path

RUNS = ROOT / "build" / "aws-smoke-test"
IN_PLACE_OF_AWS = (
    "api",
    "artifacts",
    "architecture",
    "limits",
    "observe",
    "process_image",
    "runtime",
    "s3_use_path_style",
)


def options() -> list[str]:
    """Return the options that the script needs on an emulator."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    usual = emulator_variables("smoke")
    variables = DIRECTORY / "smoke.json"
    variables.write_text(json.dumps({name: usual[name] for name in IN_PLACE_OF_AWS}))
    photograph = DIRECTORY / "smoke.jpg"
    photograph.write_bytes(encode(draw((1600, 1200))))
    return ["--yes", "--variables", str(variables), "--photo", str(photograph)]


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "scripts/aws_smoke_test.py", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str], seen: str = "") -> tuple[str, Path]:
    """Return all that a run printed, and its folder."""
    said = seen + process.communicate(timeout=600)[0]
    name = said.partition("resources called ")[2].partition("-…")[0]
    assert name.startswith("smoke-"), said
    return said, RUNS / name


def left(name: str) -> list[str]:
    """Return the resources that have the name of a run."""
    client = session().client
    found: list[Any] = [
        *client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []),
        *(bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]),
        *(rule["Name"] for rule in client("events").list_rules()["Rules"]),
        *(bus["Name"] for bus in client("events").list_event_buses()["EventBuses"]),
        *(role["RoleName"] for role in client("iam").list_roles()["Roles"]),
        *client("dynamodb").list_tables()["TableNames"],
        *(machine["name"] for machine in client("stepfunctions").list_state_machines()["stateMachines"]),
    ]
    return [one for one in found if name in one]
