"""Calls of services in their own name, which the policies of queues, topics and functions in a plan must admit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.aws_checks.needs import CALLS
from scripts.terraform.policies import policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.terraform.plans import Plan


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call that a resource policy has to admit.

    Attributes:
        service: Service principal that calls.
        action: Action that it calls.
        resource: ARN of the resource that it calls the action on.
        source: ARN that it names as its source.
        why: Address of the resource that makes it call.
    """

    service: str
    action: str
    resource: str
    source: str
    why: str


def deliveries(plan: Plan) -> Iterator[Delivery]:
    """Yield the deliveries of a plan's rules, buses, subscriptions and alarms."""
    yield from _of_rules(plan)
    yield from _of_subscriptions(plan)
    for alarm in plan.every("aws_cloudwatch_metric_alarm"):
        arns = {one for key in ("alarm_actions", "ok_actions") for one in alarm.value(key) or []}
        for arn in sorted(arns):
            if ":sns:" in arn:
                yield _delivery("cloudwatch.amazonaws.com", arn, alarm.value("arn"), alarm.address)


def admitted(plan: Plan) -> Iterator[Delivery]:
    """Yield the deliveries that queues and topics admit, sent or not: a topic has its DLQ before a subscriber."""
    for policy in policies(plan):
        if policy.resource.type in {"aws_sns_topic", "aws_sqs_queue"}:
            arn = policy.resource.value("arn")
            for statement in policy.statements:
                for service in statement.services if statement.allow else ():
                    for source in statement.conditions.get("ArnLike", statement.conditions.get("ArnEquals", {})).get(
                        "aws:SourceArn", ()
                    ):
                        yield _delivery(service, arn, source, f"{policy.resource.address} {statement.label}")


def _of_rules(plan: Plan) -> Iterator[Delivery]:
    rules = {
        (rule.value("event_bus_name") or "default", rule.value("name")): rule.value("arn")
        for rule in plan.every("aws_cloudwatch_event_rule")
    }
    for target in plan.every("aws_cloudwatch_event_target"):
        rule = rules[target.value("event_bus_name") or "default", target.value("rule")]
        to = [] if target.value("role_arn") else [target.value("arn")]
        for arn in [*to, target.value("dead_letter_config", 0, "arn")]:
            if arn:
                yield _delivery("events.amazonaws.com", arn, rule, target.address)
    for bus in plan.every("aws_cloudwatch_event_bus"):
        if arn := bus.value("dead_letter_config", 0, "arn"):
            yield _delivery("events.amazonaws.com", arn, bus.value("arn"), bus.address)


def _of_subscriptions(plan: Plan) -> Iterator[Delivery]:
    for subscription in plan.every("aws_sns_topic_subscription"):
        to = [subscription.value("endpoint")] if subscription.value("protocol") in {"lambda", "sqs"} else []
        dlq = json.loads(subscription.value("redrive_policy") or "{}").get("deadLetterTargetArn")
        for arn in [*to, dlq]:
            if arn:
                yield _delivery("sns.amazonaws.com", arn, subscription.value("topic_arn"), subscription.address)


def _delivery(service: str, resource: str, source: str, why: str) -> Delivery:
    return Delivery(service, CALLS[resource.split(":")[2]], resource, source, why)
