"""Deleting an image removes its derivatives, and late events do not restore it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.e2e.engines import Capability
from tests.e2e.pipeline import settle, wait_for
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from tests.e2e.pipeline import Pipeline

PHOTOGRAPH = encode(draw((400, 300)))


def test_deletion_removes_derivatives_of_all_versions(pipeline: Pipeline) -> None:
    owner = f"owner-{uuid.uuid4()}"
    image_id = pipeline.upload(PHOTOGRAPH, f"{owner}/{uuid.uuid4()}")
    neighbour = pipeline.upload(PHOTOGRAPH, f"{image_id}/deeper")
    first = pipeline.record(image_id)
    pipeline.record(neighbour)
    pipeline.upload(encode(draw((200, 160))), image_id)
    wait_for("the second version", lambda: len(pipeline.versions(image_id)) == 2)
    kept = pipeline.derivative_keys(neighbour)
    assert len(pipeline.derivative_keys(image_id)) == 3 * len(kept)

    pipeline.delete(image_id)
    record = pipeline.record(image_id, "Deleted")
    assert "variants" not in record
    assert record["deleted_at"]
    assert record["owner"] == owner
    wait_for("end of the derivatives", lambda: pipeline.derivative_keys(image_id) == kept)
    assert {version["status"] for version in pipeline.versions(image_id)} == {"Deleted"}
    assert first["version"] in {version["version"] for version in pipeline.versions(image_id)}
    assert pipeline.owned_by(owner) == []
    message = json.loads(pipeline.notification(image_id, "Deleted")["Message"])
    assert message["deleted_at"] == record["deleted_at"]
    assert first["version"] in message["deleted_versions"]


@pytest.mark.needs(Capability.VERSION_IDS)
def test_deleting_old_version_keeps_image(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    first = pipeline.record(image_id)
    pipeline.upload(encode(draw((200, 160))), image_id)
    second = wait_for(
        "the second version",
        lambda: next((v for v in pipeline.versions(image_id) if v["version"] != first["version"]), None),
    )
    pipeline.s3.delete_object(Bucket=pipeline.outputs["originals_bucket"], Key=image_id, VersionId=first["version"])
    wait_for(
        "the end of the first version",
        lambda: (pipeline.item(image_id, f"version#{first['version']}") or {}).get("status") == "Deleted",
    )
    message = json.loads(pipeline.notification(image_id, "VersionDeleted")["Message"])
    assert message["version"] == first["version"]
    settle(pipeline)
    assert not [one for one in pipeline.notifications(image_id) if json.loads(one["Message"])["status"] == "Deleted"]
    assert sorted(pipeline.derivative_keys(image_id)) == sorted(variant["key"] for variant in second["variants"])
    assert pipeline.record(image_id)["version"] == second["version"]


@pytest.mark.needs(Capability.SEQUENCERS)
def test_late_event_does_not_revive_deleted_image(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.record(image_id)
    late = json.dumps(pipeline.s3_event(image_id))
    pipeline.delete(image_id)
    deleted = pipeline.record(image_id, "Deleted")
    pipeline.notification(image_id, "Deleted")
    pipeline.send(late)
    settle(pipeline)
    assert pipeline.item(image_id) == deleted
    assert pipeline.derivative_keys(image_id) == []
    assert len(pipeline.notifications(image_id)) == 2


@pytest.mark.parametrize(
    ("data", "status"), [(PHOTOGRAPH, "Processed"), (b"no image", "Rejected")], ids=["processed", "rejected"]
)
def test_upload_replayed_after_deletion_is_silent(pipeline: Pipeline, data: bytes, status: str) -> None:
    image_id = pipeline.upload(data)
    pipeline.record(image_id, status)
    replayed = json.dumps({**pipeline.s3_event(image_id), "replay-name": "of-old"})
    pipeline.delete(image_id)
    pipeline.record(image_id, "Deleted")
    settle(pipeline)
    before = pipeline.items(image_id)
    pipeline.send(replayed)
    settle(pipeline)
    assert pipeline.items(image_id) == before
    assert len(pipeline.notifications(image_id)) == 2


def test_deleted_image_can_be_uploaded_again(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.record(image_id)
    pipeline.delete(image_id)
    pipeline.record(image_id, "Deleted")
    pipeline.upload(PHOTOGRAPH, image_id)
    again = pipeline.record(image_id)
    settle(pipeline)
    assert sorted(pipeline.derivative_keys(image_id)) == sorted(variant["key"] for variant in again["variants"])
    assert "deleted_at" not in again
    assert "deleted_at" not in pipeline.announced(image_id, again["version"])


def test_purges_of_deleted_image_announce_nothing(pipeline: Pipeline) -> None:
    """Purge as a lifecycle rule does: the processed version, and a rejected one."""
    image_id = pipeline.upload(b"no image")
    pipeline.record(image_id, "Rejected")
    created = [pipeline.s3_event(image_id)]
    pipeline.upload(PHOTOGRAPH, image_id)
    pipeline.record(image_id)
    created.append(pipeline.s3_event(image_id))
    pipeline.delete(image_id)
    deleted = pipeline.record(image_id, "Deleted")
    pipeline.notification(image_id, "Deleted")
    settle(pipeline)
    announced = len(pipeline.notifications(image_id))
    for number, event in enumerate(created):
        about = event["detail"]["object"]
        version = about.get("version-id", about["sequencer"])
        purge = {"key": image_id, "version-id": version, "sequencer": f"{number:F>32}"}
        detail = {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"}
        bucket = event["detail"]["bucket"]
        event |= {"detail-type": "Object Deleted", "detail": {"bucket": bucket, "object": purge, **detail}}
        pipeline.send(json.dumps(event))
        wait_for(
            "the end of the version",
            lambda key=f"version#{version}", sequencer=purge["sequencer"]: (  # type: ignore[misc]
                (item := pipeline.item(image_id, key))
                and item["status"] == "Deleted"
                and item["sequencer"] == sequencer
            ),
        )
    settle(pipeline)
    current = pipeline.record(image_id, "Deleted")
    assert (current["deleted_at"], current["version"]) == (deleted["deleted_at"], deleted["version"])
    assert len(pipeline.notifications(image_id)) == announced


def test_deletion_closes_records_of_many_versions(pipeline: Pipeline) -> None:
    """The versions would not fit into the workflow's state if each iteration had the whole event."""
    image_id = f"tests/{uuid.uuid4()}/often-overwritten"
    number = 80
    for edge in range(number):
        pipeline.upload(encode(draw((40 + edge, 30))), image_id)
    wait_for("all versions", lambda: len(pipeline.versions(image_id)) == number, seconds=420)
    pipeline.delete(image_id)
    pipeline.record(image_id, "Deleted")
    wait_for("the end of all versions", lambda: {v["status"] for v in pipeline.versions(image_id)} == {"Deleted"})
    assert len(pipeline.versions(image_id)) in (number, number + 1)  # the delete marker is one, where it has an id
    assert pipeline.derivative_keys(image_id) == []
    notified = [json.loads(notification["Message"]) for notification in pipeline.notifications(image_id)]
    assert [message["version"] for message in notified if message["status"] == "Deleted"] == [
        pipeline.record(image_id, "Deleted")["version"]
    ]


@pytest.mark.needs(Capability.SEQUENCERS)
def test_upload_deleted_at_once_ends_as_deleted(pipeline: Pipeline) -> None:
    images = [pipeline.upload(PHOTOGRAPH) for _ in range(5)]
    for image_id in images:
        pipeline.delete(image_id)
    for image_id in images:
        pipeline.record(image_id, "Deleted")
    settle(pipeline)
    for image_id in images:
        assert pipeline.record(image_id, "Deleted")
        assert pipeline.derivative_keys(image_id) == []
        assert {version["status"] for version in pipeline.versions(image_id)} == {"Deleted"}
