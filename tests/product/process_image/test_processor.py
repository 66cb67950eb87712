"""Outcomes of uploads and deletions, with repeated, late and reordered events."""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, IncompleteReadError
from botocore.response import StreamingBody
from PIL import Image

from darkroom.pricing import READS
from process_image.processor import Processor
from process_image.settings import Settings
from process_image.storage import Derivatives, OpenOriginal, Originals
from tests.product.process_image.originals import ENVIRONMENT, PROCESSED, Bus, answer_instead, refuse
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from process_image.events import OutcomeEvent, Upload
    from tests.product.process_image.originals import OriginalsBucket

PHOTOGRAPH = encode(draw((80, 60)))
OTHER_PHOTOGRAPH = encode(draw((60, 80), hue=200))
MINTED = "maria/7d1c5a52-2f0f-4c9b-9d8e-6a4a0e1f2b3c"


def settings_with(**changes: str) -> Settings:
    return Settings.from_environment(ENVIRONMENT | changes)


def processor_of(s3: S3Client, bus: Bus, settings: Settings | None = None, **ports: Any) -> Processor:
    settings = settings or settings_with()
    originals = ports.get("originals") or Originals(s3)
    derivatives = ports.get("derivatives") or Derivatives(s3, PROCESSED, settings.recipe)
    return Processor(settings, originals, derivatives, bus)


@pytest.fixture
def processor(s3: S3Client, bus: Bus) -> Processor:
    return processor_of(s3, bus)


