"""`darkroom reconcile`: compare originals, derivatives and records, in all directions, and repair what differs."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from darkroom import output
from darkroom.differences import Difference, Event, Image, differences
from darkroom.errors import Exit, explain
from darkroom.interrupt import graceful
from darkroom.options import Json, Name
from darkroom.records import Version, head_original, read_items, scan_items, versions_of
from darkroom.resources import Resources

WATERMARKS = "watermarks/"  # beside the derivatives, and none of them
DIGEST = "sha256-"  # how the derivatives of long image ids begin (docs/decisions/0005-long-keys.md)
DELETE_AT_ONCE = 1000  # keys, S3's limit


def reconcile(
    name: Name,
    prefix: Annotated[str, typer.Option(help="Only images whose ids begin so.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Repair what differs; otherwise it is only shown.")] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Minutes for which something may be under way: what is younger is left alone.")
    ] = 15,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Repair at most so many a second.")] = None,
    as_json: Json = False,
) -> Exit:
    """Show where originals, derivatives and records differ, and repair it with --repair.

    The pipeline does the repairing: it gets again, or for the first time, the event of the upload or the deletion, and
    finishes what is missing. Derivatives without record and original are deleted, after one more look. A second run
    looks anew: it can be interrupted at any time. Exit code 3 if something differs and was not repaired.
    """
    resources = Resources(name)
    settled = datetime.now(UTC) - timedelta(minutes=grace)
    found = failed = 0
    with graceful("the repair at hand is finished") as stop:
        for image in gather(resources, prefix).values():
            for difference in differences(image, settled):
                outcome = _repair(resources, difference) if repair else "not repaired"
                found += 1
                failed += outcome.startswith("failed")
                _tell(difference, outcome, as_json=as_json)
                if rate and repair:
                    stop.wait(1 / rate)
            if stop:
                break
    if not as_json:
        output.say(f"{found} differences, {found - failed if repair else 0} repaired{', interrupted' if stop else ''}")
    if stop:
        return Exit.INTERRUPTED
    if failed:
        return Exit.FAILED
    return Exit.FOUND if found and not repair else Exit.DONE


def gather(resources: Resources, prefix: str = "") -> dict[str, Image]:
    """All that there is, by image."""
    images: dict[str, Image] = {}

    def image(image_id: str) -> Image:
        return images.setdefault(image_id, Image(image_id))

    derivatives = list(_derivatives(resources, prefix))
    for item in scan_items(resources, prefix):
        image(item["image_id"]).items.append(item)
    pages = resources.s3.get_paginator("list_object_versions").paginate(Bucket=resources.originals, Prefix=prefix)
    for page in pages:
        for found in page.get("Versions", []):
            image(found["Key"]).versions.append(
                Version(_id(found["VersionId"]), found["LastModified"], found["Size"], found["ETag"].strip('"'))
            )
        for marker in page.get("DeleteMarkers", []):
            if marker["IsLatest"]:
                image(marker["Key"]).marker = Version(_id(marker["VersionId"]), marker["LastModified"])
    digests = {DIGEST + hashlib.sha256(image_id.encode()).hexdigest(): image_id for image_id in images}
    for folder, version, key, written in derivatives:
        image_id = digests.get(folder, folder)
        if image_id.startswith(prefix):
            image(image_id).derivatives.setdefault(version, {})[key] = written
    return images


def _derivatives(resources: Resources, prefix: str) -> Iterator[tuple[str, str, str, datetime]]:
    for within in {prefix} if DIGEST.startswith(prefix) else {prefix, DIGEST}:
        pages = resources.s3.get_paginator("list_objects_v2").paginate(Bucket=resources.processed, Prefix=within)
        for page in pages:
            for found in page.get("Contents", []):
                folder, _, rest = found["Key"].rpartition("/")[0].rpartition("/")
                if folder and rest and not found["Key"].startswith(WATERMARKS):
                    yield folder, rest, found["Key"], found["LastModified"]


def _id(version_id: str) -> str | None:
    return None if version_id == "null" else version_id


def _repair(resources: Resources, difference: Difference) -> str:
    try:
        if difference.event:
            body = body_of(resources, difference.image, difference.event)
            resources.sqs.send_message(QueueUrl=resources.uploads_queue_url, MessageBody=body)
            return "sent to the pipeline"
        if _is_known_now(resources, difference):
            return "left: it has got a record or an original meanwhile"
        errors = [error for keys in _batches(difference.remove) for error in _delete(resources, keys)]
    except ClientError as error:
        return f"failed: {explain(error)}"
    return f"failed: {len(errors)} not deleted, the first of them: {errors[0]}" if errors else "deleted"


def _batches(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), DELETE_AT_ONCE):
        yield keys[start : start + DELETE_AT_ONCE]


def _delete(resources: Resources, keys: tuple[str, ...]) -> list[Any]:
    answer = resources.s3.delete_objects(
        Bucket=resources.processed, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
    )
    return list(answer.get("Errors", []))


def _is_known_now(resources: Resources, difference: Difference) -> bool:
    """Whether an orphan has got a record, or its image an original, since the listing."""
    items = versions_of(read_items(resources, difference.image))
    if any(item["version"] == difference.version and item["status"] == "Processed" for item in items):
        return True
    head = head_original(resources, difference.image)
    return head is not None and head.get("VersionId") == difference.version


def body_of(resources: Resources, image_id: str, event: Event) -> str:
    """The event as S3 sends it, through EventBridge."""
    envelope: dict[str, Any] = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.kind,
        "source": "aws.s3",
        "account": resources.account,
        "time": event.time,
        "region": resources.region,
        "resources": [f"arn:{resources.partition}:s3:::{resources.originals}"],
        "detail": {
            "version": "0",
            "bucket": {"name": resources.originals},
            "object": {"key": image_id, **event.about},
            **event.more,
        },
    }
    return json.dumps(envelope)


def _tell(difference: Difference, outcome: str, *, as_json: bool) -> None:
    if as_json:
        output.line(
            {
                "kind": difference.kind,
                "image_id": difference.image,
                "version": difference.version,
                "why": difference.why,
                "outcome": outcome,
            }
        )
    else:
        output.say(f"{difference.kind}  {difference.image}  {difference.version}  {difference.why}: {outcome}")
