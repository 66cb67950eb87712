"""Deletions from object events to records and notifications, with the real workflow definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from process_image.processor import Processor
from process_image.settings import Settings
from process_image.storage import Derivatives, Originals
from tests.product.process_image.originals import ENVIRONMENT, PROCESSED, Bus
from tests.product.process_image.workflow import Workflow
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

    from process_image.events import Deletion, OutcomeEvent, Upload
    from tests.product.process_image.originals import OriginalsBucket

PHOTOGRAPH = encode(draw((40, 30)))
OTHER_PHOTOGRAPH = encode(draw((30, 40)))
PURGED = "2026-12-28T00:00:00Z"  # the time of the contract's example of a permanent deletion


class World:
    """An originals bucket, the function and the workflow."""

    def __init__(self, s3: S3Client, originals: OriginalsBucket, workflow: Workflow) -> None:
        settings = Settings.from_environment(ENVIRONMENT)
        self.bus = Bus()
        self.originals = originals
        self._s3 = s3
        self.workflow = workflow
        self._processor = Processor(settings, Originals(s3), Derivatives(s3, PROCESSED, settings.recipe), self.bus)

    def handle(self, event: Upload | Deletion, *, dies_at: str = "") -> None:
        """Let the function handle an event, and the workflow record the outcome."""
        for announced in self.announce(event):
            self.workflow.run(announced.detail, dies_at=dies_at)

    def announce(self, event: Upload | Deletion) -> list[OutcomeEvent]:
        """Let only the function handle an event."""
        return self._processor.handle(event)

    def put(self, data: bytes = PHOTOGRAPH) -> Upload:
        upload = self.originals.put("a", data)
        self.handle(upload)
        return upload

    def delete(self) -> Deletion:
        deletion = self.originals.delete("a")
        self.handle(deletion)
        return deletion

    def purge(self, version: str | None, **how: Any) -> Deletion:
        """Delete a version permanently, like a lifecycle rule."""
        purge = self.originals.delete_version("a", version)
        self.handle(purge, **how)
        return purge

    def written(self) -> str:
        """Return the upload time of the current original."""
        written = self._s3.head_object(Bucket=self.originals.name, Key="a")["LastModified"]
        return f"{written:%Y-%m-%dT%H:%M:%SZ}"

    def items(self) -> dict[str, dict[str, Any]]:
        return self.workflow.items("a")

    def announced(self) -> list[tuple[str, str]]:
        return [(detail["status"], detail["version"]) for detail in self.workflow.published]


@pytest.fixture
def world(s3: S3Client, originals: OriginalsBucket, session: boto3.Session) -> World:
    return World(s3, originals, Workflow(session.client("dynamodb")))


def without_order(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without the fields that every later event changes."""
    moving = {"current_sequencer", "sequencer", "recorded_at"}
    return {name: value for name, value in item.items() if name not in moving}


def test_purges_of_a_deleted_image_are_silent(world: World) -> None:
    uploads = [world.put(), world.put(OTHER_PHOTOGRAPH)]
    marker = world.delete()
    before, announced = world.items(), world.announced()
    assert announced[-1] == ("Deleted", marker.version)
    for upload in uploads:
        purge = world.purge(upload.version_id)
        assert world.items()["current"]["current_sequencer"] == purge.sequencer
    assert {name: without_order(item) for name, item in world.items().items()} == {
        name: without_order(item) for name, item in before.items()
    }
    assert world.announced() == announced


@pytest.mark.parametrize("state", ["CloseVersion", "DeleteVersions", "WholeImage", "CloseCurrent", "Done"])
def test_purge_is_silent_after_any_failure(world: World, state: str) -> None:
    upload = world.put()
    world.delete()
    before, announced = world.items(), world.announced()
    purge = world.purge(upload.version_id, dies_at=state)
    world.handle(purge)
    world.handle(purge)
    assert world.announced() == announced
    assert without_order(world.items()["current"]) == without_order(before["current"])
    assert world.items()["current"]["current_sequencer"] == purge.sequencer


def test_purge_of_a_rejected_version_is_silent(world: World) -> None:
    """A rejected upload has no derivatives, so the image's deletion does not close its item."""
    upload = world.put(b"no image")
    world.delete()
    before, announced = world.items(), world.announced()
    assert before[f"version#{upload.version}"]["status"] == "Rejected"
    world.purge(upload.version_id)
    assert world.announced() == announced
    assert without_order(world.items()["current"]) == without_order(before["current"])
    closed = world.items()[f"version#{upload.version}"]
    assert (closed["status"], closed["deleted_at"]) == ("Deleted", PURGED)
    assert closed["notified_dedup_id"] == closed["dedup_id"], "no notification is missing"


