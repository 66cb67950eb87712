"""The saved queries, asked of what the functions, Lambda and the workflow write to their logs."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.workflow import find
from presign_upload.composition import compose
from scripts import ROOT
from tests.product.process_image.calls import output
from tests.product.process_image.insights import read, saved_queries, select
from tests.product.process_image.originals import ENVIRONMENT, refuse
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    import boto3

    from tests.product.process_image.calls import Function, Subscriber
    from tests.product.process_image.originals import OriginalsBucket

OWNER = "maria"
PHOTOGRAPH = encode(draw((80, 60)))

# Lambda's JSON lines of the first and the second invocation of an environment.
REPORTS = [
    {
        "time": "2026-03-01T12:00:01.000Z",
        "type": "platform.report",
        "record": {
            "requestId": f"request-{number}",
            "metrics": {"durationMs": 693.92, "billedDurationMs": 694, "memorySizeMB": 1024, "maxMemoryUsedMB": 84}
            | ({"initDurationMs": 397.68} if number == 0 else {}),
            "status": "success",
        },
    }
    for number in range(2)
]

# The line of Python's runtime for an error that the function did not catch.
UNCAUGHT = {
    "timestamp": "2026-03-01T12:00:02Z",
    "log_level": "ERROR",
    "errorMessage": "Unable to import module 'process_image.entry'",
    "errorType": "Runtime.ImportModuleError",
    "requestId": "",
    "stackTrace": [],
}


def cause(image_id: str) -> str:
    """Return the workflow's cause of a failure, for an image."""
    definition = (ROOT / "terraform" / "record_image.asl.json").read_text()
    found = re.search(r'''"CausePath": "States\.Format\('([^']*)', ([^)]*)\)"''', definition)
    assert found
    event = {"detail": {"image_id": image_id}, "error": {"Error": "States.Timeout", "Cause": ""}}
    return found[1].format(*(find(event, path) for path in found[2].split(", ")))


def failed(image_id: str) -> dict[str, Any]:
    """Return the line of Step Functions for a failed execution, without the execution's data."""
    return {
        "id": "31",
        "type": "ExecutionFailed",
        "details": {"cause": cause(image_id), "error": "RecordImageFailed"},
        "previous_event_id": "30",
        "event_timestamp": "1772366401000",
        "execution_arn": "arn:aws:states:eu-central-1:123456789012:express:darkroom-record-image:event_id:id",
    }


def signed(caplog: pytest.LogCaptureFixture) -> tuple[str, dict[str, Any]]:
    """Return the image of a signed form, and its log line. Lambda adds `extra` to its own fields."""
    handler = compose({**ENVIRONMENT, "ORIGINALS_BUCKET": "originals", "EXPIRY_SECONDS": "60"})
    with caplog.at_level(logging.INFO, "presign_upload.handler"):
        form = handler({"owner": OWNER, "body": json.dumps({"content_type": "image/jpeg"})}, None)
    (record,) = (record for record in caplog.records if record.name == "presign_upload.handler")
    usual = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
    extra = {name: value for name, value in record.__dict__.items() if name not in usual}
    return f"{OWNER}/{form['id']}", {"level": record.levelname, "message": record.getMessage()} | extra


@pytest.fixture
def image(caplog: pytest.LogCaptureFixture, aws: None) -> tuple[str, dict[str, Any]]:
    return signed(caplog)


@pytest.fixture
def lines(
    services: boto3.Session,
    function: Function,
    originals: OriginalsBucket,
    subscriber: Subscriber,
    image: tuple[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> list[dict[str, Any]]:
    """Provide lines of a processed, a rejected and a failed image, a malformed message, and failed workflows."""
    image_id, of_form = image
    refuse(services, "s3.GetObject", 503, "SlowDown", times=1)
    keys = {"unlucky": PHOTOGRAPH, image_id: PHOTOGRAPH, "rejected": b"no image"}
    messages = [originals.put_message(key, data) for key, data in keys.items()]
    assert function(*messages, "no event") == ["0", "3"]
    return [
        of_form,
        *output(capsys),
        UNCAUGHT,
        *REPORTS,
        failed(image_id),
        failed(f"{image_id}.other"),
        failed("rejected"),
    ]


def asked(name: str, lines: list[dict[str, Any]], image_id: str = "IMAGE") -> list[dict[str, Any]]:
    """Return the lines that a query selects, after checking that each of its fields is in a line."""
    query = saved_queries()[name].replace("IMAGE", image_id)
    selected = select(query, lines)
    assert read(query) <= {field for line in selected for field in line}, "it reads what is not there"
    return selected


def test_query_finds_one_image_in_all_logs(lines: list[dict[str, Any]], image: tuple[str, dict[str, Any]]) -> None:
    image_id, of_form = image
    form, processed, recorded = asked("everything about one image", lines, image_id)
    assert form["message"] == of_form["message"]
    assert processed["dedup_id"]
    assert recorded["details.cause"] == cause(image_id)
    assert recorded["execution_arn"]


def test_query_finds_failed_messages(lines: list[dict[str, Any]]) -> None:
    *messages, call = asked("failed messages", lines)
    assert [(line["message_id"], line.get("image_id")) for line in messages] == [("0", "unlucky"), ("3", None)]
    assert call == UNCAUGHT


def test_query_lists_each_image_once(lines: list[dict[str, Any]], image: tuple[str, dict[str, Any]]) -> None:
    assert [line["image_id"] for line in asked("slowest images", lines)] == [image[0], "rejected"]


def test_each_rejection_counts_once(lines: list[dict[str, Any]]) -> None:
    assert [line["reason"] for line in asked("rejections by reason", lines)] == ["unsupported_format"]


def test_cold_starts_are_counted_from_reports(lines: list[dict[str, Any]]) -> None:
    assert [line["record.requestId"] for line in asked("cold starts", lines)] == ["request-0"]


def test_all_saved_queries_are_tested() -> None:
    asks = "\n".join(re.findall(r'asked\("([a-z ]+)"', Path(__file__).read_text()))
    assert set(asks.splitlines()) == set(saved_queries())
