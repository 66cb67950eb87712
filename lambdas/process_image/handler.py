"""The function's entry: a batch of SQS messages in, the ones that failed out."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.config import Config

from process_image.events import SOURCE, parse
from process_image.measures import UNITS
from process_image.pipeline import Pipeline
from process_image.settings import Settings
from process_image.storage import Derivatives, Originals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_events import EventBridgeClient

    from process_image.events import Deletion, ImageEvent, Upload


class EventNotAcceptedError(Exception):
    """The bus refused an event: a failure, which the queue retries."""


class OutOfTimeError(Exception):
    """An image may take longer than this call has left: a failure, which the queue delivers to another call."""


class EventBridgeBus:
    """The bus that outcomes are announced on."""

    def __init__(self, events: EventBridgeClient, name: str) -> None:
        self._events = events
        self._name = name

    def put(self, event: ImageEvent) -> None:
        """Put one event on the bus.

        Raises:
            EventNotAcceptedError: EventBridge answered, but did not take it.
        """
        answer = self._events.put_events(
            Entries=[
                {
                    "EventBusName": self._name,
                    "Source": SOURCE,
                    "DetailType": event.detail_type,
                    "Detail": json.dumps(event.detail),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise EventNotAcceptedError(f"{event.detail_type} was not accepted: {answer['Entries'][0]}")


# ASCII only: a key may hold what ends a line or turns its direction. An exception's text holds its stack already.
logger = Logger(serialize_stacktrace=False, json_serializer=partial(json.dumps, default=str))
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def measure(values: Mapping[str, float]) -> None:
    """Put measures into the metrics, and onto the lines that the log gets of this message from now on."""
    for name, value in values.items():
        metrics.add_metric(name=name, unit=UNITS[name], value=value)
    logger.append_keys(**{name: round(value, 3) for name, value in values.items()})


# Retries stay short: the queue retries too, and with more patience than a running function can afford.
_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS, _BACKOFF_SECONDS = 2, 2, 10, 1
_config = Config(
    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
)

# For all that is not rendering: until a request that nobody answers is given up, and the message fails with it. The
# others take far less. `process_image` in Terraform's variables knows the same number.
_SECONDS_AROUND = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + (_ATTEMPTS - 1) * _BACKOFF_SECONDS

_settings = Settings.from_environment(os.environ)
# Lambda's own filter would drop metrics, too. Powertools' setLevel obeys only that filter.
logging.getLogger(logger.name).setLevel(_settings.log_level)
_s3 = boto3.client("s3", config=_config)
_pipeline = Pipeline(
    _settings,
    Originals(_s3),
    Derivatives(_s3, _settings.processed_bucket, _settings.recipe),
    EventBridgeBus(boto3.client("events", config=_config), _settings.event_bus),
    measure,
)


def check_time(context: LambdaContext) -> None:
    """Make sure that an image can be finished before this call ends, and those before it be acknowledged.

    Raises:
        OutOfTimeError: It could not.
    """
    left, needed = context.get_remaining_time_in_millis() / 1000, _settings.budget.max_seconds + _SECONDS_AROUND
    if left < needed:
        raise OutOfTimeError(f"{left:.1f} s are left, and an image may take {needed} s")


def milliseconds_since(event: Upload | Deletion) -> float:
    """How long ago an event happened; S3 tells it to the second."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(event.time)).total_seconds() * 1000)


def routed_at(record: SQSRecord) -> str:
    """When the event was put into the queue, RFC 3339 with milliseconds."""
    sent = datetime.fromtimestamp(int(record.attributes.sent_timestamp) / 1000, UTC)
    return sent.isoformat(timespec="milliseconds")


def tell(announced: ImageEvent) -> None:
    """Count an outcome and put it into the log; a rejection is counted by its reason too."""
    name, reason = announced.detail_type.replace(" ", ""), announced.detail.get("reason", {}).get("code")
    logger.info(
        announced.detail["summary"], dedup_id=announced.detail["dedup_id"], **({"reason": reason} if reason else {})
    )
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    if reason:
        with single_metric(name=name, unit=MetricUnit.Count, value=1) as counted:
            counted.add_dimension(name="reason", value=reason)


def record_handler(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Handle one message; what it raises makes the queue deliver this message again, and only this one."""
    try:
        check_time(lambda_context)
        event = parse(record.body)
        logger.append_keys(image_id=event.key, version=event.version, routed_at=routed_at(record))
        outcomes = _pipeline.handle(event)
        if not event.late:
            measure({"UploadToAnnounced": milliseconds_since(event)})
        for announced in outcomes:
            tell(announced)
    except Exception:
        logger.exception("This message failed; the queue delivers it again", message_id=record.message_id)
        raise
    finally:
        logger.remove_keys(["image_id", "version", "routed_at", *UNITS])


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch; returns the messages to deliver again."""
    response = process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
    metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=len(response["batchItemFailures"]))
    return response
