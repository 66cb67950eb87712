"""Queries about originals and their bucket."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from darkroom.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from darkroom.resources import Resources

# "After you enable EventBridge, it takes around five minutes for the changes to take effect": twice that, to be safe.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
SETTLING = timedelta(minutes=10)


def head_original(resources: Resources, image_id: str) -> HeadObjectOutputTypeDef | None:
    """Return S3's answer about the newest version of an original; None if there is none."""
    try:
        return resources.s3.head_object(Bucket=resources.originals, Key=image_id)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise


def settled_at(resources: Resources) -> datetime | None:
    """Return the time from which a young bucket certainly sends events; None if the bucket is older.

    Only ListBuckets has a bucket's date, which is not always that of its creation: "This date can change when making
    changes to your bucket, such as editing its bucket policy"
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html). S3 has no date for EventBridge itself.

    Raises:
        ClientError: ListBuckets is refused; it needs s3:ListAllMyBuckets.
    """
    listed = resources.s3.list_buckets(Prefix=resources.originals)["Buckets"]
    created = next((bucket["CreationDate"] for bucket in listed if bucket["Name"] == resources.originals), None)
    settled = created + SETTLING if created else None
    return settled if settled and settled > datetime.now(UTC) else None


def say_young(resources: Resources, settled: datetime) -> str:
    """Return a sentence about a young bucket: until when its events may be lost."""
    created = settled - SETTLING
    return (
        f"the bucket {resources.originals} was created, or its policy was changed, at {_clock(created)}: S3 takes "
        "about five minutes until it sends the events of a new bucket, and never sends those of earlier uploads. "
        f"Upload after {_clock(settled)}"
    )


def repair_command(resources: Resources, prefix: str = "") -> str:
    """Return the command that sends lost events again, also those of the last minutes.

    The prefix ends before the first unprintable character, which a terminal would not show as it is.
    """
    prefix = "".join(takewhile(str.isprintable, prefix))
    only = ["--prefix", prefix] if prefix else []
    return shlex.join(["darkroom", "reconcile", "--name", resources.name, *only, "--grace", "0", "--repair"])


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%H:%M}"
