"""The function's entry: a batch of SQS messages in, the ones that failed out."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.config import Config

from process_image.events import SOURCE, parse
from process_image.pipeline import Pipeline
from process_image.settings import Settings
from process_image.storage import Derivatives, Originals

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_events import EventBridgeClient

    from process_image.events import ImageEvent


class EventNotAcceptedError(Exception):
    """The bus refused an event: a failure, which the queue retries."""


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


logger = Logger(serialize_stacktrace=False)  # the exception's text holds it already
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

# Retries stay short: the queue retries too, and with more patience than a running function can afford.
_config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)
_settings = Settings.from_environment(os.environ)
_s3 = boto3.client("s3", config=_config)
_pipeline = Pipeline(
    _settings,
    Originals(_s3),
    Derivatives(_s3, _settings.processed_bucket, _settings.recipe),
    EventBridgeBus(boto3.client("events", config=_config), _settings.event_bus),
)


def record_handler(record: SQSRecord) -> None:
    """Handle one message; what it raises makes the queue deliver this message again, and only this one."""
    try:
        event = parse(record.body)
        logger.append_keys(image_id=event.key, version=event.version)
        for announced in _pipeline.handle(event):
            logger.info(announced.detail["summary"], dedup_id=announced.detail["dedup_id"])
            metrics.add_metric(name=announced.detail_type.replace(" ", ""), unit=MetricUnit.Count, value=1)
    except Exception:
        logger.exception("This message failed; the queue delivers it again", message_id=record.message_id)
        raise
    finally:
        logger.remove_keys(["image_id", "version"])


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch; returns the messages to deliver again."""
    response = process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
    metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=len(response["batchItemFailures"]))
    return response
