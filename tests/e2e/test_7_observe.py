"""What an operator sees: the dashboard, and the right alarm for a failure that happened. No emulator keeps queries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from e2e.engines import Capability
from e2e.pipeline import wait_for
from e2e.test_4_failure import announce_what_cannot_be_recorded

if TYPE_CHECKING:
    from e2e.pipeline import Pipeline


def test_the_dashboard_shows_metrics_of_what_there_is(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=pipeline.outputs["dashboard"])["DashboardBody"])
    drawn = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
    dimensions = {
        (name, value)
        for metric in drawn
        for name, value in zip(metric[2:-1:2], metric[3:-1:2], strict=True)
        if len(metric) > 1
    }
    queues = {url.rsplit("/", 1)[1] for url in pipeline.outputs["dlqs"].values()}
    assert {value for name, value in dimensions if name == "QueueName"} >= queues
    assert ("FunctionName", pipeline.outputs["process_image"]["name"]) in dimensions
    assert ("StateMachineArn", pipeline.outputs["record_image_arn"]) in dimensions


def test_every_dead_letter_queue_has_its_alarm(pipeline: Pipeline) -> None:
    alarms = pipeline.client("cloudwatch").describe_alarms(AlarmNamePrefix=pipeline.outputs["dashboard"])
    watched = {alarm["Dimensions"][0]["Value"] for alarm in alarms["MetricAlarms"] if "-dlq-" in alarm["AlarmName"]}
    assert watched == {url.rsplit("/", 1)[1] for url in pipeline.outputs["dlqs"].values()}
    assert all(". " in alarm["AlarmDescription"] for alarm in alarms["MetricAlarms"]), "each says what to do"


@pytest.mark.needs(Capability.ALARMS)
def test_a_failure_raises_its_alarm_and_no_other(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.client("cloudwatch")
    name = pipeline.outputs["dashboard"]

    def on() -> set[str]:
        alarms = cloudwatch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]
        return {alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"}

    wait_for("silence", lambda: not on())
    announce_what_cannot_be_recorded(pipeline)
    raised = wait_for("an alarm", on)
    assert f"{name}-dlq-record_image" in raised
    assert raised <= {f"{name}-dlq-record_image", f"{name}-failed-record_image"}
    pipeline.dead_letters("record_image")
