"""Ctrl-C and kill at any moment of a change: nothing is lost, and a second run finishes the work."""

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
from tests.product.cli.pipeline import REGION, put_letter, upload_of
from tests.product.cli.slow_aws import SlowAws, end, interrupt, slow_aws

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
    """Serve the pipeline's AWS to other processes."""
    with slow_aws() as aws:
        yield aws


class Upload:
    """Upload of three files, one at a time."""

    changes = "PutObject"
    lists = "HeadObject"

    def __init__(self, resources: Resources, folder: Path) -> None:
        self._resources = resources
        for name in NAMES:
            (folder / name).write_bytes(name.encode())
        self.command = ("upload", str(folder), "--at-once", "1")

    def done(self) -> list[str]:
        """Return the uploaded keys, once per version."""
        found = self._resources.s3.list_object_versions(Bucket=self._resources.originals)
        return sorted(version["Key"] for version in found.get("Versions", []))

    def five_minutes_later(self) -> None:
        """Change nothing."""


class Redrive:
    """Redrive of three messages."""

    changes = "SendMessage"
    lists = "ReceiveMessage"
    command = ("dlq", "redrive", "uploads")

    def __init__(self, resources: Resources, _folder: Path) -> None:
        self._resources = resources
        for name in NAMES:
            put_letter(resources, Dlq.UPLOADS, upload_of(name))

    def _messages(self, queue: str) -> list[Any]:
        backend = sqs_backends[self._resources.account][REGION]
        return list(backend.queues[queue]._messages)  # noqa: SLF001 - includes hidden ones

    def done(self) -> list[str]:
        """Return the keys of the events in the queue of uploads."""
        events = (json.loads(message.body) for message in self._messages(f"{self._resources.name}-uploads"))
        return sorted(event["detail"]["object"]["key"] for event in events)

    def five_minutes_later(self) -> None:
        """Make hidden messages visible."""
        for message in self._messages(self._resources.dlq_name(Dlq.UPLOADS)):
            message.change_visibility(0)


class Replay:
    """Replay of three archived events."""

    changes = "StartReplay"
    lists = "DescribeReplay"
    command = REPLAY

    def __init__(self, resources: Resources, _folder: Path) -> None:
        self._resources = resources
        archive_events(resources)
        resources.sqs.purge_queue(QueueUrl=resources.uploads_queue_url)

    def done(self) -> list[str]:
        """Return the keys of the events in the queue of uploads."""
        return sorted(event["detail"]["object"]["key"] for event in replayed(self._resources))

    def five_minutes_later(self) -> None:
        """Change nothing."""


def archive_events(resources: Resources) -> None:
    """Create the pipeline's rules and archive on the default bus, and send three events."""
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
    """Run the command again, assert that it finishes, and return its output."""
    code, output, said = aws.run(*work.command)
    assert code == 0, said
    return output


# Before the first change


def test_ctrl_c_while_python_loads(aws_afar: SlowAws, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text(
        "import signal, sys\nprint('loading', flush=True)\nsys.stdin.read()\n", encoding="utf-8"
    )
    process = aws_afar.start("list", PYTHONPATH=str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "")


def test_ctrl_c_during_the_first_request(aws_afar: SlowAws, work: Any) -> None:
    asked = aws_afar.hold("GetCallerIdentity")
    process = aws_afar.start(*work.command)
    asked.wait()
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "", "interrupted\n"), "the request has no answer"
    asked.release(lost=True)
    assert work.done() == []
    finish(aws_afar, work)
    assert work.done() == list(NAMES)


def test_ctrl_c_during_a_listing(aws_afar: SlowAws, work: Any) -> None:
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
    assert work.done() == list(NAMES), "no message stays hidden"


# During a change


