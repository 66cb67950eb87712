"""Clients of AWS's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config

from darkroom_shared.requests import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS
from reconcile.walk import REQUESTS_AT_ONCE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Clients(NamedTuple):
    """The clients that the function needs."""

    s3: S3Client
    dynamodb: DynamoDBClient
    sqs: SQSClient


def make_clients() -> Clients:
    """Return clients, whose connections every call of the function shares."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=REQUESTS_AT_ONCE + 2,
    )
    return Clients(
        boto3.client("s3", config=config), boto3.client("dynamodb", config=config), boto3.client("sqs", config=config)
    )
