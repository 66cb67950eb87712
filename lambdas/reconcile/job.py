"""One run of the scheduled function: it continues where the last run stopped, and reports what it found."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconcile import measures, progress
from reconcile.run import Plan, run
from reconcile.walk import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from reconcile.clients import Clients
    from reconcile.differences import Difference
    from reconcile.repair import Outcome
    from reconcile.run import Report
    from reconcile.settings import Settings

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Request:
    """The input of the schedule, or of another caller.

    Attributes:
        repair: True to repair differences, False to report them only.
        grace_minutes: Younger differences are ignored, because the pipeline may still be working on them.
        prefix: Compare only images whose ids begin with it: from the first to the last, independent of other runs.
    """

    repair: bool = False
    grace_minutes: float = 15
    prefix: str = ""


class Deployment:
    """The pipeline that the function belongs to."""

    def __init__(self, settings: Settings, clients: Clients, function_arn: str) -> None:
        _, self.partition, _, self.region, self.account, *_ = function_arn.split(":")
        self.originals = settings.originals_bucket
        self.processed = settings.processed_bucket
        self.table = settings.table
        self.uploads_queue_url = settings.uploads_queue_url
        self.s3: S3Client = clients.s3
        self.dynamodb: DynamoDBClient = clients.dynamodb
        self.sqs: SQSClient = clients.sqs


def work(pipeline: Deployment, request: Request, stop: Callable[[], bool], namespace: str) -> Report:
    """Compare images until all are compared or `stop` returns True; save the progress, and report the result."""
    plan = Plan(
        settled=datetime.now(UTC) - timedelta(minutes=request.grace_minutes),
        repairs=request.repair,
        prefix=request.prefix,
        start=BEGINNING if request.prefix else progress.load(pipeline.s3, pipeline.processed),
    )
    report = run(pipeline, plan, stop, log_difference)
    if not request.prefix:
        progress.save(pipeline.s3, pipeline.processed, report.next)
    for line in measures.lines(report, namespace):
        print(line)  # noqa: T201 - how metrics reach CloudWatch
    _logger.info("compared %s images; %s", report.images, "more are left" if report.next else "all are compared")
    return report


def log_difference(difference: Difference, outcome: Outcome) -> None:
    """Log a difference and the outcome of its repair."""
    about = {"image_id": difference.image, "version": difference.version, "kind": difference.kind}
    level = logging.INFO if outcome.repaired else logging.WARNING
    _logger.log(level, "%s: %s", difference.why, outcome.text, extra=about)
