"""Translation between Lambda and the processor: a batch of SQS messages in, the failed ones out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from process_image.events import parse

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from process_image.processor import Processor
    from process_image.reporting import Reporter


class OutOfTimeError(Exception):
    """An image may take longer than the rest of this call: a failure, which the queue delivers to another call."""


class Handler:
    """The function, as Lambda calls it."""

    def __init__(self, processor: Processor, reporter: Reporter, seconds_per_image: float) -> None:
        self._processor = processor
        self._reporter = reporter
        self._seconds_per_image = seconds_per_image
        self._batches = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._call = reporter.around(self._handle_batch)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Handle a batch; return the messages to deliver again."""
        response: PartialItemFailureResponse = self._call(event, context)
        return response

    def _handle_batch(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        response = process_partial_response(
            event=event, record_handler=self._handle_message, processor=self._batches, context=context
        )
        self._reporter.count_failures(len(response["batchItemFailures"]))
        return response

    def _handle_message(self, record: SQSRecord, lambda_context: LambdaContext) -> None:
        """Handle one message. If it raises, the queue delivers this message again, and no other."""
        with self._reporter.message(record):
            self._check_time(lambda_context)
            event = parse(record.body)
            self._reporter.identify(event, record)
            self._reporter.log_outcomes(self._processor.handle(event), event)

    def _check_time(self, context: LambdaContext) -> None:
        """Check that an image can be finished in this call, so that the messages before it are acknowledged.

        Raises:
            OutOfTimeError: It may take longer.
        """
        left = context.get_remaining_time_in_millis() / 1000
        if left < self._seconds_per_image:
            raise OutOfTimeError(f"{left:.1f} s are left, and an image may take {self._seconds_per_image} s")
