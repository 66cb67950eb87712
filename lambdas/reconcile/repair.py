"""Repair of a difference: an object event for the pipeline, or the deletion of orphaned derivatives."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom_shared.keys import batches
from reconcile.records import read_items, versions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconcile.differences import Difference, Event
    from reconcile.pipeline import Pipeline


@dataclass(frozen=True)
class Outcome:
    """Outcome of a repair.

    Attributes:
        text: The outcome, for people.
        repaired: True if the difference is repaired, or will be once the pipeline has handled the event.
    """

    text: str
    repaired: bool


NOT_REPAIRED = Outcome("not repaired", repaired=False)


def repair(pipeline: Pipeline, difference: Difference) -> Outcome:
    """Repair a difference. An error of AWS is an outcome, too."""
    try:
        if difference.event:
            body = body_of(pipeline, difference.image, difference.event)
            pipeline.sqs.send_message(QueueUrl=pipeline.uploads_queue_url, MessageBody=body)
            return Outcome("sent to the pipeline", repaired=True)
        if _is_known_now(pipeline, difference):
            return Outcome("kept: it has a record or an original by now", repaired=True)
        errors = [error for keys in batches(difference.remove) for error in _delete(pipeline, keys)]
    except ClientError as error:
        return Outcome(f"failed: {error}", repaired=False)
    if errors:
        return Outcome(
            f"failed: {len(errors)} derivatives were not deleted. The first error: {errors[0]}", repaired=False
        )
    return Outcome("deleted", repaired=True)


def _delete(pipeline: Pipeline, keys: Sequence[str]) -> list[Any]:
    answer = pipeline.s3.delete_objects(
        Bucket=pipeline.processed, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
    )
    return list(answer.get("Errors", []))


def _is_known_now(pipeline: Pipeline, difference: Difference) -> bool:
    """Return True if an orphan has a record by now, or its image an original."""
    items = versions_of(read_items(pipeline, difference.image))
    if any(item["version"] == difference.version and item["status"] == "Processed" for item in items):
        return True
    # S3 lists the key before all longer ones that begin with it, and the newest version first.
    found = pipeline.s3.list_object_versions(Bucket=pipeline.originals, Prefix=difference.image, MaxKeys=1)
    newest = (difference.image, difference.version)
    return any((one["Key"], one["VersionId"]) == newest for one in found.get("Versions", ()))


def body_of(pipeline: Pipeline, image_id: str, event: Event) -> str:
    """Return the body of a message with the event, as S3 sends it through EventBridge."""
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
