"""Runs repair differences, stop when they must, and continue where the last one stopped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from process_image.events import Deletion, Upload, parse
from reconcile import walk
from reconcile.differences import Kind
from reconcile.run import Plan, Report, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkroom.resources import Resources
    from reconcile.differences import Difference
    from reconcile.repair import Outcome

LATER = datetime.now(UTC) + timedelta(days=1)
IMAGES = ("a.jpg", "b.jpg", "c.jpg", "watermarks/d.jpg")


@pytest.fixture
def broken(resources: Resources) -> Resources:
    """Provide originals without a record, one with an incomplete record, and orphaned derivatives."""
    for image_id in IMAGES:
        resources.s3.put_object(Bucket=resources.originals, Key=image_id, Body=b"data")
    for key in ("o.jpg/v1/web.webp", "watermarks/o.jpg/v1/web.webp", "watermarks/abc"):
        resources.s3.put_object(Bucket=resources.processed, Key=key, Body=b"data")
    gone = {"image_id": "gone.jpg", "record": "version#v1", "version": "v1", "status": "Processed"}
    times = dict.fromkeys(("uploaded_at", "recorded_at"), "2026-03-01T11:00:00Z")
    item = {name: {"S": value} for name, value in {**gone, **times, "sequencer": "1" * 32}.items()}
    resources.dynamodb.put_item(TableName=resources.table, Item=item)
    return resources


def messages(resources: Resources) -> list[Upload | Deletion]:
    found = []
    while answer := resources.sqs.receive_message(QueueUrl=resources.uploads_queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in answer:
            found.append(parse(message["Body"]))
            resources.sqs.delete_message(QueueUrl=resources.uploads_queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def keys(resources: Resources) -> set[str]:
    return {one["Key"] for one in resources.s3.list_objects_v2(Bucket=resources.processed).get("Contents", [])}


def ignore(_difference: Difference, _outcome: Outcome) -> None:
    pass


def reconcile(
    resources: Resources,
    stop: Callable[[], bool] = lambda: False,
    report_difference: Callable[[Difference, Outcome], None] = ignore,
    **plan: Any,
) -> Report:
    return run(resources, Plan(**{"settled": LATER} | plan), stop, report_difference)


def test_dry_run_changes_nothing(broken: Resources) -> None:
    reported: list[tuple[str, str]] = []
    report = reconcile(
        broken, report_difference=lambda difference, outcome: reported.append((difference.image, outcome.text))
    )
    assert report.found == {Kind.MISSING: 4, Kind.ORPHANED: 2, Kind.GONE: 1}
    assert not report.repaired.total()
    assert report.next is None
    assert {image for image, _ in reported} == {*IMAGES, "o.jpg", "watermarks/o.jpg", "gone.jpg"}
    assert {text for _, text in reported} == {"not repaired"}
    assert messages(broken) == []
    assert len(keys(broken)) == 3


def test_repair_sends_events_and_deletes_orphans(broken: Resources) -> None:
    report = reconcile(broken, repairs=True)
    assert report.repaired == report.found
    sent = messages(broken)
    assert {event.key for event in sent if isinstance(event, Upload)} == set(IMAGES)
    assert [(event.key, event.version) for event in sent if isinstance(event, Deletion)] == [("gone.jpg", "v1")]
    assert keys(broken) == {"watermarks/abc"}
    assert Kind.ORPHANED not in reconcile(broken).found, "a second run finds it done"


def test_recent_objects_are_ignored(broken: Resources) -> None:
    report = reconcile(broken, settled=datetime(2026, 2, 1, tzinfo=UTC))
    assert report.found == {}
    assert report.images == 7


def test_next_run_finishes_a_stopped_one(broken: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop later each time. The next run repairs only what the first one did not."""
    monkeypatch.setattr(walk, "IMAGES_AT_ONCE", 2)
    monkeypatch.setattr(walk, "ITEMS_AT_ONCE", 2)
    stopped = 0
    for allowed in range(1000):
        asked = iter(range(allowed))
        first = reconcile(broken, lambda asked=asked: next(asked, None) is None, repairs=True)  # type: ignore[misc]
        if first.next is None:
            break
        stopped += 1
        second = reconcile(broken, repairs=True, start=first.next)
        assert second.next is None
        assert {event.key for event in messages(broken)} == {*IMAGES, "gone.jpg"}
        assert keys(broken) == {"watermarks/abc"}
        for key in ("o.jpg/v1/web.webp", "watermarks/o.jpg/v1/web.webp"):
            broken.s3.put_object(Bucket=broken.processed, Key=key, Body=b"data")
    assert stopped > 10


def test_orphan_with_a_new_record_is_kept(broken: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second orphan gets a record before it is deleted."""
    texts: dict[str, str] = {}

    def note(difference: Difference, outcome: Outcome) -> None:
        texts[difference.image] = outcome.text
        item = {"image_id": "watermarks/o.jpg", "record": "version#v1", "version": "v1", "status": "Processed"}
        broken.dynamodb.put_item(TableName=broken.table, Item={name: {"S": value} for name, value in item.items()})

    reconcile(broken, report_difference=note, repairs=True)
    assert texts["watermarks/o.jpg"].startswith("kept")
    assert keys(broken) == {"watermarks/abc", "watermarks/o.jpg/v1/web.webp"}


def test_refused_repair_is_reported(broken: Resources) -> None:
    broken.sqs.delete_queue(QueueUrl=broken.uploads_queue_url)
    texts: list[str] = []
    report = reconcile(broken, report_difference=lambda _, outcome: texts.append(outcome.text), repairs=True)
    assert report.repaired == {Kind.ORPHANED: 2, Kind.MISSING: 0, Kind.GONE: 0}
    assert sum(text.startswith("failed: ") for text in texts) == 5
    assert keys(broken) == {"watermarks/abc"}
    assert json.dumps(dict(report.found)) == '{"missing": 4, "orphaned": 2, "gone": 1}'
