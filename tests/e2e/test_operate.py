"""The operator's command: it shows what is, and repairs what was broken, without losing or telling anything twice."""

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
from darkroom.resources import Dlq, Resources
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


# What holds whatever was broken before


def assert_consistent(pipeline: Pipeline, image_id: str) -> None:
    """One terminal item for each version, announced; no record to a missing object; no object without a record."""
    items = pipeline.items(image_id)
    versions = [item for item in items if item["record"] != "current"]
    assert [item for item in items if item["record"] == "current"]
    assert len({item["version"] for item in versions}) == len(versions)
    assert {item["status"] for item in versions} <= {"Processed", "Rejected", "Deleted"}
    assert all(item["notified_dedup_id"] == item["dedup_id"] for item in versions if "dedup_id" in item)
    recorded = {variant["key"] for item in versions for variant in item.get("variants") or ()}
    assert recorded == set(pipeline.derivative_keys(image_id))


def assert_told_once(pipeline: Pipeline, image_id: str) -> None:
    told = [json.loads(message["Message"])["dedup_id"] for message in pipeline.notifications(image_id)]
    assert len(told) == len(set(told)) == 1


@contextmanager
def deaf(pipeline: Pipeline) -> Iterator[None]:
    """The bucket tells nobody what happens in it, as if its events were lost."""
    bucket = pipeline.outputs["originals_bucket"]
    pipeline.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        usual: dict[str, Any] = {"EventBridgeConfiguration": {}}
        pipeline.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=usual)


def lost_upload(pipeline: Pipeline, image_id: str) -> str:
    """Upload an image whose event reaches nobody; returns that event."""
    with deaf(pipeline):
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
    """The detail of an event that tells of a processed image."""
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.record(image_id)
    detail: dict[str, Any] = json.loads(pipeline.notification(image_id, "Processed")["Message"])
    return detail


def outcome_of(image_id: str, outcome: dict[str, Any]) -> str:
    return event("darkroom", "Image Processed", {**outcome, "image_id": image_id, "dedup_id": uuid.uuid4().hex * 2})


