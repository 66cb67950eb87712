"""How a difference is repaired: the pipeline gets an event of S3's, or derivatives that nobody knows are deleted."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from reconcile.records import read_items, versions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconcile.differences import Difference, Event
    from reconcile.pipeline import Pipeline

DELETE_AT_ONCE = 1000  # keys, S3's limit


@dataclass(frozen=True)
class Outcome:
    """What became of a difference.

    Attributes:
        text: That, for people.
        repaired: It is repaired, or will be once the pipeline has seen to it.
    """

    text: str
    repaired: bool


NOT_REPAIRED = Outcome("not repaired", repaired=False)


def repair(pipeline: Pipeline, difference: Difference) -> Outcome:
    """Repair a difference; what AWS refuses is an outcome, too."""
    try:
        if difference.event:
            body = body_of(pipeline, difference.image, difference.event)
            pipeline.sqs.send_message(QueueUrl=pipeline.uploads_queue_url, MessageBody=body)
            return Outcome("sent to the pipeline", repaired=True)
        if _is_known_now(pipeline, difference):
            return Outcome("left: it has got a record or an original meanwhile", repaired=True)
        errors = [error for keys in _batches(difference.remove) for error in _delete(pipeline, keys)]
    except ClientError as error:
        return Outcome(f"failed: {error}", repaired=False)
    if errors:
        return Outcome(f"failed: {len(errors)} not deleted, the first of them: {errors[0]}", repaired=False)
    return Outcome("deleted", repaired=True)


def _batches(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), DELETE_AT_ONCE):
        yield keys[start : start + DELETE_AT_ONCE]


def _delete(pipeline: Pipeline, keys: tuple[str, ...]) -> list[Any]:
    answer = pipeline.s3.delete_objects(
        Bucket=pipeline.processed, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
    )
    return list(answer.get("Errors", []))


def _is_known_now(pipeline: Pipeline, difference: Difference) -> bool:
    """Whether an orphan has got a record, or its image an original, since it was looked at."""
    items = versions_of(read_items(pipeline, difference.image))
    if any(item["version"] == difference.version and item["status"] == "Processed" for item in items):
        return True
    # An image's key is the first of all that begin with it, and its newest version the first of all versions.
    found = pipeline.s3.list_object_versions(Bucket=pipeline.originals, Prefix=difference.image, MaxKeys=1)
    newest = (difference.image, difference.version)
    return any((one["Key"], one["VersionId"]) == newest for one in found.get("Versions", ()))


def body_of(pipeline: Pipeline, image_id: str, event: Event) -> str:
    """The event as S3 sends it, through EventBridge."""
    envelope: dict[str, Any] = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event.kind,
        "source": "aws.s3",
        "account": pipeline.account,
        "time": event.time,
        "region": pipeline.region,
        "resources": [f"arn:{pipeline.partition}:s3:::{pipeline.originals}"],
        "detail": {
            "version": "0",
            "bucket": {"name": pipeline.originals},
            "object": {"key": image_id, **event.about},
            **event.more,
        },
    }
    return json.dumps(envelope)
