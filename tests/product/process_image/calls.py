"""The function called as Lambda calls it, and a subscriber of the bus that it announces on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import boto3

from process_image.composition import compose
from tests.product.process_image.originals import CONTRACTS, ENVIRONMENT

if TYPE_CHECKING:
    import pytest

    from process_image.handler import Handler

SENT = "1772366400123"  # 2026-03-01T12:00:00.123Z


@dataclass
class Context:
    """Lambda's context of a call."""

    function_name: str = "darkroom-process-image"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:darkroom-process-image"
    aws_request_id: str = "8f507cfc-example"

    seconds_left: float = 60

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


def batch(*bodies: str) -> dict[str, Any]:
    """Return the event of a batch of messages, whose ids count from 0."""
    return {
        "Records": [
            {
                "messageId": str(number),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": SENT},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:darkroom-uploads",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


class Function:
    """The function in its own environment, which is composed at the first call.

    Attributes:
        service: The service of its log lines and metrics.
        environment: Its environment variables, except for those of Powertools.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.environment = dict(ENVIRONMENT)
        self._handler: Handler | None = None

    def __call__(self, *bodies: str, context: Context | None = None) -> list[str]:
        """Call it with a batch; return the ids of the messages to deliver again."""
        response: Any = self.start()(batch(*bodies), cast("Any", context or Context()))
        assert set(response) == {"batchItemFailures"}
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]

    def start(self) -> Handler:
        self._handler = self._handler or compose(self.environment)
        return self._handler


class Subscriber:
    """A queue of a bus with a rule for each outcome event."""

    def __init__(self) -> None:
        events, self._sqs = boto3.client("events"), boto3.client("sqs")
        events.create_event_bus(Name=ENVIRONMENT["EVENT_BUS"])
        self._url = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        for name in ("image_processed", "image_rejected", "image_deleted", "image_version_deleted"):
            pattern = json.dumps(CONTRACTS[name].pattern)
            events.put_rule(Name=name, EventBusName=ENVIRONMENT["EVENT_BUS"], EventPattern=pattern)
            targets: Any = [{"Id": "queue", "Arn": attributes["QueueArn"]}]
            events.put_targets(Rule=name, EventBusName=ENVIRONMENT["EVENT_BUS"], Targets=targets)

    def received(self) -> list[dict[str, Any]]:
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


def output(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log, each of which is a JSON object."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
