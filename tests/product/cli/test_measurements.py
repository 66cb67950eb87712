"""Measurements from logs as Lambda and Powertools write them, from items and from settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from darkroom.cli import main
from darkroom.logs import Report, read_report
from darkroom.measurements import deliveries, item_size, read_run, times, write_units
from darkroom.workflow import DefinitionError, walk

if TYPE_CHECKING:
    from darkroom.resources import Resources

STAGES = {"Fetch": 20.0, "Render": 300.0, "Store": 30.0}


def outcome(request: str, *, cold: bool = False, **more: Any) -> dict[str, Any]:
    """Return a log line about an outcome, as Powertools' Logger writes it."""
    return {
        "level": "INFO",
        "location": "announce:131",
        "message": "Image maria/1: processed, 3 variants",
        "timestamp": "2026-11-21 09:30:14,123+0000",
        "service": "process_image",
        "cold_start": cold,
        "function_name": "darkroom-process-image",
        "function_memory_size": "1024",
        "function_arn": "arn:aws:lambda:eu-central-1:111122223333:function:darkroom-process-image",
        "function_request_id": request,
        "image_id": "maria/1",
        "version": "v1",
        "dedup_id": "c9a7",
        **more,
    }


def processed(request: str, *, cold: bool = False, **more: Any) -> dict[str, Any]:
    measures = {**STAGES, "BytesIn": 2_000_000.0, "BytesOut": 300_000.0, "Variants": 3.0, "Megapixels": 12.0}
    return outcome(request, cold=cold, **{**measures, **more})


def report(request: str, duration: float, init: float | None = None) -> str:
    """Return a report in Lambda's text format."""
    started = f"Init Duration: {init:.2f} ms\t" if init is not None else ""
    return (
        f"REPORT RequestId: {request}\tDuration: {duration:.2f} ms\tBilled Duration: {duration + (init or 0):.0f} ms\t"
        f"Memory Size: 1024 MB\tMax Memory Used: 151 MB\t{started}\n"
    )


def platform_report(request: str, duration: float, init: float | None = None) -> str:
    """Return a report in Lambda's JSON format."""
    metrics = {"durationMs": duration, "billedDurationMs": 800, "memorySizeMB": 1024, "maxMemoryUsedMB": 151}
    record = {
        "requestId": request,
        "metrics": {**metrics, **({"initDurationMs": init} if init is not None else {})},
        "status": "success",
    }
    return json.dumps({"time": "2026-11-21T09:30:14.456Z", "type": "platform.report", "record": record})


def log(*lines: str | dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"timestamp": 1, "message": line if isinstance(line, str) else json.dumps(line)}
        for line in ("INIT_START Runtime Version: python:3.13.v64\n", *lines)
    ]


@pytest.mark.parametrize("write", [report, platform_report])
def test_reports_are_read_in_both_formats(write: Any) -> None:
    assert read_report(write("a", 812.5, 640.25)) == Report("a", 812.5, 640.25)
    assert read_report(write("a", 812.5)) == Report("a", 812.5, None)
    assert read_report("START RequestId: a Version: $LATEST\n") is None
    assert read_report('{"type": "platform.report", "record": {}}') is None


def test_times_are_means_over_images() -> None:
    run = read_run(
        log(
            processed("a", cold=True), processed("a", cold=True, Render=500.0), report("a", 1000, 600),
            processed("b"), report("b", 500),
        )
    )  # fmt: skip
    notes: list[str] = []
    took = times(run, notes)
    assert (took.handler, took.init, took.batch) == (500, 600, 1.5)
    assert took.render == pytest.approx((300 + 500 + 300) / 3)
    assert took.cold_starts == pytest.approx(1 / 3)
    assert notes == []


def test_unreported_start_is_estimated() -> None:
    """First call 1,150 ms, second 450 ms, 350 ms of each for the image: 700 ms, which are not the handler's."""
    run = read_run(log(processed("a", cold=True), report("a", 1150), processed("b"), report("b", 450)))
    notes: list[str] = []
    took = times(run, notes)
    assert (took.init, took.handler, took.cold_starts) == (700, 450, 0.5)
    assert "Init Duration" in notes[0]


def test_a_first_call_alone_estimates_no_start() -> None:
    notes: list[str] = []
    took = times(read_run(log(processed("a", cold=True), report("a", 1150))), notes)
    assert (took.init, took.handler) == (0, 1150)
    assert "not in the bill" in notes[0]


def test_only_calls_that_just_process_images_count() -> None:
    failed = {"level": "ERROR", "message": "This message failed", "function_request_id": "failed"}
    run = read_run(
        log(
            processed("good"), report("good", 400),
            processed("mixed"), outcome("mixed", reason="not_an_image"), report("mixed", 700),
            processed("failed"), failed, report("failed", 9000),
            processed("running"),
            outcome("again"), report("again", 90),
        )
    )  # fmt: skip
    assert run.counted == ["good"]
    assert run.outcomes == 6


