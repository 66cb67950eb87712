"""The table's items, read as an operator needs them, and whether an item speaks of a certain version of an original."""

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


def read_items(pipeline: Pipeline, image_id: str) -> list[Item]:
    """All items of an image: the current one, and one of each version, the newest version first."""
    pages = pipeline.dynamodb.get_paginator("query").paginate(
        TableName=pipeline.table,
        KeyConditionExpression="image_id = :id",
        ExpressionAttributeValues={":id": {"S": image_id}},
        ConsistentRead=True,
    )
    items = [plain(item) for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: (item["record"] == CURRENT, item.get("sequencer", "")), reverse=True)


def plain(item: Mapping[str, Any]) -> Item:
    """An item of DynamoDB's as plain values; its numbers are whole ones here."""
    deserialize: Callable[[Any], Any] = TypeDeserializer().deserialize

    def whole(value: Any) -> Any:  # noqa: ANN401 - any value that DynamoDB knows
        if isinstance(value, dict):
            return {name: whole(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [whole(inner) for inner in value]
        return int(value) if isinstance(value, Decimal) else value

    return {name: whole(deserialize(value)) for name, value in item.items()}


def uploaded_at(item: Mapping[str, Any]) -> str:
    """When the version of an item came to be; of one that is known by its deletion alone, when that happened."""
    return str(item.get("uploaded_at") or item.get("deleted_at") or item["recorded_at"])


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
    return names_by_sequencer(item) and version.time <= datetime.fromisoformat(uploaded_at(item)) + _CLOCK
