"""The command `reconcile`. tests/product/reconcile tests what it compares and repairs."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from darkroom import reconcile as command
from darkroom.cli import main
from reconcile import walk

if TYPE_CHECKING:
    from darkroom.resources import Resources

IMAGES = {f"{number}.jpg" for number in range(4)}


@pytest.fixture
def lost(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Resources:
    """Upload originals without events, and compare one per page."""
    for image_id in IMAGES:
        resources.s3.put_object(Bucket=resources.originals, Key=image_id, Body=b"data")
    monkeypatch.setattr(command, "Resources", lambda _name: resources)
    monkeypatch.setattr(walk, "IMAGES_AT_ONCE", 1)
    return resources


def interrupt_at(resources: Resources, operation: str, *, nth: int = 1) -> None:
    """Send Ctrl-C when a request is made."""
    service = operation.split(".", maxsplit=1)[0]
    client = {"s3": resources.s3, "sqs": resources.sqs, "dynamodb": resources.dynamodb}[service]
    asked = iter(range(1, nth + 1))

    def press(**_: Any) -> None:
        if next(asked, None) == nth:
            os.kill(os.getpid(), signal.SIGINT)

    client.meta.events.register(f"before-call.{operation}", press)


def sent(resources: Resources) -> list[str]:
    found: list[str] = []
    while answer := resources.sqs.receive_message(QueueUrl=resources.uploads_queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in answer:
            resources.sqs.delete_message(QueueUrl=resources.uploads_queue_url, ReceiptHandle=message["ReceiptHandle"])
        found += [json.loads(message["Body"])["detail"]["object"]["key"] for message in answer]
    return found


def reconcile(*arguments: str) -> int:
    return main(["reconcile", "--grace", "0", *arguments])


@pytest.mark.parametrize("operation", ["s3.ListObjectVersions", "s3.ListObjectsV2", "dynamodb.Query"])
def test_ctrl_c_during_listing_repairs_nothing(
    lost: Resources, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    interrupt_at(lost, operation)
    assert reconcile("--repair") == 130
    assert "0 images checked, 0 differences, 0 repaired, interrupted" in capsys.readouterr().out
    assert sent(lost) == []
    assert reconcile("--repair") == 0
    assert set(sent(lost)) == IMAGES


def test_ctrl_c_during_a_repair_finishes_it(lost: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    interrupt_at(lost, "sqs.SendMessage", nth=2)
    assert reconcile("--repair") == 130
    assert "2 differences, 2 repaired, interrupted" in capsys.readouterr().out
    first = sent(lost)
    assert len(first) == 2
    assert reconcile("--repair") == 0
    assert set(sent(lost)) == IMAGES


def test_ctrl_c_leaves_other_differences_of_an_image(lost: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        lost.s3.put_object(Bucket=lost.originals, Key="0.jpg", Body=b"more")
    interrupt_at(lost, "sqs.SendMessage")
    assert reconcile("--repair", "--prefix", "0.jpg") == 130
    assert "1 differences, 1 repaired, interrupted" in capsys.readouterr().out
    assert reconcile("--prefix", "0.jpg") == 3
    assert "1 images checked, 4 differences, 0 repaired\n" in capsys.readouterr().out
