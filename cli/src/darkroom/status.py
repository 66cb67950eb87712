"""`darkroom status`: what is known of one image, and when it took each hop; `darkroom list`: an owner's images."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from darkroom import output
from darkroom.errors import OperatorError, code_of
from darkroom.logs import entry, read_log
from darkroom.options import Json, Name
from darkroom.originals import head_original
from darkroom.resources import Resources
from reconcile.records import CURRENT, Item, current_of, is_notified, plain, read_items, versions_of
from scripts.demo.journey import FunctionLog, Hop, read_time

BEFORE = timedelta(minutes=1)  # around what the record tells, when its lines are looked for in the log
AFTER = timedelta(minutes=5)

_SOURCES = {
    Hop.UPLOADED: "the time that S3 gives",
    Hop.ROUTED: "the function's log: SQS got S3's event",
    Hop.PICKED_UP: "the function's log: the invocation began",
    Hop.STORED: "the processed bucket: the last derivative was written (AWS tells whole seconds)",
    Hop.ANNOUNCED: "the function's log: the bus has taken the outcome",
    Hop.RECORDED: "recorded_at in the version's item",
    Hop.NOTIFIED: "notified_at in the version's item: SNS has taken the notification",
}
_UNKNOWN = {
    Hop.UPLOADED: "neither record nor original tells it",
    Hop.ROUTED: "nothing of it in the function's log",
    Hop.PICKED_UP: "nothing of it in the function's log",
    Hop.STORED: "no derivatives",
    Hop.ANNOUNCED: "nothing of it in the function's log",
    Hop.RECORDED: "no record: the event is under way, in a dead-letter queue, or lost",
    Hop.NOTIFIED: "not announced",
}


@dataclass(frozen=True)
class Taken:
    """A hop of an image's way: when it happened, and what tells so, or why that is not known."""

    hop: Hop
    time: datetime | None
    told_by: str


def status(
    image: Annotated[str, typer.Argument(help="The image's id: the key of its original.")],
    name: Name,
    version: Annotated[str | None, typer.Option(help="Show the way of this version, not of the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show an image's record, its versions, and when it took each hop of its way."""
    resources = Resources(name)
    items = read_items(resources, image)
    original = _original(resources, image)
    if not items and original is None:
        raise OperatorError(
            f"there is no image {image!r}: nothing in the table, nothing in {resources.originals}; "
            "`darkroom list` shows what there is"
        )
    versions = versions_of(items)
    chosen = next((item for item in versions if version in (None, item["version"])), None)
    if version is not None and chosen is None:
        known = ", ".join(item["version"] for item in versions) or "none"
        raise OperatorError(f"{image!r} has no version {version!r}; recorded are: {known}")
    way = list(hops(resources, image, chosen, original))
    if as_json:
        output.document(as_document(image, items, original, chosen, way))
    else:
        show(image, items, original, chosen, way)


def list_images(
    name: Name,
    owner: Annotated[str | None, typer.Option(help="Only this owner's images.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List images, the newest first; without an owner, all of the table is read for it."""
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
    """The hops of a version's way, in order."""
    times: dict[Hop, datetime] = {}
    if item:
        if "uploaded_at" in item:  # a version that only a deletion told of may lack it
            times[Hop.UPLOADED] = read_time(item["uploaded_at"])
        times[Hop.RECORDED] = read_time(item["recorded_at"])
        if is_notified(item) and "notified_at" in item:
            times[Hop.NOTIFIED] = read_time(item["notified_at"])
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
    """What the function's log tells of a version: the last invocation that had it, and what it announced."""
    window = (times[Hop.UPLOADED] - BEFORE, times.get(Hop.RECORDED, datetime.now(UTC)) + AFTER)
    try:
        lines = list(read_log(resources, resources.log_group, *window, json.dumps(image)))
        found: dict[Hop, datetime] = {}
        requests = []
        for event in lines:
            told = entry(event["message"])
            if told.get("image_id") != image or (item and told.get("version") != item["version"]):
                continue
            if "routed_at" in told:
                found.setdefault(Hop.ROUTED, read_time(told["routed_at"]))
            if request := told.get("function_request_id"):
                requests.append(request)
            if item and "dedup_id" in item and told.get("dedup_id") == item["dedup_id"]:
                found.setdefault(Hop.ANNOUNCED, datetime.fromtimestamp(event["timestamp"] / 1000, UTC))
        log = FunctionLog()
        reports = [
            line
            for request in dict.fromkeys(requests)
            for line in read_log(resources, resources.log_group, *window, f'"{request}"')
        ]
        for heard in log.read([*reports, *lines]):
            if heard.image_id == image and heard.hop and heard.when:
                found.setdefault(heard.hop, heard.when)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":  # no log, or none any more
            return {}
        raise
    return found


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
    """What `status --json` prints."""
    return {
        "image_id": image,
        "original": original,
        "record": current_of(items),
        "versions": versions_of(items),
        "version": chosen and chosen["version"],
        "hops": [{"hop": taken.hop.value, "time": taken.time, "told_by": taken.told_by} for taken in way],
    }


def show(
    image: str,
    items: list[Item],
    original: Mapping[str, Any] | None,
    chosen: Item | None,
    way: list[Taken],
) -> None:
    """What `status` prints for people."""
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
        ("hop", "time", "seconds", f"told by (version {chosen['version']})" if chosen else "told by"),
        [(t.hop.value, _clock(t.time), _seconds(began, t.time), t.told_by) for t in way],
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
