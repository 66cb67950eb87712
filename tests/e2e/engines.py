"""What each engine can do, in one place: a test that needs more is skipped there, with that reason."""

from __future__ import annotations

import os
import ssl
import urllib.request
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Capability(Enum):
    """Something that AWS does and some test needs."""

    IAM = "enforcement of IAM policies"
    MESSAGE_ATTRIBUTES_FROM_WORKFLOWS = "message attributes of what Step Functions publishes to SNS"
    RAW_KEYS = "object keys in EventBridge events as they are"
    REPLAY = "replays of an archive"
    SEQUENCERS = "sequencers that rise from event to event of a key"
    VERSION_IDS = "version ids in S3's events"


@dataclass(frozen=True)
class Engine:
    """What answers at AWS_ENDPOINT_URL.

    Attributes:
        lacks: What it cannot do.
        drifts: What a second plan would change there though nothing has changed: resource and attribute.
        example_drifts: The same for the modules' examples.
    """

    name: str
    lacks: frozenset[Capability] = frozenset()
    drifts: frozenset[tuple[str, str]] = frozenset()
    example_drifts: frozenset[tuple[str, str]] = frozenset()

    def can(self, capability: Capability) -> bool:
        return capability not in self.lacks


AWS = Engine("AWS")
MINISTACK = Engine(
    "MiniStack",
    lacks=frozenset({Capability.MESSAGE_ATTRIBUTES_FROM_WORKFLOWS, Capability.VERSION_IDS}),
    drifts=frozenset({("module.record_image.aws_sfn_state_machine.this", "tracing_configuration")}),
    example_drifts=frozenset({("module.order_workflow.aws_sfn_state_machine.this", "tracing_configuration")}),
)
ENGINES = (AWS, MINISTACK)


@cache
def engine() -> Engine:
    """The engine that the tests run against."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None:
        return AWS
    trusting = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    urllib.request.urlopen(f"{endpoint}/_ministack/health", context=trusting, timeout=10).close()  # noqa: S310
    return MINISTACK
