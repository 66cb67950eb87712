"""When an image took each hop of its way, as far as somebody tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from darkroom.status import hops
from scripts.demo.journey import Hop

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


def log(resources: Resources, *lines: dict[str, Any]) -> None:
    """Let the function have written lines, a second after the upload."""
    resources.logs.create_log_group(logGroupName=resources.log_group)
    resources.logs.create_log_stream(logGroupName=resources.log_group, logStreamName="stream")
    at = int((UPLOADED + timedelta(seconds=1)).timestamp() * 1000)
    resources.logs.put_log_events(
        logGroupName=resources.log_group,
        logStreamName="stream",
        logEvents=[{"timestamp": at, "message": json.dumps(line)} for line in lines],
    )


def times(resources: Resources, item: dict[str, Any]) -> dict[Hop, datetime | None]:
    return {taken.hop: taken.time for taken in hops(resources, "a", item, None)}


def test_an_event_was_routed_when_it_came_into_the_queue(resources: Resources) -> None:
    """The first time, if it was delivered more than once; of another version nothing is taken."""
    about = {"image_id": "a", "level": "INFO", "function_request_id": "r"}
    log(
        resources,
        {**about, "version": "v0", "routed_at": UPLOADED.isoformat()},
        {**about, "version": "v1", "routed_at": ROUTED.isoformat(timespec="milliseconds")},
        {**about, "version": "v1", "routed_at": (ROUTED + timedelta(seconds=9)).isoformat()},
    )
    assert times(resources, ITEM)[Hop.ROUTED] == ROUTED


def test_without_a_log_the_record_tells_what_it_can(resources: Resources) -> None:
    told = {hop: time for hop, time in times(resources, ITEM).items() if time}
    assert set(told) == {Hop.UPLOADED, Hop.RECORDED}


def test_a_record_that_knows_no_upload_is_shown_all_the_same(resources: Resources) -> None:
    """As the deletion of an image once left of a version that had no record yet."""
    item = {name: value for name, value in ITEM.items() if name not in {"uploaded_at", "dedup_id"}}
    told = list(hops(resources, "a", {**item, "status": "Deleted", "deleted_at": UPLOADED.isoformat()}, None))
    assert {taken.hop for taken in told if taken.time} == {Hop.RECORDED}
    assert next(taken.told_by for taken in told if taken.hop is Hop.UPLOADED) == "neither record nor original tells it"
