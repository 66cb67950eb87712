"""What Terraform made, Terraform keeps as it is, and takes away again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from scripts.architecture.graph import graph_of
from scripts.architecture.rules import MOST_HOPS, findings, longest_way
from scripts.terraform.plan import Plan
from tests.e2e.conftest import NAME
from tests.e2e.engines import engine, session

if TYPE_CHECKING:
    from scripts.terraform.stack import Stack
    from tests.e2e.pipeline import Pipeline


def drifts(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """What a plan would change: resource and attribute, once for all resources of a map."""
    found = set()
    for change in plan.get("resource_changes", []):
        address = re.sub(r'\["[^"]*"\]$', "[*]", change["address"])
        if change["change"]["actions"] not in (["no-op"], ["read"]):
            before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
            found |= {(address, name) for name in after if before.get(name) != after[name]}
            if not (before and after):
                found.add((address, "/".join(change["change"]["actions"])))
    return found


@pytest.fixture(scope="module")
def plan(stack: Stack) -> dict[str, Any]:
    """The plan of what is applied already."""
    return stack.plan()


def test_a_second_plan_changes_nothing(plan: dict[str, Any]) -> None:
    assert drifts(plan) == engine().drifts


def test_what_is_applied_breaks_no_rule_and_hides_nothing(plan: dict[str, Any]) -> None:
    graph = graph_of(Plan(plan))
    assert findings(graph) == []
    assert graph.unclear == []
    assert len(longest_way(graph)) == MOST_HOPS  # the last one to the tests' own queue


def test_every_dead_letter_queue_is_empty_in_the_end(pipeline: Pipeline) -> None:
    waiting = {name: pipeline.waiting(url) for name, url in pipeline.outputs["dlqs"].items()}
    assert waiting == dict.fromkeys(waiting, 0)


def test_destroy_leaves_nothing_behind(stack: Stack, pipeline: Pipeline) -> None:
    sqs = session().client("sqs")
    sqs.delete_queue(QueueUrl=pipeline.outputs["test_queue_url"])
    key = pipeline.outputs["key_arn"]
    assert leftovers(), "the pipeline is found before it is destroyed"
    assert key_state(key) == "Enabled"
    stack.destroy()
    assert leftovers() == []
    assert key_state(key) == "PendingDeletion"  # which is as gone as a key can be


def key_state(arn: str) -> str:
    """What KMS says of a key."""
    state: str = session().client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    return state


def leftovers() -> list[str]:
    """Everything on the engine that carries the pipeline's name."""
    client = session().client
    iam = client("iam")
    found = [
        *(bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]),
        *client("sqs").list_queues().get("QueueUrls", []),
        *(topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]),
        *(function["FunctionName"] for function in client("lambda").list_functions()["Functions"]),
        *(source["EventSourceArn"] for source in client("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *client("dynamodb").list_tables()["TableNames"],
        *(bus["Name"] for bus in client("events").list_event_buses()["EventBuses"]),
        *(rule["Name"] for rule in client("events").list_rules()["Rules"]),
        *(archive["ArchiveName"] for archive in client("events").list_archives()["Archives"]),
        *(m["name"] for m in client("stepfunctions").list_state_machines()["stateMachines"]),
        *(role["RoleName"] for role in iam.list_roles()["Roles"]),
        *(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        *(group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]),
        *(alarm["AlarmName"] for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(dashboard["DashboardName"] for dashboard in client("cloudwatch").list_dashboards()["DashboardEntries"]),
        *(api["name"] for api in client("apigateway").get_rest_apis()["items"]),
        *(key["name"] for key in client("apigateway").get_api_keys()["items"]),
        *(plan["name"] for plan in client("apigateway").get_usage_plans()["items"]),
        *(alias["AliasName"] for alias in client("kms").list_aliases()["Aliases"]),
        *(subscription["TopicArn"] for subscription in client("sns").list_subscriptions()["Subscriptions"]),
    ]
    return [name for name in found if re.search(rf"(^|/){NAME}(-|/|$)", name.split(":")[-1])]
