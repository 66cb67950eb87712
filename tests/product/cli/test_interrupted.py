"""Ctrl-C, and worse, at any moment of what changes something: nothing is lost, and a second run finishes the work."""

from __future__ import annotations

import json
import signal
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.events.models import ReplayState, events_backends
from moto.sqs.models import sqs_backends

from darkroom.cli import main
from darkroom.resources import Dlq
from reconcile.records import CURRENT
from tests.product.cli.conftest import REGION
from tests.product.cli.slow_aws import SlowAws, end, interrupt, slow_aws
from tests.product.cli.test_dlq import rest, upload_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from darkroom.resources import Resources
    from tests.product.cli.slow_aws import Held

NAMES = ("a.jpg", "b.jpg", "c.jpg")
REPLAY = ("replay", "uploads", "--since", "2020-01-01T00:00Z", "--until", "2100-01-01T00:00Z")


@pytest.fixture
def aws_afar(resources: Resources) -> Iterator[SlowAws]:
    """The pipeline's AWS, for processes."""
    with slow_aws() as aws:
        yield aws


class Upload:
    """Three files to upload, one at a time."""

    changes = "PutObject"
    lists = "HeadObject"

    def __init__(self, resources: Resources, folder: Path) -> None:
        self._resources = resources
        for name in NAMES:
            (folder / name).write_bytes(name.encode())
        self.command = ("upload", str(folder), "--at-once", "1")

    def done(self) -> list[str]:
        """What has been done, each as often as it was."""
        found = self._resources.s3.list_object_versions(Bucket=self._resources.originals)
        return sorted(version["Key"] for version in found.get("Versions", []))

    def five_minutes_later(self) -> None:
        """Nothing comes back by itself."""


class Redrive:
    """Three letters to redrive."""

    changes = "SendMessage"
    lists = "ReceiveMessage"
    command = ("dlq", "redrive", "uploads")

    def __init__(self, resources: Resources, _folder: Path) -> None:
        self._resources = resources
        for name in NAMES:
            rest(resources, Dlq.UPLOADS, upload_of(name))

    def _messages(self, queue: str) -> list[Any]:
        backend = sqs_backends[self._resources.account][REGION]
        return list(backend.queues[queue]._messages)  # noqa: SLF001 - the ones that are held, too

    def done(self) -> list[str]:
        """The events in the queue of uploads."""
        events = (json.loads(message.body) for message in self._messages(f"{self._resources.name}-uploads"))
        return sorted(event["detail"]["object"]["key"] for event in events)

    def five_minutes_later(self) -> None:
        """What is held shows again."""
        for message in self._messages(self._resources.dlq_name(Dlq.UPLOADS)):
            message.change_visibility(0)


class Replay:
    """Three archived events to replay."""

    changes = "StartReplay"
    lists = "DescribeReplay"
    command = REPLAY

    def __init__(self, resources: Resources, _folder: Path) -> None:
        self._resources = resources
        archive_events(resources)
        resources.sqs.purge_queue(QueueUrl=resources.uploads_queue_url)

    def done(self) -> list[str]:
        """The events in the queue of uploads."""
        return sorted(event["detail"]["object"]["key"] for event in replayed(self._resources))

    def five_minutes_later(self) -> None:
        """Nothing comes back by itself."""


def archive_events(resources: Resources) -> None:
    """The pipeline's rules and archive on the default bus, and three uploads that came by them."""
    events, name = resources.events, resources.name
    events.create_archive(
        ArchiveName=f"{name}-uploads-events", EventSourceArn=resources.arn("events", "event-bus/default")
    )
    for kind in ("Object Created", "Object Deleted"):
        rule = f"{name}-uploads-{kind.lower().replace(' ', '-')}"
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.s3"], "detail-type": [kind]}))
        events.put_targets(Rule=rule, Targets=[{"Id": "uploads", "Arn": resources.uploads_queue_arn}])
    for image_id in NAMES:
        detail = json.dumps(json.loads(upload_of(image_id))["detail"])
        events.put_events(Entries=[{"Source": "aws.s3", "DetailType": "Object Created", "Detail": detail}])


def replayed(resources: Resources) -> list[dict[str, Any]]:
    messages = sqs_backends[resources.account][REGION].queues[f"{resources.name}-uploads"]._messages  # noqa: SLF001
    return [json.loads(message.body) for message in messages]


