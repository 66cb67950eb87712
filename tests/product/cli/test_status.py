from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.cli import main
from tests.product.cli.records import FOLDER, IMAGE, UPLOADED, VERSION, after, record

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

    from darkroom.resources import Resources


def clock(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def write_log(resources: Resources, *entries: dict[str, Any]) -> None:
    group, stream = resources.log_group, "one"
    resources.logs.create_log_group(logGroupName=group)
    resources.logs.create_log_stream(logGroupName=group, logStreamName=stream)
    lines: list[InputLogEventTypeDef] = [
        {"timestamp": int(after(1 + number / 4).timestamp() * 1000), "message": json.dumps(entry)}
        for number, entry in enumerate(entries)
    ]
    resources.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=lines)


@pytest.fixture
def image(resources: Resources) -> str:
    """Create an image that has passed all hops."""
    resources.s3.put_object(Bucket=resources.originals, Key=IMAGE, Body=b"12345", ContentType="image/jpeg")
    resources.s3.put_object(Bucket=resources.processed, Key=f"{FOLDER}/small.webp", Body=b"123")
    variant = {"name": "small", "width": 256, "height": 128, "bytes": 1234567, "key": f"{FOLDER}/small.webp"}
    record(resources, IMAGE, dedup_id="d1", owner="alice", variants=[variant])
    write_log(resources, {"image_id": IMAGE, "version": VERSION, "dedup_id": "d1", "function_request_id": "r1"})
    return IMAGE


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_status_shows_record_hops_and_versions(
    resources: Resources, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", image]) == 0
    shown = lines_of(capsys)
    assert shown[:4] == [f"{IMAGE}: Processed", "owned by alice", "original: 5 bytes, image/jpeg", ""]
    assert "variant size bytes key" in shown
    assert f"small 256x128 1,234,567 {FOLDER}/small.webp" in shown
    assert f"hop time seconds source (version {VERSION})" in shown
    assert f"uploaded {clock(UPLOADED)} +0.00 S3's time of the upload" in shown
    assert f"announced {clock(after(1))} +1.00 the function's log: the bus accepted the outcome event" in shown
    assert f"recorded {clock(after(1.5))} +1.50 recorded_at in the version's item" in shown
    assert any(line.startswith(f"notified {clock(after(2))} +2.00 notified_at") for line in shown)
    assert "picked up unknown not in the function's log" in shown
    assert shown[-2:] == [
        "version status uploaded recorded announced",
        f"{VERSION} Processed {UPLOADED.isoformat()} {after(1.5).isoformat()} yes",
    ]


def test_status_shows_the_reason_of_a_rejection(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    reason = {"code": "TOO_LARGE", "message": "It has more pixels than are allowed."}
    record(resources, IMAGE, status="Rejected", reason=reason, dedup_id="d1")
    assert main(["status", IMAGE]) == 0
    shown = lines_of(capsys)
    assert shown[:3] == [
        f"{IMAGE}: Rejected",
        "TOO_LARGE: It has more pixels than are allowed.",
        "no original",
    ]
    assert "stored unknown no derivatives" in shown


def test_status_shows_an_upload_without_a_record(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    resources.s3.put_object(Bucket=resources.originals, Key=IMAGE, Body=b"12345", ContentType="image/jpeg")
    assert main(["status", IMAGE]) == 0
    shown = lines_of(capsys)
    assert shown[0] == f"{IMAGE}: no record"
    assert "hop time seconds source" in shown
    assert "recorded unknown no record: the event is under way, in a DLQ, or lost" in shown
    assert not any(line.startswith("version status") for line in shown)


def test_a_version_without_outcome_has_no_announcement(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version that was deleted with its image has no outcome event; other log lines do not count."""
    record(resources, IMAGE, status="Deleted")
    write_log(resources, {"image_id": IMAGE, "version": VERSION, "message": "gone", "function_request_id": "r1"})
    assert main(["status", IMAGE, "--json"]) == 0
    times = {hop["hop"]: hop["time"] for hop in json.loads(capsys.readouterr().out)["hops"]}
    assert times["announced"] is None


def test_unknown_version_lists_the_known_ones(
    resources: Resources, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", image, "--version", "v2"]) == 1
    assert f"has no version 'v2'. Recorded versions: {VERSION}" in capsys.readouterr().err


def test_list_shows_the_newest_first(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        more = {"owner": "alice"} if number else {}
        record(resources, f"{number}.jpg", uploaded_at=after(number).isoformat(), dedup_id="d", **more)
    assert main(["list"]) == 0
    assert lines_of(capsys) == [
        "image status owner uploaded",
        *(f"{number}.jpg Processed alice {after(number).isoformat()}" for number in (2, 1)),
        f"0.jpg Processed {after(0).isoformat()}",
    ]
    assert main(["list", "--limit", "1"]) == 0
    assert [line.split()[0] for line in lines_of(capsys)] == ["image", "2.jpg"]


def test_an_empty_list_has_only_headings(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert lines_of(capsys) == ["image status owner uploaded"]