def contents(s3: S3Client) -> dict[str, bytes]:
    """Return every derivative by key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=PROCESSED)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: s3.get_object(Bucket=PROCESSED, Key=key)["Body"].read() for key in keys}


def outcomes(events: list[OutcomeEvent]) -> list[tuple[str, str]]:
    """Return status and version of each event."""
    return [(event.detail["status"], event.detail["version"]) for event in events]


# Uploads


def test_upload_gives_derivatives_and_one_event(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    announced = processor.handle(upload)
    assert announced == bus.announced
    assert outcomes(announced) == [("Processed", upload.version)]
    detail = announced[0].detail
    assert detail["original"] == {
        "bucket": originals.name,
        "bytes": len(PHOTOGRAPH),
        "width": 80,
        "height": 60,
        "format": "jpeg",
    }
    assert detail["variants_bucket"] == PROCESSED
    assert [(one["name"], one["width"], one["height"]) for one in detail["variants"]] == [
        ("thumbnail", 32, 24),
        ("square", 24, 24),
    ]
    stored = contents(s3)
    assert [one["key"] for one in detail["variants"]] == [
        f"a/{upload.version}/thumbnail.jpg",
        f"a/{upload.version}/square.png",
    ]
    assert set(stored) == {one["key"] for one in detail["variants"]}
    for one in detail["variants"]:
        picture = Image.open(io.BytesIO(stored[one["key"]]))
        assert picture.size == (one["width"], one["height"])
        assert len(stored[one["key"]]) == one["bytes"]


def test_derivatives_are_stored_before_the_event(
    originals: OriginalsBucket, processor: Processor, journal: list[str]
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    journal.clear()
    processor.handle(upload)
    assert journal == [
        "GetObject",  # the original
        "HeadObject",  # no derivative yet
        "PutObject",
        "PutObject",
        "HeadObject",  # the original is still there
        "Image Processed",
    ]
    reads = [name for name in journal if name.startswith(("Get", "Head"))]
    assert len(reads) == READS, "the bill counts them"


def test_reprocessing_repeats_bytes_and_event(s3: S3Client, originals: OriginalsBucket, bus: Bus) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor_of(s3, bus).handle(upload)
    first = contents(s3)
    for key in first:
        s3.delete_object(Bucket=PROCESSED, Key=key)
    processor_of(s3, bus).handle(upload)
    assert contents(s3) == first
    assert bus.announced[0] == bus.announced[1]


def test_second_delivery_does_not_render(
    originals: OriginalsBucket, processor: Processor, bus: Bus, journal: list[str]
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    journal.clear()
    processor.handle(upload)
    assert journal == ["GetObject", "HeadObject", "HeadObject", "Image Processed"]
    assert bus.announced[0] == bus.announced[1]


class Unread(Originals):
    """Originals whose bytes must not be read."""

    def __init__(self, s3: S3Client, size: int) -> None:
        super().__init__(s3)
        self.size = size
        self.body = self.Body()

    class Body(io.BytesIO):
        def read(self, *_: object) -> bytes:
            pytest.fail("the body is read")

    def open(self, _: Upload) -> OpenOriginal:
        return OpenOriginal({"ContentLength": self.size, "Metadata": {}, "Body": self.body})


def test_second_delivery_does_not_read_the_body(s3: S3Client, originals: OriginalsBucket, bus: Bus) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor_of(s3, bus).handle(upload)
    unread = Unread(s3, len(PHOTOGRAPH))
    processor_of(s3, bus, originals=unread).handle(upload)
    assert bus.announced[0] == bus.announced[1]
    assert unread.body.closed, "the connection is closed"


def test_partly_stored_derivatives_are_completed(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    refuse(s3, "s3.PutObject", 503, "SlowDown", times=1)
    with pytest.raises(ClientError, match="SlowDown"):
        processor.handle(upload)
    assert bus.announced == []
    processor.handle(upload)
    assert outcomes(bus.announced) == [("Processed", upload.version)]
    assert len(contents(s3)) == 2


def test_new_recipe_renders_again(s3: S3Client, originals: OriginalsBucket, bus: Bus, journal: list[str]) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor_of(s3, bus).handle(upload)
    journal.clear()
    larger = settings_with(VARIANTS=json.dumps([{"name": "thumbnail", "width": 48}]))
    processor_of(s3, bus, larger).handle(upload)
    assert journal.count("PutObject") == 1
    assert bus.announced[1].detail["variants"][0]["width"] == 48
    assert bus.announced[1].detail["recipe"] == larger.recipe != bus.announced[0].detail["recipe"]


def test_refused_event_is_announced_on_retry(
    s3: S3Client, originals: OriginalsBucket, bus: Bus, journal: list[str]
) -> None:
    class Busy(Bus):
        def put(self, _: OutcomeEvent) -> None:
            raise ConnectionClosedError(endpoint_url="https://events")

    upload = originals.put("a", PHOTOGRAPH)
    with pytest.raises(ConnectionClosedError):
        processor_of(s3, Busy()).handle(upload)
    journal.clear()
    processor_of(s3, bus).handle(upload)
    assert "PutObject" not in journal
    assert outcomes(bus.announced) == [("Processed", upload.version)]


@pytest.mark.parametrize(
    ("key", "metadata", "owner"),
    [
        (MINTED, {"owner": "someone-else"}, "maria"),
        ("maria/JJlLy-EuIAMF_TA=", {}, "maria"),
        ("maria/a_photograph", {}, None),
        ("a", {"owner": "someone"}, "someone"),
        ("a", {}, None),
    ],
)
@pytest.mark.parametrize("data", [PHOTOGRAPH, b"no image"])
def test_owner_is_from_key_or_metadata(
    originals: OriginalsBucket, processor: Processor, key: str, metadata: dict[str, str], owner: str | None, data: bytes
) -> None:
    (event,) = processor.handle(originals.put(key, data, **metadata))
    assert event.detail["owner"] == owner


def test_unversioned_bucket_works(s3: S3Client, unversioned: OriginalsBucket, processor: Processor) -> None:
    first = unversioned.put("a", PHOTOGRAPH)
    assert outcomes(processor.handle(first)) == [("Processed", first.sequencer)]
    second = unversioned.put("a", OTHER_PHOTOGRAPH)
    assert outcomes(processor.handle(first)) == [("VersionDeleted", first.sequencer)]
    assert outcomes(processor.handle(second)) == [("Processed", second.sequencer)]
    deletion = unversioned.delete("a")
    (event,) = processor.handle(deletion)
    assert event.detail["status"] == "Deleted"
    assert event.detail["deleted_versions"] == [second.sequencer]
    assert contents(s3) == {}


# Rejections


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"this is a text", "unsupported_format"),
        (PHOTOGRAPH[: len(PHOTOGRAPH) // 2], "unreadable_image"),
        (PHOTOGRAPH + bytes(1_000_000), "too_many_bytes"),
        (encode(draw((1001, 1000)), quality=10), "too_many_pixels"),
    ],
    ids=["empty", "text", "half", "bytes", "pixels"],
)
def test_invalid_image_is_rejected_each_time(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus, data: bytes, code: str
) -> None:
    upload = originals.put("a", data)
    processor.handle(upload)
    processor.handle(upload)
    assert outcomes(bus.announced) == [("Rejected", upload.version)] * 2
    assert bus.announced[0] == bus.announced[1]
    assert bus.announced[0].detail["reason"]["code"] == code
    assert bus.announced[0].detail["original"] == {"bucket": originals.name, "bytes": len(data)}
    assert contents(s3) == {}


def test_too_large_file_is_not_downloaded(s3: S3Client, originals: OriginalsBucket, bus: Bus) -> None:
    unread = Unread(s3, 10**12)
    processor_of(s3, bus, originals=unread).handle(originals.put("a", PHOTOGRAPH))
    assert bus.announced[0].detail["reason"]["code"] == "too_many_bytes"
    assert bus.announced[0].detail["original"]["bytes"] == 10**12
    assert unread.body.closed


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (403, "AccessDenied")])
def test_read_error_is_a_failure(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus, status: int, code: str
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    refuse(s3, "s3.GetObject", status, code, times=1)
    with pytest.raises(ClientError, match=code):
        processor.handle(upload)
    assert bus.announced == []
    processor.handle(upload)
    assert outcomes(bus.announced) == [("Processed", upload.version)]


def test_short_read_is_no_rejection(s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    half = {
        "ContentLength": len(PHOTOGRAPH),
        "Metadata": {},
        "VersionId": upload.version_id,
        "Body": StreamingBody(cast("Any", io.BytesIO(PHOTOGRAPH[:500])), len(PHOTOGRAPH)),
    }
    answer_instead(s3, "s3.GetObject", 200, half, times=1)
    with pytest.raises(IncompleteReadError):
        processor.handle(upload)
    assert bus.announced == []


# Deletions


def test_deletion_removes_versions(s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus) -> None:
    uploads = [originals.put("a", data) for data in (PHOTOGRAPH, OTHER_PHOTOGRAPH)]
    neighbour = originals.put("a/b", PHOTOGRAPH)
    for upload in (*uploads, neighbour):
        processor.handle(upload)
    deletion = originals.delete("a")
    (event,) = processor.handle(deletion)
    assert (event.detail["status"], event.detail["version"]) == ("Deleted", deletion.version)
    assert event.detail["deleted_at"] == deletion.time
    assert event.detail["deleted_versions"] == sorted(upload.version for upload in uploads)
    assert all(key.startswith("a/b/") for key in contents(s3))
    assert len(contents(s3)) == 2
    assert bus.announced[-1] == event


def test_deletion_of_many_versions_has_parts(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("process_image.processor.VERSIONS_AT_ONCE", 2)
    uploads = [originals.put("a", encode(draw((40 + number, 30)))) for number in range(5)]
    for upload in uploads:
        processor.handle(upload)
    events = processor.handle(originals.delete("a"))
    versions = [event.detail["deleted_versions"] for event in events]
    assert [len(some) for some in versions] == [2, 2, 1]
    assert sorted(itertools.chain(*versions)) == sorted(upload.version for upload in uploads)
    assert len({event.detail["dedup_id"] for event in events}) == 3
    assert [event.detail["part"] for event in events] == [0, 1, 2]
    assert contents(s3) == {}


def test_deletion_is_announced_before_it_is_done(
    originals: OriginalsBucket, processor: Processor, journal: list[str]
) -> None:
    processor.handle(originals.put("a", PHOTOGRAPH))
    deletion = originals.delete("a")
    journal.clear()
    processor.handle(deletion)
    assert journal.index("Image Deleted") < journal.index("DeleteObjects")


def crash_once(s3: S3Client, operation: str) -> None:
    """End the function's environment before the operation is called."""
    left = [1]

    def crash(**_: object) -> None:
        if left.pop() if left else 0:
            raise ConnectionClosedError(endpoint_url="https://s3")

    s3.meta.events.register_first(f"before-call.s3.{operation}", crash)


