"""Facts of a smoke test, and the confirmation before it creates anything."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from darkroom.hops import Hop
from darkroom.pricing import load_prices
from darkroom.sources import Source
from scripts import ROOT
from scripts.demo.journey import Journey
from scripts.smoke.facts import Check, Facts, Outcome, changed, estimate, event_facts, shape, timings


def about(key: str, sequencer: str, **more: str) -> dict[str, Any]:
    return {"object": {"key": key, "sequencer": sequencer, **more}}


def journey(**seconds: float) -> Journey:
    began = datetime(2026, 11, 25, tzinfo=UTC)
    times = {Hop[name.upper()]: began + timedelta(seconds=value) for name, value in seconds.items()}
    return Journey(Source(Path("a.jpg"), "a.jpg", 1), "a.jpg", started=began, times=times)


def change(address: str, *actions: str) -> dict[str, Any]:
    return {"address": address, "type": address.split(".")[-2], "change": {"actions": list(actions)}}


@pytest.mark.parametrize(
    ("token", "form"),
    [("00AF", "4 hexadecimal digits"), ("3sL4kqtJlcpXroDTDm", "18 characters"), (None, "missing")],
)
def test_token_is_reduced_to_its_form(token: str | None, form: str) -> None:
    assert shape(token) == form


def test_a_sequencer_rises_as_aws_compares_it() -> None:
    rising = event_facts([about("a", "0061"), about("b", "00"), about("a", "00611")])
    assert rising["sequencer rises with an overwrite"] == "yes"
    assert event_facts([about("a", "0062"), about("a", "0061")])["sequencer rises with an overwrite"] == "no"
    constant = event_facts([about("a", "0061"), about("a", "00610")])
    assert constant["sequencer rises with an overwrite"] == "no"
    assert event_facts([about("a", "0061")])["sequencer rises with an overwrite"] == "not seen"


def test_version_ids_are_missed() -> None:
    assert event_facts([about("a", "00", **{"version-id": "abc-"}), about("b", "00")])["version-id"] == (
        "4 characters, missing"
    )


def test_times_are_medians_of_what_is_known() -> None:
    journeys = [journey(uploaded=0.1, notified=1), journey(uploaded=0.3, notified=9), journey(uploaded=0.2)]
    assert timings(journeys) == {"uploaded": 0.2, "notified": 5}


def test_changes_of_a_map_are_listed_once() -> None:
    plan = {
        "resource_changes": [
            change('aws_sqs_queue.this["a"]', "update"),
            change('aws_sqs_queue.this["b"]', "delete", "create"),
            change("aws_s3_bucket.this", "no-op"),
            change("data.aws_region.current", "read"),
        ]
    }
    assert changed(plan) == ["aws_sqs_queue.this[*]"]
    assert changed({}) == []


def test_the_estimate_counts_what_is_made() -> None:
    prices = load_prices()
    alarms = [change(f"aws_cloudwatch_metric_alarm.a{number}", "create") for number in range(10)]
    lines = dict(estimate({"resource_changes": [*alarms, change("aws_kms_key.this", "create")]}, prices, 15))
    assert lines["10 alarms, an hour"] == pytest.approx(10 * prices.usd("cloudwatch", "alarm_month") / 730)
    assert lines["1 key, an hour"] == pytest.approx(prices.usd("kms", "key_month") / 730)
    assert lines["0 dashboard, an hour"] == 0
    assert sum(lines.values()) < 0.1


def test_report_has_facts_and_failures() -> None:
    facts = Facts("AWS", "eu-central-1", "2026-11-25T00:00:00+00:00")
    facts.keys = [
        {"sent": "a b|c.jpg", "in_event": "a+b|c.jpg"},
        {"sent": "plain.jpg", "in_event": "plain.jpg"},
        {"sent": "lost.jpg", "in_event": None},
    ]
    facts.checks = [
        Check("broken", Outcome.FAILED, "it is | was\nnot so"),
        Check("whole", Outcome.PASSED, "so"),
        Check("special", Outcome.NOT_HERE, "unknown operation"),
    ]
    facts.more = {"Access Analyzer, 1": "WARNING A | B"}
    page = facts.as_markdown()
    assert "| key `a b\\|c.jpg` in S3's event | `a+b\\|c.jpg` |" in page
    assert "| key `plain.jpg` in S3's event | as it is |" in page
    assert "| key `lost.jpg` in S3's event | no event |" in page
    assert "| a second plan | not looked at |" in page
    facts.plan = []
    assert "| a second plan | empty |" in facts.as_markdown()
    facts.plan = ["aws_sqs_queue.this[*]"]
    assert "| a second plan | changes `aws_sqs_queue.this[*]` |" in facts.as_markdown()
    assert "| `broken` | **failed** | it is \\| was not so |" in page
    assert "| `whole` | passed | so |" in page
    assert "| `special` | not on this engine | unknown operation |" in page
    assert "| Access Analyzer, 1 | WARNING A \\| B |" in page


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    no_credentials = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "scripts/aws_smoke_test.py", *arguments],
        cwd=ROOT,
        env={**no_credentials, **no_files, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_without_credentials_it_says_what_to_do() -> None:
    done = run()
    assert done.returncode == 1
    assert "Unable to locate credentials" in done.stderr
    assert "AWS_PROFILE" in done.stderr


def test_without_a_region_it_says_what_to_do() -> None:
    done = run(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")  # noqa: S106 - no secret
    assert done.returncode == 1
    assert "AWS_REGION" in done.stderr


def test_missing_run_cannot_be_destroyed() -> None:
    done = run("--destroy", "smoke-never")
    assert done.returncode == 2
    assert "no run smoke-never is left" in done.stderr
