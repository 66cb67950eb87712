"""The function as Lambda calls it: a batch of SQS messages in, the failed ones out."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from darkroom_shared.settings import SettingsError
from process_image import processor
from process_image.events import SOURCE
from process_image.image import render
from process_image.measures import UNITS
from reconcile.differences import Image, differences
from reconcile.records import Version
from reconcile.repair import body_of
from scripts import ROOT
from scripts.aws_checks.metrics import written_by
from tests.product.process_image.calls import Context, output
from tests.product.process_image.originals import ENVIRONMENT, PROCESSED, answer_instead, refuse
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3
    from mypy_boto3_s3 import S3Client

    from reconcile.pipeline import Pipeline
    from tests.product.process_image.calls import Function, Subscriber
    from tests.product.process_image.originals import OriginalsBucket

PHOTOGRAPH = encode(draw((80, 60)))
POISON = json.dumps({"detail-type": "Object Created", "detail": {"what": "is this?"}})


def metrics(lines: list[dict[str, Any]], dimensions: tuple[str, ...] = ("service",)) -> dict[str, list[float]]:
    """Return the values of all metrics in the log with these dimensions."""
    values: dict[str, list[float]] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert directive["Namespace"] == "darkroom"
            if [set(names) for names in directive["Dimensions"]] != [set(dimensions)]:
                continue
            for metric in directive["Metrics"]:
                assert metric["Unit"] == UNITS.get(metric["Name"], "Count")
                values.setdefault(metric["Name"], []).extend(line[metric["Name"]])
    return values


def counts(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Return the sums of the counts, without the measures of single images."""
    # Only the first call of a process counts as a cold start.
    return {name: sum(of) for name, of in metrics(lines).items() if name not in {*UNITS, "ColdStart"}}


def test_upload_is_announced_on_the_bus(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, s3: S3Client
) -> None:
    message = originals.put_message("maria/photo 1+2.jpg", PHOTOGRAPH)
    assert function(message) == []
    (event,) = subscriber.received()
    assert event["source"] == SOURCE
    assert event["detail-type"] == "Image Processed"
    assert event["detail"]["image_id"] == "maria/photo 1+2.jpg"
    for variant in event["detail"]["variants"]:
        assert s3.head_object(Bucket=PROCESSED, Key=variant["key"])["ContentLength"] == variant["bytes"]


