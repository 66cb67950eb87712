"""Clients of AWS's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import boto3
from botocore.config import Config

from reconcile.walk import REQUESTS_AT_ONCE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS, _BACKOFF_SECONDS = 2, 2, 10, 1

LONGEST_REQUEST_SECONDS: Final = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + (_ATTEMPTS - 1) * _BACKOFF_SECONDS
"""Time until an unanswered request fails."""


class Clients(NamedTuple):
    """The clients that the function needs."""

    s3: S3Client
    dynamodb: DynamoDBClient
    sqs: SQSClient


def make_clients() -> Clients:
    """Return clients, whose connections every call of the function shares."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=REQUESTS_AT_ONCE + 2,
    )
    return Clients(
        boto3.client("s3", config=config), boto3.client("dynamodb", config=config), boto3.client("sqs", config=config)
    )