def test_retry_finishes_a_deletion(s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    deletion = originals.delete("a")
    crash_once(s3, "DeleteObjects")
    with pytest.raises(ConnectionClosedError):
        processor.handle(deletion)
    assert outcomes(bus.announced)[1:] == [("Deleted", deletion.version)]
    assert len(contents(s3)) == 2
    processor.handle(deletion)
    assert contents(s3) == {}
    assert bus.announced[1] == bus.announced[2], "it names the same versions again"
    assert bus.announced[1].detail["deleted_versions"] == [upload.version]


def test_upload_of_a_deleted_image_ends_as_deleted(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, journal: list[str]
) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    originals.delete("a")
    journal.clear()
    (event,) = processor.handle(upload)
    assert outcomes([event]) == [("Deleted", upload.version)]
    assert event.detail["sequencer"] == upload.sequencer
    assert event.detail["deleted_at"] > upload.time, "the deletion's own event is not handled yet"
    assert event.detail["deleted_versions"] == [upload.version]
    assert "PutObject" not in journal
    assert contents(s3) == {}


@pytest.mark.parametrize("data", [PHOTOGRAPH, b"no image"], ids=["processed", "rejected"])
def test_late_upload_event_repeats_no_deletion(
    s3: S3Client, originals: OriginalsBucket, processor: Processor, bus: Bus, data: bytes
) -> None:
    upload = originals.put("a", data)
    processor.handle(upload)
    processor.handle(originals.delete("a"))
    before = list(bus.announced)
    assert processor.handle(replace(upload, late=True)) == []
    assert bus.announced == before
    assert contents(s3) == {}


def test_repaired_deletion_names_the_stored_versions(
    s3: S3Client, originals: OriginalsBucket, processor: Processor
) -> None:
    """The stored derivatives name the versions when `darkroom reconcile` sends the lost event."""
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    lost = originals.delete("a")
    assert processor.handle(replace(upload, late=True)) == []
    (event,) = processor.handle(replace(lost, late=True))
    assert event.detail["deleted_versions"] == [upload.version]
    assert contents(s3) == {}


def test_missing_version_ends_as_deleted(s3: S3Client, originals: OriginalsBucket, processor: Processor) -> None:
    first = originals.put("a", PHOTOGRAPH)
    second = originals.put("a", OTHER_PHOTOGRAPH)
    originals.delete_version("a", first.version_id)
    (event,) = processor.handle(first)
    assert outcomes([event]) == [("VersionDeleted", first.version)]
    assert event.detail_type == "Image Version Deleted"
    assert outcomes(processor.handle(second)) == [("Processed", second.version)]
    assert len(contents(s3)) == 2


def test_retry_finishes_a_missing_upload(s3: S3Client, originals: OriginalsBucket, processor: Processor) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    originals.delete("a")
    crash_once(s3, "DeleteObjects")
    with pytest.raises(ConnectionClosedError):
        processor.handle(upload)
    assert len(contents(s3)) == 2
    processor.handle(upload)
    assert contents(s3) == {}


class Interrupted(Derivatives):
    """Derivatives with one interruption, just before or just after they are stored."""

    interruption: Callable[[], object] | None = None
    before = True

    def store(self, *arguments: Any) -> Any:
        interruption, self.interruption = self.interruption, None
        if interruption and self.before:
            interruption()
        stored = super().store(*arguments)
        if interruption and not self.before:
            interruption()
        return stored


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("handled", [True, False], ids=["event handled meanwhile", "event still to come"])
@pytest.mark.parametrize("late", [True, False])
def test_image_deleted_meanwhile_leaves_nothing(
    s3: S3Client, originals: OriginalsBucket, bus: Bus, before: bool, whole: bool, handled: bool, late: bool
) -> None:
    derivatives = Interrupted(s3, PROCESSED, settings_with().recipe)
    derivatives.before = before
    processor = processor_of(s3, bus, derivatives=derivatives)
    upload = replace(originals.put("a", PHOTOGRAPH), late=late)

    def interrupt() -> None:
        deletion = originals.delete("a") if whole else originals.delete_version("a", upload.version_id)
        if handled:
            processor.handle(deletion)

    derivatives.interruption = interrupt
    processor.handle(upload)
    assert contents(s3) == {}
    assert ("Deleted", upload.version) in outcomes(bus.announced)
    assert {event.detail["status"] for event in bus.announced} == {"Deleted"}


def test_purged_current_version_uncovers_another(
    originals: OriginalsBucket, processor: Processor, s3: S3Client, journal: list[str]
) -> None:
    first, second = originals.put("a", PHOTOGRAPH), originals.put("a", OTHER_PHOTOGRAPH)
    processor.handle(first)
    processor.handle(second)
    deletion = originals.delete_version("a", second.version_id)
    journal.clear()
    events = processor.handle(deletion)
    assert outcomes(events) == [("VersionDeleted", second.version), ("Processed", first.version)]
    assert events[0].detail["deleted_at"] == deletion.time
    assert {event.detail["sequencer"] for event in events} == {deletion.sequencer}, "it becomes the current one"
    assert "PutObject" not in journal
    assert all(key.startswith(f"a/{first.version}/") for key in contents(s3))


def test_purged_only_version_deletes_the_image(originals: OriginalsBucket, processor: Processor, s3: S3Client) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    (event,) = processor.handle(originals.delete_version("a", upload.version_id))
    assert event.detail_type == "Image Deleted"
    assert event.detail["deleted_versions"] == [upload.version]
    assert contents(s3) == {}


def test_uncovered_version_may_be_rejected(originals: OriginalsBucket, processor: Processor) -> None:
    first, second = originals.put("a", b"no image"), originals.put("a", PHOTOGRAPH)
    events = processor.handle(originals.delete_version("a", second.version_id))
    assert outcomes(events) == [("VersionDeleted", second.version), ("Rejected", first.version)]


def test_removed_delete_marker_restores_image(s3: S3Client, originals: OriginalsBucket, processor: Processor) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    (processed,) = processor.handle(upload)
    before = contents(s3)
    marker = originals.delete("a")
    processor.handle(marker)
    assert contents(s3) == {}
    deletion = originals.delete_version("a", marker.version_id)
    events = processor.handle(deletion)
    assert outcomes(events) == [("VersionDeleted", marker.version), ("Processed", upload.version)]
    assert events[1].detail["sequencer"] == deletion.sequencer
    assert events[1].detail["dedup_id"] == processed.detail["dedup_id"], "it was notified before"
    assert contents(s3) == before


def test_late_event_of_removed_marker_keeps_all(s3: S3Client, originals: OriginalsBucket, processor: Processor) -> None:
    upload = originals.put("a", PHOTOGRAPH)
    processor.handle(upload)
    before = contents(s3)
    marker = originals.delete("a")
    removal = originals.delete_version("a", marker.version_id)
    processor.handle(removal)
    events = processor.handle(marker)
    assert outcomes(events) == [("Deleted", marker.version), ("Processed", upload.version)]
    assert contents(s3) == before


def test_marker_removed_meanwhile_keeps_all(s3: S3Client, originals: OriginalsBucket) -> None:
    class Undeleting(Bus):
        """The marker is removed when the deletion is announced, and that event is handled at once."""

        def put(self, event: OutcomeEvent) -> None:
            super().put(event)
            if markers:
                processor_of(s3, Bus()).handle(originals.delete_version("a", markers.pop()))

    upload = originals.put("a", PHOTOGRAPH)
    markers: list[str | None] = []
    processor = processor_of(s3, Undeleting())
    processor.handle(upload)
    before = contents(s3)
    marker = originals.delete("a")
    markers.append(marker.version_id)
    processor.handle(marker)
    assert contents(s3) == before


def test_late_deletion_keeps_newer_uploads(s3: S3Client, originals: OriginalsBucket, processor: Processor) -> None:
    processor.handle(originals.put("a", PHOTOGRAPH))
    deletion = originals.delete("a")
    again = originals.put("a", PHOTOGRAPH)
    processor.handle(again)
    events = processor.handle(deletion)
    assert outcomes(events) == [("Deleted", deletion.version)]
    assert all(key.startswith(f"a/{again.version}/") for key in contents(s3))
    assert len(contents(s3)) == 2


# Watermarks


def branded(image: str) -> Settings:
    watermark = {"image": image, "text": None, "position": "center", "scale": 1, "opacity": 1, "margin": 0}
    return settings_with(VARIANTS=json.dumps([{"name": "web", "width": 32, "watermark": watermark}]))


def test_watermark_image_is_read_once(s3: S3Client, originals: OriginalsBucket, bus: Bus, journal: list[str]) -> None:
    logo = encode(Image.new("RGB", (10, 10), "#ff0000"), "PNG")
    s3.put_object(Bucket=PROCESSED, Key="watermarks/abc", Body=logo)
    processor = processor_of(s3, bus, branded("watermarks/abc"))
    uploads = [originals.put(key, encode(Image.new("RGB", (40, 40), "#0000ff"), "PNG")) for key in ("a", "b")]
    journal.clear()
    for upload in uploads:
        processor.handle(upload)
    assert journal.count("GetObject") == len(uploads), "the originals"
    assert len(contents(s3)) == len(uploads) + 1
    for event in bus.announced:
        (variant,) = event.detail["variants"]
        picture = Image.open(io.BytesIO(contents(s3)[variant["key"]])).convert("RGB")
        assert picture.size == (32, 32)
        red, _, blue = cast("tuple[int, int, int]", picture.getpixel((16, 16)))
        assert red > 200
        assert blue < 50


def test_missing_watermark_image_fails_the_start(s3: S3Client, bus: Bus) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        processor_of(s3, bus, branded("watermarks/none"))