@pytest.mark.parametrize(("level", "logged"), [("INFO", {"INFO", "ERROR"}), ("WARN", {"ERROR"}), ("FATAL", set())])
def test_log_level_keeps_every_metric(
    level: str,
    logged: set[str],
    monkeypatch: pytest.MonkeyPatch,
    function: Function,
    originals: OriginalsBucket,
    subscriber: Subscriber,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lambda sets AWS_LAMBDA_LOG_LEVEL from its filter, which Terraform keeps at INFO. Powertools obeys it."""
    function.environment["LOG_LEVEL"] = level
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    assert function(originals.put_message("a", PHOTOGRAPH), POISON) == ["1"]
    lines = output(capsys)
    assert {line["level"] for line in lines if "level" in line} == logged
    assert counts(lines) == {"ImageProcessed": 1, "MessagesFailed": 1}


def test_metrics_match_the_catalogue(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alarms and dashboards are checked against the catalogue."""
    overwritten = originals.put_message("a", PHOTOGRAPH)
    function(originals.put_message("a", PHOTOGRAPH), originals.put_message("b", b"no image"), POISON)
    originals.delete_version("a", json.loads(overwritten)["detail"]["object"]["version-id"])
    function(overwritten)
    function(originals.delete_message("a"))
    written = {
        (frozenset(dimensions), metric["Name"])
        for line in output(capsys)
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }
    # Only the first call of a process counts as a cold start.
    cold_start = (frozenset({"function_name", "service"}), "ColdStart")
    assert written | {cold_start} == written_by("process_image")


def test_bad_message_fails_alone(function: Function, originals: OriginalsBucket, subscriber: Subscriber) -> None:
    good = [originals.put_message(key, PHOTOGRAPH) for key in "abc"]
    rejected = originals.put_message("d", b"no image")
    assert function(good[0], POISON, good[1], rejected, good[2]) == ["1"]
    outcomes = {event["detail"]["image_id"]: event["detail-type"] for event in subscriber.received()}
    assert outcomes == {**dict.fromkeys("abc", "Image Processed"), "d": "Image Rejected"}


def sleep(_: bytes) -> None:
    time.sleep(60)


def fill_memory(_: bytes) -> None:
    bytearray(b".") * 2**30


def crash(_: bytes) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("harm", "code"), [(sleep, "too_slow"), (fill_memory, "too_much_memory"), (crash, "decoder_crashed")]
)
def test_harmful_image_spares_its_batch(
    function: Function,
    originals: OriginalsBucket,
    subscriber: Subscriber,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[bytes], None],
    code: str,
) -> None:
    def render_or_harm(data: bytes, *rest: Any) -> Any:
        if data == b"harm":
            harm(data)
        return render(data, *rest)

    monkeypatch.setattr(processor, "render", render_or_harm)
    function.environment["MAX_SECONDS"] = "1"
    messages = [originals.put_message(key, b"harm" if key == "b" else PHOTOGRAPH) for key in "abc"]
    assert function(*messages) == []
    events = {event["detail"]["image_id"]: event for event in subscriber.received()}
    assert {key: event["detail-type"] for key, event in events.items()} == {
        "a": "Image Processed",
        "b": "Image Rejected",
        "c": "Image Processed",
    }
    assert events["b"]["detail"]["reason"]["code"] == code


