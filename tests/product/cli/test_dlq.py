from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from darkroom.cli import main
from darkroom.dead_letters import Letter, UndeliverableError, destination, read
from darkroom.dlq import waiting
from darkroom.resources import Dlq
from tests.product.cli.pipeline import put_letter, upload_of

if TYPE_CHECKING:
    from darkroom.resources import Resources


def outcome_of(image_id: str) -> dict[str, Any]:
    return {"image_id": image_id, "status": "Processed", "dedup_id": "0" * 64, "summary": f"Image {image_id}"}


def only(resources: Resources, dlq: Dlq) -> Letter:
    (letter,) = (letter for letters in read(resources, dlq) for letter in letters)
    return letter


def bodies(resources: Resources) -> list[str]:
    """Return the bodies in the queue of uploads."""
    messages = resources.sqs.receive_message(QueueUrl=resources.uploads_queue_url, MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in messages.get("Messages", []))


@pytest.mark.parametrize(
    ("body", "image"),
    [
        (upload_of("holiday.jpg"), "holiday.jpg"),
        (json.dumps({"detail-type": "Image Processed", "detail": outcome_of("holiday.jpg")}), "holiday.jpg"),
        (json.dumps({"Type": "Notification", "Message": json.dumps(outcome_of("holiday.jpg"))}), "holiday.jpg"),
        (json.dumps(outcome_of("holiday.jpg")), "holiday.jpg"),
        ("no event", None),
        ("[]", None),
        ("{}", None),
        ('{"detail": 1}', None),
        ('{"detail": {"object": {}}}', None),
        ('{"Message": "text"}', None),
    ],
)
def test_a_message_has_an_image(resources: Resources, body: str, image: str | None) -> None:
    put_letter(resources, Dlq.UPLOADS, body)
    assert only(resources, Dlq.UPLOADS).image == image


@pytest.mark.parametrize(
    ("dlq", "target"),
    [
        (Dlq.UPLOADS, "uploads_queue_arn"),
        (Dlq.UPLOADS_RULES, "uploads_queue_arn"),
        (Dlq.RECORD_IMAGE, "workflow_arn"),
        (Dlq.BUS, "workflow_arn"),
        (Dlq.NOTIFICATIONS, "topic_arn"),
    ],
)
def test_every_dlq_has_a_destination(resources: Resources, dlq: Dlq, target: str) -> None:
    put_letter(resources, dlq, json.dumps(outcome_of("holiday.jpg")))
    assert destination(resources, only(resources, dlq)).arn == getattr(resources, target)


def test_a_foreign_target_has_no_destination(resources: Resources) -> None:
    put_letter(resources, Dlq.BUS, upload_of("holiday.jpg"), TARGET_ARN=f"{resources.workflow_arn}-of-others")
    with pytest.raises(UndeliverableError, match="of-others"):
        destination(resources, only(resources, Dlq.BUS))


@pytest.mark.parametrize("body", ["no event", "[]", "{}", json.dumps({**outcome_of("a.jpg"), "summary": ""})])
def test_a_malformed_message_is_reported_and_stays(
    resources: Resources, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [json.dumps(outcome_of("before.jpg")), json.dumps(outcome_of("after.jpg"))]
    for letter in (good[0], body, good[1]):
        put_letter(resources, Dlq.NOTIFICATIONS, letter)
    put_letter(resources, Dlq.UPLOADS_RULES, upload_of("later.jpg"))
    assert main(["dlq", "redrive", "--dry-run", "--json"]) == 1
    assert sum("failed" in line for line in capsys.readouterr().out.splitlines()) == 1
    assert main(["dlq", "redrive"]) == 1
    said = capsys.readouterr().out
    assert "stays in the DLQ: it is not a notification" in said
    assert "3 done, 1 failed" in said
    assert bodies(resources) == [upload_of("later.jpg")]
    assert only(resources, Dlq.NOTIFICATIONS).body == body


def test_messages_held_by_another_command_are_reported(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    put_letter(resources, Dlq.UPLOADS, upload_of("holiday.jpg"))
    assert only(resources, Dlq.UPLOADS)
    assert main(["dlq", "redrive"]) == 3
    assert "1 more are held by another command" in capsys.readouterr().err


def test_a_failed_deletion_sends_the_message_twice(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session()

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "InternalError", "Message": "not now"}}, "DeleteMessage")

    session.events.register("before-call.sqs.DeleteMessage", refuse)
    put_letter(resources, Dlq.UPLOADS, upload_of("holiday.jpg"))
    with monkeypatch.context() as patched:
        patched.setattr(boto3, "Session", lambda **_: session)
        assert main(["dlq", "redrive"]) == 1
    assert waiting(resources, Dlq.UPLOADS) == 1
    assert main(["dlq", "redrive"]) == 0
    assert waiting(resources, Dlq.UPLOADS) == 0
    assert bodies(resources) == [upload_of("holiday.jpg")] * 2


def test_unselected_messages_stay_visible(resources: Resources) -> None:
    for number in range(15):
        put_letter(resources, Dlq.UPLOADS, upload_of(f"a/{number}"))
        put_letter(resources, Dlq.UPLOADS, upload_of(f"b/{number}"))
    assert main(["dlq", "redrive", "--image", "a/"]) == 0
    left = [letter.image for letters in read(resources, Dlq.UPLOADS) for letter in letters]
    assert sorted(filter(None, left)) == sorted(f"b/{number}" for number in range(15))


def test_a_limit_counts_over_all_dlqs(resources: Resources) -> None:
    for dlq in (Dlq.UPLOADS, Dlq.UPLOADS_RULES):
        for number in range(3):
            put_letter(resources, dlq, upload_of(f"{dlq}/{number}"))
    assert main(["dlq", "redrive", "--limit", "4"]) == 0
    assert len(bodies(resources)) == 4
    assert waiting(resources, Dlq.UPLOADS) + waiting(resources, Dlq.UPLOADS_RULES) == 2


def test_a_message_that_fails_again_is_skipped(resources: Resources) -> None:
    """Otherwise a DLQ whose messages return at once would never be empty."""
    put_letter(resources, Dlq.UPLOADS, upload_of("holiday.jpg"))
    letter = only(resources, Dlq.UPLOADS)
    assert not letter.matches(None, None, before=letter.sent)
    assert letter.matches(None, None, before=letter.sent + timedelta(milliseconds=1))


def test_purge_asks_and_deletes_the_selection(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_letter(resources, Dlq.UPLOADS, upload_of("holiday.jpg"))
    put_letter(resources, Dlq.UPLOADS, "poison")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["dlq", "purge", "uploads"]) == 1
    assert waiting(resources, Dlq.UPLOADS) == 2
    assert main(["dlq", "purge", "uploads", "--yes", "--dry-run"]) == 0
    assert waiting(resources, Dlq.UPLOADS) == 2
    assert main(["dlq", "purge", "uploads", "--yes", "--containing", "poison"]) == 0
    assert only(resources, Dlq.UPLOADS).image == "holiday.jpg"
    assert bodies(resources) == []


def test_ls_counts_and_sets_the_exit_code(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dlq", "ls"]) == 0
    put_letter(resources, Dlq.BUS, "{}")
    capsys.readouterr()
    assert main(["dlq", "ls", "--json"]) == 3
    counts = {line["dlq"]: line["messages"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert counts == {**dict.fromkeys(map(str, Dlq), 0), "bus": 1}