def test_removed_expired_marker_is_silent(world: World) -> None:
    upload = world.put()
    marker = world.delete()
    world.purge(upload.version_id)
    before, announced = world.items(), world.announced()
    world.purge(marker.version_id)
    assert world.announced() == announced
    assert {name: without_order(item) for name, item in world.items().items()} == {
        name: without_order(item) for name, item in before.items()
    }


def test_purge_after_a_restore_is_silent(world: World) -> None:
    upload = world.put()
    world.delete()
    again = world.put(OTHER_PHOTOGRAPH)
    before, announced = world.items(), world.announced()
    world.purge(upload.version_id)
    assert world.announced() == announced
    current = world.items()["current"]
    assert current["version"] == again.version
    assert current["uploaded_at"] == world.written()
    assert without_order(current | {"uploaded_at": ""}) == without_order(before["current"] | {"uploaded_at": ""})


def test_purge_of_an_old_version_is_notified_once(world: World) -> None:
    first, second = world.put(), world.put(OTHER_PHOTOGRAPH)
    purge = world.purge(first.version_id)
    world.handle(purge)
    assert world.announced()[2:] == [("VersionDeleted", first.version)]
    current = world.items()["current"]
    assert (current["version"], current["uploaded_at"]) == (second.version, world.written())
    assert world.items()[f"version#{first.version}"]["status"] == "Deleted"


@pytest.mark.parametrize("data", [PHOTOGRAPH, b"no image"], ids=["processed", "rejected"])
def test_purge_of_the_only_version_is_notified_once(world: World, data: bytes) -> None:
    upload = world.put(data)
    purge = world.purge(upload.version_id)
    world.handle(purge)
    assert world.announced()[1:] == [("Deleted", upload.version)]
    current = world.items()["current"]
    assert (current["status"], current["deleted_at"]) == ("Deleted", PURGED)


def test_purge_is_notified_after_a_failed_execution(world: World) -> None:
    upload = world.put()
    purge = world.purge(upload.version_id, dies_at="Notify")
    assert len(world.announced()) == 1
    world.handle(purge)
    assert world.announced()[1:] == [("Deleted", upload.version)]


def test_purge_notifies_an_unnotified_version(world: World) -> None:
    """The purge of a deleted image's version is silent only if no notification is missing."""
    upload = world.originals.put("a", PHOTOGRAPH)
    world.handle(upload, dies_at="Notify")
    world.delete()
    world.purge(upload.version_id)
    assert ("Deleted", upload.version) in world.announced()


def test_purge_of_an_unprocessed_version_is_silent(world: World) -> None:
    """Its outcome event is still in a DLQ when the image is deleted."""
    upload = world.originals.put("a", PHOTOGRAPH)
    world.announce(upload)
    world.delete()
    assert "dedup_id" not in world.items()[f"version#{upload.version}"]
    announced = world.announced()
    world.purge(upload.version_id)
    assert world.announced() == announced


def test_late_event_of_a_purged_version_is_ignored(world: World) -> None:
    upload = world.put()
    world.delete()
    world.purge(upload.version_id)
    before, announced = world.items(), world.announced()
    world.handle(upload)
    assert world.items() == before
    assert world.announced() == announced


def test_purge_before_marker_leaves_image_deleted(world: World) -> None:
    upload = world.put()
    marker = world.originals.delete("a")
    purge = world.purge(upload.version_id)
    world.handle(marker)
    world.handle(purge)
    current = world.items()["current"]
    assert (current["status"], current["current_sequencer"]) == ("Deleted", purge.sequencer)
    assert world.announced()[1:] == [("Deleted", upload.version), ("Deleted", marker.version)]


def test_purge_during_a_restore_deletes_the_image(world: World) -> None:
    """The uncovered version is recorded, and purged before it becomes the current one."""
    upload = world.put()
    marker = world.delete()
    undelete = world.originals.delete_version("a", marker.version_id)
    back = [event.detail for event in world.announce(undelete)]
    assert [detail["status"] for detail in back] == ["VersionDeleted", "Processed"]
    world.workflow.run(back[1], dies_at="MoveCurrent")
    world.purge(upload.version_id)
    for detail in back:
        world.workflow.run(detail)
    assert world.items()["current"]["status"] == "Deleted"


def test_second_deletion_is_notified(world: World) -> None:
    world.put()
    world.delete()
    again = world.delete()
    assert world.announced()[-1] == ("Deleted", again.version)
