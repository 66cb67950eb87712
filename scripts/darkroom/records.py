"""The table's items, read as an operator needs them, and whether an item speaks of a certain version of an original."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom.errors import code_of
from demo_journey import read_time
from demo_pipeline import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from darkroom.resources import Resources

CURRENT = "current"

# S3 tells times of versions in whole seconds, and of a multipart upload when it began.
_CLOCK = timedelta(seconds=2)

Item = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A version of an original, as S3 lists it.

    Attributes:
        id: S3's version id; none in a bucket that keeps no versions.
        time: When it was written.
        size: Bytes.
        etag: Without quotes; empty for a delete marker.
    """

    id: str | None
    time: datetime
    size: int = 0
    etag: str = ""


def head_original(resources: Resources, image_id: str) -> HeadObjectOutputTypeDef | None:
    """What S3 says of the newest version of an original; none if it is deleted or never was."""
    try:
        return resources.s3.head_object(Bucket=resources.originals, Key=image_id)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise


def read_items(resources: Resources, image_id: str) -> list[Item]:
    """All items of an image: the current one, and one of each version, the newest version first."""
    pages = resources.dynamodb.get_paginator("query").paginate(
        TableName=resources.table,
        KeyConditionExpression="image_id = :id",
        ExpressionAttributeValues={":id": {"S": image_id}},
        ConsistentRead=True,
    )
    items = [plain(item) for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: (item["record"] == CURRENT, item.get("sequencer", "")), reverse=True)


def scan_items(resources: Resources, prefix: str = "") -> Iterator[Item]:
    """All items of the table, of the images whose ids begin with a prefix."""
    query: dict[str, Any] = {"TableName": resources.table, "ConsistentRead": True}
    if prefix:
        query["FilterExpression"] = "begins_with(image_id, :prefix)"
        query["ExpressionAttributeValues"] = {":prefix": {"S": prefix}}
    for page in resources.dynamodb.get_paginator("scan").paginate(**query):
        yield from (plain(item) for item in page["Items"])


def current_of(items: list[Item]) -> Item | None:
    """The image's current item."""
    return next((item for item in items if item["record"] == CURRENT), None)


def versions_of(items: list[Item]) -> list[Item]:
    """The items of versions."""
    return [item for item in items if item["record"] != CURRENT]


def is_told(item: Mapping[str, Any]) -> bool:
    """Whether what a version's item says was announced; what went with the whole image needs no telling of its own."""
    return "dedup_id" not in item or item.get("announced") == item["dedup_id"]


def names_by_sequencer(item: Mapping[str, Any]) -> bool:
    """Whether the item's version is named by its sequencer, as where S3's events name no version."""
    return bool(item["version"] == item.get("sequencer", item.get("current_sequencer")))


def speaks_of(item: Mapping[str, Any], version: Version) -> bool:
    """Whether an item is about this version of the original, as far as can be told.

    By the version's id; where the item has none, by the time, which is right for the latest version only.
    """
    if item["version"] == version.id:
        return True
    return names_by_sequencer(item) and version.time <= read_time(item["uploaded_at"]) + _CLOCK
