"""A smoke test's uploads and steps, on a pipeline that was just applied."""

from __future__ import annotations

import io
import json
import os
import time
import uuid
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image, ImageOps

from darkroom.dead_letters import image_of
from darkroom.replay import Archive, archive_name
from darkroom.resources import Dlq, Resources
from darkroom.sources import Source
from darkroom.workflow import DefinitionError
from reconcile.records import current_of, read_items, versions_of
from reconcile.run import Plan
from reconcile.run import run as compare
from scripts.contracts.events import load
from scripts.demo.pipeline import Clients, Observer, Run, queue_policy
from scripts.smoke.api import Api
from scripts.smoke.api import check as check_api
from scripts.smoke.facts import Check, Outcome, SmokeError, changed, event_facts, timings
from scripts.smoke.policies import ERROR, policies_of, validate, without_service
from scripts.smoke.roles import ROLES, assume, copy_policies, make_role, plan_deploy_roles, plan_policies, remove_role
from scripts.smoke.workflow import StateTester, slowed
from scripts.terraform.stack import Stack, TerraformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconcile.records import Item
    from scripts.demo.journey import Journey
    from scripts.demo.terminal import Steps
    from scripts.smoke.facts import Facts

T = TypeVar("T")

# Possible damages of a key in transit: form-encoded, encoded twice, or decoded with another alphabet.
KEYS = ("plain.jpg", "with space.jpg", "with+plus.jpg", "with%2Bpercent.jpg", "Müsli 東京 🦊.jpg")

# S3 says that it takes minutes until a new bucket's events reach EventBridge.
FIRST_EVENT_SECONDS = 600
PROBE_SECONDS = 30
PATIENCE_SECONDS = 180
LOOK_EVERY_SECONDS = 1

PROPAGATION_SECONDS = 120  # of new roles and their policies
KEY_SECONDS = 900  # AWS says that a key's change is known within minutes; services keep data keys for minutes more
KEY_EVERY_SECONDS = 10  # between events that are sent while the key is broken
ARCHIVE_SECONDS = 900  # "we recommend you delay replaying archived events for 10 minutes"
ELSEWHERE_SECONDS = 20  # seconds to wait for a function that an emulator may not have

API_PIXELS = (1600, 1600)  # far below the 10 MB that API Gateway takes

SMOKE = "Smoke"  # the type of events that no rule of the pipeline matches


class SmokeClients(Clients):
    """Those of the demo, and more for what only a smoke test does."""

    def __init__(self) -> None:
        super().__init__()
        session = boto3.Session()
        usual = Config(retries={"mode": "standard", "total_max_attempts": 5})
        self.accessanalyzer: Any = session.client("accessanalyzer", config=usual)
        self.iam: Any = session.client("iam", config=usual)
        self.kms: Any = session.client("kms", config=usual)
        # TestState throttles, so requests are retried; on AWS it has its own host, `sync-…`.
        patient = Config(
            retries={"mode": "adaptive", "total_max_attempts": 10},
            inject_host_prefix="AWS_ENDPOINT_URL" not in os.environ,
        )
        self.stepfunctions: Any = session.client("stepfunctions", config=patient)

    def close(self) -> None:
        """End all connections."""
        super().close()
        for client in (self.accessanalyzer, self.iam, self.kms, self.stepfunctions):
            client.close()


