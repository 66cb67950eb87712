"""The deployed pipeline, seen only through the AWS API at AWS_ENDPOINT_URL."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

PATIENCE_SECONDS = 240  # emulator, functions and tests may share two busy processors


class NotYetError(AssertionError):
    """Timeout of something that a test waits for."""


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Call a function until it returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NotYetError(f"no {what} within {seconds} s")
        time.sleep(0.2)


@dataclass
class Pipeline:
    """A deployed root, described by its outputs."""

    outputs: Mapping[str, Any]
    session: Any
    _received: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.session.client(service)

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    # Uploading

    def upload(self, data: bytes, key: str | None = None, **extra: Any) -> str:
        """Upload an image; return its id."""
        key = key or f"tests/{uuid.uuid4().hex}.jpg"
        self.s3.put_object(Bucket=self.outputs["originals_bucket"], Key=key, Body=data, **extra)
        return key

    def delete(self, image_id: str) -> None:
        self.s3.delete_object(Bucket=self.outputs["originals_bucket"], Key=image_id)

    def remove(self, image_id: str) -> None:
        """Remove an image permanently, with all versions and derivatives."""
        for bucket in ("originals_bucket", "processed_bucket"):
            where = {"Bucket": self.outputs[bucket]}
            found = self.s3.list_object_versions(**where, Prefix=image_id)
            for version in found.get("Versions", []) + found.get("DeleteMarkers", []):
                self.s3.delete_object(**where, Key=version["Key"], VersionId=version["VersionId"])

    # Results

    def item(self, image_id: str, record: str = "current") -> dict[str, Any] | None:
        found = self.dynamodb.get_item(
            TableName=self.outputs["table"],
            Key={"image_id": {"S": image_id}, "record": {"S": record}},
            ConsistentRead=True,
        )
        return _plain(found["Item"]) if "Item" in found else None

    def items(self, image_id: str) -> list[dict[str, Any]]:
        """Return all items of an image: the current one and one for each version."""
        return self._query(KeyConditionExpression="image_id = :id", ExpressionAttributeValues={":id": {"S": image_id}})

    def versions(self, image_id: str) -> list[dict[str, Any]]:
        """Return the versions of an image, newest first."""
        return self._query(
            IndexName="by_sequencer",
            KeyConditionExpression="image_id = :id",
            ExpressionAttributeValues={":id": {"S": image_id}},
            ScanIndexForward=False,
        )

    def owned_by(self, owner: str) -> list[dict[str, Any]]:
        """Return the images of an owner, newest first."""
        return self._query(
            IndexName="by_owner",
            KeyConditionExpression="listed_owner = :owner",
            ExpressionAttributeValues={":owner": {"S": owner}},
            ScanIndexForward=False,
        )

    def _query(self, **query: Any) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("query").paginate(TableName=self.outputs["table"], **query)
        return [_plain(item) for page in pages for item in page["Items"]]

    def record(self, image_id: str, status: str = "Processed", **wait: float) -> dict[str, Any]:
        """Wait until the image's current record has a status, and return the record."""

        def look() -> dict[str, Any] | None:
            item = self.item(image_id)
            return item if item and item.get("status") == status else None

        return wait_for(f"{status} of {image_id}", look, **wait)

    def announced(self, image_id: str, version: str, **wait: float) -> dict[str, Any]:
        """Wait until a version's item is marked as announced."""

        def look() -> dict[str, Any] | None:
            item = self.item(image_id, f"version#{version}")
            return item if item and item.get("notified_dedup_id", "") == item.get("dedup_id") else None

        return wait_for(f"announcement of {image_id} {version}", look, **wait)

    def derivative(self, variant: Mapping[str, Any]) -> Any:
        return self.s3.get_object(Bucket=self.outputs["processed_bucket"], Key=variant["key"])

    def derivative_keys(self, image_id: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.outputs["processed_bucket"], Prefix=f"{image_id}/"
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    # Notifications

    def notifications(self, image_id: str) -> list[dict[str, Any]]:
        """Return all notifications of an image that SNS has delivered so far."""
        while messages := self.receive(self.outputs["test_queue_url"]):
            self._received += [json.loads(message["Body"]) for message in messages]
        return [notified for notified in self._received if json.loads(notified["Message"])["image_id"] == image_id]

    def notification(self, image_id: str, status: str) -> dict[str, Any]:
        """Wait for the notification of an image with a status."""

        def look() -> dict[str, Any] | None:
            notified = self.notifications(image_id)
            return next((one for one in notified if json.loads(one["Message"])["status"] == status), None)

        return wait_for(f"notification {status} of {image_id}", look)

    # Queues

    def receive(self, url: str) -> list[dict[str, Any]]:
        """Receive messages and delete them from the queue."""
        messages: list[dict[str, Any]] = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def dead_letters(self, name: str, *, count: int = 1) -> list[dict[str, Any]]:
        """Wait for messages in a DLQ, and delete them from it."""
        found: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]] | None:
            found.extend(self.receive(self.outputs["dlqs"][name]))
            return found if len(found) >= count else None

        return wait_for(f"{count} messages in the dead-letter queue {name}", look)

    def waiting(self, url: str) -> int:
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(value) for value in attributes.values())

    def assert_no_dead_letters(self) -> None:
        waiting = {name: self.waiting(url) for name, url in self.outputs["dlqs"].items()}
        assert waiting == dict.fromkeys(waiting, 0)

    # Events

    def s3_event(self, image_id: str, **changes: Any) -> dict[str, Any]:
        """Return the event that S3 sent for the current version of an image, as far as the records contain it."""
        head = self.s3.head_object(Bucket=self.outputs["originals_bucket"], Key=image_id)
        item = self.item(image_id)
        assert item is not None
        about = {
            "key": image_id,
            "size": head["ContentLength"],
            "etag": head["ETag"].strip('"'),
            "sequencer": item["current_sequencer"],
        }
        if item["version"] != item["current_sequencer"]:
            about["version-id"] = item["version"]
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "000000000000",
            "time": item["uploaded_at"],
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "version": "0",
                "bucket": {"name": self.outputs["originals_bucket"]},
                "object": {**about, **changes},
                "reason": "PutObject",
            },
        }

    def announce_unrecordable(self) -> dict[str, Any]:
        """Put an event on the bus whose version id is too long for a key of the table; return its detail."""
        image_id = self.upload(encode(draw((400, 300))))
        self.record(image_id)
        detail = json.loads(self.notification(image_id, "Processed")["Message"])
        broken: dict[str, Any] = detail | {"image_id": f"tests/{uuid.uuid4()}", "version": "v" * 2000}
        entry = {
            "EventBusName": self.outputs["bus"]["name"],
            "Source": "darkroom",
            "DetailType": "Image Processed",
            "Detail": json.dumps(broken),
        }
        self.client("events").put_events(Entries=[entry])
        return broken

    def send(self, body: str) -> None:
        """Send a message to the uploads queue, as the rule does."""
        self.sqs.send_message(QueueUrl=self.outputs["uploads_queue_url"], MessageBody=body)


def settle(pipeline: Pipeline) -> None:
    """Wait until the pipeline has nothing left to do."""
    wait_for("quiet", lambda: pipeline.waiting(pipeline.outputs["uploads_queue_url"]) == 0)
    # The bus and the workflow cannot be asked; but the upload that starts last ends about last.
    last = pipeline.upload(encode(draw((64, 48))))
    pipeline.announced(last, pipeline.record(last)["version"])
    time.sleep(1)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return DynamoDB's typed item as plain values; all numbers are integers."""
    deserializer = TypeDeserializer()

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: whole(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [whole(inner) for inner in value]
        return int(value) if value.__class__.__name__ == "Decimal" else value

    return {name: whole(deserializer.deserialize(value)) for name, value in item.items()}
