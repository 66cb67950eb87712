"""What Terraform made, Terraform keeps as it is, and takes away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from e2e.conftest import NAME
from e2e.engines import engine

if TYPE_CHECKING:
    from e2e.pipeline import Pipeline
    from stack import Stack


def drifts(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """What a plan would change: resource and attribute."""
    found = set()
    for change in plan.get("resource_changes", []):
        if change["change"]["actions"] not in (["no-op"], ["read"]):
            before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
            found |= {(change["address"], name) for name in after if before.get(name) != after[name]}
            if not (before and after):
                found.add((change["address"], "/".join(change["change"]["actions"])))
    return found


def test_a_second_plan_changes_nothing(stack: Stack) -> None:
    assert drifts(stack.plan()) == engine().drifts


def test_every_dead_letter_queue_is_empty_in_the_end(pipeline: Pipeline) -> None:
    waiting = {name: pipeline.waiting(url) for name, url in pipeline.outputs["dlqs"].items()}
    assert waiting == dict.fromkeys(waiting, 0)


def test_destroy_leaves_nothing_behind(stack: Stack, pipeline: Pipeline) -> None:
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=pipeline.outputs["test_queue_url"])
    assert leftovers(), "the pipeline is found before it is destroyed"
    stack.destroy()
    assert leftovers() == []


def leftovers() -> list[str]:
    """Everything on the engine that carries the pipeline's name."""
    iam = boto3.client("iam")
    found = [
        *(bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]),
        *boto3.client("sqs").list_queues().get("QueueUrls", []),
        *(topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]),
        *(function["FunctionName"] for function in boto3.client("lambda").list_functions()["Functions"]),
        *(
            source["EventSourceArn"]
            for source in boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ),
        *boto3.client("dynamodb").list_tables()["TableNames"],
        *(bus["Name"] for bus in boto3.client("events").list_event_buses()["EventBuses"]),
        *(rule["Name"] for rule in boto3.client("events").list_rules()["Rules"]),
        *(archive["ArchiveName"] for archive in boto3.client("events").list_archives()["Archives"]),
        *(m["name"] for m in boto3.client("stepfunctions").list_state_machines()["stateMachines"]),
        *(role["RoleName"] for role in iam.list_roles()["Roles"]),
        *(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        *(group["logGroupName"] for group in boto3.client("logs").describe_log_groups()["logGroups"]),
        *(alias["AliasName"] for alias in boto3.client("kms").list_aliases()["Aliases"]),
    ]
    return [name for name in found if NAME in name.split(":")[-1]]
