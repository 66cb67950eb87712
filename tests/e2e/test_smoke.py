"""`make aws-smoke-test` against an emulator: it applies, checks, reports, and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT
from scripts.smoke.checks import STEPS
from scripts.terraform.stack import emulator_variables
from tests.e2e.conftest import DIRECTORY
from tests.e2e.engines import Capability, engine, session
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs(Capability.RAW_KEYS, Capability.SEQUENCERS)

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


@pytest.fixture(scope="module")
def options(endpoint: str) -> list[str]:
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


def test_smoke_test_checks_reports_and_leaves_nothing(options: list[str]) -> None:
    process = start(*options)
    said, folder = finished(process)
    try:
        facts = json.loads((folder / "facts.json").read_text())
        drifts = {address for address, _ in engine().drifts}
        steps = {check["name"]: check for check in facts["checks"]}
        assert list(steps) == [step.name for step in STEPS]
        failed = {name for name, check in steps.items() if check["outcome"] == "failed"}
        # An emulator has known drifts in a second plan, so the run fails and reports them.
        assert failed == ({"second-plan"} if drifts else set()), said
        not_here = {name for name, check in steps.items() if check["outcome"] == "not on this engine"}
        assert not_here <= {step.name for step in STEPS if step.aws_only}
        passed = {name for name, check in steps.items() if check["outcome"] == "passed"}
        assert not_here | failed | passed == set(steps)
        assert {"archives", "schedule", "task-timeout"} <= passed, "every engine that this test runs on has these"
        assert set(facts["plan"]) == drifts
        assert process.returncode == (1 if drifts else 0), said

        assert {key["sent"].rpartition("/")[2] for key in facts["keys"]} == {
            "plain.jpg",
            "with space.jpg",
            "with+plus.jpg",
            "with%2Bpercent.jpg",
            "Müsli 東京 🦊.jpg",
        }
        assert all(key["in_event"] == key["sent"] for key in facts["keys"])
        assert all(facts["encryption"].values())
        assert facts["events"]["sequencer rises with an overwrite"] == "yes"
        assert 0 < facts["warm"]["uploaded"] <= facts["warm"]["notified"]
        evidence = (folder / "facts.md").read_text()
        assert "| key `" in evidence
        assert all(f"| `{name}` | " in evidence for name in steps)
        assert session().client("sts").get_caller_identity()["Account"] not in evidence

        assert "It will cost about $0." in said
        assert "Everything is destroyed" in said
        assert left(folder.name) == []
        assert not (folder / "run.json").exists()
    finally:
        shutil.rmtree(folder)


def test_interrupted_smoke_test_leaves_nothing(options: list[str]) -> None:
    process = start(*options)
    assert process.stdout is not None
    seen = ""
    while "Terraform: " not in seen:  # it is making things
        line = process.stdout.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    said, folder = finished(process, seen)
    try:
        assert process.returncode == 130, said
        assert "Everything is destroyed" in said
        assert left(folder.name) == []
        assert not (folder / "run.json").exists()
    finally:
        shutil.rmtree(folder)