def test_ctrl_c_during_a_change(aws_afar: SlowAws, work: Any) -> None:
    """The change is finished, and the second run makes the others."""
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
def test_an_immediate_end_during_a_change(aws_afar: SlowAws, work: Any, ended: Any, *, taken: bool) -> None:
    """The command cannot know whether AWS made the change. The second run finishes the work in both cases."""
    changing: Held = aws_afar.hold(work.changes, taken=taken)
    process = aws_afar.start(*work.command)
    changing.wait()
    ended(process)
    code, _, said = end(process)  # the request has no answer
    assert code == (130 if ended is _twice else -signal.SIGKILL)
    assert ("run the command again" in said) is (ended is _twice)
    changing.release(lost=True)
    before = work.done()
    assert bool(before) is taken
    if isinstance(work, Redrive):
        code, _, said = aws_afar.run(*work.command)
        assert code == 3, "the messages are hidden for five minutes"
        assert "3 more are held" in said
        work.five_minutes_later()
    finish(aws_afar, work)
    if isinstance(work, Redrive):
        assert work.done() == sorted([*before, *NAMES]), "an event that AWS has accepted is sent again, unchanged"
    else:
        assert work.done() == list(NAMES)


# A replay that goes on in EventBridge


def running(resources: Resources) -> Any:
    """Return the archive's only replay, in the state RUNNING."""
    (replay,) = events_backends[resources.account][REGION].replays.values()
    replay.state = ReplayState.RUNNING
    return replay


def test_a_running_replay_is_followed_again(
    aws_afar: SlowAws, resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    archive_events(resources)
    assert main(["replay", "uploads", "--since", "7d", "--json"]) == 0
    started = capsys.readouterr()
    first = json.loads(started.out)
    replay = running(resources)
    for time in ("event_start_time", "event_end_time"):  # started an hour ago
        setattr(replay, time, getattr(replay, time) - 3600)
    resources.sqs.purge_queue(QueueUrl=resources.uploads_queue_url)

    start = datetime.fromisoformat(first["since"]) - timedelta(hours=1)
    process = aws_afar.start("replay", "uploads", "--since", "7d", "--json")
    wait_until_asked(aws_afar, "DescribeReplay")  # is it the same
    wait_until_asked(aws_afar, "DescribeReplay")  # how far is it
    asked = aws_afar.hold("DescribeReplay")
    asked.wait()
    said = interrupt(process)
    code, output, _ = end(process)  # the request has no answer
    asked.release(lost=True)
    assert code == 130
    followed = json.loads(output)
    assert (followed["replay"], followed["state"]) == (first["replay"], "RUNNING")
    assert datetime.fromisoformat(followed["since"]) == start, "the times of the running replay"
    assert "following a replay that is already running" in said
    assert "StartReplay" not in aws_afar.calls
    assert replayed(resources) == []
    for other in (["--since", "6d"], ["--since", "7d", "--kind", "object-deleted"]):
        assert main(["replay", "uploads", *other, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["replay"] != first["replay"]


def test_printed_times_find_the_replay_again(
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
    assert replayed(resources) == [], "the same events are not replayed twice"


# Large files and waiting


def test_a_large_file_stops_at_its_next_part(aws_afar: SlowAws, resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(bytes(40 * 1024 * 1024))
    upload = ("upload", str(tmp_path))
    part = aws_afar.hold("UploadPart")
    process = aws_afar.start(*upload)
    part.wait()
    interrupt(process)
    part.release()
    code, _, said = end(process)
    assert code == 130
    assert "interrupted: 1 not started or not finished; run the command again to go on" in said
    assert aws_afar.calls.count("UploadPart") == 1
    assert "Uploads" not in resources.s3.list_multipart_uploads(Bucket=resources.originals), "no part is kept"
    assert aws_afar.run(*upload)[0] == 0
    (version,) = resources.s3.list_object_versions(Bucket=resources.originals)["Versions"]
    assert version["Size"] == 40 * 1024 * 1024


@pytest.mark.parametrize("moment", ["HeadObject", "Query"])
def test_waiting_ends_at_once_and_can_go_on(
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
    code, output, said = end(process)  # the request has no answer
    assert code == 130
    assert "interrupted: 2 uploaded; run the command again to go on" in said
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
    """Write the pipeline's record of an upload."""
    version = resources.s3.head_object(Bucket=resources.originals, Key=image_id)["VersionId"]
    item = {"version": version, "status": "Processed", "sequencer": "1", "dedup_id": "0", "notified_dedup_id": "0"}
    for name in (CURRENT, f"version#{version}"):
        resources.dynamodb.put_item(
            TableName=resources.table,
            Item={key: {"S": value} for key, value in {**item, "image_id": image_id, "record": name}.items()},
        )
