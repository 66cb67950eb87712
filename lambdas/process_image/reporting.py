"""The function's log and metrics, by Powertools."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from process_image.measures import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    from process_image.events import Deletion, OutcomeEvent, Upload


class Reporter:
    """Writes log lines and metrics. Powertools reads their names from its own environment variables."""

    def __init__(self, log_level: str) -> None:
        # ASCII only: a key may have line breaks and bidirectional controls. An exception's text includes its stack.
        self._logger = Logger(serialize_stacktrace=False, json_serializer=partial(json.dumps, default=str))
        # Lambda's own filter would drop metrics, too. Powertools' setLevel obeys only that filter.
        logging.getLogger(self._logger.name).setLevel(log_level)
        self._metrics = Metrics()

    def around(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler whose log lines have the invocation's context, and that writes metrics at its end."""
        return self._logger.inject_lambda_context(
            self._metrics.log_metrics(handler, capture_cold_start_metric=True),
        )

    @contextmanager
    def message(self, record: SQSRecord) -> Iterator[None]:
        """Log an exception with the message's id, and remove the message's fields from later log lines."""
        try:
            yield
        except Exception:
            self._logger.exception("message failed; the queue delivers it again", message_id=record.message_id)
            raise
        finally:
            self._logger.remove_keys(["image_id", "version", "routed_at", *UNITS])

    def identify(self, event: Upload | Deletion, record: SQSRecord) -> None:
        """Add the event's fields to the message's log lines."""
        self._logger.append_keys(image_id=event.key, version=event.version, routed_at=_routed_at(record))

    def measure(self, values: Mapping[str, float]) -> None:
        """Write measures as metrics, and add them to the message's later log lines."""
        for name, value in values.items():
            self._metrics.add_metric(name=name, unit=UNITS[name], value=value)
        self._logger.append_keys(**{name: round(value, 3) for name, value in values.items()})

    def log_outcomes(self, outcomes: list[OutcomeEvent], event: Upload | Deletion) -> None:
        """Log and count outcomes, and measure the time since the event unless it came late."""
        if not event.late:
            self.measure({"UploadToAnnounced": _milliseconds_since(event)})
        for outcome in outcomes:
            self._count(outcome)

    def count_failures(self, count: int) -> None:
        """Count the failed messages of a batch."""
        self._metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=count)

    def _count(self, outcome: OutcomeEvent) -> None:
        """Log and count an outcome; a rejection also by its reason."""
        name, reason = outcome.detail_type.replace(" ", ""), outcome.detail.get("reason", {}).get("code")
        self._logger.info(
            outcome.detail["summary"], dedup_id=outcome.detail["dedup_id"], **({"reason": reason} if reason else {})
        )
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
        if reason:
            with single_metric(name=name, unit=MetricUnit.Count, value=1) as counted:
                counted.add_dimension(name="reason", value=reason)


def _milliseconds_since(event: Upload | Deletion) -> float:
    """Return the time since an event, which S3 gives in whole seconds."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(event.time)).total_seconds() * 1000)


def _routed_at(record: SQSRecord) -> str:
    """Return when the event was put into the queue, RFC 3339 with milliseconds."""
    sent = datetime.fromtimestamp(int(record.attributes.sent_timestamp) / 1000, UTC)
    return sent.isoformat(timespec="milliseconds")
