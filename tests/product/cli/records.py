"""Records of one image, as the workflow writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from reconcile.records import CURRENT

if TYPE_CHECKING:
    from darkroom.resources import Resources

UPLOADED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
IMAGE = "alice/holiday.jpg"
VERSION = "v1"
FOLDER = f"{IMAGE}/{VERSION}"


def after(seconds: float) -> datetime:
    return UPLOADED + timedelta(seconds=seconds)


def put(resources: Resources, **item: Any) -> None:
    values = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    resources.dynamodb.put_item(TableName=resources.table, Item=values)


def record(resources: Resources, image_id: str, version: str = VERSION, **more: Any) -> None:
    item = {
        "image_id": image_id,
        "version": version,
        "status": "Processed",
        "sequencer": "1",
        "uploaded_at": UPLOADED.isoformat(),
        "recorded_at": after(1.5).isoformat(),
        **more,
    }
    put(resources, record=CURRENT, **item)
    announced = (
        {"notified_dedup_id": item["dedup_id"], "notified_at": after(2).isoformat()} if "dedup_id" in item else {}
    )
    put(resources, record=f"version#{version}", **item, **announced)