def rest(pipeline: Pipeline, dlq: str, body: str, **attributes: str) -> None:
    """Put a message into a dead-letter queue, as the service whose queue it is would."""
    pipeline.sqs.send_message(
        QueueUrl=pipeline.outputs["dlqs"][dlq],
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


# status and list


def test_the_names_are_those_that_terraform_gives(pipeline: Pipeline) -> None:
    resources, outputs = Resources(NAME), pipeline.outputs
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


def test_the_alarms_are_those_that_terraform_makes(pipeline: Pipeline) -> None:
    pages = pipeline.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{NAME}-")
    made = {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}
    resources = Resources(NAME)
    assert {alarm_name(resources, key) for key in alarms(resources)} == made
    assert {alarm_name(resources, key) for key in ALWAYS} <= made


def test_status_shows_the_record_and_every_hop(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    record = pipeline.record(image_id)
    pipeline.announced(image_id, record["version"])

    def look() -> Any:  # a log may come late
        told = run("status", image_id)
        return told if all(hop["time"] for hop in told["hops"]) else None

    told = wait_for("all hops", look)
    assert told["record"] == record
    assert [version["version"] for version in told["versions"]] == [record["version"]]
    assert told["original"]["bytes"] == len(PHOTOGRAPH)
    times = {hop["hop"]: datetime.fromisoformat(hop["time"]) for hop in told["hops"]}
    assert times["picked up"] <= times["announced"]
    assert times["routed"] <= times["announced"]
    assert times["uploaded"] <= times["recorded"] <= times["notified"]


def test_status_of_an_upload_that_nobody_has_seen_says_so(pipeline: Pipeline) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    lost_upload(pipeline, image_id)
    told = run("status", image_id)
    assert told["record"] is None
    assert told["original"]
    assert [hop["hop"] for hop in told["hops"] if hop["time"]] == ["uploaded"]


def test_an_unknown_image_is_an_error(pipeline: Pipeline) -> None:
    assert run_lines("status", f"tests/{uuid.uuid4()}", code=1) == []


def test_list_shows_an_owners_images_newest_first(pipeline: Pipeline) -> None:
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


def test_each_letter_is_redriven_to_where_it_was_going(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    batch = f"tests/{uuid.uuid4()}"
    resources = Resources(NAME)
    rest(pipeline, "uploads", lost_upload(pipeline, f"{batch}/uploads"))
    routed = lost_upload(pipeline, f"{batch}/uploads_rules")
    rest(pipeline, "uploads_rules", routed, TARGET_ARN=resources.uploads_queue_arn, ERROR_CODE="NO_PERMISSIONS")
    rest(pipeline, "record_image", outcome_of(f"{batch}/record_image", outcome), error="States.Timeout")
    rest(pipeline, "bus", outcome_of(f"{batch}/bus", outcome), TARGET_ARN=resources.workflow_arn)
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
        assert_told_once(pipeline, image_id)
    for queue in ("uploads", "uploads_rules"):
        assert_consistent(pipeline, f"{batch}/{queue}")


def test_a_notification_goes_to_the_subscriber_that_missed_it(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    topic = pipeline.outputs["notifications_topic_arn"]
    (subscription,) = pipeline.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    told = pipeline.notification(outcome["image_id"], "Processed")
    # The link names the subscription on AWS; not every engine fills it in.
    missed = told | {
        "MessageId": str(uuid.uuid4()),
        "UnsubscribeURL": f"https://sns/?Action=Unsubscribe&SubscriptionArn={subscription['SubscriptionArn']}",
    }
    rest(pipeline, "notifications", json.dumps(missed))
    (redriven,) = run_lines("dlq", "redrive", "notifications")
    assert redriven["image_id"] == outcome["image_id"]
    assert redriven["outcome"].endswith("(the subscriber)")
    again = wait_for("the notification", lambda: pipeline.notifications(outcome["image_id"])[1:])
    assert again == [missed], "as it was"


def test_a_notification_of_whom_is_not_known_goes_to_all_as_the_same_news(
    pipeline: Pipeline, outcome: dict[str, Any]
) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    missed = {**outcome, "image_id": image_id}
    rest(pipeline, "notifications", json.dumps(missed))  # raw, as some subscribers want it
    (redriven,) = run_lines("dlq", "redrive", "notifications")
    assert redriven["outcome"].endswith("(all subscribers)")
    told = pipeline.notification(image_id, "Processed")
    assert json.loads(told["Message"]) == missed
    assert told["Subject"] == outcome["summary"]


def test_a_letter_for_a_target_of_others_stays(pipeline: Pipeline, outcome: dict[str, Any]) -> None:
    image_id = f"tests/{uuid.uuid4()}"
    rest(pipeline, "bus", outcome_of(image_id, outcome), TARGET_ARN="arn:aws:sqs:us-east-1:000000000000:others")
    (left,) = run_lines("dlq", "redrive", "--image", image_id, code=1)
    assert "others" in left["outcome"]
    (purged,) = run_lines("dlq", "purge", "bus", "--image", image_id, "--yes")
    assert purged["outcome"] == "deleted"
    assert pipeline.item(image_id) is None


def test_an_interrupted_redrive_loses_nothing_and_the_next_one_goes_on(
    pipeline: Pipeline, outcome: dict[str, Any]
) -> None:
    batch = f"tests/{uuid.uuid4()}"
    images = {f"{batch}/{number}" for number in range(12)}
    for image_id in images:
        rest(pipeline, "record_image", outcome_of(image_id, outcome))
    first = interrupt("dlq", "redrive", "record_image", "--image", batch, "--rate", "4", after=3)
    assert 3 <= len(first) < len(images)
    second = run_lines("dlq", "redrive", "record_image", "--image", batch)
    assert {line["image_id"] for line in first} | {line["image_id"] for line in second} == images
    assert len(first) + len(second) == len(images), "none was sent twice"
    for image_id in images:
        pipeline.announced(image_id, outcome["version"])
        pipeline.notification(image_id, "Processed")
        assert_told_once(pipeline, image_id)
    assert run_lines("dlq", "show", "--image", batch) == []


# upload


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of photographs, no two alike."""
    for number in range(12):
        (tmp_path / f"{number}.jpg").write_bytes(encode(draw((160 + number, 120))))
    return tmp_path


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_upload_goes_on_where_it_was(pipeline: Pipeline, album: Path, by: signal.Signals) -> None:
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
        assert_told_once(pipeline, line["image_id"])
        assert_consistent(pipeline, line["image_id"])


def test_waiting_tells_what_was_rejected(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(PHOTOGRAPH)
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    prefix = f"tests/{uuid.uuid4()}/"
    lines = run_lines("upload", str(tmp_path), "--prefix", prefix, "--wait", code=3)
    assert {line["image_id"].removeprefix(prefix): line["record"]["status"] for line in lines} == {
        "good.jpg": "Processed",
        "bad.jpg": "Rejected",
    }


def test_a_large_file_goes_up_in_parts_and_once(pipeline: Pipeline, tmp_path: Path) -> None:
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
def test_a_replay_of_outcomes_repairs_records_and_tells_nobody(pipeline: Pipeline) -> None:
    """Also when it is interrupted: EventBridge goes on, and the same command looks on."""
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
    assert_told_once(pipeline, image_id)
    assert_consistent(pipeline, image_id)
    assert run(*replay)["replay"] == done["replay"], "the same is not replayed twice"
    assert run(*replay, "--again")["replay"] != done["replay"]


STAND_IN = "tests.s3"  # for S3, which none but S3 may call itself, and whose events not every engine archives


def with_stand_in(pattern: str) -> str:
    return json.dumps({**json.loads(pattern), "source": ["aws.s3", STAND_IN]})


@pytest.fixture
def archive_hears_stand_in(pipeline: Pipeline) -> Iterator[None]:
    """The archive of uploads keeps what the stand-in says."""
    events, archive = pipeline.client("events"), f"{NAME}-uploads-events"
    usual = events.describe_archive(ArchiveName=archive)["EventPattern"]
    events.update_archive(ArchiveName=archive, EventPattern=with_stand_in(usual))
    yield
    events.update_archive(ArchiveName=archive, EventPattern=usual)


@contextmanager
def rule_hears_stand_in(pipeline: Pipeline) -> Iterator[None]:
    """The pipeline gets what the stand-in says."""
    events, rule = pipeline.client("events"), f"{NAME}-uploads-object-created"
    usual = events.describe_rule(Name=rule)["EventPattern"]
    events.put_rule(Name=rule, EventPattern=with_stand_in(usual))
    try:
        yield
    finally:
        events.put_rule(Name=rule, EventPattern=usual)


@pytest.mark.needs(Capability.REPLAY)
@pytest.mark.usefixtures("archive_hears_stand_in")
def test_a_replay_of_uploads_processes_what_was_lost_and_tells_of_it_once(pipeline: Pipeline) -> None:
    """Its event is in the archive and nowhere else."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    image_id = f"tests/{uuid.uuid4()}"
    detail = json.dumps(json.loads(lost_upload(pipeline, image_id))["detail"])
    entry = {"Source": STAND_IN, "DetailType": "Object Created", "Detail": detail}
    assert pipeline.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    settle(pipeline)
    assert pipeline.item(image_id) is None
    until = datetime.now(UTC) + timedelta(seconds=1)
    replay = ("replay", "uploads", "--since", since.isoformat(), "--until", until.isoformat())
    with rule_hears_stand_in(pipeline):
        assert run(*replay)["state"] == "COMPLETED"
        record = pipeline.record(image_id)
        assert record["status"] == "Processed"
        pipeline.announced(image_id, record["version"])
        pipeline.notification(image_id, "Processed")
        assert run(*replay, "--again")["state"] == "COMPLETED"
        settle(pipeline)
    assert_told_once(pipeline, image_id)
    assert_consistent(pipeline, image_id)


@pytest.mark.needs(Capability.REPLAY)
@pytest.mark.parametrize(("archive", "bus"), [("uploads", "default"), ("outcomes", NAME)], ids=["uploads", "outcomes"])
def test_a_replay_asks_for_the_pipelines_own_rules(pipeline: Pipeline, archive: str, bus: str) -> None:
    """Others have rules on the same bus; not every engine heeds the filter, or archives S3's events."""
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


def test_the_repair_that_upload_offers_sends_lost_events(pipeline: Pipeline, tmp_path: Path) -> None:
    """In the first minutes of a bucket uploads are stored, and S3 sends no event of them."""
    batch = f"lost-{uuid.uuid4().hex[:8]}/"
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(PHOTOGRAPH)
    with deaf(pipeline), start("upload", str(tmp_path), "--prefix", batch, "--wait", "--patience", "3") as process:
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
        assert_told_once(pipeline, line["image_id"])
    assert differing(*shlex.split(offered)) == [], "nothing differs any more"


def break_everything(pipeline: Pipeline, batch: str) -> dict[str, str]:
    """One image for each way in which something can be missing, orphaned or stuck; returns what is to be found."""
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
    with deaf(pipeline):
        pipeline.delete(f"{batch}/gone")
    pipeline.s3.put_object(Bucket=processed, Key=f"{batch}/orphaned/v1/thumbnail.jpg", Body=PHOTOGRAPH)
    outlive(pipeline, f"{batch}/outlived")
    delete_untold(pipeline, f"{batch}/untold")
    kinds = ("stuck", "incomplete", "gone", "missing", "orphaned")
    others = {"hidden": "stuck", "outlived": "gone", "untold": "stuck"}
    return {f"{batch}/{name}": kind for name, kind in ({kind: kind for kind in kinds} | others).items()}


def outlive(pipeline: Pipeline, image_id: str) -> None:
    """An image is deleted, and the record and a derivative of its version are there all the same."""
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


def delete_untold(pipeline: Pipeline, image_id: str) -> None:
    """An image is deleted, which was recorded and not announced, and uploaded once more."""
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
    """Each image that `break_everything` broke is whole, or gone for good, and told of."""
    for name in ("good", "stuck", "hidden", "incomplete", "gone", "missing", "outlived", "untold"):
        # What the workflow is about to announce is no difference yet.
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
        assert_told_once(pipeline, f"{batch}/{name}")
    # Whether the ones that were stuck had been told, nobody can know: the same news may come twice, with one dedup_id.
    for name, news in {"stuck": 1, "untold": 3}.items():
        told = {json.loads(message["Message"])["dedup_id"] for message in pipeline.notifications(f"{batch}/{name}")}
        assert len(told) == news, name


@pytest.mark.parametrize("interrupted", [False, True], ids=["at once", "interrupted"])
def test_reconcile_finds_and_repairs_everything(pipeline: Pipeline, *, interrupted: bool) -> None:
    batch = f"watermarks/tests/{uuid.uuid4()}"  # whose derivatives lie beside the watermarks
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
    """Call the function that the schedule calls; returns what it found."""
    answer = pipeline.client("lambda").invoke(
        FunctionName=pipeline.outputs["reconcile"]["name"], Payload=json.dumps(event)
    )
    told: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, told
    assert told["finished"]
    return told


def test_the_scheduled_function_finds_and_repairs_the_same(pipeline: Pipeline) -> None:
    batch = f"tests/{uuid.uuid4()}"
    kinds = dict(Counter(break_everything(pipeline, batch).values()))
    assert call_reconcile(pipeline, prefix=batch)["found"] == {}, "all of it is too young to be called broken"
    for _ in range(2):
        told = call_reconcile(pipeline, prefix=batch, grace_minutes=0)
        assert (told["found"], told["repaired"]) == (kinds, {}), "a report changes nothing"
    told = call_reconcile(pipeline, prefix=batch, grace_minutes=0, repair=True)
    assert (told["found"], told["repaired"]) == (kinds, kinds)
    wait_for("nothing to repair", lambda: not call_reconcile(pipeline, prefix=batch, grace_minutes=0)["found"])
    assert_repaired(pipeline, batch)


def test_the_scheduled_function_goes_through_everything(pipeline: Pipeline) -> None:
    pipeline.record(pipeline.upload(PHOTOGRAPH))
    assert call_reconcile(pipeline)["images"] > 0
    progress = pipeline.s3.get_object(Bucket=pipeline.outputs["processed_bucket"], Key="reconcile/progress.json")
    assert json.load(progress["Body"]) is None, "the next run begins again"


@pytest.mark.needs(Capability.SCHEDULES)
def test_a_schedule_calls_the_function(pipeline: Pipeline) -> None:
    """What Terraform's schedule calls, by its role; at a moment of the test's, for its own image."""
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


def test_the_doctor_names_what_is_wrong_and_nothing_else(pipeline: Pipeline) -> None:
    def verdicts() -> dict[str, str]:
        found = {finding["about"]: finding["verdict"] for finding in differing("doctor")}
        found.pop("age of the originals' bucket", None)  # which may grow old enough meanwhile
        return found

    healthy = verdicts()
    # No engine here has API Gateway's role for logs, which is the account's.
    assert {about for about, verdict in healthy.items() if verdict == "bad"} <= {"alarms", f"log of the API {NAME}-api"}
    rest(pipeline, "bus", "poison")
    rule = {"Name": f"{NAME}-uploads-object-deleted"}
    pipeline.client("events").disable_rule(**rule)
    with deaf(pipeline):
        ill = verdicts()
    pipeline.client("events").enable_rule(**rule)
    (purged,) = run_lines("dlq", "purge", "bus", "--containing", "poison", "--yes")
    assert purged["outcome"] == "deleted"
    changed = {about for about in ill if ill[about] != healthy.get(about)}
    assert changed == {"events of the originals", "rules of the bus default", "dead letters of bus"}
    assert {ill[about] for about in changed} == {"bad"}
    assert verdicts() == healthy


# cost


def test_the_cost_is_counted_from_what_the_pipeline_measured(pipeline: Pipeline) -> None:
    """Images one after the other, so that one of them at least is processed alone by a function that has started."""
    for photograph in from_cameras()[:3]:
        image_id = pipeline.upload(photograph.data)
        pipeline.announced(image_id, pipeline.record(image_id)["version"])

    def look() -> Any:  # a log may come late
        told = run("cost", "--since", "1h")
        return told if told["measured"]["images"] >= 3 else None

    told = wait_for("measured images", look)
    measured = told["measured"]
    assert set(told["components"]) == {
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
    unpaid = {component for component, usd in told["components"].items() if usd == 0}
    assert unpaid <= {"API Gateway", "KMS"}, "nothing came through the API, and all calls may have been warm ones"
    assert told["usd_per_million"] == pytest.approx(sum(told["components"].values()))
    variants = len(pipeline.record(image_id)["variants"])
    assert measured["variants"] == variants
    assert measured["transitions"] == 15 + variants
    assert measured["write_units"] >= 5, "two writes of a version and its index, one of the current item"
    assert 0 < measured["render"] < measured["handler"] + measured["init"]
    for what in ("batch", "bytes_in", "bytes_out", "log", "record", "upload_event", "outcome_event", "custom_metrics"):
        assert measured[what] > 0, what
    assert measured["deliveries"] == {"sqs": 1}
    assert told["prices"] == {"date": "2026-11", "region": "us-east-1"}


def test_the_cost_of_something_else(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.announced(image_id, pipeline.record(image_id)["version"])
    other = run("cost", "--since", "1h", "--api", "--standard", "--memory", "2048", "--architecture", "arm64")
    assert other["components"]["API Gateway"] == pytest.approx(3.5)
    assert other["components"]["Step Functions"] == pytest.approx(25 * other["measured"]["transitions"])
    assert other["case"]["memory"] == 2048
