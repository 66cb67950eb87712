"""The client of S3 that signs forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client


def signing_client(environment: Mapping[str, str]) -> S3Client:
    """Return a client that signs for the address of its region. It sends no request.

    By default botocore signs forms for S3's global address. Browsers do not follow the redirect from there, and newer
    regions have none, so the bucket's name becomes part of the host. An endpoint from the environment takes the bucket
    in the path instead, because the host with the bucket's name may not resolve.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    overridden = any(environment.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    return boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",
            s3={
                "addressing_style": "auto" if overridden else "virtual",
                "us_east_1_regional_endpoint": "regional",
            },
        ),
    )
