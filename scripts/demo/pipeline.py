"""The deployed pipeline for the demo: it uploads images and observes them through the AWS API.

The demo observes like any other consumer: its own queue is a subscriber of the notifications, and the target of its own
rule on each bus. The pipeline itself does not change.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.hops import Hop
from reconcile.records import plain
from scripts.demo.journey import FunctionLog, Journey, learn, learn_listing, learn_record, read_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from darkroom.sources import Source

UPLOADS_AT_ONCE = 4
LOOK_EVERY_SECONDS = 0.4  # interval for log, table and listing; messages are received continuously
LOG_SECONDS = 5  # to wait for the log in the end
LOG_OVERLAP_MS = 5000  # of one look at the log with the one before: lines may appear late

_OWNER = "demo"


class Show(Protocol):
    """Display of the images' progress."""

    def update(self, journey: Journey) -> None:
        """Show an image's new state."""


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
        identity = self.sts.get_caller_identity()
        self.account: str = identity["Account"]
        self.partition: str = identity["Arn"].split(":")[1]
        self.region = session.region_name

    def close(self) -> None:
        """End all connections."""
        for client in (self.s3, self.sqs, self.events, self.logs, self.dynamodb, self.sts):
            client.close()


class Observer:
    """The demo's own queue, and the rules that bring it what goes over the buses."""

    def __init__(self, clients: Clients, name: str) -> None:
        """Make the queue, which a subscription of the pipeline's topic can then name."""
        self._clients = clients
        self._name = f"{name}-observer"
        partition, region, account = clients.partition, clients.region, clients.account
        self.arn = f"arn:{partition}:sqs:{region}:{account}:{self._name}"
        self._rules = {
            "default": f"arn:{partition}:events:{region}:{account}:rule/{self._name}",
            name: f"arn:{partition}:events:{region}:{account}:rule/{name}/{self._name}",
        }
        self.outcomes_rule_arn = self._rules[name]
        senders = {
            "sns.amazonaws.com": [f"arn:{partition}:sns:{region}:{account}:{name}-notifications"],
            "events.amazonaws.com": [*self._rules.values()],
        }
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sqs:SendMessage",
                    "Resource": self.arn,
                    "Condition": {"ArnLike": {"aws:SourceArn": arns}},
                }
                for service, arns in senders.items()
            ],
        }
        self.url: str = clients.sqs.create_queue(QueueName=self._name)["QueueUrl"]
        clients.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})

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
        self._last_news = time.monotonic()

    def follow(self, show: Show, *, patience: float) -> None:
        """Upload all, and follow them until the end or until there has been no news for `patience` seconds."""
        self.began = datetime.now(UTC)
        self._last_news = time.monotonic()
        looked = 0.0
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            try:
                for journey in self.journeys:
                    pool.submit(self._upload, journey, show)
                while not all(journey.over for journey in self.journeys):
                    self._listen(show)
                    if time.monotonic() - looked > LOOK_EVERY_SECONDS:
                        self._look(show)
                        looked = time.monotonic()
                    if time.monotonic() - self._last_news > patience:
                        break
            finally:
                pool.shutdown(cancel_futures=True)
        self._await_log(show)

    def _await_log(self, show: Show) -> None:
        """Wait for the log, which may arrive after the events it describes."""
        deadline = time.monotonic() + LOG_SECONDS
        while True:
            self._read_log(show)
            awaited = [j for j in self.journeys if j.complete and Hop.PICKED_UP not in j.times]
            if not awaited or time.monotonic() > deadline:
                return
            time.sleep(LOOK_EVERY_SECONDS)

    def _upload(self, journey: Journey, show: Show) -> None:
        journey.started = datetime.now(UTC)
        show.update(journey)
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
        self._news(journey, show)

    def _listen(self, show: Show) -> None:
        for message in self._observer.receive():
            for observed in read_message(message):
                journey = self._by_id.get(observed.image_id)  # None for images of an interrupted run
                if journey and learn(journey, observed):
                    self._news(journey, show)

    def _look(self, show: Show) -> None:
        self._read_log(show)
        for journey in self.journeys:
            if journey.event is None:
                continue
            if Hop.STORED in journey.hops and Hop.STORED not in journey.times and self._look_at_listing(journey):
                self._news(journey, show)
            if journey.item is None and learn_record(journey, self._items(journey.image_id)):
                self._news(journey, show)

    def _read_log(self, show: Show) -> None:
        pages = self._clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._outputs["process_image"]["log_group"], startTime=self._log_from
        )
        for page in pages:
            events = page["events"]
            for observed in self.log.read(events):
                journey = self._by_id.get(observed.image_id)
                if journey and learn(journey, observed):
                    self._news(journey, show)
            latest = max((event["timestamp"] for event in events), default=0)
            self._log_from = max(self._log_from, latest - LOG_OVERLAP_MS)

    def _look_at_listing(self, journey: Journey) -> bool:
        keys = [variant["key"] for variant in (journey.event or {}).get("variants", ())]
        if not keys:
            return False
        folder = keys[0].rpartition("/")[0] + "/"
        listing = self._clients.s3.list_objects_v2(Bucket=self._outputs["processed_bucket"], Prefix=folder)
        return learn_listing(journey, listing.get("Contents", ()))

    def _items(self, image_id: str) -> list[dict[str, Any]]:
        found = self._clients.dynamodb.query(
            TableName=self._outputs["table"],
            KeyConditionExpression="image_id = :id",
            ExpressionAttributeValues={":id": {"S": image_id}},
            ConsistentRead=True,
        )
        return [plain(item) for item in found["Items"]]

    def _news(self, journey: Journey, show: Show) -> None:
        self._last_news = time.monotonic()
        show.update(journey)

    def download(self, variant: Mapping[str, Any]) -> bytes:
        """Return the bytes of a derivative."""
        answer = self._clients.s3.get_object(Bucket=self._outputs["processed_bucket"], Key=variant["key"])
        return bytes(answer["Body"].read())

    def dead_letters(self) -> dict[str, list[str]]:
        """Return the messages in the DLQs, by queue; they stay there."""
        return {name: letters for name, url in self._outputs["dlqs"].items() if (letters := self._peek(url))}

    def _peek(self, url: str) -> list[str]:
        messages = self._clients.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
        )
        return [message["Body"] for message in messages.get("Messages", [])]
