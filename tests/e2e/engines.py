"""Capabilities of the engines. A test that needs a capability is skipped on engines without it.

Nothing else may skip an end-to-end test: `skipping.py` enforces it.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import boto3
import localstack_client.session  # type: ignore[import-untyped]

from tests.support.browser import program, required


class Capability(Enum):
    """Ability of AWS that a test needs."""

    ALARMS = "alarms that change their state"
    BUDGETS = "AWS Budgets"
    API_SERVICE_INTEGRATIONS = "REST APIs with integrations of S3, DynamoDB and Step Functions"
    EVERY_BODY_BINARY = "`*/*` as binary media type of an API"
    EVENTS_ACROSS_ACCOUNTS = "bus policies and events of another account"
    GATEWAY_RESPONSES = "gateway responses of an API"
    IAM = "enforcement of IAM policies"
    MESSAGE_ATTRIBUTES_FROM_WORKFLOWS = "message attributes of notifications that Step Functions publishes"
    RAW_KEYS = "unencoded object keys in EventBridge events"
    REPLAY = "replays of an archive"
    SCHEMAS = "EventBridge's schema registry"
    SCHEDULES = "schedules that start their targets"
    SEQUENCERS = "sequencers that rise with each event of a key"
    VERSION_IDS = "version ids in S3's events"


class Tool(Enum):
    """Program that a test needs on the machine it runs on. The machine that checks changes has all of them."""

    BROWSER = "a browser"


EXAMPLES = {"service_api/examples/orders_without_lambda": frozenset({Capability.API_SERVICE_INTEGRATIONS})}
"""Capabilities that a module's example needs, by the example's folder."""


@dataclass(frozen=True)
class Engine:
    """Engine that answers at AWS_ENDPOINT_URL.

    Attributes:
        cannot: Capabilities that it does not have.
        drifts: Changes in a second plan although nothing has changed: resource and attribute. [*] means each instance
            of a map.
        example_drifts: The same for the modules' examples.
    """

    name: str
    cannot: frozenset[Capability] = frozenset()
    drifts: frozenset[tuple[str, str]] = frozenset()
    example_drifts: frozenset[tuple[str, str]] = frozenset()

    def can(self, *capabilities: Capability) -> bool:
        return self.cannot.isdisjoint(capabilities)


FORGOTTEN_OF_ALARMS = ("actions_enabled", "alarm_actions", "alarm_description", "ok_actions", "treat_missing_data")
FORGOTTEN_OF_MEASURED_ALARMS = ("dimensions", "period", "statistic", *FORGOTTEN_OF_ALARMS)

AWS = Engine("AWS")
MINISTACK = Engine(
    "MiniStack",
    cannot=frozenset(
        {
            Capability.ALARMS,
            Capability.API_SERVICE_INTEGRATIONS,
            Capability.EVENTS_ACROSS_ACCOUNTS,
            Capability.MESSAGE_ATTRIBUTES_FROM_WORKFLOWS,
            Capability.EVERY_BODY_BINARY,
            Capability.GATEWAY_RESPONSES,
            Capability.SCHEMAS,
            Capability.VERSION_IDS,
        }
    ),
    drifts=frozenset(
        {
            ("module.record_image.aws_sfn_state_machine.this", "tracing_configuration"),
            *(
                (f"module.observability[0].aws_cloudwatch_metric_alarm.{alarm}", name)
                for alarm, names in {
                    "this[*]": FORGOTTEN_OF_MEASURED_ALARMS,
                    "bad_share[0]": FORGOTTEN_OF_ALARMS,
                }.items()
                for name in names
            ),
        }
    ),
    example_drifts=frozenset(
        {
            ("module.order_workflow.aws_sfn_state_machine.this", "tracing_configuration"),
            ("module.orders.aws_cloudwatch_event_bus_policy.this[0]", "policy"),
            *(("module.worker.aws_cloudwatch_metric_alarm.this[*]", name) for name in FORGOTTEN_OF_MEASURED_ALARMS),
        }
    ),
)
LOCALSTACK = Engine(
    "LocalStack",
    cannot=frozenset(
        {
            Capability.BUDGETS,
            Capability.IAM,
            Capability.EVERY_BODY_BINARY,
            Capability.GATEWAY_RESPONSES,
            Capability.RAW_KEYS,
            Capability.REPLAY,
            Capability.SCHEMAS,
            Capability.SCHEDULES,
            Capability.SEQUENCERS,
        }
    ),
    drifts=frozenset(
        {
            ("module.bus.aws_cloudwatch_event_bus.this[0]", "dead_letter_config"),
            ("module.bus.aws_cloudwatch_event_bus.this[0]", "kms_key_identifier"),
            ("module.observability[0].aws_cloudwatch_metric_alarm.bad_share[0]", "tags_all"),
            ("module.observability[0].aws_cloudwatch_metric_alarm.this[*]", "tags_all"),
            ("module.presign_upload[0].aws_lambda_function.this", "kms_key_arn"),
            ("module.process_image.aws_lambda_function.this", "kms_key_arn"),
            ("module.reconcile[0].aws_lambda_function.this", "kms_key_arn"),
            ("module.record_image.aws_sfn_state_machine.this", "encryption_configuration"),
            ("module.record_image.aws_sfn_state_machine.this", "tracing_configuration"),
        }
    ),
    example_drifts=frozenset(
        {
            ("aws_sfn_state_machine.price", "tracing_configuration"),
            ("module.order_workflow.aws_sfn_state_machine.this", "encryption_configuration"),
            ("module.order_workflow.aws_sfn_state_machine.this", "tracing_configuration"),
            ("module.orders.aws_cloudwatch_event_bus.this[0]", "dead_letter_config"),
            ("module.orders.aws_cloudwatch_event_bus.this[0]", "kms_key_identifier"),
            ("module.queue_worker.aws_lambda_function.this", "kms_key_arn"),
        }
    ),
)
ENGINES = (AWS, LOCALSTACK, MINISTACK)


@cache
def engine() -> Engine:
    """Return the engine that the tests run against."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        return AWS
    if _health(endpoint, "ministack"):  # which answers for the other as well
        return MINISTACK
    if _health(endpoint, "localstack"):
        return LOCALSTACK
    raise LookupError(
        f"the engine that answers at {endpoint} is not one of {', '.join(engine.name for engine in ENGINES)}"
    )


def missing(need: Capability | Tool) -> str | None:
    """Return why a test that needs this cannot run here, or None if it can."""
    if isinstance(need, Capability):
        return None if engine().can(need) else f"{engine().name} does not have {need.value}"
    return None if program() or required() else f"this machine does not have {need.value}"


def session() -> Any:
    """Return a session that makes clients for that engine."""
    if engine() is LOCALSTACK:
        return localstack_client.session.Session(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    return boto3.Session()


def drifts(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the changes in a plan: resource and attribute, once for all resources of a map."""
    found = set()
    for change in plan.get("resource_changes", []):
        address = re.sub(r'\["[^"]*"\]$', "[*]", change["address"])
        if change["change"]["actions"] not in (["no-op"], ["read"]):
            before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
            found |= {(address, name) for name in after if before.get(name) != after[name]}
            if not (before and after):
                found.add((address, "/".join(change["change"]["actions"])))
    return found


def _health(endpoint: str, name: str) -> bool:
    """Return True if a health page of that name answers."""
    trusting = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    try:
        with urllib.request.urlopen(f"{endpoint}/_{name}/health", context=trusting, timeout=60) as page:  # noqa: S310
            return "services" in json.load(page)
    except urllib.error.HTTPError as error:
        error.close()
        return False
