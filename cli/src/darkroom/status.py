"""`darkroom status`: an image's record and the times of its hops. `darkroom list`: an owner's images."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from darkroom import output
from darkroom.errors import OperatorError
from darkroom.hops import Hop
from darkroom.logs import entry, read_log, read_report
from darkroom.options import Json, Name
from darkroom.originals import head_original
from darkroom.resources import Resources
from reconcile.records import CURRENT, Item, current_of, is_notified, plain, read_items, versions_of

BEFORE = timedelta(minutes=1)  # of the upload, in the log
AFTER = timedelta(minutes=5)  # of the record

_SOURCES = {
    Hop.UPLOADED: "S3's time of the upload",
    Hop.ROUTED: "the function's log: SQS accepted S3's event",
    Hop.PICKED_UP: "the function's log: the invocation began",
    Hop.STORED: "the processed bucket: the last derivative was written (AWS lists whole seconds)",
    Hop.ANNOUNCED: "the function's log: the bus accepted the outcome event",
    Hop.RECORDED: "recorded_at in the version's item",
    Hop.NOTIFIED: "notified_at in the version's item: SNS accepted the notification",
}
_UNKNOWN = {
    Hop.UPLOADED: "neither in the record nor in the bucket",
    Hop.ROUTED: "not in the function's log",
    Hop.PICKED_UP: "not in the function's log",
    Hop.STORED: "no derivatives",
    Hop.ANNOUNCED: "not in the function's log",
    Hop.RECORDED: "no record: the event is under way, in a DLQ, or lost",
    Hop.NOTIFIED: "not announced",
}


@dataclass(frozen=True)
class Taken:
    """A hop, its time, and the source of the time, or why it is unknown."""

    hop: Hop
    time: datetime | None
    source: str


def status(
    image: Annotated[str, typer.Argument(help="Id of the image: the key of its original.")],
    name: Name,
    version: Annotated[str | None, typer.Option(help="Version to show the hops of. Default: the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show an image's record, its versions, and the times of its hops."""
    resources = Resources(name)
    items = read_items(resources, image)
    original = _original(resources, image)
    if not items and original is None:
        raise OperatorError(
            f"there is no image {image!r}: neither in the table nor in {resources.originals}. "
            "`darkroom list` shows the images"
        )
    versions = versions_of(items)
    chosen = next((item for item in versions if version in (None, item["version"])), None)
    if version is not None and chosen is None:
        known = ", ".join(item["version"] for item in versions) or "none"
        raise OperatorError(f"{image!r} has no version {version!r}. Recorded versions: {known}")
    way = list(hops(resources, image, chosen, original))
    if as_json:
        output.document(as_document(image, items, original, chosen, way))
    else:
        show(image, items, original, chosen, way)


def list_images(
    name: Name,
    owner: Annotated[str | None, typer.Option(help="Only this owner's images.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of images.")] = 20,
    as_json: Json = False,
) -> None:
    """List images, the newest first. Without --owner this reads the whole table."""
    resources = Resources(name)
    images = list(_owned(resources, owner, limit) if owner else _all(resources, limit))
    if as_json:
        for image in images:
            output.line(image)
        return
    output.table(
        ("image", "status", "owner", "uploaded"),
        [(i["image_id"], i["status"], i.get("owner"), i.get("uploaded_at")) for i in images],
    )


def _original(resources: Resources, image: str) -> dict[str, Any] | None:
    head = head_original(resources, image)
    return head and {
        "version": head.get("VersionId"),
        "bytes": head["ContentLength"],
        "content_type": head["ContentType"],
        "modified": head["LastModified"].astimezone(UTC),
    }


def hops(resources: Resources, image: str, item: Item | None, original: Mapping[str, Any] | None) -> Iterator[Taken]:
    """Yield the hops of a version, in order."""
    times: dict[Hop, datetime] = {}
    if item:
        if "uploaded_at" in item:  # missing if only a deletion was recorded
            times[Hop.UPLOADED] = datetime.fromisoformat(item["uploaded_at"])
        times[Hop.RECORDED] = datetime.fromisoformat(item["recorded_at"])
        if is_notified(item) and "notified_at" in item:
            times[Hop.NOTIFIED] = datetime.fromisoformat(item["notified_at"])
        if stored := _stored(resources, item):
            times[Hop.STORED] = stored
    elif original:
        times[Hop.UPLOADED] = original["modified"]
    if Hop.UPLOADED in times:
        times |= _logged(resources, image, item, times)
    for hop in Hop:
        time = times.get(hop)
        yield Taken(hop, time, _SOURCES[hop] if time else _UNKNOWN[hop])


def _stored(resources: Resources, item: Item) -> datetime | None:
    keys = {variant["key"] for variant in item.get("variants") or ()}
    if not keys:
        return None
    folder = next(iter(keys)).rpartition("/")[0] + "/"
    listing = resources.s3.list_objects_v2(Bucket=resources.processed, Prefix=folder).get("Contents", [])
    written = [found["LastModified"].astimezone(UTC) for found in listing if found["Key"] in keys]
    return max(written, default=None)


