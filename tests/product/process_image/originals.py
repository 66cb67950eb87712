"""A bucket of originals with S3's events, and a bus that keeps events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from process_image.events import Deletion, Upload, parse
from scripts.contracts.events import load

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_s3 import S3Client

    from process_image.events import OutcomeEvent

CONTRACTS = load()
PROCESSED = "darkroom-processed"
ENVIRONMENT = {
    "EVENT_BUS": "darkroom",
    "LOG_LEVEL": "INFO",
    "MAX_BYTES": "1000000",
    "MAX_FRAMES": "100",
    "MAX_MEMORY": "256",
    "MAX_METADATA_BYTES": "1000000",
    "MAX_PIXELS": "1000000",
    "MAX_SCAN_MEGAPIXELS": "100",
    "MAX_SECONDS": "10",
    "PROCESSED_BUCKET": PROCESSED,
    "VARIANTS": json.dumps(
        [
            {"name": "thumbnail", "width": 32, "height": 32, "quality": 80, "watermark": None},
            {"name": "square", "width": 24, "height": 24, "fit": "cover", "format": "png"},
        ]
    ),
}


class OriginalsBucket:
    """A bucket of moto. Every change returns S3's event, in the shape of the contract's example."""

    def __init__(self, s3: S3Client, *, versioned: bool) -> None:
        self.name = "darkroom-originals" if versioned else "darkroom-unversioned"
        self._s3 = s3
        self._events = 0
        s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        if versioned:
            s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def put(self, key: str, data: bytes, **metadata: str) -> Upload:
        """Upload an object."""
        body = self.put_message(key, data, **metadata)
        return cast("Upload", parse(body))

    def put_message(self, key: str, data: bytes, **metadata: str) -> str:
        """Upload an object; return the message that the rule puts into the queue."""
        answer = self._s3.put_object(Bucket=self.name, Key=key, Body=data, Metadata=metadata)
        about = {"size": len(data), "etag": answer["ETag"].strip('"')}
        return self._message("object_created", "example.json", key, answer, about)

    def delete(self, key: str) -> Deletion:
        """Delete an object, with a delete marker if the bucket keeps versions."""
        return cast("Deletion", parse(self.delete_message(key)))

    def delete_message(self, key: str) -> str:
        """Delete an object; return the message that the rule puts into the queue."""
        answer = self._s3.delete_object(Bucket=self.name, Key=key)
        file = "example_delete_marker.json" if answer.get("DeleteMarker") else "example_permanent.json"
        return self._message("object_deleted", file, key, answer, {})

    def delete_version(self, key: str, version_id: str | None) -> Deletion:
        """Delete one version, or a delete marker, permanently."""
        assert version_id is not None
        self._s3.delete_object(Bucket=self.name, Key=key, VersionId=version_id)
        answer = {"VersionId": version_id}
        return cast("Deletion", parse(self._message("object_deleted", "example_permanent.json", key, answer, {})))

    def _message(self, contract: str, file: str, key: str, answer: Any, about: dict[str, Any]) -> str:
        self._events += 1
        event = json.loads(json.dumps(CONTRACTS[contract].examples[file]))
        detail = event["detail"]
        detail["bucket"]["name"] = self.name
        detail["object"] = {"key": key, "sequencer": f"006B0164A4A1F2{self._events:04X}", **about}
        if "VersionId" in answer:
            detail["object"]["version-id"] = answer["VersionId"]
        return json.dumps(event)


class Bus:
    """A bus that keeps its events in order, in a journal that it may share."""

    def __init__(self, journal: list[str] | None = None) -> None:
        self.announced: list[OutcomeEvent] = []
        self._journal = journal if journal is not None else []

    def put(self, event: OutcomeEvent) -> None:
        self.announced.append(event)
        self._journal.append(event.detail_type)


def journal_of(client: BaseClient) -> list[str]:
    """Return a list of the operations that the client calls from now on."""
    journal: list[str] = []

    def note(model: Any, **_: Any) -> None:
        journal.append(model.name)

    client.meta.events.register("before-call", note)
    return journal


def answer_instead(client: Any, operation: str, status: int, parsed: dict[str, Any], *, times: int = 1000) -> None:
    """Replace the service's answer to an operation, for a number of times.

    Args:
        client: A client, or a session whose clients are still to be made.
        operation: Name of the operation, such as `s3.GetObject`.
        status: HTTP status.
        parsed: The answer as botocore returns it.
        times: Number of replaced answers. The last registered replacement is used first.
    """
    left = [times]

    def answer(**_: Any) -> Any:
        if not left[0]:
            return None
        left[0] -= 1
        return AWSResponse("https://aws", status, HTTPHeaders(), None), {
            **parsed,
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

    events = client.meta.events if hasattr(client, "meta") else client.events
    events.register_first(f"before-call.{operation}", answer)


def refuse(client: Any, operation: str, status: int, code: str, *, times: int = 1000) -> None:
    """Let an operation fail with an error of AWS."""
    answer_instead(client, operation, status, {"Error": {"Code": code, "Message": "refused"}}, times=times)
