"""The function's entry: what the schedule asks for in, what was found and repaired out."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from reconcile import measures, progress
from reconcile.run import Plan, run
from reconcile.settings import Settings
from reconcile.walk import BEGINNING, REQUESTS_AT_ONCE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from reconcile.differences import Difference
    from reconcile.repair import Outcome

_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS, _BACKOFF_SECONDS = 2, 2, 10, 1
_SECONDS_A_REQUEST = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + (_ATTEMPTS - 1) * _BACKOFF_SECONDS

# A run stops this long before the call is cut off: the request that it has begun may take its longest, and so may the
# one that keeps its progress. `reconcile.timeout` in Terraform's variables allows for it.
_RESERVE_SECONDS = 2 * _SECONDS_A_REQUEST + 5

_config = Config(
    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    max_pool_connections=REQUESTS_AT_ONCE + 2,
)
_logger = logging.getLogger(__name__)
_settings = Settings.from_environment(os.environ)
_logger.setLevel(_settings.log_level)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a run is asked for; the schedule's input, or that of whoever calls by hand.

    Attributes:
        repair: Repair what differs; otherwise it is only told, in the log and by metrics.
        grace_minutes: What is younger may be under way, and is left alone.
        prefix: Only images whose ids begin so: from their first to their last, without regard to other runs.
    """

    repair: bool = False
    grace_minutes: float = 15
    prefix: str = ""


class Deployed:
    """The pipeline that this function belongs to."""

    def __init__(self, settings: Settings, function_arn: str) -> None:
        _, self.partition, _, self.region, self.account, *_ = function_arn.split(":")
        self.originals = settings.originals_bucket
        self.processed = settings.processed_bucket
        self.table = settings.table
        self.uploads_queue_url = settings.uploads_queue_url

    @cached_property
    def s3(self) -> S3Client:
        """Originals and derivatives."""
        return boto3.client("s3", config=_config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Records."""
        return boto3.client("dynamodb", config=_config)

    @cached_property
    def sqs(self) -> SQSClient:
        """The queue of the pipeline's events."""
        return boto3.client("sqs", config=_config)


def tell(difference: Difference, outcome: Outcome) -> None:
    """Put a difference into the log."""
    about = {"image_id": difference.image, "version": difference.version, "kind": difference.kind}
    _logger.log(
        logging.INFO if outcome.repaired else logging.WARNING, "%s: %s", difference.why, outcome.text, extra=about
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    """Go on where the last run stopped, until all is compared or time is nearly up; returns what was found."""
    request = Request(**event)
    pipeline = Deployed(_settings, context.invoked_function_arn)
    start = BEGINNING if request.prefix else progress.load(pipeline.s3, pipeline.processed)
    plan = Plan(
        settled=datetime.now(UTC) - timedelta(minutes=request.grace_minutes),
        repairs=request.repair,
        prefix=request.prefix,
        start=start,
    )
    report = run(pipeline, plan, lambda: context.get_remaining_time_in_millis() < _RESERVE_SECONDS * 1000, tell)
    if not request.prefix:
        progress.save(pipeline.s3, pipeline.processed, report.next)
    for line in measures.lines(report, _settings.metrics_namespace):
        print(line)  # noqa: T201 - how metrics reach CloudWatch
    _logger.info("compared %s images, %s", report.images, "more to come" if report.next else "the last of them")
    return {
        "images": report.images,
        "found": dict(report.found),
        "repaired": dict(+report.repaired),
        "finished": report.next is None,
    }
