"""A deployed and used pipeline stays as Terraform made it, and destroying it removes everything."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scripts.architecture.graph import graph_of
from scripts.architecture.rules import MOST_HOPS, findings, longest_way
from scripts.terraform.plans import read_state
from tests.e2e.conftest import DIRECTORY, NAME, deploy, subscriber_queue
from tests.e2e.engines import drifts, engine, session
from tests.e2e.pipeline import Pipeline, settle
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from scripts.terraform.stack import Stack

LIFE = f"{NAME}-life"  # a pipeline of its own, as others still use the shared one


@pytest.fixture(scope="module")
def deployed(operators: str) -> tuple[Stack, Pipeline]:
    """Deploy a pipeline and let it store, overwrite, reject, delete and reconcile images."""
    url, arn = subscriber_queue(LIFE)
    stack = deploy(LIFE, DIRECTORY / "life", arn, operators)
    pipeline = Pipeline({**stack.outputs(), "test_queue_url": url}, session())
    kept, deleted, rejected = (pipeline.upload(data) for data in (PHOTOGRAPH, PHOTOGRAPH, b"no image"))
    pipeline.record(rejected, "Rejected")
    pipeline.record(deleted)
    pipeline.delete(deleted)
    pipeline.record(deleted, "Deleted")
    pipeline.upload(encode(draw((200, 160))), kept)
    settle(pipeline)
    called = pipeline.client("lambda").invoke(FunctionName=pipeline.outputs["reconcile"]["name"], Payload="{}")
    assert json.load(called["Payload"])["finished"]
    pipeline.assert_no_dead_letters()
    return stack, pipeline


PHOTOGRAPH = encode(draw((400, 300)))


@pytest.fixture(scope="module")
def plan(deployed: tuple[Stack, Pipeline]) -> dict[str, Any]:
    """Plan again what is applied already."""
    return deployed[0].plan()


def test_second_plan_changes_nothing(plan: dict[str, Any]) -> None:
    assert drifts(plan) == engine().drifts


def test_applied_architecture_breaks_no_rule(plan: dict[str, Any]) -> None:
    # The plan has the form of the state, and the values that an engine forgot: its drifts.
    graph = graph_of(read_state({"values": plan["planned_values"]}))
    assert findings(graph) == []
    assert graph.unclear == []
    assert len(longest_way(graph)) == MOST_HOPS  # the last hop leads to the tests' own queue


@dataclass(frozen=True)
class State:
    """Resources with the pipeline's name, and the state of its key."""

    resources: list[str]
    key: str


@pytest.fixture(scope="module")
def before_and_after(deployed: tuple[Stack, Pipeline], plan: dict[str, Any]) -> tuple[State, State]:
    """Destroy the pipeline after it was planned; return the states before and after."""
    stack, pipeline = deployed
    session().client("sqs").delete_queue(QueueUrl=pipeline.outputs["test_queue_url"])
    key = pipeline.outputs["key_arn"]
    before = State(leftovers(), key_state(key))
    stack.destroy()
    return before, State(leftovers(), key_state(key))


def test_destroy_leaves_nothing_behind(before_and_after: tuple[State, State]) -> None:
    before, after = before_and_after
    assert before.resources, "the pipeline is found before it is destroyed"
    assert before.key == "Enabled"
    assert after == State([], "PendingDeletion")  # a key cannot be deleted at once


def key_state(arn: str) -> str:
    """Return the state of a key in KMS."""
    state: str = session().client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
    return state


def leftovers() -> list[str]:
    """Return everything on the engine that has the pipeline's name."""
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
    return [name for name in found if re.search(rf"(^|/){LIFE}(-|/|$)", name.split(":")[-1])]
