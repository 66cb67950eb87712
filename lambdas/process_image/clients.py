"""Clients of AWS's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config

from darkroom_shared.requests import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client


class Clients(NamedTuple):
    """The clients that the function needs."""

    s3: S3Client
    events: EventBridgeClient


def make_clients() -> Clients:
    """Return clients, whose connections every call of the function shares."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    return Clients(boto3.client("s3", config=config), boto3.client("events", config=config))
