"""The operator's command shows the state and repairs it, without losing or announcing anything twice."""

from __future__ import annotations

import json
import re
import shlex
import signal
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.alarms import ALWAYS, alarm_name, alarms
from darkroom.resources import Dlq, Resources, read_outputs
from reconcile.records import is_notified
from tests.e2e.command import differing, interrupt, run, run_lines, start
from tests.e2e.conftest import NAME
from tests.e2e.engines import Capability
from tests.e2e.pipeline import settle, wait_for
from tests.support.photographs import draw, encode, from_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.pipeline import Pipeline

PHOTOGRAPH = encode(draw((160, 120)))


# Invariants after each repair


def assert_consistent(pipeline: Pipeline, image_id: str) -> None:
    """Require one announced final item for each version, and derivatives for exactly the recorded ones."""
    items = pipeline.items(image_id)
    versions = [item for item in items if item["record"] != "current"]
    assert [item for item in items if item["record"] == "current"]
    assert len({item["version"] for item in versions}) == len(versions)
    assert {item["status"] for item in versions} <= {"Processed", "Rejected", "Deleted"}
    assert all(item["notified_dedup_id"] == item["dedup_id"] for item in versions if "dedup_id" in item)
    recorded = {variant["key"] for item in versions for variant in item.get("variants") or ()}
    assert recorded == set(pipeline.derivative_keys(image_id))


def assert_notified_once(pipeline: Pipeline, image_id: str) -> None:
    notified = [json.loads(message["Message"])["dedup_id"] for message in pipeline.notifications(image_id)]
    assert len(notified) == len(set(notified)) == 1


@contextmanager
def without_events(pipeline: Pipeline) -> Iterator[None]:
    """Let the bucket send no events until the block ends, as if they were lost."""
    bucket = pipeline.outputs["originals_bucket"]
    pipeline.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        usual: dict[str, Any] = {"EventBridgeConfiguration": {}}
        pipeline.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=usual)


def lost_upload(pipeline: Pipeline, image_id: str) -> str:
    """Upload an image whose event is lost; return that event."""
    with without_events(pipeline):
        pipeline.upload(PHOTOGRAPH, image_id)
    head = pipeline.s3.head_object(Bucket=pipeline.outputs["originals_bucket"], Key=image_id)
    about = {
        "key": image_id,
        "size": head["ContentLength"],
        "etag": head["ETag"].strip('"'),
        "sequencer": "0055AED6DCD90281E5",
    }
    return event(
        "aws.s3", "Object Created", {"bucket": {"name": pipeline.outputs["originals_bucket"]}, "object": about}
    )


def event(source: str, kind: str, detail: dict[str, Any]) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": kind,
            "source": source,
            "account": "000000000000",
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        }
    )


@pytest.fixture(scope="module")
def outcome(pipeline: Pipeline) -> dict[str, Any]:
    """Return the detail of the outcome event of a processed image."""
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.record(image_id)
    detail: dict[str, Any] = json.loads(pipeline.notification(image_id, "Processed")["Message"])
    return detail


def outcome_of(image_id: str, outcome: dict[str, Any]) -> str:
    return event("darkroom", "Image Processed", {**outcome, "image_id": image_id, "dedup_id": uuid.uuid4().hex * 2})


