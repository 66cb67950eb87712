"""Events repeat, overtake each other and arrive late; the records are correct nevertheless."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.engines import Capability
from tests.e2e.pipeline import settle, wait_for
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from tests.e2e.pipeline import Pipeline


def test_overwrite_moves_current_record(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((100, 80))))
    first = pipeline.record(image_id)
    pipeline.upload(encode(draw((200, 160))), image_id)

    def look() -> dict[str, Any] | None:
        current = pipeline.item(image_id)
        return current if current and current["version"] != first["version"] else None

    second = wait_for("the second version", look)
    assert second["original"] == {
        **first["original"],
        "width": 200,
        "height": 160,
        "bytes": second["original"]["bytes"],
    }
    assert {item["version"] for item in pipeline.versions(image_id)} == {second["version"], first["version"]}
    assert pipeline.announced(image_id, first["version"])
    assert pipeline.announced(image_id, second["version"])


@pytest.mark.needs(Capability.SEQUENCERS)
def test_versions_are_listed_newest_first(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((100, 80))))
    first = pipeline.record(image_id)
    pipeline.upload(b"no image", image_id)
    second = pipeline.record(image_id, "Rejected")
    assert [item["version"] for item in pipeline.versions(image_id)] == [second["version"], first["version"]]


@pytest.mark.needs(Capability.SEQUENCERS)
def test_concurrent_overwrites_end_with_the_last(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((100, 80))))
    for width in (120, 140, 160):
        pipeline.upload(encode(draw((width, 80))), image_id)

    def look() -> dict[str, Any] | None:
        current = pipeline.item(image_id)
        return current if current and current.get("original", {}).get("width") == 160 else None

    last = wait_for("the last version", look)
    settle(pipeline)
    assert pipeline.item(image_id) == last
    for version in pipeline.versions(image_id):
        assert version["status"] in {"Processed", "Deleted"}  # overwritten before it could be read
        for variant in version.get("variants", []):
            assert pipeline.derivative(variant)["ContentLength"] == variant["bytes"]


def test_repeated_event_notifies_once(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((300, 200))))
    before = pipeline.record(image_id)
    variant = before["variants"][0]
    modified = pipeline.derivative(variant)["LastModified"]
    event = json.dumps(pipeline.s3_event(image_id))
    pipeline.notification(image_id, "Processed")
    time.sleep(1.1)  # S3 reports times in seconds
    for _ in range(5):
        pipeline.send(event)
    wait_for(
        "second announcement and recording",
        lambda: pipeline.record(image_id)["recorded_at"] > before["recorded_at"],
    )
    settle(pipeline)
    after = pipeline.record(image_id)
    assert {**after, "recorded_at": ""} == {**before, "recorded_at": ""}
    assert pipeline.derivative(variant)["LastModified"] == modified, "nothing was computed again"
    assert len(pipeline.versions(image_id)) == 1
    assert len(pipeline.notifications(image_id)) == 1


def test_concurrent_first_deliveries_notify_once(pipeline: Pipeline) -> None:
    """The workflow runs several times for one event, before any run has notified anyone."""
    image_id = pipeline.upload(encode(draw((300, 200))))
    record = pipeline.record(image_id)
    notified = pipeline.notification(image_id, "Processed")
    other = f"tests/{uuid.uuid4()}"
    detail = json.loads(notified["Message"]) | {"image_id": other, "dedup_id": uuid.uuid4().hex * 2}
    pipeline.client("events").put_events(
        Entries=[
            {
                "EventBusName": pipeline.outputs["bus"]["name"],
                "Source": "darkroom",
                "DetailType": "Image Processed",
                "Detail": json.dumps(detail),
            }
        ]
        * 5
    )
    pipeline.announced(other, record["version"])
    time.sleep(12)  # the ones that came second look again after ten seconds
    assert len(pipeline.notifications(other)) == 1


@pytest.mark.needs(Capability.SEQUENCERS)
def test_older_event_after_newer_changes_nothing(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((100, 80))))
    pipeline.record(image_id)
    older = json.dumps(pipeline.s3_event(image_id))
    pipeline.upload(encode(draw((220, 160))), image_id)

    def look() -> dict[str, Any] | None:
        current = pipeline.item(image_id)
        return current if current and current["original"]["width"] == 220 else None

    newer = wait_for("the newer version", look)
    pipeline.send(older)
    settle(pipeline)
    assert pipeline.item(image_id) == newer


@pytest.mark.needs(Capability.REPLAY)
def test_replayed_event_is_silent(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((300, 200))))
    before = pipeline.record(image_id)
    pipeline.announced(image_id, before["version"])
    pipeline.notification(image_id, "Processed")
    events = pipeline.client("events")
    bus = pipeline.outputs["bus"]
    name = f"replay-{uuid.uuid4()}"
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName=name,
        EventSourceArn=bus["archive_arn"],
        EventStartTime=now - timedelta(minutes=30),
        EventEndTime=now + timedelta(minutes=1),
        Destination={"Arn": bus["arn"]},
    )
    wait_for(
        "end of the replay",
        lambda: events.describe_replay(ReplayName=name)["State"] == "COMPLETED",
    )
    wait_for(
        "second recording",
        lambda: pipeline.record(image_id)["recorded_at"] > before["recorded_at"],
    )
    settle(pipeline)
    after = pipeline.record(image_id)
    assert {**after, "recorded_at": ""} == {**before, "recorded_at": ""}
    assert len(pipeline.notifications(image_id)) == 1


def test_further_events_of_deletion_are_silent(pipeline: Pipeline) -> None:
    """A deletion of very many versions is announced by its first event only, however often its events arrive."""
    image_id = pipeline.upload(encode(draw((300, 200))))
    notified = json.loads(pipeline.notification(image_id, "Processed")["Message"])
    about = {name: notified[name] for name in ("schema_version", "image_id", "owner", "recipe")}
    detail = about | {
        "status": "Deleted",
        "version": "the-delete-marker",
        "sequencer": "f" * 18,
        "dedup_id": uuid.uuid4().hex * 2,
        "summary": "Image: deleted",
        "deleted_at": notified["uploaded_at"],
        "deleted_versions": [notified["version"]],
        "part": 1,
    }
    entry = {
        "EventBusName": pipeline.outputs["bus"]["name"],
        "Source": "darkroom",
        "DetailType": "Image Deleted",
        "Detail": json.dumps(detail),
    }
    pipeline.client("events").put_events(Entries=[entry, entry])

    def look() -> bool:
        item = pipeline.item(image_id, f"version#{notified['version']}")
        return item is not None and item["status"] == "Deleted"

    wait_for("the end of the version", look)
    settle(pipeline)
    assert len(pipeline.notifications(image_id)) == 1
    assert pipeline.record(image_id)["version"] == notified["version"], "only the first event deletes the image"


def test_replay_keeps_newer_recipe(pipeline: Pipeline) -> None:
    """A version that was processed again with another recipe keeps it when its first event is replayed."""
    image_id = pipeline.upload(encode(draw((300, 200))))
    pipeline.record(image_id)
    detail = json.loads(pipeline.notification(image_id, "Processed")["Message"])
    newer = detail | {"recipe": "0123456789abcdef", "dedup_id": uuid.uuid4().hex * 2}
    entry = {
        "EventBusName": pipeline.outputs["bus"]["name"],
        "Source": "darkroom",
        "DetailType": "Image Processed",
        "Detail": json.dumps(newer),
    }
    pipeline.client("events").put_events(Entries=[entry])

    def look() -> dict[str, Any] | None:
        item = pipeline.item(image_id, f"version#{detail['version']}")
        return item if item and item.get("notified_dedup_id") == newer["dedup_id"] else None

    before = wait_for("the new recipe's announcement", look)
    machine = pipeline.client("stepfunctions")
    machine.start_execution(
        stateMachineArn=pipeline.outputs["record_image_arn"],
        input=json.dumps({"detail-type": "Image Processed", "detail": detail, "replay-name": "of-old"}),
    )
    settle(pipeline)
    assert pipeline.item(image_id, f"version#{detail['version']}") == before
    assert pipeline.record(image_id)["recipe"] == "0123456789abcdef"
    assert len(pipeline.notifications(image_id)) == 2
