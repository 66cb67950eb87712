"""The deployed pipeline for the demo: it uploads images and observes them through the AWS API.

The demo observes like any other consumer: its own queue is a subscriber of the notifications, and the target of its own
rule on each bus. The pipeline itself does not change.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.hops import Hop
from reconcile.records import plain
from scripts.demo.journey import FunctionLog, Journey, read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from darkroom.sources import Source

UPLOADS_AT_ONCE = 4
LOOK_EVERY_SECONDS = 0.4  # interval for log, table and listing; messages are received continuously
LOG_SECONDS = 5  # to wait for the log in the end
LOG_OVERLAP_MS = 5000  # of one look at the log with the one before: lines may appear late

_OWNER = "demo"


class Clients:
    """Clients of the services that the demo talks to; to be closed, for an emulator waits for connections to end."""

    def __init__(self) -> None:
        config = Config(retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=UPLOADS_AT_ONCE + 4)
        session = boto3.Session()
        self.s3 = session.client("s3", config=config)
        self.sqs = session.client("sqs", config=config)
        self.events = session.client("events", config=config)
        self.logs = session.client("logs", config=config)
        self.dynamodb = session.client("dynamodb", config=config)
        self.sts = session.client("sts", config=config)
        self.region = session.region_name
        identity = self.sts.get_caller_identity()
        self.account: str = identity["Account"]
        self.partition: str = identity["Arn"].split(":")[1]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def close(self) -> None:
        """End all connections."""
        for client in (self.s3, self.sqs, self.events, self.logs, self.dynamodb, self.sts):
            client.close()


def queue_policy(queue_arn: str, senders: Sequence[str]) -> str:
    """Return a policy by which rules and topics with these ARNs may send to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": senders}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


class Observer:
    """The demo's own queue, and the rules that bring it what goes over the buses."""

    def __init__(self, clients: Clients, name: str) -> None:
        """Make the queue, which a subscription of the pipeline's topic can then name."""
        self._clients = clients
        self._name = f"{name}-observer"
        self.arn = clients.arn("sqs", self._name)
        self.outcomes_rule_arn = clients.arn("events", f"rule/{name}/{self._name}")
        senders = [
            self.outcomes_rule_arn,
            clients.arn("events", f"rule/{self._name}"),  # on the default bus
            clients.arn("sns", f"{name}-notifications"),
        ]
        self.url: str = clients.sqs.create_queue(QueueName=self._name)["QueueUrl"]
        clients.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": queue_policy(self.arn, senders)})

    def listen(self, outputs: Mapping[str, Any]) -> None:
        """Add a rule to either bus: for uploads to the bucket, and for the outcomes."""
        patterns = {
            "default": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [outputs["originals_bucket"]]}},
            },
            outputs["bus"]["name"]: {"source": ["darkroom"]},
        }
        for bus, pattern in patterns.items():
            self._clients.events.put_rule(Name=self._name, EventBusName=bus, EventPattern=json.dumps(pattern))
            self._clients.events.put_targets(
                Rule=self._name, EventBusName=bus, Targets=[{"Id": "observer", "Arn": self.arn}]
            )

    def receive(self) -> Sequence[Mapping[str, Any]]:
        """Return the messages in the queue, after waiting for a moment if it is empty."""
        messages = self._clients.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["SentTimestamp"]
        ).get("Messages", [])
        if messages:
            self._clients.sqs.delete_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )
        return messages


class Run:
    """One run: upload images, and follow them until each is recorded and announced, or until there is no progress."""

    def __init__(
        self, clients: Clients, outputs: Mapping[str, Any], observer: Observer, sources: Iterable[Source]
    ) -> None:
        self._clients = clients
        self._outputs = outputs
        self._observer = observer
        self.began = datetime.now(UTC)
        # Every run uploads new images: those of the last one may still be there.
        prefix = f"{self.began:%Y%m%d-%H%M%S}"
        self.journeys = [Journey(source, f"{prefix}/{source.name}") for source in sources]
        self._by_id = {journey.image_id: journey for journey in self.journeys}
        self.log = FunctionLog()
        self._log_from = int(self.began.timestamp() * 1000)

    def follow(self, patience: float, show: Callable[[], None] = lambda: None) -> None:
        """Upload all, and follow them until the end or until there has been no news for `patience` seconds.

        Args:
            patience: Seconds to wait for news of any image.
            show: Shows the images' state.
        """
        known: list[object] = []
        news = time.monotonic()
        looked = 0.0
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            try:
                for journey in self.journeys:
                    pool.submit(self._upload, journey)
                while not all(journey.over for journey in self.journeys) and time.monotonic() - news < patience:
                    for message in self._observer.receive():
                        read_message(message, self._by_id)
                    if time.monotonic() - looked > LOOK_EVERY_SECONDS:
                        self._look()
                        looked = time.monotonic()
                    show()
                    state: list[object] = [(j.started, len(j.times), j.trouble, j.over) for j in self.journeys]
                    if state != known:
                        known, news = state, time.monotonic()
            finally:
                pool.shutdown(cancel_futures=True)
        self._await_log()
        show()

    def _await_log(self) -> None:
        """Wait for the log, which may arrive after the events it describes."""
        deadline = time.monotonic() + LOG_SECONDS
        self._read_log()
        while time.monotonic() < deadline and any(j.complete and Hop.PICKED_UP not in j.times for j in self.journeys):
            time.sleep(LOOK_EVERY_SECONDS)
            self._read_log()

    def _upload(self, journey: Journey) -> None:
        journey.started = datetime.now(UTC)
        try:
            with journey.source.path.open("rb") as file:
                self._clients.s3.put_object(
                    Bucket=self._outputs["originals_bucket"],
                    Key=journey.image_id,
                    Body=file,
                    Metadata={"owner": _OWNER},
                )
        except (BotoCoreError, ClientError, OSError) as error:
            journey.trouble, journey.upload_failed = str(error), True

    def _look(self) -> None:
        """Read what no message reports: the log, and the listing and record of images whose outcome is known."""
        self._read_log()
        for journey in self.journeys:
            if journey.event and not journey.record:
                if variants := journey.event.get("variants"):
                    folder = variants[0]["key"].rpartition("/")[0] + "/"
                    listing = self._clients.s3.list_objects_v2(Bucket=self._outputs["processed_bucket"], Prefix=folder)
                    journey.read_listing(listing.get("Contents", ()))
                found = self._clients.dynamodb.query(
                    TableName=self._outputs["table"],
                    KeyConditionExpression="image_id = :id",
                    ExpressionAttributeValues={":id": {"S": journey.image_id}},
                    ConsistentRead=True,
                )
                journey.read_items([plain(item) for item in found["Items"]])

    def _read_log(self) -> None:
        pages = self._clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._outputs["process_image"]["log_group"], startTime=self._log_from
        )
        for page in pages:
            self.log.read(page["events"], self._by_id)
            latest = max((event["timestamp"] for event in page["events"]), default=0)
            self._log_from = max(self._log_from, latest - LOG_OVERLAP_MS)

    def download(self, variant: Mapping[str, Any]) -> bytes:
        """Return the bytes of a derivative."""
        answer = self._clients.s3.get_object(Bucket=self._outputs["processed_bucket"], Key=variant["key"])
        return bytes(answer["Body"].read())

    def dead_letters(self) -> dict[str, list[str]]:
        """Return the messages in the DLQs, by queue; they stay there."""
        found = {}
        for name, url in self._outputs["dlqs"].items():
            messages = self._clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            if letters := [message["Body"] for message in messages.get("Messages", [])]:
                found[name] = letters
        return found
