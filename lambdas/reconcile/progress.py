"""Progress of runs: an object in the processed bucket, from which the next run continues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from reconcile.walk import BEGINNING, Place, Walk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "reconcile/progress.json"  # two parts, so it is not a derivative


def load(s3: S3Client, bucket: str) -> Place:
    """Return the place to continue from: the beginning if there was no run, or if the last one compared everything."""
    try:
        saved = json.load(s3.get_object(Bucket=bucket, Key=KEY)["Body"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return BEGINNING
        raise
    return Place(Walk(saved["walk"]), saved["after"]) if saved else BEGINNING


def save(s3: S3Client, bucket: str, place: Place | None) -> None:
    """Save the place to continue from, or None if everything was compared."""
    s3.put_object(
        Bucket=bucket,
        Key=KEY,
        Body=json.dumps({"walk": place.walk, "after": dict(place.after)} if place else None).encode(),
        ContentType="application/json",
    )
