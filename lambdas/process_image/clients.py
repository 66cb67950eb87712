"""Clients of AWS's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client

# Few and short attempts: the queue retries too, and can wait longer than a running function.
_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS, _BACKOFF_SECONDS = 2, 2, 10, 1

LONGEST_REQUEST_SECONDS: Final = _ATTEMPTS * (_CONNECT_SECONDS + _READ_SECONDS) + (_ATTEMPTS - 1) * _BACKOFF_SECONDS
"""Time until an unanswered request fails. The variable `process_image` in Terraform relies on the same number."""


class Clients(NamedTuple):
    """The clients that the function needs."""

    s3: S3Client
    events: EventBridgeClient


def make_clients() -> Clients:
    """Return clients, whose connections every call of the function shares."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
    )
    return Clients(boto3.client("s3", config=config), boto3.client("events", config=config))