def test_metrics_are_counted_by_name_and_dimensions() -> None:
    """Powertools writes one blob per call, and another one for metrics with an additional dimension."""

    def blob(dimensions: dict[str, str], **values: Any) -> dict[str, Any]:
        directive = {
            "Namespace": "darkroom",
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
        }
        return {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, **dimensions, **values}

    service = {"service": "process_image"}
    run = read_run(
        log(
            blob(service, ImageProcessed=[1.0, 1.0], Fetch=[20.0, 21.0]),
            blob(service, ImageProcessed=[1.0], Fetch=[20.0]),
            blob({**service, "reason": "too_many_pixels"}, ImageRejected=[1.0]),
            blob({**service, "reason": "not_an_image"}, ImageRejected=[1.0]),
        )
    )
    assert len(run.metrics) == 4


def test_a_log_is_measured_in_bytes() -> None:
    assert read_run([{"timestamp": 1, "message": "é\n"}]).size == 3


def test_item_sizes_follow_dynamodb() -> None:
    assert item_size({"id": "abc"}) == 2 + 3
    assert item_size({"n": 1}) == 1 + 2
    assert item_size({"n": 12345}) == 1 + 4
    assert item_size({"ok": True, "none": None}) == (2 + 1) + (4 + 1)
    assert item_size({"list": ["ab", "cd"]}) == 4 + (3 + 2) + 4
    assert item_size({"map": {"k": "v"}}) == 3 + (3 + 1) + 2
    assert item_size({"é": "é"}) == 4


def update(record: dict[str, str]) -> dict[str, Any]:
    return {"Resource": "arn:aws:states:::dynamodb:updateItem", "Parameters": {"Key": {"record": record}}}


def test_writes_count_by_kilobyte_and_index() -> None:
    version = {"image_id": "a", "record": "version#1", "sequencer": "00", "text": "x" * 1500}
    current = {"image_id": "a", "record": "current", "listed_owner": None}
    tasks = [
        update({"S.$": "States.Format('version#{}', $.detail.version)"}),
        update({"S": "current"}),
        {"Resource": "arn:aws:states:::sns:publish", "Parameters": {}},
    ]
    indexes = [["listed_owner", "listed_at"], ["image_id", "sequencer"]]
    assert write_units(tasks, version, current, indexes) == 2 * 2 + 1
    owned = {**current, "listed_owner": "maria", "listed_at": "2026"}
    assert write_units(tasks, version, owned, indexes) == 2 * 2 + 2


# The walk through the workflow

LOOP: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}


def test_walk_follows_choices_maps_and_branches() -> None:
    item = {"StartAt": "Each", "States": {"Each": {"Type": "Pass", "End": True}}}
    branch = {
        "StartAt": "Kind",
        "States": {
            "Kind": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$['replay-name']", "IsPresent": True, "Next": "Never"},
                    {
                        "And": [
                            {"Variable": "$.detail.owner", "IsString": True},
                            {"Variable": "$.detail.status", "StringEquals": "Processed"},
                        ],
                        "Next": "Map",
                    },
                ],
                "Default": "Never",
            },
            "Map": {
                "Type": "Map",
                "ItemsPath": "$.detail.variants",
                "ItemProcessor": item,
                "ResultPath": "$.typed",
                "Next": "Task",
            },
            "Task": {"Type": "Task", "Resource": "r", "ResultPath": "$.before", "Next": "Announced"},
            "Announced": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.before.Attributes", "IsPresent": True, "Next": "Never"}],
                "Default": "End",
            },
            "Never": {"Type": "Fail"},
            "End": {"Type": "Succeed"},
        },
    }
    definition = {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": [branch], "End": True}}}
    way = walk(definition, {"detail": {"owner": "maria", "status": "Processed", "variants": [{}, {}]}})
    assert way.entered == ["All", "Kind", "Map", "Each", "Each", "Task", "Announced", "End"]
    assert (len(way.tasks), way.fan_out, way.ended) == (1, 3, "Parallel")


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (LOOP, "does not end"),
        ({"StartAt": "A", "States": {"A": {"Type": "Odd"}}}, "state A has the type Odd"),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNumeric": True}]}}},
            "IsNumeric",
        ),
    ],
)
def test_walk_names_what_is_not_supported(definition: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        walk(definition, {})


# Settings


def test_deliveries_without_a_price_are_noted(resources: Resources) -> None:
    for protocol, endpoint in (("sqs", f"arn:aws:sqs:eu-central-1:{resources.account}:q"), ("sms", "+15555550100")):
        resources.sns.subscribe(TopicArn=resources.topic_arn, Protocol=protocol, Endpoint=endpoint)
    notes: list[str] = []
    assert deliveries(resources, notes) == {"sqs": 1}
    assert notes == ["SNS: deliveries by sms have no price here"]


# The command


def test_no_images_is_an_error_with_advice(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no image" in said.err
    assert "darkroom upload" in said.err


def test_an_invalid_time_is_an_error(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--since", "yesterday"]) == 1
    assert "'yesterday' is not a time" in capsys.readouterr().err