def _logged(resources: Resources, image: str, item: Item | None, times: Mapping[Hop, datetime]) -> dict[Hop, datetime]:
    """Return the times in the function's log about a version: of its first invocation, and of its outcome event."""
    window = (times[Hop.UPLOADED] - BEFORE, times.get(Hop.RECORDED, datetime.now(UTC)) + AFTER)
    found: dict[Hop, datetime] = {}
    requests = []
    for event in read_log(resources, resources.log_group, *window, json.dumps(image)):
        line = entry(event["message"])
        if line.get("image_id") != image or (item and line.get("version") != item["version"]):
            continue
        if "routed_at" in line:
            found.setdefault(Hop.ROUTED, datetime.fromisoformat(line["routed_at"]))
        if request := line.get("function_request_id"):
            requests.append(request)
        if item and "dedup_id" in item and line.get("dedup_id") == item["dedup_id"]:
            found.setdefault(Hop.ANNOUNCED, _time_of(event))
    if began := next(_beginnings(resources, requests, window), None):
        found[Hop.PICKED_UP] = began
    return found


def _beginnings(resources: Resources, requests: Iterable[str], window: tuple[datetime, datetime]) -> Iterator[datetime]:
    """Yield when invocations began, from their reports: engines differ in the times of an invocation's other lines."""
    for request in dict.fromkeys(requests):
        for event in read_log(resources, resources.log_group, *window, f'"{request}"'):
            if (report := read_report(event["message"])) and report.request_id == request:
                yield _time_of(event) - timedelta(milliseconds=report.duration)


def _time_of(event: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def _owned(resources: Resources, owner: str, limit: int) -> Iterator[Item]:
    pages = resources.dynamodb.get_paginator("query").paginate(
        TableName=resources.table,
        IndexName="by_owner",
        KeyConditionExpression="listed_owner = :owner",
        ExpressionAttributeValues={":owner": {"S": owner}},
        ScanIndexForward=False,
        PaginationConfig={"MaxItems": limit},
    )
    for page in pages:
        yield from (plain(item) for item in page["Items"])


def _all(resources: Resources, limit: int) -> list[Item]:
    pages = resources.dynamodb.get_paginator("scan").paginate(
        TableName=resources.table,
        FilterExpression="#record = :current",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":current": {"S": CURRENT}},
    )
    found = (plain(item) for page in pages for item in page["Items"])
    return sorted(found, key=lambda item: str(item.get("uploaded_at", "")), reverse=True)[:limit]


def as_document(
    image: str,
    items: list[Item],
    original: Mapping[str, Any] | None,
    chosen: Item | None,
    way: list[Taken],
) -> dict[str, Any]:
    """Return the document that `status --json` prints."""
    return {
        "image_id": image,
        "original": original,
        "record": current_of(items),
        "versions": versions_of(items),
        "version": chosen and chosen["version"],
        "hops": [{"hop": taken.hop.value, "time": taken.time, "source": taken.source} for taken in way],
    }


def show(
    image: str,
    items: list[Item],
    original: Mapping[str, Any] | None,
    chosen: Item | None,
    way: list[Taken],
) -> None:
    """Print the status for people."""
    record = current_of(items)
    output.say(f"{image}: {record['status'] if record else 'no record'}")
    if record and record.get("reason"):
        output.say(f"  {record['reason']['code']}: {record['reason']['message']}")
    if record and record.get("owner"):
        output.say(f"  owned by {record['owner']}")
    output.say(f"  original: {original['bytes']:,} bytes, {original['content_type']}" if original else "  no original")
    if variants := (record or {}).get("variants"):
        output.say("")
        output.table(
            ("variant", "size", "bytes", "key"),
            [(v["name"], f"{v['width']}x{v['height']}", f"{v['bytes']:,}", v["key"]) for v in variants],
        )
    output.say("")
    began = next((taken.time for taken in way if taken.time), None)
    output.table(
        ("hop", "time", "seconds", f"source (version {chosen['version']})" if chosen else "source"),
        [(t.hop.value, _clock(t.time), _seconds(began, t.time), t.source) for t in way],
    )
    if versions := versions_of(items):
        output.say("")
        output.table(
            ("version", "status", "uploaded", "recorded", "announced"),
            [
                (
                    v["version"],
                    v["status"],
                    v.get("uploaded_at"),
                    v.get("recorded_at"),
                    "yes" if is_notified(v) else "no",
                )
                for v in versions
            ],
        )


def _clock(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if time else "unknown"


def _seconds(began: datetime | None, time: datetime | None) -> str | None:
    return f"{(time - began).total_seconds():+.2f}" if began and time else None