@pytest.fixture(params=[Upload, Redrive, Replay], ids=lambda work: work.__name__.lower())
def work(request: pytest.FixtureRequest, resources: Resources, tmp_path: Path) -> Any:
    return request.param(resources, tmp_path)


def finish(aws: SlowAws, work: Any) -> str:
    """Run the command again, expecting that it finishes; returns what it printed."""
    code, output, said = aws.run(*work.command)
    assert code == 0, said
    return output


# Not begun


def test_at_the_very_beginning_it_just_ends(aws_afar: SlowAws, tmp_path: Path) -> None:
    """While Python still loads what the command needs."""
    (tmp_path / "boto3.py").write_text(
        "import signal, sys\nprint('loading', flush=True)\nsys.stdin.read()\n", encoding="utf-8"
    )
    process = aws_afar.start("list", PYTHONPATH=str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "")


def test_at_start_up(aws_afar: SlowAws, work: Any) -> None:
    asked = aws_afar.hold("GetCallerIdentity")
    process = aws_afar.start(*work.command)
    asked.wait()
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "interrupted\n"), "without an answer"
    asked.release(lost=True)
    assert work.done() == []
    finish(aws_afar, work)
    assert work.done() == list(NAMES)


def test_while_listing(aws_afar: SlowAws, work: Any) -> None:
    listed = aws_afar.hold(work.lists, taken=True)
    process = aws_afar.start(*work.command)
    listed.wait()
    interrupt(process)
    listed.release()
    code, _, said = end(process)
    assert code == 130
    assert "interrupted: " in said
    assert work.done() == []
    finish(aws_afar, work)
    assert work.done() == list(NAMES), "nothing is held back, either"


# Begun


def test_in_mid_request(aws_afar: SlowAws, work: Any) -> None:
    """What is under way is finished; the second run does the rest."""
    changing = aws_afar.hold(work.changes)
    process = aws_afar.start(*work.command)
    changing.wait()
    interrupt(process)
    changing.release()
    code, output, said = end(process)
    assert code == 130
    assert "interrupted: " in said
    assert aws_afar.calls.count(work.changes) == 1
    assert output
    assert work.done()
    finish(aws_afar, work)
    assert work.done() == list(NAMES)


def _twice(process: subprocess.Popen[str]) -> None:
    interrupt(process)
    process.send_signal(signal.SIGINT)


def _killed(process: subprocess.Popen[str]) -> None:
    process.kill()


@pytest.mark.parametrize("taken", [False, True], ids=["lost", "taken"])
@pytest.mark.parametrize("ended", [_twice, _killed], ids=["two interrupts", "killed"])
def test_at_once_in_mid_request(aws_afar: SlowAws, work: Any, ended: Any, *, taken: bool) -> None:
    """Whether AWS has done it, or has not: the command cannot know, and the second run finishes all the same."""
    changing: Held = aws_afar.hold(work.changes, taken=taken)
    process = aws_afar.start(*work.command)
    changing.wait()
    ended(process)
    code, _, said = end(process)  # without an answer
    assert code == (130 if ended is _twice else -signal.SIGKILL)
    assert ("give the command again" in said) is (ended is _twice)
    changing.release(lost=True)
    before = work.done()
    assert bool(before) is taken
    if isinstance(work, Redrive):
        code, _, said = aws_afar.run(*work.command)
        assert code == 3, "what the first one held, nobody sees for five minutes"
        assert "3 more are held" in said
        work.five_minutes_later()
    finish(aws_afar, work)
    if isinstance(work, Redrive):
        assert work.done() == sorted([*before, *NAMES]), "an event that was taken comes again, as it was"
    else:
        assert work.done() == list(NAMES)


# A replay that goes on at EventBridge


def running(resources: Resources) -> Any:
    """The one replay of the archive, as if it still ran."""
    (replay,) = events_backends[resources.account][REGION].replays.values()
    replay.state = ReplayState.RUNNING
    return replay


