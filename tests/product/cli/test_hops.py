"""Times of an image's hops."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from darkroom.hops import Hop
from darkroom.status import hops

if TYPE_CHECKING:
    from darkroom.resources import Resources

UPLOADED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
ROUTED = UPLOADED + timedelta(milliseconds=250)
ITEM = {
    "image_id": "a",
    "record": "version#v1",
    "version": "v1",
    "status": "Processed",
    "uploaded_at": UPLOADED.isoformat(),
    "recorded_at": (UPLOADED + timedelta(seconds=2)).isoformat(),
    "dedup_id": "d",
}


def log(resources: Resources, *lines: dict[str, Any] | str) -> None:
    """Write lines into the function's log, a second after the upload."""
    resources.logs.create_log_group(logGroupName=resources.log_group)
    resources.logs.create_log_stream(logGroupName=resources.log_group, logStreamName="stream")
    at = int((UPLOADED + timedelta(seconds=1)).timestamp() * 1000)
    resources.logs.put_log_events(
        logGroupName=resources.log_group,
        logStreamName="stream",
        logEvents=[{"timestamp": at, "message": line if isinstance(line, str) else json.dumps(line)} for line in lines],
    )


def times(resources: Resources, item: dict[str, Any]) -> dict[Hop, datetime | None]:
    return {taken.hop: taken.time for taken in hops(resources, "a", item, None)}


def test_routed_is_the_first_arrival_in_the_queue(resources: Resources) -> None:
    """A later delivery and another version's do not count."""
    about = {"image_id": "a", "level": "INFO", "function_request_id": "r"}
    log(
        resources,
        {**about, "version": "v0", "routed_at": UPLOADED.isoformat()},
        {**about, "version": "v1", "routed_at": ROUTED.isoformat(timespec="milliseconds")},
        {**about, "version": "v1", "routed_at": (ROUTED + timedelta(seconds=9)).isoformat()},
    )
    assert times(resources, ITEM)[Hop.ROUTED] == ROUTED


def test_picked_up_is_the_start_of_an_invocation(resources: Resources) -> None:
    """The report is written at the end, and says how long the invocation took."""
    log(
        resources,
        {"image_id": "a", "version": "v0", "function_request_id": "another"},
        "REPORT RequestId: another\tDuration: 900.00 ms\t",
        {"image_id": "a", "version": "v1", "function_request_id": "first"},
        "REPORT RequestId: first\tDuration: 400.00 ms\t",
        {"image_id": "a", "version": "v1", "function_request_id": "second"},
        "REPORT RequestId: second\tDuration: 100.00 ms\t",
    )
    assert times(resources, ITEM)[Hop.PICKED_UP] == UPLOADED + timedelta(milliseconds=600)


def test_without_a_log_hops_come_from_the_record(resources: Resources) -> None:
    known = {hop for hop, time in times(resources, ITEM).items() if time}
    assert known == {Hop.UPLOADED, Hop.RECORDED}


def test_a_record_without_upload_has_hops(resources: Resources) -> None:
    """The deletion of an image leaves such a record for a version that had none."""
    item = {name: value for name, value in ITEM.items() if name not in {"uploaded_at", "dedup_id"}}
    found = list(hops(resources, "a", {**item, "status": "Deleted", "deleted_at": UPLOADED.isoformat()}, None))
    assert {taken.hop for taken in found if taken.time} == {Hop.RECORDED}
    assert (
        next(taken.source for taken in found if taken.hop is Hop.UPLOADED) == "neither in the record nor in the bucket"
    )
