"""The table's items: read as plain values, and matched with versions of originals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconcile.pipeline import Pipeline

CURRENT = "current"

# S3 gives the times of versions in whole seconds, and for a multipart upload the time of its start.
_CLOCK = timedelta(seconds=2)

Item = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A version of an original, as S3 lists it.

    Attributes:
        id: S3's version id; None if the bucket keeps no versions.
        time: Time of the upload or of the deletion.
        size: Size in bytes.
        etag: ETag without quotes; empty for a delete marker.
    """

    id: str | None
    time: datetime
    size: int = 0
    etag: str = ""


def read_items(pipeline: Pipeline, image_id: str) -> list[Item]:
    """Return all items of an image: the current one, then those of its versions, the newest first."""
    pages = pipeline.dynamodb.get_paginator("query").paginate(
        TableName=pipeline.table,
        KeyConditionExpression="image_id = :id",
        ExpressionAttributeValues={":id": {"S": image_id}},
        ConsistentRead=True,
    )
    items = [plain(item) for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: (item["record"] == CURRENT, item.get("sequencer", "")), reverse=True)


def plain(item: Mapping[str, Any]) -> Item:
    """Return an item of DynamoDB as plain values. All numbers in items are whole numbers."""
    deserialize: Callable[[Any], Any] = TypeDeserializer().deserialize

    def whole(value: Any) -> Any:  # noqa: ANN401 - any value in DynamoDB
        if isinstance(value, dict):
            return {name: whole(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [whole(inner) for inner in value]
        return int(value) if isinstance(value, Decimal) else value

    return {name: whole(deserialize(value)) for name, value in item.items()}


def uploaded_at(item: Mapping[str, Any]) -> str:
    """Return the time of a version's upload, or of its deletion if only that was recorded."""
    return str(item.get("uploaded_at") or item.get("deleted_at") or item["recorded_at"])


def current_of(items: list[Item]) -> Item | None:
    """Return the image's current item."""
    return next((item for item in items if item["record"] == CURRENT), None)


def versions_of(items: list[Item]) -> list[Item]:
    """Return the items of versions."""
    return [item for item in items if item["record"] != CURRENT]


def is_notified(item: Mapping[str, Any]) -> bool:
    """Return True if a version's outcome was notified, or needs no notification: it was deleted with its image."""
    return "dedup_id" not in item or item.get("notified_dedup_id") == item["dedup_id"]


def names_by_sequencer(item: Mapping[str, Any]) -> bool:
    """Return True if the item's version is named by its sequencer, because the bucket keeps no versions."""
    return bool(item["version"] == item.get("sequencer", item.get("current_sequencer")))


def speaks_of(item: Mapping[str, Any], version: Version) -> bool:
    """Return True if an item is about this version of the original.

    An item without a version id is matched by time, which is correct only for the latest version.
    """
    if item["version"] == version.id:
        return True
    return names_by_sequencer(item) and version.time <= datetime.fromisoformat(uploaded_at(item)) + _CLOCK
