"""`make aws-smoke-test` applies, checks, reports, and leaves nothing."""

from __future__ import annotations

import json
import shutil

import pytest

from scripts.smoke.checks import STEPS
from tests.e2e.engines import Capability, engine, session
from tests.e2e.smoke import finished, left, options, start

pytestmark = pytest.mark.needs(Capability.RAW_KEYS, Capability.SEQUENCERS)


def test_smoke_test_checks_reports_and_leaves_nothing(endpoint: str) -> None:
    process = start(*options())
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