def test_a_replay_of_so_long_ago_is_looked_on_at_as_long_as_it_runs(
    aws_afar: SlowAws, resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    archive_events(resources)
    assert main(["replay", "uploads", "--since", "7d", "--json"]) == 0
    started = capsys.readouterr()
    first = json.loads(started.out)
    replay = running(resources)
    for time in ("event_start_time", "event_end_time"):  # as if it had been begun an hour ago
        setattr(replay, time, getattr(replay, time) - 3600)
    resources.sqs.purge_queue(QueueUrl=resources.uploads_queue_url)

    begun = datetime.fromisoformat(first["since"]) - timedelta(hours=1)
    process = aws_afar.start("replay", "uploads", "--since", "7d", "--json")
    wait_until_asked(aws_afar, "DescribeReplay")  # whether it is the same
    wait_until_asked(aws_afar, "DescribeReplay")  # how far it is
    asked = aws_afar.hold("DescribeReplay")
    asked.wait()
    said = interrupt(process)
    code, output, _ = end(process)  # without an answer
    asked.release(lost=True)
    assert code == 130
    looked_at = json.loads(output)
    assert (looked_at["replay"], looked_at["state"]) == (first["replay"], "RUNNING")
    assert datetime.fromisoformat(looked_at["since"]) == begun, "its times, not those of now"
    assert "looking on at a replay that runs already" in said
    assert "StartReplay" not in aws_afar.calls
    assert replayed(resources) == []
    for other in (["--since", "6d"], ["--since", "7d", "--kind", "object-deleted"]):
        assert main(["replay", "uploads", *other, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["replay"] != first["replay"]


def test_the_times_that_a_replay_prints_find_it_again(
    aws: None, resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    archive_events(resources)
    assert main(["replay", "uploads", "--since", "2h", "--kind", "object-created", "--json"]) == 0
    printed = capsys.readouterr()
    arguments = printed.err.strip().partition("darkroom ")[2].split()
    resources.sqs.purge_queue(QueueUrl=resources.uploads_queue_url)
    assert main([*arguments, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["replay"], again["state"]) == (json.loads(printed.out)["replay"], "COMPLETED")
    assert replayed(resources) == [], "the same is not replayed twice"


# Large files, and waiting


def test_a_large_file_is_broken_off_at_its_next_part(aws_afar: SlowAws, resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(bytes(40 * 1024 * 1024))
    upload = ("upload", str(tmp_path))
    part = aws_afar.hold("UploadPart")
    process = aws_afar.start(*upload)
    part.wait()
    interrupt(process)
    part.release()
    code, _, said = end(process)
    assert code == 130
    assert "interrupted: 1 not begun or broken off; give the command again to go on" in said
    assert aws_afar.calls.count("UploadPart") == 1
    assert "Uploads" not in resources.s3.list_multipart_uploads(Bucket=resources.originals), "no part is left"
    assert aws_afar.run(*upload)[0] == 0
    (version,) = resources.s3.list_object_versions(Bucket=resources.originals)["Versions"]
    assert version["Size"] == 40 * 1024 * 1024


@pytest.mark.parametrize("moment", ["HeadObject", "Query"])
def test_waiting_ends_at_once_and_goes_on_another_time(
    aws_afar: SlowAws, resources: Resources, tmp_path: Path, moment: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    upload = ("upload", str(tmp_path), "--wait")
    process = aws_afar.start(*upload)
    wait_until_asked(aws_afar, "Query")
    asked = aws_afar.hold(moment)
    asked.wait()
    interrupt(process)
    code, output, said = end(process)  # without an answer
    assert code == 130
    assert "interrupted: 2 uploaded; give the command again to go on" in said
    assert sorted(output.splitlines()) == ["a.jpg  uploaded", "b.jpg  uploaded"]
    asked.release(lost=True)
    for name in ("a.jpg", "b.jpg"):
        record(resources, name)
    code, output, said = aws_afar.run(*upload)
    assert code == 0, said
    assert sorted(output.splitlines()) == ["2 there already", *(f"{n}.jpg  there already, Processed" for n in "ab")]
    assert aws_afar.calls.count("PutObject") == 2


def wait_until_asked(aws: SlowAws, operation: str) -> None:
    asked = aws.hold(operation)
    asked.wait()
    asked.release()


def record(resources: Resources, image_id: str) -> None:
    """What the pipeline records of an upload."""
    version = resources.s3.head_object(Bucket=resources.originals, Key=image_id)["VersionId"]
    item = {"version": version, "status": "Processed", "sequencer": "1", "dedup_id": "0", "notified_dedup_id": "0"}
    for name in (CURRENT, f"version#{version}"):
        resources.dynamodb.put_item(
            TableName=resources.table,
            Item={key: {"S": value} for key, value in {**item, "image_id": image_id, "record": name}.items()},
        )
