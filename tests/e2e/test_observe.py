"""Monitoring: dashboard, alarms, findings and budget. No emulator has saved queries."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from scripts.contracts.events import load
from tests.e2e.conftest import NAME
from tests.e2e.engines import Capability
from tests.e2e.pipeline import wait_for

if TYPE_CHECKING:
    from tests.e2e.pipeline import Pipeline


def test_dashboard_shows_existing_resources(pipeline: Pipeline) -> None:
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


def test_each_dlq_has_an_alarm(pipeline: Pipeline) -> None:
    alarms = pipeline.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")
    watched = {alarm["Dimensions"][0]["Value"] for alarm in alarms["MetricAlarms"] if "-dlq-" in alarm["AlarmName"]}
    assert watched == {url.rsplit("/", 1)[1] for url in pipeline.outputs["dlqs"].values()}
    assert all(". " in alarm["AlarmDescription"] for alarm in alarms["MetricAlarms"]), "each says what to do"


@pytest.mark.needs(Capability.ALARMS)
def test_failure_raises_only_its_alarm(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.client("cloudwatch")

    def on() -> set[str]:
        alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
        return {alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"}

    wait_for("silence", lambda: not on())
    pipeline.announce_unrecordable()
    raised = wait_for("an alarm", on)
    assert f"{NAME}-dlq-record_image" in raised
    assert raised <= {f"{NAME}-dlq-record_image", f"{NAME}-failed-record_image"}
    pipeline.dead_letters("record_image")


def finding(resource: str, severity: str = "HIGH", **changes: Any) -> dict[str, Any]:
    """Return an event of Security Hub with the fields that the rule reads."""
    detail = {"Severity": {"Label": severity}, "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE"}
    found = {**detail, "Resources": [{"Type": "Other", "Id": resource}], **changes}
    return event("aws.securityhub", "Security Hub Findings - Imported", {"findings": [found]})


def evaluation(resource: str, result: str = "NON_COMPLIANT") -> dict[str, Any]:
    """Return an event of AWS Config with the fields that the rule reads."""
    detail = {"resourceId": resource, "newEvaluationResult": {"complianceType": result}}
    return event("aws.config", "Config Rules Compliance Change", detail)


def event(source: str, kind: str, detail: Any) -> dict[str, Any]:
    given = {"id": "1", "account": "1", "region": "us-east-1", "time": "2026-01-01T00:00:00Z", "resources": []}
    return {**given, "source": source, "detail-type": kind, "detail": detail}


def test_findings_about_own_resources_reach_operators(pipeline: Pipeline, operators: str) -> None:
    events, outputs = pipeline.client("events"), pipeline.outputs
    patterns = {}
    for name in ("security-hub", "config"):
        rule = events.describe_rule(Name=f"{NAME}-findings-{name}")
        patterns[name] = rule["EventPattern"]
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert target["Arn"] == operators
        assert target["DeadLetterConfig"]["Arn"].endswith(outputs["dlqs"]["findings"].rsplit("/", 1)[1])

    def taken(name: str, event: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(EventPattern=patterns[name], Event=json.dumps(event))
        return bool(answer["Result"])

    key, bucket, queue = outputs["key_arn"], outputs["originals_bucket"], outputs["uploads_queue_url"]
    arns = (outputs["record_image_arn"], outputs["notifications_topic_arn"], outputs["bus"]["arn"], key)
    for arn in (*arns, f"arn:aws:s3:::{bucket}", f"arn:aws:dynamodb:us-east-1:1:table/{outputs['table']}"):
        assert taken("security-hub", finding(arn)), arn
        assert not taken("security-hub", finding(arn, "INFORMATIONAL")), arn
        assert not taken("security-hub", finding(arn, Workflow={"Status": "RESOLVED"})), arn
    for name in (bucket, queue, outputs["table"], outputs["process_image"]["name"], key.rsplit("/", 1)[1]):
        assert taken("config", evaluation(name)), name
        assert not taken("config", evaluation(name, "COMPLIANT")), name
    for other in ("arn:aws:s3:::others", f"arn:aws:s3:::not-{bucket}", "arn:aws:kms:us-east-1:1:key/other"):
        assert not taken("security-hub", finding(other)), other
        assert not taken("config", evaluation(other)), other


@pytest.mark.needs(Capability.BUDGETS)
def test_budget_counts_tagged_cost_and_notifies(pipeline: Pipeline, operators: str) -> None:
    budgets, named = pipeline.client("budgets"), {"BudgetName": pipeline.outputs["dashboard"]}
    account = {"AccountId": operators.split(":")[4]}
    budget = budgets.describe_budget(**account, **named)["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 50
    assert budget["CostFilters"] == {
        "Region": [os.environ["AWS_REGION"]],
        "TagKeyValue": [f"user:Application${NAME}"],
    }
    notifications = budgets.describe_notifications_for_budget(**account, **named)["Notifications"]
    assert len(notifications) == 3
    for notification in notifications:
        notified = {
            name: notification[name]
            for name in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
        }
        (subscriber,) = budgets.describe_subscribers_for_notification(**account, **named, Notification=notified)[
            "Subscribers"
        ]
        assert subscriber == {"SubscriptionType": "SNS", "Address": operators}


@pytest.mark.needs(Capability.SCHEMAS)
def test_registry_has_the_contracts(pipeline: Pipeline) -> None:
    schemas = pipeline.client("schemas").list_schemas(RegistryName=NAME)["Schemas"]
    contracts = {f"{contract.name}-{version}" for contract in load().values() for version in contract.versions}
    assert {schema["SchemaName"] for schema in schemas} == contracts
