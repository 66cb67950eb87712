"""The pipeline to compare: the names of its parts, and clients for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Pipeline(Protocol):
    """A pipeline, as far as comparing and repairing need it."""

    @property
    def partition(self) -> str:
        """Partition of AWS."""

    @property
    def region(self) -> str:
        """Region of the pipeline."""

    @property
    def account(self) -> str:
        """Account of the pipeline."""

    @property
    def originals(self) -> str:
        """Name of the bucket of originals."""

    @property
    def processed(self) -> str:
        """Name of the bucket of derivatives."""

    @property
    def table(self) -> str:
        """Name of the table of records."""

    @property
    def uploads_queue_url(self) -> str:
        """URL of the queue of object events."""

    @property
    def s3(self) -> S3Client:
        """Client for originals and derivatives."""

    @property
    def dynamodb(self) -> DynamoDBClient:
        """Client for records."""

    @property
    def sqs(self) -> SQSClient:
        """Client for the queue."""


class StoppedError(Exception):
    """Time to stop. The next run repeats unfinished steps."""


@dataclass(frozen=True)
class Check:
    """Check before each request that it is not time to stop."""

    stop: Callable[[], bool]

    def __call__(self) -> None:
        """Return if the run may continue.

        Raises:
            StoppedError: It is time to stop.
        """
        if self.stop():
            raise StoppedError
