"""A smoke test's uploads and checks, on a pipeline that was just applied."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image, ImageOps

from darkroom.resources import Resources, bucket_name
from demo_pipeline import Observer, Run
from demo_sources import Source
from reconcile.records import current_of, read_items, versions_of
from smoke_facts import Check, changed, event_facts, timings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from demo_journey import Journey
    from demo_pipeline import Clients
    from demo_terminal import Steps
    from reconcile.records import Item
    from smoke_facts import Facts
    from stack import Stack

T = TypeVar("T")

# Every way in which a key could be changed on its way: form-encoded, encoded once more, or taken for another alphabet.
KEYS = ("plain.jpg", "with space.jpg", "with+plus.jpg", "with%2Bpercent.jpg", "Müsli 東京 🦊.jpg")

# S3 says that it takes minutes until a new bucket's events reach EventBridge.
FIRST_EVENT_SECONDS = 600
PROBE_SECONDS = 30
PATIENCE_SECONDS = 180
LOOK_EVERY_SECONDS = 1


class SmokeError(Exception):
    """Something is not as it must be; the message says what is there instead."""


class Witness(Observer):
    """The observer of the demo, which also keeps S3's events as they came, and has a queue that is encrypted.

    Attributes:
        s3_events: The details of S3's events, in the order in which they came.
        sealed_arn: A queue that the pipeline's own key encrypts, as soon as there is one.
    """

    def __init__(self, clients: Clients, name: str, interrupted: Callable[[], None]) -> None:
        super().__init__(clients, name)
        self.s3_events: list[dict[str, Any]] = []
        self._interrupted = interrupted
        self._pipeline = name
        self._sealed_name = f"{name}-sealed"
        self.sealed_arn = f"arn:{clients.partition}:sqs:{clients.region}:{clients.account}:{self._sealed_name}"
        self._sealed_url: str = clients.sqs.create_queue(QueueName=self._sealed_name)["QueueUrl"]
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
                "Action": "sqs:SendMessage",
                "Resource": self.sealed_arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": clients.account}},
            },
        }
        clients.sqs.set_queue_attributes(QueueUrl=self._sealed_url, Attributes={"Policy": json.dumps(policy)})

    def listen(self, outputs: Mapping[str, Any]) -> None:
        """Listen as the demo does, and into the encrypted queue, to the outcomes."""
        super().listen(outputs)
        self._clients.sqs.set_queue_attributes(
            QueueUrl=self._sealed_url, Attributes={"KmsMasterKeyId": outputs["key_arn"]}
        )
        self._clients.events.put_rule(
            Name=self._sealed_name,
            EventBusName=self._pipeline,
            EventPattern=json.dumps({"source": ["darkroom"]}),
        )
        self._clients.events.put_targets(
            Rule=self._sealed_name,
            EventBusName=self._pipeline,
            Targets=[{"Id": "sealed", "Arn": self.sealed_arn}],
        )

    def receive(self) -> Sequence[Mapping[str, Any]]:
        """Messages, of which S3's events are kept."""
        self._interrupted()
        messages = super().receive()
        for body in (json.loads(message["Body"]) for message in messages):
            if body.get("source") == "aws.s3":
                self.s3_events.append(body["detail"])
        return messages

    def sealed(self) -> set[str]:
        """Who has delivered to the encrypted queue: rule, topic."""
        messages = self._clients.sqs.receive_message(
            QueueUrl=self._sealed_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        bodies = [json.loads(message["Body"]) for message in messages]
        return {"topic" if body.get("Type") == "Notification" else "rule" for body in bodies}


def leave(clients: Clients, name: str) -> None:
    """Remove what is in a destruction's way: rules on the bus, a witness's queues, and all objects.

    The provider would empty the buckets, too, but never comes to an end where keys are as odd as these. What is gone
    already is no error.
    """
    for bus, rule, target in (
        ("default", f"{name}-observer", "observer"),
        (name, f"{name}-observer", "observer"),
        (name, f"{name}-sealed", "sealed"),
    ):
        _unless_gone(clients.events.remove_targets, Rule=rule, EventBusName=bus, Ids=[target])
        _unless_gone(clients.events.delete_rule, Name=rule, EventBusName=bus)
    for queue in (f"{name}-observer", f"{name}-sealed"):
        if found := _unless_gone(clients.sqs.get_queue_url, QueueName=queue):
            _unless_gone(clients.sqs.delete_queue, QueueUrl=found["QueueUrl"])
    for purpose in ("originals", "processed"):
        bucket = bucket_name(name, purpose, clients.account, clients.region)
        while found := _unless_gone(clients.s3.list_object_versions, Bucket=bucket):
            versions = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
            for version in versions:
                clients.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
            if not versions:
                break


def _unless_gone(call: Callable[..., Any], **arguments: Any) -> Any:  # noqa: ANN401 - boto3's
    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" not in code and "NonExistent" not in code and "DoesNotExist" not in code and "NoSuch" not in code:
            raise
    return None


class Quiet:
    """Shows nothing of the images' ways: the checks tell."""

    def update(self, journey: Journey) -> None:
        """Nothing."""


class Smoke:
    """Uploads to an applied pipeline, checks what becomes of it, and notes the facts."""

    def __init__(
        self, clients: Clients, witness: Witness, stack: Stack, photograph: Path, facts: Facts, steps: Steps
    ) -> None:
        self._clients = clients
        self._witness = witness
        self._stack = stack
        self._outputs = stack.outputs()
        self._resources = Resources(stack.variables["name"])
        self._picture = photograph.read_bytes()
        self._folder = stack.directory / "uploads"
        self._facts = facts
        self._steps = steps
        self._images: list[Journey] = []

    def run(self) -> None:
        """All checks, one after the other; one that fails does not keep the others back."""
        applied = time.monotonic()
        self._witness.listen(self._outputs)
        for name, check in (
            ("events come", lambda: self._events_come(applied)),
            ("photographs come through under their own keys", self._keys_stay),
            ("derivatives can be shown and are what the record says", self._derivatives_are_right),
            ("an overwrite is a version of its own", self._overwrite),
            ("what is no image is rejected and told", self._rejection),
            ("a deletion takes the derivatives with it", self._deletion),
            ("services deliver to encrypted queues", self._encryption),
            ("no dead letters", self._no_dead_letters),
            ("a second plan changes nothing", self._second_plan),
        ):
            self._check(name, check)
        self._facts.events = event_facts(self._witness.s3_events)

    def _check(self, name: str, check: Callable[[], str]) -> None:
        with self._steps.step(lambda: name) as done:
            try:
                found = Check(name, passed=True, said=check())
            except (SmokeError, BotoCoreError, ClientError) as error:
                found = Check(name, passed=False, said=str(error))
            done.append(f"{'ok' if found.passed else 'FAILED'}: {name}: {found.said}")
        self._facts.checks.append(found)

    # The checks: each returns what it found, or raises

    def _events_come(self, applied: float) -> str:
        deadline = time.monotonic() + FIRST_EVENT_SECONDS
        for number in range(FIRST_EVENT_SECONDS):
            before = time.monotonic() - applied
            (journey,) = self._follow([self._source(f"probe-{number}.jpg")], PROBE_SECONDS)
            if journey.complete:
                break
            if time.monotonic() > deadline:
                raise SmokeError(f"no upload was recorded and announced within {FIRST_EVENT_SECONDS} s")
        self._facts.flowed_after = round(before, 1)
        self._facts.cold = timings([journey]) if journey.cold_start else {}
        return f"the upload {before:.0f} s after the apply was the first, and took {journey.total:.1f} s"

    def _keys_stay(self) -> str:
        # One after the other: side by side, each would find a function of its own that has to start first.
        self._images = [j for key in KEYS for j in self._follow([self._source(key)], PATIENCE_SECONDS)]
        warm = [journey for journey in self._images if journey.complete and not journey.cold_start]
        self._facts.warm, self._facts.warm_images = timings(warm), len(warm)
        seen = {event["object"]["etag"]: event["object"]["key"] for event in self._witness.s3_events}
        for journey in self._images:
            self._facts.keys.append({"sent": journey.image_id, "in_event": seen.get(self._etag(journey.image_id))})
        lost = [
            f"{journey.image_id} ({journey.trouble or journey.status})"
            for journey in self._images
            if not journey.complete
        ]
        if lost:
            raise SmokeError(f"not recorded and announced: {', '.join(lost)}")
        return f"{len(self._images)} keys, {self._images[0].total:.1f} s to the notification"

    def _derivatives_are_right(self) -> str:
        count = 0
        for journey in self._complete():
            for variant in journey.variants:
                answer = self._clients.s3.get_object(Bucket=self._outputs["processed_bucket"], Key=variant["key"])
                with Image.open(io.BytesIO(answer["Body"].read())) as picture:
                    picture.load()
                    found = (*picture.size, answer["ContentType"], answer["ContentLength"])
                told = tuple(variant[name] for name in ("width", "height", "content_type", "bytes"))
                if found != told:
                    raise SmokeError(f"{variant['key']} is {found}, and the record says {told}")
                count += 1
        return f"{count} derivatives"

    def _overwrite(self) -> str:
        image = self._complete()[0]
        first = image.record or {}
        with Image.open(io.BytesIO(self._picture)) as picture:
            mirrored = io.BytesIO()
            ImageOps.mirror(ImageOps.exif_transpose(picture).convert("RGB")).save(mirrored, "JPEG", quality=90)
        self._put(image.image_id, mirrored.getvalue())

        def overwritten() -> Item | None:
            current = current_of(read_items(self._resources, image.image_id))
            return current if current and current["version"] != first["version"] else None

        current = self._await("record of the overwrite", overwritten)
        versions = versions_of(read_items(self._resources, image.image_id))
        if len(versions) < 2:  # noqa: PLR2004 - the first and the other
            raise SmokeError(f"{len(versions)} version of {image.image_id} is recorded")
        shown = {bytes(self._read(record["variants"][0]["key"])) for record in (first, current)}
        if len(shown) == 1:
            raise SmokeError("the derivatives of both versions are the same")
        return f"{len(versions)} versions, each with derivatives of its own"

    def _rejection(self) -> str:
        path = self._folder / "no image.jpg"
        path.write_bytes(b"This is no image. " * 100)
        (journey,) = self._follow([Source(path, path.name, path.stat().st_size)], PATIENCE_SECONDS)
        if journey.status != "Rejected":
            raise SmokeError(f"it is {journey.status}")
        return f"{(journey.reason or {}).get('code')}, announced after {journey.total:.1f} s"

    def _deletion(self) -> str:
        image = self._complete()[-1]
        began = time.monotonic()
        self._clients.s3.delete_object(Bucket=self._outputs["originals_bucket"], Key=image.image_id)

        def gone() -> bool:
            current = current_of(read_items(self._resources, image.image_id)) or {}
            listing = self._clients.s3.list_objects_v2(
                Bucket=self._outputs["processed_bucket"], Prefix=f"{image.image_id}/"
            )
            return current.get("status") == "Deleted" and listing["KeyCount"] == 0

        self._await("record of the deletion without derivatives", gone)
        return f"after {time.monotonic() - began:.1f} s"

    def _encryption(self) -> str:
        came: set[str] = set()

        def all_came() -> bool:
            came.update(self._witness.sealed())
            return came >= {"rule", "topic"}

        try:
            self._await("deliveries of rule and topic", all_came)
        finally:
            self._facts.encryption = {
                "rule of the default bus to the queue of uploads": bool(self._complete_or_none()),
                "rule of the pipeline's bus to a queue": "rule" in came,
                "topic to a queue": "topic" in came,
            }
        return "from rules and from the topic, by the pipeline's key"

    def _no_dead_letters(self) -> str:
        run = Run(self._clients, self._outputs, self._witness, [])
        if letters := run.dead_letters():
            raise SmokeError(f"{', '.join(f'{len(found)} in {name}: {found[0]}' for name, found in letters.items())}")
        return f"{len(self._outputs['dlqs'])} queues are empty"

    def _second_plan(self) -> str:
        self._facts.plan = changed(self._stack.plan())
        if self._facts.plan:
            raise SmokeError(f"it changes {', '.join(self._facts.plan)}")
        return "empty"

    # What they are made of

    def _source(self, key: str) -> Source:
        """The photograph under a key, with bytes behind its end that make it one of its own."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / key
        path.write_bytes(self._picture + key.encode())
        return Source(path, key, path.stat().st_size)

    def _follow(self, sources: Sequence[Source], patience: float) -> list[Journey]:
        run = Run(self._clients, self._outputs, self._witness, sources)
        run.follow(Quiet(), patience=patience)
        return run.journeys

    def _put(self, key: str, data: bytes) -> None:
        self._clients.s3.put_object(Bucket=self._outputs["originals_bucket"], Key=key, Body=data)

    def _read(self, key: str) -> bytes:
        return bytes(self._clients.s3.get_object(Bucket=self._outputs["processed_bucket"], Key=key)["Body"].read())

    def _etag(self, key: str) -> str:
        head = self._clients.s3.head_object(Bucket=self._outputs["originals_bucket"], Key=key)
        return str(head["ETag"]).strip('"')

    def _complete_or_none(self) -> list[Journey]:
        return [journey for journey in self._images if journey.complete]

    def _complete(self) -> list[Journey]:
        if not self._complete_or_none():
            raise SmokeError("no photograph has come through")
        return self._complete_or_none()

    def _await(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until there is something.

        Raises:
            SmokeError: There was nothing for too long.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._witness.receive()  # which ends a run that is interrupted
            if found := look():
                return found
            time.sleep(LOOK_EVERY_SECONDS)
        raise SmokeError(f"no {what} within {PATIENCE_SECONDS} s")