def test_short_time_leaves_images_to_another_call(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = int(ENVIRONMENT["MAX_SECONDS"]) + seconds_around()
    messages = [originals.put_message(key, PHOTOGRAPH) for key in "ab"]
    assert function(*messages, context=Context(seconds_left=needed - 0.1)) == ["0", "1"]
    assert subscriber.received() == []
    errors = [line for line in output(capsys) if line.get("level") == "ERROR"]
    assert [line["exception_name"] for line in errors] == ["OutOfTimeError", "OutOfTimeError"]
    assert function(*messages, context=Context(seconds_left=needed)) == []


def seconds_around() -> int:
    """Return the seconds that Terraform adds to the images' seconds in the timeout."""
    variables = (ROOT / "terraform" / "variables.tf").read_text()
    found = re.search(r"condition += var\.process_image\.timeout >= .* \+ (\d+)$", variables, re.MULTILINE)
    assert found
    return int(found[1])


def test_unanswered_request_fails_in_time(
    services: boto3.Session, function: Function, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the clients' configuration: before the second attempt they wait for up to a second."""
    make, made = services.client, []

    def note(*arguments: Any, **options: Any) -> Any:
        made.append(make(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(services, "client", note)
    function.start()
    assert {client.meta.service_model.service_name for client in made} == {"s3", "events"}
    for client in made:
        config = client.meta.config
        attempts = config.retries["total_max_attempts"]
        assert attempts * (config.connect_timeout + config.read_timeout) + (attempts - 1) == seconds_around()


def test_log_lines_escape_keys_and_files(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line breaks, control characters and quotes do not change the structure of the log."""
    keys = [
        "two\nlines",
        "return\rover",
        'quote".jpg"}',
        "\x1b[31mred",
        "\u2028separator",
        "bell\x07",
        "\\",
        "%s {} $x",
        "\u202eright to left",
    ]
    files = [PHOTOGRAPH, b"\xff\xd8\xff\n{broken\r\n", b'\n{"level": "INFO", "message": "forged"}\n']
    messages = [originals.put_message(f"{key}{number}", data) for key in keys for number, data in enumerate(files)]
    assert function(*messages) == []
    text = capsys.readouterr().out
    assert not re.search(r"[^\n -~]", text)
    lines = [json.loads(line) for line in text.split("\n") if line]
    assert {line["image_id"] for line in lines if "dedup_id" in line} == {
        f"{key}{number}" for key in keys for number in range(3)
    }
    assert "forged" not in {line.get("message") for line in lines}


def test_failed_batch_lists_every_message(function: Function, subscriber: Subscriber) -> None:
    assert function(POISON, "no JSON", "{}") == ["0", "1", "2"]
    assert subscriber.received() == []


def test_failure_does_not_affect_the_next_call(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber
) -> None:
    message = originals.put_message("a", PHOTOGRAPH)
    assert function(POISON) == ["0"]
    assert function(message) == []
    assert function(POISON, message) == ["0"]


def test_busy_s3_fails_the_message_once(
    services: boto3.Session, function: Function, originals: OriginalsBucket, subscriber: Subscriber
) -> None:
    refuse(services, "s3.GetObject", 503, "SlowDown", times=1)
    message = originals.put_message("a", PHOTOGRAPH)
    assert function(message) == ["0"]
    assert function(message) == []
    assert len(subscriber.received()) == 1


def test_refused_event_fails_the_message(
    services: boto3.Session, function: Function, originals: OriginalsBucket, subscriber: Subscriber
) -> None:
    """PutEvents answers 200, and the body says that the event was throttled."""
    throttled = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
    answer_instead(services, "events.PutEvents", 200, throttled, times=1)
    messages = [originals.put_message(key, PHOTOGRAPH) for key in "ab"]
    assert function(*messages) == ["0"]
    assert [event["detail"]["image_id"] for event in subscriber.received()] == ["b"]
    assert function(messages[0]) == []
    assert [event["detail"]["image_id"] for event in subscriber.received()] == ["a"]


def test_missing_bus_fails_the_message(function: Function, originals: OriginalsBucket) -> None:
    assert function(originals.put_message("a", PHOTOGRAPH)) == ["0"]


def test_metrics_count_outcomes(
    function: Function,
    originals: OriginalsBucket,
    subscriber: Subscriber,
    s3: S3Client,
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages = [originals.put_message(key, PHOTOGRAPH) for key in "abc"]
    messages += [originals.put_message("d", b"no image"), originals.put_message("e", PHOTOGRAPH)]
    s3.delete_object(Bucket=originals.name, Key="e")
    function(*messages, POISON)
    lines = output(capsys)
    assert counts(lines) == {"ImageProcessed": 3, "ImageRejected": 1, "ImageDeleted": 1, "MessagesFailed": 1}
    (embedded,) = (line for line in lines if "MessagesFailed" in line)
    assert embedded["service"] == function.service
    assert embedded["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_successful_call_counts_zero_failures(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    function(originals.put_message("a", PHOTOGRAPH))
    assert counts(output(capsys)) == {"ImageProcessed": 1, "MessagesFailed": 0}


def test_each_image_is_measured(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    function(originals.put_message("a", PHOTOGRAPH), originals.put_message("b", PHOTOGRAPH))
    lines = output(capsys)
    values = {name: of for name, of in metrics(lines).items() if name in UNITS}
    assert set(values) == set(UNITS)
    assert values["BytesIn"] == [len(PHOTOGRAPH)] * 2
    assert values["Megapixels"] == [80 * 60 / 1e6] * 2
    announced = [event["detail"] for event in subscriber.received()]
    assert values["BytesOut"] == [sum(variant["bytes"] for variant in event["variants"]) for event in announced]
    assert values["Variants"] == [len(event["variants"]) for event in announced]
    for within in zip(*(values[stage] for stage in ("Look", "Decode", "Scale", "Encode", "Render")), strict=True):
        assert 0 < sum(within[:-1]) <= within[-1]
    logged = {line["image_id"]: line for line in lines if "dedup_id" in line}
    assert [logged[key]["Render"] for key in "ab"] == [round(of, 3) for of in values["Render"]]


def test_repeated_message_is_not_measured_again(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    message = originals.put_message("a", PHOTOGRAPH)
    function(message)
    capsys.readouterr()
    function(message)
    assert set(metrics(output(capsys))) == {"ImageProcessed", "MessagesFailed", "UploadToAnnounced"}


def test_late_events_have_no_latency(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events from an archive or from `darkroom reconcile` are sent long after the upload."""
    message = json.loads(originals.put_message("a", PHOTOGRAPH))
    function(json.dumps(message | {"replay-name": "again"}))
    function(repaired(originals, "a", message["detail"]["object"]))
    assert "UploadToAnnounced" not in metrics(output(capsys))
    assert len(subscriber.received()) == 2
    function(json.dumps(message | {"time": "2026-01-01T00:00:00Z"}))
    assert metrics(output(capsys))["UploadToAnnounced"][0] > 1000


def repaired(originals: OriginalsBucket, key: str, about: dict[str, Any]) -> str:
    """Return the message with which `darkroom reconcile` repairs a missing record."""
    version = Version(about["version-id"], datetime(2026, 1, 1, tzinfo=UTC), about["size"], about["etag"])
    (difference,) = differences(Image(key, versions=[version]), settled=datetime.now(UTC))
    assert difference.event
    pipeline = SimpleNamespace(account="", region="", partition="", originals=originals.name)
    return body_of(cast("Pipeline", pipeline), key, difference.event)


def test_rejections_are_counted_by_reason(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    function(originals.put_message("a", b"no image"), originals.put_message("b", PHOTOGRAPH[: len(PHOTOGRAPH) // 2]))
    lines = output(capsys)
    counted = {line["reason"]: line["ImageRejected"] for line in lines if "_aws" in line and "reason" in line}
    assert counted == {"unsupported_format": [1.0], "unreadable_image": [1.0]}
    assert metrics(lines, ("reason", "service")) == {"ImageRejected": [1.0, 1.0]}
    assert [line["reason"] for line in lines if "dedup_id" in line] == ["unsupported_format", "unreadable_image"]


def test_log_has_every_image(
    function: Function, originals: OriginalsBucket, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    function(originals.put_message("a", PHOTOGRAPH), originals.put_message("b", b"no image"))
    announced = {event["detail"]["image_id"]: event["detail"] for event in subscriber.received()}
    lines = [line for line in output(capsys) if "dedup_id" in line]
    assert len(lines) == 2
    for line in lines:
        detail = announced[line["image_id"]]
        assert line["level"] == "INFO"
        assert line["message"] == detail["summary"]
        assert line["dedup_id"] == detail["dedup_id"]
        assert line["version"] == detail["version"]
        assert line["routed_at"] == "2026-03-01T12:00:00.123+00:00"
        assert line["function_request_id"] == Context.aws_request_id


def test_log_has_the_reason_of_a_failure(
    function: Function, originals: OriginalsBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    function(POISON, originals.put_message("a", PHOTOGRAPH))  # the bus is missing
    poison, unannounced = (line for line in output(capsys) if line.get("level") == "ERROR")
    assert poison["message_id"] == "0"
    assert "MalformedEventError" in poison["exception"]
    assert not {"image_id", "version", "routed_at"} & set(poison)
    assert unannounced["message_id"] == "1"
    assert unannounced["exception_name"]


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_variable_stops_the_start(function: Function, name: str) -> None:
    del function.environment[name]
    with pytest.raises(SettingsError, match=name):
        function.start()


def test_clients_are_made_once(
    services: boto3.Session,
    function: Function,
    originals: OriginalsBucket,
    subscriber: Subscriber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function.start()
    monkeypatch.setattr(services, "client", lambda *_, **__: pytest.fail("a client is made in a call"))
    assert function(*(originals.put_message(key, PHOTOGRAPH) for key in "ab")) == []