def put_into_dlq(pipeline: Pipeline, dlq: str, body: str, **attributes: str) -> None:
    """Put a message into a DLQ, as the service that fills it does."""
    pipeline.sqs.send_message(
        QueueUrl=pipeline.outputs["dlqs"][dlq],
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


# status and list


def test_names_match_terraform(pipeline: Pipeline) -> None:
    resources, outputs = Resources(NAME), pipeline.outputs
    as_terraform_prints = json.dumps({name: {"value": value} for name, value in outputs.items()})
    assert read_outputs(as_terraform_prints) == (NAME, resources.region)
    assert resources.originals == outputs["originals_bucket"]
    assert resources.processed == outputs["processed_bucket"]
    assert resources.dashboard == outputs["dashboard"]
    assert resources.table == outputs["table"]
    assert resources.function == outputs["process_image"]["name"]
    assert resources.log_group == outputs["process_image"]["log_group"]
    assert resources.topic_arn == outputs["notifications_topic_arn"]
    assert resources.workflow_arn == outputs["record_image_arn"]
    assert resources.uploads_queue_url.rsplit("/", 1)[1] == outputs["uploads_queue_url"].rsplit("/", 1)[1]
    queues = {key: url.rsplit("/", 1)[1] for key, url in outputs["dlqs"].items()}
    of_others = {"findings", "reconcile"}  # whose messages are no images' events: there is nothing to redrive
    assert queues.keys() == {*Dlq, *of_others}
    assert {dlq: queues[dlq] for dlq in Dlq} == {dlq: resources.dlq_name(dlq) for dlq in Dlq}


def test_alarms_match_terraform(pipeline: Pipeline) -> None:
    pages = pipeline.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{NAME}-")
    made = {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}
    resources = Resources(NAME)
    assert {alarm_name(resources, key) for key in alarms(resources)} == made
    assert {alarm_name(resources, key) for key in ALWAYS} <= made


def test_status_shows_record_and_every_hop(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    record = pipeline.record(image_id)
    pipeline.announced(image_id, record["version"])

    def look() -> Any:  # a log may come late
        report = run("status", image_id)
        return report if all(hop["time"] for hop in report["hops"]) else None

    report = wait_for("all hops", look)
    assert report["record"] == record
    assert [version["version"] for version in report["versions"]] == [record["version"]]
    assert report["original"]["bytes"] == len(PHOTOGRAPH)
    times = {hop["hop"]: datetime.fromisoformat(hop["time"]) for hop in report["hops"]}
    assert times["picked up"] <= times["announced"]
    assert times["routed"] <= times["announced"]
    assert times["uploaded"] <= times["recorded"] <= times["notified"]


def test_status_reports_unprocessed_upload(pipeline: Pipeline) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    lost_upload(pipeline, image_id)
    report = run("status", image_id)
    assert report["record"] is None
    assert report["original"]
    assert [hop["hop"] for hop in report["hops"] if hop["time"]] == ["uploaded"]


def test_unknown_image_is_an_error(pipeline: Pipeline) -> None:
    assert run_lines("status", f"tests/{uuid.uuid4()}", code=1) == []


def test_list_shows_images_of_owner_newest_first(pipeline: Pipeline) -> None:
    owner = f"owner-{uuid.uuid4()}"
    images = []
    for _ in range(3):
        images.append(pipeline.upload(PHOTOGRAPH, f"{owner}/{uuid.uuid4()}"))
        pipeline.record(images[-1])
    wait_for("the index", lambda: len(pipeline.owned_by(owner)) == 3)
    assert [item["image_id"] for item in run_lines("list", "--owner", owner)] == images[::-1]
    assert [item["image_id"] for item in run_lines("list", "--owner", owner, "--limit", "2")] == images[:0:-1]
    everything = [item["image_id"] for item in run_lines("list", "--limit", "100000")]
    assert len(everything) == len(set(everything))
    assert set(images) <= set(everything)


# dlq


def test_redrive_sends_messages_to_their_targets(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    batch = f"tests/{uuid.uuid4()}"
    resources = Resources(NAME)
    put_into_dlq(pipeline, "uploads", lost_upload(pipeline, f"{batch}/uploads"))
    routed = lost_upload(pipeline, f"{batch}/uploads_rules")
    put_into_dlq(pipeline, "uploads_rules", routed, TARGET_ARN=resources.uploads_queue_arn, ERROR_CODE="NO_PERMISSIONS")
    put_into_dlq(pipeline, "record_image", outcome_of(f"{batch}/record_image", outcome), error="States.Timeout")
    put_into_dlq(pipeline, "bus", outcome_of(f"{batch}/bus", outcome), TARGET_ARN=resources.workflow_arn)
    shown = run_lines("dlq", "show", "--image", batch, code=3)
    assert {letter["dlq"]: letter["error"] for letter in shown} == {
        "uploads": None,
        "uploads_rules": "NO_PERMISSIONS",
        "record_image": "States.Timeout",
        "bus": None,
    }
    planned = run_lines("dlq", "redrive", "--image", batch, "--dry-run")
    assert {letter["dlq"] for letter in planned} == {letter["dlq"] for letter in shown}
    assert {line["dlq"]: line["messages"] for line in run_lines("dlq", "ls", code=3)} == {
        dlq.value: int(dlq is not Dlq.NOTIFICATIONS) for dlq in Dlq
    }, "a dry run moves nothing"

    assert len(run_lines("dlq", "redrive", "--image", batch)) == 4
    assert all(line["messages"] == 0 for line in run_lines("dlq", "ls"))
    for queue in ("uploads", "uploads_rules", "record_image", "bus"):
        image_id = f"{batch}/{queue}"
        pipeline.announced(image_id, pipeline.record(image_id)["version"])
        pipeline.notification(image_id, "Processed")
        assert_notified_once(pipeline, image_id)
    for queue in ("uploads", "uploads_rules"):
        assert_consistent(pipeline, f"{batch}/{queue}")


def test_redrive_reaches_subscriber_that_missed_it(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    topic = pipeline.outputs["notifications_topic_arn"]
    (subscription,) = pipeline.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    notified = pipeline.notification(outcome["image_id"], "Processed")
    # The link names the subscription on AWS; not every engine fills it in.
    missed = notified | {
        "MessageId": str(uuid.uuid4()),
        "UnsubscribeURL": f"https://sns/?Action=Unsubscribe&SubscriptionArn={subscription['SubscriptionArn']}",
    }
    put_into_dlq(pipeline, "notifications", json.dumps(missed))
    (redriven,) = run_lines("dlq", "redrive", "notifications")
    assert redriven["image_id"] == outcome["image_id"]
    assert redriven["outcome"].endswith("(the subscriber)")
    again = wait_for("the notification", lambda: pipeline.notifications(outcome["image_id"])[1:])
    assert again == [missed], "as it was"


def test_redrive_without_subscriber_reaches_all(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    missed = {**outcome, "image_id": image_id}
    put_into_dlq(pipeline, "notifications", json.dumps(missed))  # raw message delivery
    (redriven,) = run_lines("dlq", "redrive", "notifications")
    assert redriven["outcome"].endswith("(all subscribers)")
    notified = pipeline.notification(image_id, "Processed")
    assert json.loads(notified["Message"]) == missed
    assert notified["Subject"] == outcome["summary"]


def test_redrive_skips_targets_of_others(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    put_into_dlq(pipeline, "bus", outcome_of(image_id, outcome), TARGET_ARN="arn:aws:sqs:us-east-1:000000000000:others")
    (left,) = run_lines("dlq", "redrive", "--image", image_id, code=1)
    assert "others" in left["outcome"]
    (purged,) = run_lines("dlq", "purge", "bus", "--image", image_id, "--yes")
    assert purged["outcome"] == "deleted"
    assert pipeline.item(image_id) is None


def test_interrupted_redrive_continues(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    batch = f"tests/{uuid.uuid4()}"
    images = {f"{batch}/{number}" for number in range(12)}
    for image_id in images:
        put_into_dlq(pipeline, "record_image", outcome_of(image_id, outcome))
    first = interrupt("dlq", "redrive", "record_image", "--image", batch, "--rate", "4", after=3)
    assert 3 <= len(first) < len(images)
    second = run_lines("dlq", "redrive", "record_image", "--image", batch)
    assert {line["image_id"] for line in first} | {line["image_id"] for line in second} == images
    assert len(first) + len(second) == len(images), "none was sent twice"
    for image_id in images:
        pipeline.announced(image_id, outcome["version"])
        pipeline.notification(image_id, "Processed")
        assert_notified_once(pipeline, image_id)
    assert run_lines("dlq", "show", "--image", batch) == []


# upload


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Return a folder of different photographs."""
    for number in range(12):
        (tmp_path / f"{number}.jpg").write_bytes(encode(draw((160 + number, 120))))
    return tmp_path


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_upload_continues(pipeline: Pipeline, album: Path, by: signal.Signals) -> None:
    prefix = f"tests/{uuid.uuid4()}/"
    images = {f"{prefix}{number}.jpg" for number in range(12)}
    upload = ("upload", str(album), "--prefix", prefix, "--owner", "alice", "--at-once", "1")
    first = interrupt(*upload, after=2, by=by)
    assert 2 <= len(first) < len(images)
    second = run_lines(*upload, "--wait")
    assert {line["image_id"] for line in second} == images
    there = [line["outcome"] for line in second].count("there already")
    assert there - len(first) in ({0} if by is signal.SIGINT else {0, 1}), "none was uploaded twice"
    for line in second:
        assert line["record"]["status"] == "Processed"
        assert pipeline.record(line["image_id"])["owner"] == "alice"
        pipeline.notification(line["image_id"], "Processed")
        assert_notified_once(pipeline, line["image_id"])
        assert_consistent(pipeline, line["image_id"])


def test_upload_reports_rejected_images(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(PHOTOGRAPH)
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    prefix = f"tests/{uuid.uuid4()}/"
    lines = run_lines("upload", str(tmp_path), "--prefix", prefix, "--wait", code=3)
    assert {line["image_id"].removeprefix(prefix): line["record"]["status"] for line in lines} == {
        "good.jpg": "Processed",
        "bad.jpg": "Rejected",
    }


def test_large_file_is_uploaded_in_parts_once(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(PHOTOGRAPH + bytes(20 * 1024 * 1024))
    upload = ("upload", str(tmp_path), "--prefix", f"tests/{uuid.uuid4()}/")
    (line,) = run_lines(*upload, "--wait")
    head = pipeline.s3.head_object(Bucket=pipeline.outputs["originals_bucket"], Key=line["image_id"])
    assert head["ETag"].strip('"').endswith("-2"), "two parts"
    assert line["record"]["status"] == "Processed"
    (again,) = run_lines(*upload)
    assert again["outcome"] == "there already"


# replay


@pytest.mark.needs(Capability.REPLAY)
def test_replay_of_outcomes_repairs_records(pipeline: Pipeline) -> None:
    """An interrupted command leaves EventBridge replaying; the same command continues to watch it."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    image_id = pipeline.upload(PHOTOGRAPH)
    record = pipeline.record(image_id)
    pipeline.announced(image_id, record["version"])
    pipeline.notification(image_id, "Processed")
    # The current record is lost; the version's own knows that it was announced.
    key = {"image_id": {"S": image_id}, "record": {"S": "current"}}
    pipeline.dynamodb.delete_item(TableName=pipeline.outputs["table"], Key=key)
    until = datetime.now(UTC) + timedelta(seconds=1)
    replay = ("replay", "outcomes", "--since", since.isoformat(), "--until", until.isoformat())
    assert run(*replay, "--dry-run")["state"] == "not started"
    assert pipeline.item(image_id) is None

    with start(*replay) as process:
        process.send_signal(signal.SIGINT)  # at any moment: before it has begun, or while it looks on
        process.communicate(timeout=60)
    done = run(*replay)
    assert done["state"] == "COMPLETED"
    settle(pipeline)
    assert {**pipeline.record(image_id), "recorded_at": ""} == {**record, "recorded_at": ""}
    assert_notified_once(pipeline, image_id)
    assert_consistent(pipeline, image_id)
    assert run(*replay)["replay"] == done["replay"], "the same is not replayed twice"
    assert run(*replay, "--again")["replay"] != done["replay"]


SUBSTITUTE = "tests.s3"  # replaces S3: only S3 may send as aws.s3, and not every engine archives its events


def with_substitute(pattern: str) -> str:
    return json.dumps({**json.loads(pattern), "source": ["aws.s3", SUBSTITUTE]})


@pytest.fixture
def archive_accepts_substitute(pipeline: Pipeline) -> Iterator[None]:
    """Let the archive of uploads keep events of the source that replaces S3."""
    events, archive = pipeline.client("events"), f"{NAME}-uploads-events"
    usual = events.describe_archive(ArchiveName=archive)["EventPattern"]
    events.update_archive(ArchiveName=archive, EventPattern=with_substitute(usual))
    yield
    events.update_archive(ArchiveName=archive, EventPattern=usual)


@contextmanager
def rule_accepts_substitute(pipeline: Pipeline) -> Iterator[None]:
    """Let the rule accept events of the source that replaces S3, until the block ends."""
    events, rule = pipeline.client("events"), f"{NAME}-uploads-object-created"
    usual = events.describe_rule(Name=rule)["EventPattern"]
    events.put_rule(Name=rule, EventPattern=with_substitute(usual))
    try:
        yield
    finally:
        events.put_rule(Name=rule, EventPattern=usual)


@pytest.mark.needs(Capability.REPLAY)
@pytest.mark.usefixtures("archive_accepts_substitute")
def test_replay_of_uploads_processes_lost_images_once(pipeline: Pipeline) -> None:
    """The event of the upload is only in the archive."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    image_id = f"tests/{uuid.uuid4()}"
    detail = json.dumps(json.loads(lost_upload(pipeline, image_id))["detail"])
    entry = {"Source": SUBSTITUTE, "DetailType": "Object Created", "Detail": detail}
    assert pipeline.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    settle(pipeline)
    assert pipeline.item(image_id) is None
    until = datetime.now(UTC) + timedelta(seconds=1)
    replay = ("replay", "uploads", "--since", since.isoformat(), "--until", until.isoformat())
    with rule_accepts_substitute(pipeline):
        assert run(*replay)["state"] == "COMPLETED"
        record = pipeline.record(image_id)
        assert record["status"] == "Processed"
        pipeline.announced(image_id, record["version"])
        pipeline.notification(image_id, "Processed")
        assert run(*replay, "--again")["state"] == "COMPLETED"
        settle(pipeline)
    assert_notified_once(pipeline, image_id)
    assert_consistent(pipeline, image_id)


@pytest.mark.needs(Capability.REPLAY)
@pytest.mark.parametrize(("archive", "bus"), [("uploads", "default"), ("outcomes", NAME)], ids=["uploads", "outcomes"])
def test_replay_uses_own_rules_only(pipeline: Pipeline, archive: str, bus: str) -> None:
    """Others have rules on the same bus. Not every engine applies the filter or archives S3's events."""
    events = pipeline.client("events")
    mine = [
        rule["Arn"]
        for rule in events.list_rules(EventBusName=bus)["Rules"]
        if bus == NAME or rule["Name"].startswith(f"{NAME}-uploads-")
    ]
    replay = run("replay", archive, "--since", "2026-01-01T00:00Z", "--until", "2026-01-02T00:00Z")
    assert replay["state"] == "COMPLETED"
    destination = events.describe_replay(ReplayName=replay["replay"])["Destination"]
    assert destination["Arn"].endswith(f"event-bus/{bus}")
    assert sorted(destination["FilterArns"]) == sorted(mine)


# reconcile


def test_repair_offered_by_upload_sends_lost_events(pipeline: Pipeline, tmp_path: Path) -> None:
    """S3 sends no events for uploads in the first minutes of a bucket."""
    batch = f"lost-{uuid.uuid4().hex[:8]}/"
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(PHOTOGRAPH)
    with (
        without_events(pipeline),
        start("upload", str(tmp_path), "--prefix", batch, "--wait", "--patience", "3") as process,
    ):
        printed, said = process.communicate(timeout=300)
    assert process.returncode == 3, said
    assert [json.loads(line)["record"] for line in printed.splitlines()] == [None, None]
    (offered,) = re.findall(r"(?<=send them again: darkroom ).*--repair", said)
    assert batch in offered
    found = run_lines(*shlex.split(offered))
    assert sorted(line["image_id"] for line in found) == [f"{batch}a.jpg", f"{batch}b.jpg"]
    assert {line["kind"] for line in found} == {"missing"}
    for line in found:
        pipeline.announced(line["image_id"], pipeline.record(line["image_id"])["version"])
        pipeline.notification(line["image_id"], "Processed")
    settle(pipeline)
    for line in found:
        assert_consistent(pipeline, line["image_id"])
        assert_notified_once(pipeline, line["image_id"])
    assert differing(*shlex.split(offered)) == [], "nothing differs any more"


def break_everything(pipeline: Pipeline, batch: str) -> dict[str, str]:
    """Break one image for each kind of difference; return the kinds to be found."""
    table, processed = pipeline.outputs["table"], pipeline.outputs["processed_bucket"]
    for name in ("good", "stuck", "hidden", "incomplete", "gone"):
        image_id = pipeline.upload(PHOTOGRAPH, f"{batch}/{name}")
    for name in ("good", "stuck", "hidden", "incomplete", "gone"):
        image_id = f"{batch}/{name}"
        record = pipeline.record(image_id)
        pipeline.announced(image_id, record["version"])
        version = {"image_id": {"S": image_id}, "record": {"S": f"version#{record['version']}"}}
        if name == "stuck":  # died between recording and announcing
            pipeline.dynamodb.update_item(TableName=table, Key=version, UpdateExpression="REMOVE notified_dedup_id")
        if name == "hidden":  # died between the version's item and the current one
            pipeline.dynamodb.delete_item(TableName=table, Key=version | {"record": {"S": "current"}})
        if name == "incomplete":
            pipeline.s3.delete_object(Bucket=processed, Key=record["variants"][0]["key"])
    lost_upload(pipeline, f"{batch}/missing")
    with without_events(pipeline):
        pipeline.delete(f"{batch}/gone")
    pipeline.s3.put_object(Bucket=processed, Key=f"{batch}/orphaned/v1/thumbnail.jpg", Body=PHOTOGRAPH)
    outlive(pipeline, f"{batch}/outlived")
    delete_unannounced(pipeline, f"{batch}/untold")
    kinds = ("stuck", "incomplete", "gone", "missing", "orphaned")
    others = {"hidden": "stuck", "outlived": "gone", "untold": "stuck"}
    return {f"{batch}/{name}": kind for name, kind in ({kind: kind for kind in kinds} | others).items()}


def outlive(pipeline: Pipeline, image_id: str) -> None:
    """Delete an image, and restore the record and a derivative of its version."""
    version = pipeline.record(pipeline.upload(PHOTOGRAPH, image_id))["version"]
    pipeline.announced(image_id, version)
    table, key = pipeline.outputs["table"], {"image_id": {"S": image_id}, "record": {"S": f"version#{version}"}}
    item = pipeline.dynamodb.get_item(TableName=table, Key=key)["Item"]
    pipeline.delete(image_id)
    pipeline.announced(image_id, pipeline.record(image_id, "Deleted")["version"])
    wait_for("no derivatives", lambda: not pipeline.derivative_keys(image_id))
    pipeline.dynamodb.put_item(TableName=table, Item=item)
    derivative = item["variants"]["L"][0]["M"]["key"]["S"]
    pipeline.s3.put_object(Bucket=pipeline.outputs["processed_bucket"], Key=derivative, Body=PHOTOGRAPH)


def delete_unannounced(pipeline: Pipeline, image_id: str) -> None:
    """Delete an image, remove the mark of its announcement, and upload it again."""
    pipeline.announced(image_id, pipeline.record(pipeline.upload(PHOTOGRAPH, image_id))["version"])
    pipeline.delete(image_id)
    version = pipeline.record(image_id, "Deleted")["version"]
    pipeline.announced(image_id, version)
    pipeline.upload(encode(draw((120, 160))), image_id)
    pipeline.announced(image_id, pipeline.record(image_id)["version"])
    key = {"image_id": {"S": image_id}, "record": {"S": f"version#{version}"}}
    pipeline.dynamodb.update_item(
        TableName=pipeline.outputs["table"], Key=key, UpdateExpression="REMOVE notified_dedup_id"
    )


def assert_repaired(pipeline: Pipeline, batch: str) -> None:
    """Require that each image that `break_everything` broke is repaired or deleted, and announced."""
    for name in ("good", "stuck", "hidden", "incomplete", "gone", "missing", "outlived", "untold"):
        # A version that the workflow is about to announce is no difference yet.
        items = partial(pipeline.items, f"{batch}/{name}")
        wait_for(f"announcements of {name}", lambda items=items: all(map(is_notified, items())))  # type: ignore[misc]
        assert_consistent(pipeline, f"{batch}/{name}")
    for name in ("gone", "outlived"):
        assert {item["status"] for item in pipeline.items(f"{batch}/{name}")} == {"Deleted"}
    assert pipeline.record(f"{batch}/untold")
    assert pipeline.derivative_keys(f"{batch}/orphaned") == []
    settle(pipeline)
    for name in ("good", "hidden", "incomplete", "missing"):
        pipeline.notification(f"{batch}/{name}", "Processed")
        assert_notified_once(pipeline, f"{batch}/{name}")
    # It is unknown whether the stuck ones were announced: a notification may repeat, with the same dedup_id.
    for name, news in {"stuck": 1, "untold": 3}.items():
        notified = {json.loads(message["Message"])["dedup_id"] for message in pipeline.notifications(f"{batch}/{name}")}
        assert len(notified) == news, name


@pytest.mark.parametrize("interrupted", [False, True], ids=["at once", "interrupted"])
def test_reconcile_finds_and_repairs_everything(pipeline: Pipeline, *, interrupted: bool) -> None:
    batch = f"watermarks/tests/{uuid.uuid4()}"  # whose derivatives are next to the watermarks
    expected = break_everything(pipeline, batch)
    reconcile = ("reconcile", "--prefix", batch, "--grace", "0")
    assert run_lines("reconcile", "--prefix", batch) == [], "all of it is too young to be called broken"
    found = run_lines(*reconcile, code=3)
    assert {line["image_id"]: line["kind"] for line in found} == expected
    assert {line["outcome"] for line in found} == {"not repaired"}
    assert run_lines(*reconcile, code=3) == found, "a dry run changes nothing"

    if interrupted:
        first = interrupt(*reconcile, "--repair", "--rate", "2", after=2)
        assert 2 <= len(first) < len(expected)
    run_lines(*reconcile, "--repair")
    wait_for("nothing to repair", lambda: not differing(*reconcile))
    assert_repaired(pipeline, batch)


def call_reconcile(pipeline: Pipeline, **event: Any) -> dict[str, Any]:
    """Call the function that the schedule calls; return what it found."""
    answer = pipeline.client("lambda").invoke(
        FunctionName=pipeline.outputs["reconcile"]["name"], Payload=json.dumps(event)
    )
    report: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, report
    assert report["finished"]
    return report


def test_scheduled_function_repairs_the_same(pipeline: Pipeline) -> None:
    batch = f"tests/{uuid.uuid4()}"
    kinds = dict(Counter(break_everything(pipeline, batch).values()))
    assert call_reconcile(pipeline, prefix=batch)["found"] == {}, "all of it is too young to be called broken"
    for _ in range(2):
        report = call_reconcile(pipeline, prefix=batch, grace_minutes=0)
        assert (report["found"], report["repaired"]) == (kinds, {}), "a report changes nothing"
    report = call_reconcile(pipeline, prefix=batch, grace_minutes=0, repair=True)
    assert (report["found"], report["repaired"]) == (kinds, kinds)
    wait_for("nothing to repair", lambda: not call_reconcile(pipeline, prefix=batch, grace_minutes=0)["found"])
    assert_repaired(pipeline, batch)


def test_scheduled_function_checks_all_images(pipeline: Pipeline) -> None:
    pipeline.record(pipeline.upload(PHOTOGRAPH))
    assert call_reconcile(pipeline)["images"] > 0
    progress = pipeline.s3.get_object(Bucket=pipeline.outputs["processed_bucket"], Key="reconcile/progress.json")
    assert json.load(progress["Body"]) is None, "the next run begins again"


@pytest.mark.needs(Capability.SCHEDULES)
def test_schedule_calls_the_function(pipeline: Pipeline) -> None:
    """Use the target and role of Terraform's schedule at another time, for one image."""
    image_id = f"tests/{uuid.uuid4()}"
    lost_upload(pipeline, image_id)
    scheduler = pipeline.client("scheduler")
    usual = scheduler.get_schedule(Name=pipeline.outputs["reconcile"]["name"])
    assert json.loads(usual["Target"]["Input"]) == {"repair": True, "grace_minutes": 60}
    asked = {"repair": True, "grace_minutes": 0, "prefix": image_id}
    scheduler.create_schedule(
        Name=f"{NAME}-test-{uuid.uuid4()}",
        ScheduleExpression=f"at({datetime.now(UTC) + timedelta(seconds=2):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={**usual["Target"], "Input": json.dumps(asked)},
    )
    pipeline.record(image_id)


# doctor


def test_doctor_reports_only_what_is_wrong(pipeline: Pipeline) -> None:
    def verdicts() -> dict[str, str]:
        found = {finding["about"]: finding["verdict"] for finding in differing("doctor")}
        found.pop("age of the originals' bucket", None)  # which may grow old enough meanwhile
        return found

    healthy = verdicts()
    # No engine here has API Gateway's role for logs, which is the account's.
    assert {about for about, verdict in healthy.items() if verdict == "bad"} <= {"alarms", f"log of the API {NAME}-api"}
    put_into_dlq(pipeline, "bus", "poison")
    rule = {"Name": f"{NAME}-uploads-object-deleted"}
    pipeline.client("events").disable_rule(**rule)
    with without_events(pipeline):
        ill = verdicts()
    pipeline.client("events").enable_rule(**rule)
    (purged,) = run_lines("dlq", "purge", "bus", "--containing", "poison", "--yes")
    assert purged["outcome"] == "deleted"
    changed = {about for about in ill if ill[about] != healthy.get(about)}
    assert changed == {"events of the originals", "rules of the bus default", "DLQ bus"}
    assert {ill[about] for about in changed} == {"bad"}
    assert verdicts() == healthy


# cost


def test_cost_uses_measured_values(pipeline: Pipeline) -> None:
    """Process images one after the other, so that at least one is alone in its batch in a warm function."""
    for photograph in from_cameras()[:3]:
        image_id = pipeline.upload(photograph.data)
        pipeline.announced(image_id, pipeline.record(image_id)["version"])

    def look() -> Any:  # a log may come late
        report = run("cost", "--since", "1h")
        return report if report["measured"]["images"] >= 3 else None

    report = wait_for("measured images", look)
    measured = report["measured"]
    assert set(report["components"]) == {
        "API Gateway",
        "S3",
        "EventBridge",
        "SQS",
        "Lambda",
        "Step Functions",
        "DynamoDB",
        "SNS",
        "Logs",
        "X-Ray",
        "KMS",
    }
    unpaid = {component for component, usd in report["components"].items() if usd == 0}
    assert unpaid <= {"API Gateway", "KMS"}, "nothing came through the API, and all calls may have been warm ones"
    assert report["usd_per_million"] == pytest.approx(sum(report["components"].values()))
    variants = len(pipeline.record(image_id)["variants"])
    assert measured["variants"] == variants
    assert measured["transitions"] == 15 + variants
    assert measured["write_units"] >= 5, "two writes of a version and its index, one of the current item"
    assert 0 < measured["render"] < measured["handler"] + measured["init"]
    for what in ("batch", "bytes_in", "bytes_out", "log", "record", "upload_event", "outcome_event", "custom_metrics"):
        assert measured[what] > 0, what
    assert measured["deliveries"] == {"sqs": 1}
    assert report["prices"] == {"date": "2026-11", "region": "us-east-1"}


def test_cost_of_other_settings(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.announced(image_id, pipeline.record(image_id)["version"])
    other = run("cost", "--since", "1h", "--api", "--standard", "--memory", "2048", "--architecture", "arm64")
    assert other["components"]["API Gateway"] == pytest.approx(3.5)
    assert other["components"]["Step Functions"] == pytest.approx(25 * other["measured"]["transitions"])
    assert other["case"]["memory"] == 2048
