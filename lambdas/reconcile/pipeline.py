"""The pipeline that is compared: what its parts are called, and clients to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Pipeline(Protocol):
    """What comparing and repairing needs of a pipeline."""

    @property
    def partition(self) -> str:
        """AWS's partition."""

    @property
    def region(self) -> str:
        """The pipeline's region."""

    @property
    def account(self) -> str:
        """The pipeline's account."""

    @property
    def originals(self) -> str:
        """The bucket that is uploaded to."""

    @property
    def processed(self) -> str:
        """The bucket of the derivatives."""

    @property
    def table(self) -> str:
        """The table of the records."""

    @property
    def uploads_queue_url(self) -> str:
        """The queue in which S3's events wait for the pipeline."""

    @property
    def s3(self) -> S3Client:
        """Originals and derivatives."""

    @property
    def dynamodb(self) -> DynamoDBClient:
        """Records."""

    @property
    def sqs(self) -> SQSClient:
        """The queue."""


class StoppedError(Exception):
    """It is time to stop; what was begun and not finished is begun anew by the next run."""


@dataclass(frozen=True)
class Check:
    """Asked before each request: is it time to stop?"""

    stop: Callable[[], bool]

    def __call__(self) -> None:
        """Go on, or not.

        Raises:
            StoppedError: It is time to stop.
        """
        if self.stop():
            raise StoppedError