class Witness(Observer):
    """The observer of the demo, which also keeps S3's events as they came, and has a queue that is encrypted.

    Attributes:
        s3_events: The details of S3's events, in the order in which they came.
        smoke_events: The ids of the test's own events that came over the pipeline's bus.
        replayed: The names of the replays of which an event came.
        sealed_arn: A queue that the pipeline's own key encrypts, as soon as there is one.
        rule_dlq_url: DLQ of its own rule on the pipeline's bus.
    """

    def __init__(self, clients: Clients, name: str, interrupted: Callable[[], None]) -> None:
        super().__init__(clients, name)
        self.s3_events: list[dict[str, Any]] = []
        self.smoke_events: set[str] = set()
        self.replayed: set[str] = set()
        self._interrupted = interrupted
        self._pipeline = name
        self._sealed_name = f"{name}-sealed"
        self.sealed_arn = clients.arn("sqs", self._sealed_name)
        self._sealed_url: str = clients.sqs.create_queue(QueueName=self._sealed_name)["QueueUrl"]
        senders = [
            clients.arn("events", f"rule/{name}/{self._sealed_name}"),
            clients.arn("sns", f"{name}-notifications"),
        ]
        policy = queue_policy(self.sealed_arn, senders)
        clients.sqs.set_queue_attributes(QueueUrl=self._sealed_url, Attributes={"Policy": policy})
        rule_dlq = f"{name}-smoke-dlq"
        self._rule_dlq_arn = clients.arn("sqs", rule_dlq)
        self.rule_dlq_url: str = clients.sqs.create_queue(QueueName=rule_dlq)["QueueUrl"]
        policy = queue_policy(self._rule_dlq_arn, [self.outcomes_rule_arn])
        clients.sqs.set_queue_attributes(QueueUrl=self.rule_dlq_url, Attributes={"Policy": policy})

    def listen(self, outputs: Mapping[str, Any]) -> None:
        """Listen as the demo does, and into the encrypted queue, to the outcomes."""
        super().listen(outputs)
        self._clients.events.put_targets(
            Rule=self._name,
            EventBusName=self._pipeline,
            Targets=[{"Id": "observer", "Arn": self.arn, "DeadLetterConfig": {"Arn": self._rule_dlq_arn}}],
        )
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
        """Receive messages, and keep the object events among them."""
        self._interrupted()
        messages = super().receive()
        for body in (json.loads(message["Body"]) for message in messages):
            if "replay-name" in body:
                self.replayed.add(body["replay-name"])
            elif body.get("source") == "aws.s3":
                self.s3_events.append(body["detail"])
            elif body.get("detail-type") == SMOKE:
                self.smoke_events.add(body["detail"]["image_id"])
        return messages

    def sealed(self) -> set[str]:
        """Return the services that delivered to the encrypted queue: rule, topic."""
        messages = self._clients.sqs.receive_message(
            QueueUrl=self._sealed_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        bodies = [json.loads(message["Body"]) for message in messages]
        return {"topic" if body.get("Type") == "Notification" else "rule" for body in bodies}


def leave(clients: SmokeClients, name: str) -> None:
    """Remove what Terraform did not make: rules on the bus, queues, roles, a workflow; and all objects.

    The provider also empties buckets, but does not end with keys as unusual as these. A resource that does not exist
    already is no error.
    """
    for bus, rule, target in (
        ("default", f"{name}-observer", "observer"),
        (name, f"{name}-observer", "observer"),
        (name, f"{name}-sealed", "sealed"),
    ):
        _unless_gone(clients.events.remove_targets, Rule=rule, EventBusName=bus, Ids=[target])
        _unless_gone(clients.events.delete_rule, Name=rule, EventBusName=bus)
    workflow = clients.arn("states", f"stateMachine:{name}-smoke-timeout")
    _unless_gone(clients.stepfunctions.delete_state_machine, stateMachineArn=workflow)
    for role in ROLES:
        remove_role(clients.iam, role.format(name))
    for queue in (f"{name}-observer", f"{name}-sealed", f"{name}-smoke-silent", f"{name}-smoke-dlq"):
        if found := _unless_gone(clients.sqs.get_queue_url, QueueName=queue):
            _unless_gone(clients.sqs.delete_queue, QueueUrl=found["QueueUrl"])
    buckets = (bucket["Name"] for bucket in clients.s3.list_buckets(Prefix=f"{name}-")["Buckets"])
    for bucket in [bucket for bucket in buckets if bucket.startswith(f"{name}-")]:
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


class Smoke:
    """Uploads to an applied pipeline, breaks and repairs it, and notes the facts."""

    def __init__(
        self, clients: SmokeClients, witness: Witness, stack: Stack, photograph: Path, facts: Facts, steps: Steps
    ) -> None:
        self._clients = clients
        self._witness = witness
        self._stack = stack
        self._outputs = stack.outputs()
        self._name: str = stack.variables["name"]
        self._resources = Resources(self._name)
        self._picture = photograph.read_bytes()
        self._folder = stack.directory / "uploads"
        self._facts = facts
        self._steps = steps
        self._images: list[Journey] = []
        self._lost: list[str] = []
        self._applied = time.monotonic()
        self._began = datetime.now(UTC)

    def run(self) -> None:
        """Take all steps, one after the other; one that fails does not keep the others back."""
        self._witness.listen(self._outputs)
        for step in STEPS:
            self._take(step)
        self._facts.events = event_facts(self._witness.s3_events)

    def _take(self, step: Step) -> None:
        with self._steps.step(lambda: step.name) as done:
            try:
                found = Check(step.name, Outcome.PASSED, step.take(self))
            except (SmokeError, TerraformError, BotoCoreError, ClientError) as error:
                found = Check(step.name, failure(step, self._facts), str(error))
            except (DefinitionError, LookupError, ValueError) as error:  # an answer that is not as AWS documents it
                found = Check(step.name, failure(step, self._facts), f"{type(error).__name__}: {error}")
            outcome = found.outcome.upper() if found.outcome is Outcome.FAILED else found.outcome
            done.append(f"{outcome}: {step.name}: {found.said}")
        self._facts.checks.append(found)

    # The steps: each returns its result, or raises

    def first_event(self) -> str:
        """Upload again and again until S3's events flow; note how long that takes."""
        deadline = time.monotonic() + FIRST_EVENT_SECONDS
        for number in range(FIRST_EVENT_SECONDS):
            before = time.monotonic() - self._applied
            (journey,) = self._follow([self._source(f"probe-{number}.jpg")], PROBE_SECONDS)
            if journey.complete:
                break
            self._lost.append(journey.image_id)
            if time.monotonic() > deadline:
                raise SmokeError(f"no upload was recorded and announced within {FIRST_EVENT_SECONDS} s")
        self._facts.flowed_after = round(before, 1)
        self._facts.cold = timings([journey]) if journey.cold_start else {}
        return f"the upload {before:.0f} s after the apply was the first, and took {journey.total:.1f} s"

    def keys(self) -> str:
        """Upload under keys of all kinds; each must arrive unchanged."""
        # One after the other: in parallel, each would have a cold start.
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

    def derivatives(self) -> str:
        """Decode each derivative and compare it with its record."""
        count = 0
        for journey in self._complete():
            for variant in journey.variants:
                answer = self._clients.s3.get_object(Bucket=self._outputs["processed_bucket"], Key=variant["key"])
                with Image.open(io.BytesIO(answer["Body"].read())) as picture:
                    picture.load()
                    found = (*picture.size, answer["ContentType"], answer["ContentLength"])
                recorded = tuple(variant[name] for name in ("width", "height", "content_type", "bytes"))
                if found != recorded:
                    raise SmokeError(f"{variant['key']} is {found}, but the record says {recorded}")
                count += 1
        return f"{count} derivatives"

    def overwrite(self) -> str:
        """Overwrite an image; both versions keep derivatives of their own."""
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

    def rejection(self) -> str:
        """Upload a file that is not an image; it must be rejected and announced."""
        path = self._folder / "no image.jpg"
        path.write_bytes(b"This is no image. " * 100)
        (journey,) = self._follow([Source(path, path.name, path.stat().st_size)], PATIENCE_SECONDS)
        if journey.status != "Rejected":
            raise SmokeError(f"it is {journey.status}")
        return f"{(journey.reason or {}).get('code')}, announced after {journey.total:.1f} s"

    def deletion(self) -> str:
        """Delete an image; its derivatives must go with it."""
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

    def encrypted_delivery(self) -> str:
        """Let rule and topic deliver to a queue that the pipeline's key encrypts."""
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

    def lost_uploads(self) -> str:
        """Repair uploads from before S3's events arrived, as `darkroom reconcile --grace 0 --repair` does."""
        came = {event["object"]["key"] for event in self._witness.s3_events}
        late = len(came.intersection(self._lost))
        self._facts.more["uploads before the first event"] = f"{len(self._lost)}, of which {late} sent one later"
        for image_id in self._lost:
            plan = Plan(settled=datetime.now(UTC), repairs=True, prefix=image_id)
            compare(self._resources, plan, lambda: False, lambda _difference, _outcome: None)
        for image_id in self._lost:
            self._await(f"record of {image_id}", partial(self._current, image_id))
        return f"{len(self._lost) - late} lost, all repaired"

    def api(self) -> str:
        """Make requests to the API as a caller's program does."""
        if self._outputs["api"] is None:
            raise SmokeError("not taken: there is no API, as the variable `api` is null")
        with Image.open(io.BytesIO(self._picture)) as picture:
            small = io.BytesIO()
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            upright.thumbnail(API_PIXELS)
            upright.save(small, "JPEG", quality=90)
        key = self._outputs["api_keys"]["smoke"]
        bucket: str = self._outputs["originals_bucket"]
        return check_api(
            Api(
                base=self._outputs["api"]["url"],
                key=key["value"],
                owner=key["id"],
                form_host=f"{bucket}.s3.{self._resources.region}.",
                original=partial(self._object, bucket),
                derivative=self._read,
                put=partial(self._put, owner=key["id"]),
                wait=self._await,
            ),
            small.getvalue(),
        )

    def policies(self) -> str:
        """Have Access Analyzer validate every policy: those that were applied, and those of the roles for GitHub."""
        modules = (self._stack.state()["values"], self._deploy_roles["planned_values"])
        policies = [policy for module in modules for policy in policies_of(module["root_module"])]
        found = validate(self._clients.accessanalyzer, policies)
        for number, one in enumerate(found, 1):
            self._facts.more[f"Access Analyzer, {number}"] = f"{one.kind} {one.code} in `{one.place}`: {one.details}"
        said = f"{len(policies)} policies, {len(found)} findings that are more than suggestions"
        if errors := [one for one in found if one.kind == ERROR]:
            raise SmokeError(f"{said}; errors: {'; '.join(f'{one.code} in {one.place}' for one in errors)}")
        return said

    def workflow_states(self) -> str:
        """Test each state of the workflow and each error that it handles with TestState."""
        tester = StateTester(self._clients.stepfunctions, self._definition())
        tester.run(outcome_events())
        if tester.wrong:
            raise SmokeError("; ".join(tester.wrong))
        return f"{len(tester.states)} states and {tester.errors} errors in {tester.calls} calls, all as defined"

    def task_timeout(self) -> str:
        """Let a Task of a copy of the workflow time out; the event must get to the workflow's dead-letter queue."""
        name = f"{self._name}-smoke-timeout"
        described = self._clients.stepfunctions.describe_state_machine(stateMachineArn=self._resources.workflow_arn)
        silent = self._clients.sqs.create_queue(QueueName=f"{self._name}-smoke-silent")["QueueUrl"]
        queue_arn = self._resources.arn("sqs", f"{self._name}-smoke-silent")
        wait = {"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": queue_arn}
        role = make_role(
            self._clients.iam,
            ROLES[1].format(self._name),
            {"Service": "states.amazonaws.com"},
            {
                **copy_policies(self._clients.iam, described["roleArn"].rpartition("/")[2]),
                "wait": json.dumps({"Version": "2012-10-17", "Statement": [wait]}),
            },
        )
        event = {**outcome_events()[0], "id": str(uuid.uuid4())}
        definition = json.dumps(slowed(json.loads(described["definition"]), event, silent))

        def make() -> str | None:
            try:
                made = self._clients.stepfunctions.create_state_machine(
                    name=name, definition=definition, roleArn=role, type=described["type"]
                )
            except self._clients.stepfunctions.exceptions.ClientError as error:
                if "role" not in str(error):  # which is not known everywhere yet
                    raise
                return None
            return str(made["stateMachineArn"])

        workflow = self._await("copy of the workflow", make, PROPAGATION_SECONDS)
        self._pause(10)  # its role's policies are not known everywhere, either
        began = time.monotonic()
        self._clients.stepfunctions.start_execution(stateMachineArn=workflow, input=json.dumps(event))
        dlq = self._resources.dlq_url(Dlq.RECORD_IMAGE)
        kept = self._await("event in the workflow's dead-letter queue", partial(self._take_letter, dlq))
        seconds = time.monotonic() - began
        error = kept.get("MessageAttributes", {}).get("error", {}).get("StringValue")
        self._facts.more["a Task that times out"] = (
            f"its event is in the dead-letter queue after {seconds:.0f} s: {error}"
        )
        if json.loads(kept["Body"]) != event:
            raise SmokeError(f"the dead-letter queue holds another event: {kept['Body']}")
        if error != "States.Timeout":
            raise SmokeError(f"the error is {error} and not States.Timeout")
        return f"its event is in the dead-letter queue after {seconds:.0f} s"

    def workflow_log(self) -> str:
        """Start the workflow with an unknown status: its log must have the image's id and no other data."""
        image_id = f"smoke-{uuid.uuid4()}"
        example = outcome_events()[0]
        event = {**example, "detail": {**example["detail"], "image_id": image_id, "status": SMOKE}}
        self._clients.stepfunctions.start_execution(
            stateMachineArn=self._resources.workflow_arn, input=json.dumps(event)
        )
        dlq = self._resources.dlq_url(Dlq.RECORD_IMAGE)
        self._await("event in the workflow's dead-letter queue", partial(self._take_letter, dlq))
        logged = partial(self._logged, self._resources.workflow_log_group, f'"{image_id}"')
        lines = self._await("line about the image in the workflow's log", logged, self._patience(PATIENCE_SECONDS))
        if any(str(event["detail"]["dedup_id"]) in line for line in lines):
            raise SmokeError(f"the workflow's log holds the execution's input: {lines[0]}")
        return f"{len(lines)} lines name the image, none holds its event"

    def schedule(self) -> str:
        """Wait until the scheduled comparison has run."""
        logged = partial(self._logged, self._outputs["reconcile"]["log_group"], "compared")
        lines = self._await("run of the scheduled comparison", logged, self._patience(PATIENCE_SECONDS))
        return f"{len(lines)} runs"

    def archives(self) -> str:
        """Record the number of archived events, and replay the outcomes to the test's own rule."""
        for archive in Archive:
            found = self._resources.events.describe_archive(ArchiveName=archive_name(self._resources, archive))
            after = f"{time.monotonic() - self._applied:.0f} s after the apply"
            self._facts.more[f"archive of {archive}"] = (
                f"{found['EventCount']} events counted {after}, {found['State']}"
            )
            if found["State"] != "ENABLED":
                raise SmokeError(f"the archive of {archive} is {found['State']}: {found.get('StateReason')}")
        source = self._resources.events.describe_archive(ArchiveName=archive_name(self._resources, Archive.OUTCOMES))
        deadline = time.monotonic() + self._patience(ARCHIVE_SECONDS)
        for number in range(ARCHIVE_SECONDS):
            replay = f"{self._name}-{number}"
            self._resources.events.start_replay(
                ReplayName=replay,
                EventSourceArn=source["ArchiveArn"],
                EventStartTime=self._began,
                EventEndTime=datetime.now(UTC),
                Destination={"Arn": self._outputs["bus"]["arn"], "FilterArns": [self._witness.outcomes_rule_arn]},
            )
            while self._resources.events.describe_replay(ReplayName=replay)["State"] in {"STARTING", "RUNNING"}:
                self._pause(LOOK_EVERY_SECONDS)
            self._pause(PROBE_SECONDS if self._facts.on_aws else LOOK_EVERY_SECONDS)
            if self._witness.replayed:
                after = f"{time.monotonic() - self._applied:.0f} s after the apply"
                self._facts.more["a replay of the outcomes"] = f"sends events again {after}"
                return f"the replay {after} sends events again"
            if time.monotonic() > deadline:
                break
        raise SmokeError(f"no replay sends an event again within {self._patience(ARCHIVE_SECONDS):.0f} s")

    def plan_role(self) -> str:
        """Plan with the plan role of examples/github_deploy_role; the result must be that of this caller."""
        region = self._resources.region
        documents = plan_policies(self._deploy_roles)
        account = self._resources.arn("iam", "root").replace(f":{region}:", "::")
        role = make_role(self._clients.iam, ROLES[0].format(self._name), {"AWS": account}, documents)
        credentials = assume(
            self._clients.sts, role, self._patience(PROPAGATION_SECONDS), lambda: self._pause(LOOK_EVERY_SECONDS)
        )
        stack = Stack(self._stack.directory, credentials, self._stack.variables, report=self._steps.say)
        stack.init()
        deadline = time.monotonic() + self._patience(PROPAGATION_SECONDS)
        while True:
            self._pause(LOOK_EVERY_SECONDS)
            try:
                seen = changed(stack.plan())
                break
            except TerraformError:  # which may be for a policy that is not known everywhere yet
                if time.monotonic() > deadline:
                    raise
        usual = changed(self._stack.plan())
        if seen != usual:
            raise SmokeError(f"the plan changes {', '.join(seen)} and not, as this caller's, {', '.join(usual)}")
        return f"its plan is this caller's: {', '.join(seen) or 'empty'}"

    def key_policy(self) -> str:
        """Take EventBridge out of the key's policy and put it back; no event may be lost."""
        key = self._outputs["key_arn"]
        usual: str = self._clients.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        broken = without_service(usual, "events.amazonaws.com")
        patience = self._patience(KEY_SECONDS)
        sent: set[str] = set()
        kept: set[str] = set()
        refused: set[str] = set()

        def failed() -> bool:
            image_id = self._send(refused)
            sent.add(image_id)
            self._pause(KEY_EVERY_SECONDS if self._facts.on_aws else LOOK_EVERY_SECONDS)
            kept.update(self._failed_events())
            return bool(kept or refused)

        began = time.monotonic()
        self._clients.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=broken)
        try:
            self._await("event that fails for the key", failed, patience)
            broke = time.monotonic() - began
        finally:
            self._clients.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=usual)
        restored = time.monotonic()

        def flows() -> bool:
            image_id = self._send(refused)
            sent.add(image_id)
            self._pause(KEY_EVERY_SECONDS)
            kept.update(self._failed_events())
            return image_id in self._witness.smoke_events

        self._await("event after the key's policy was put back", flows, patience)
        recovered = time.monotonic() - restored

        def accounted() -> bool:
            kept.update(self._failed_events())
            return sent <= self._witness.smoke_events | kept | refused

        where = f"{len(kept)} in dead-letter queues, {len(refused)} refused"
        self._facts.more["the key without EventBridge"] = (
            f"after {broke:.0f} s events fail, {recovered:.0f} s after it is back they flow; of {len(sent)}: {where}"
        )
        self._await("trace of every event", accounted)
        return f"of {len(sent)} events none is lost: {where}"

    def dead_letters(self) -> str:
        """Look that no dead-letter queue holds anything."""
        run = Run(self._clients, self._outputs, self._witness, [])
        if letters := run.dead_letters():
            raise SmokeError(f"{', '.join(f'{len(found)} in {name}: {found[0]}' for name, found in letters.items())}")
        return f"{len(self._outputs['dlqs'])} queues are empty"

    def second_plan(self) -> str:
        """Plan again; there must be no changes."""
        self._facts.plan = changed(self._stack.plan())
        if self._facts.plan:
            raise SmokeError(f"it changes {', '.join(self._facts.plan)}")
        return "empty"

    # Their parts

    def _current(self, image_id: str) -> Item | None:
        return current_of(read_items(self._resources, image_id))

    @cached_property
    def _deploy_roles(self) -> Mapping[str, Any]:
        """Return Terraform's plan of the roles for GitHub Actions, for this pipeline."""
        return plan_deploy_roles(self._stack.directory / "deploy_role", self._resources)

    def _definition(self) -> dict[str, Any]:
        """Return the applied definition of the workflow."""
        workflow = self._resources.workflow_arn
        definition: dict[str, Any] = json.loads(
            self._clients.stepfunctions.describe_state_machine(stateMachineArn=workflow)["definition"]
        )
        return definition

    def _logged(self, group: str, pattern: str) -> list[str]:
        """Return the lines of a log group that match a pattern."""
        pages = self._clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, startTime=int(self._began.timestamp() * 1000)
        )
        return [event["message"] for page in pages for event in page["events"]]

    def _failed_events(self) -> Iterator[str]:
        """Take the test's own events out of the dead-letter queues of the bus and of the test's rule on it."""
        for url in (self._resources.dlq_url(Dlq.BUS), self._witness.rule_dlq_url):
            while letter := self._take_letter(url):
                yield image_of(letter["Body"]) or letter["Body"]

    def _take_letter(self, url: str) -> Mapping[str, Any] | None:
        """Take a message out of a queue."""
        found = self._clients.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=1)
        for message in found.get("Messages", ()):
            self._clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return message
        return None

    def _send(self, refused: set[str]) -> str:
        """Put an event of the test's own on the pipeline's bus; return its id, which is among the refused if it is."""
        image_id = f"smoke-{uuid.uuid4()}"
        entry = {
            "EventBusName": self._outputs["bus"]["name"],
            "Source": "darkroom",
            "DetailType": SMOKE,
            "Detail": json.dumps({"image_id": image_id}),
        }
        try:
            if self._clients.events.put_events(Entries=[entry])["FailedEntryCount"]:  # type: ignore[list-item]
                refused.add(image_id)
        except ClientError:
            refused.add(image_id)
        return image_id

    def _patience(self, seconds: float) -> float:
        """Return how long to wait for what only AWS is certain to do."""
        return seconds if self._facts.on_aws else min(seconds, ELSEWHERE_SECONDS)

    def _pause(self, seconds: float) -> None:
        """Wait, and process the messages that arrive."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._witness.receive()  # which ends a run that is interrupted
            time.sleep(min(left, LOOK_EVERY_SECONDS))

    def _source(self, key: str) -> Source:
        """Return the photograph for a key, with bytes at its end that make it unique."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / key
        path.write_bytes(self._picture + key.encode())
        return Source(path, key, path.stat().st_size)

    def _follow(self, sources: Sequence[Source], patience: float) -> list[Journey]:
        run = Run(self._clients, self._outputs, self._witness, sources)
        run.follow(patience)
        return run.journeys

    def _put(self, key: str, data: bytes, **metadata: str) -> None:
        self._clients.s3.put_object(Bucket=self._outputs["originals_bucket"], Key=key, Body=data, Metadata=metadata)

    def _read(self, key: str) -> bytes:
        return self._object(self._outputs["processed_bucket"], key)

    def _object(self, bucket: str, key: str) -> bytes:
        return bytes(self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _etag(self, key: str) -> str:
        head = self._clients.s3.head_object(Bucket=self._outputs["originals_bucket"], Key=key)
        return str(head["ETag"]).strip('"')

    def _complete_or_none(self) -> list[Journey]:
        return [journey for journey in self._images if journey.complete]

    def _complete(self) -> list[Journey]:
        if not self._complete_or_none():
            raise SmokeError("no photograph has come through")
        return self._complete_or_none()

    def _await(self, what: str, look: Callable[[], T | None], patience: float = PATIENCE_SECONDS) -> T:
        """Retry until there is a result.

        Raises:
            SmokeError: There was no result before the timeout.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self._witness.receive()  # which ends a run that is interrupted
            if found := look():
                return found
            time.sleep(LOOK_EVERY_SECONDS)
        raise SmokeError(f"no {what} within {patience:.0f} s")


def failure(step: Step, facts: Facts) -> Outcome:
    """Return the outcome of a failed step."""
    return Outcome.NOT_HERE if step.aws_only and not facts.on_aws else Outcome.FAILED


def outcome_events() -> list[Mapping[str, Any]]:
    """Return an example of each event that the workflow gets."""
    return [event for contract in load().values() if contract.versions for event in contract.examples.values()]


class Step(NamedTuple):
    """A step of the test.

    Attributes:
        name: Name in docs/aws-assumptions.md.
        take: Function of the step; returns the result, or raises.
        aws_only: An engine other than AWS may not be able to do it: where it fails there, it is reported as that.
    """

    name: str
    take: Callable[[Smoke], str]
    aws_only: bool = False


STEPS = (
    Step("first-event", Smoke.first_event),
    Step("keys", Smoke.keys),
    Step("derivatives", Smoke.derivatives),
    Step("overwrite", Smoke.overwrite),
    Step("rejection", Smoke.rejection),
    Step("deletion", Smoke.deletion),
    Step("lost-uploads", Smoke.lost_uploads),
    Step("encrypted-delivery", Smoke.encrypted_delivery),
    Step("api", Smoke.api, aws_only=True),
    Step("policies", Smoke.policies, aws_only=True),
    Step("workflow-states", Smoke.workflow_states, aws_only=True),
    Step("task-timeout", Smoke.task_timeout, aws_only=True),
    Step("workflow-log", Smoke.workflow_log, aws_only=True),
    Step("schedule", Smoke.schedule, aws_only=True),
    Step("plan-role", Smoke.plan_role, aws_only=True),
    Step("key-policy", Smoke.key_policy, aws_only=True),
    Step("archives", Smoke.archives, aws_only=True),
    Step("dead-letters", Smoke.dead_letters),
    Step("second-plan", Smoke.second_plan),
)
