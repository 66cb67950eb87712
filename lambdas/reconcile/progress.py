"""How far a run came: an object beside the derivatives, so that the next run goes on there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from reconcile.walk import BEGINNING, Place, Walk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "reconcile/progress.json"  # two parts, so no derivative


def load(s3: S3Client, bucket: str) -> Place:
    """Where to go on; at the beginning if no run was before, or the last one came to the end."""
    try:
        saved = json.load(s3.get_object(Bucket=bucket, Key=KEY)["Body"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return BEGINNING
        raise
    return Place(Walk(saved["walk"]), saved["after"]) if saved else BEGINNING


def save(s3: S3Client, bucket: str, place: Place | None) -> None:
    """Keep where to go on."""
    s3.put_object(
        Bucket=bucket,
        Key=KEY,
        Body=json.dumps({"walk": place.walk, "after": dict(place.after)} if place else None).encode(),
        ContentType="application/json",
    )
