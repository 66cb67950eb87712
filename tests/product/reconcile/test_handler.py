"""The scheduled function, as Lambda calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from darkroom_shared.settings import SettingsError
from reconcile import progress, walk
from reconcile.composition import compose
from reconcile.settings import Settings
from reconcile.walk import BEGINNING, Place, Walk
from scripts.aws_checks.metrics import written_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkroom.resources import Resources

    Function = Callable[..., dict[str, Any]]

ENVIRONMENT = {
    "LOG_LEVEL": "INFO",
    "METRICS_NAMESPACE": "unit",
    "ORIGINALS_BUCKET": "originals",
    "PROCESSED_BUCKET": "processed",
    "TABLE": "images",
    "UPLOADS_QUEUE_URL": "https://queue",
}
IMAGES = [f"{number}.jpg" for number in range(6)]


@dataclass
class Context:
    """The part of Lambda's context that the function reads.

    Attributes:
        left: Remaining milliseconds, returned one after the other. The last one is repeated.
    """

    left: list[int]
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:unit-reconcile"

    def get_remaining_time_in_millis(self) -> int:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.fixture
def function(resources: Resources) -> Function:
    """Provide the function, composed with the environment that Terraform sets."""
    names = {
        "ORIGINALS_BUCKET": resources.originals,
        "PROCESSED_BUCKET": resources.processed,
        "TABLE": resources.table,
        "UPLOADS_QUEUE_URL": resources.uploads_queue_url,
    }
    environment = ENVIRONMENT | names
    for image_id in IMAGES:
        resources.s3.put_object(Bucket=resources.originals, Key=image_id, Body=b"data")

    def call(left: list[int] | None = None, level: str = "INFO", **event: Any) -> dict[str, Any]:
        handler = compose(environment | {"LOG_LEVEL": level})
        return handler({"grace_minutes": 0, **event}, Context(left or [900_000]))

    return call


def sent(resources: Resources) -> list[str]:
    found: list[str] = []
    while answer := resources.sqs.receive_message(QueueUrl=resources.uploads_queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in answer:
            resources.sqs.delete_message(QueueUrl=resources.uploads_queue_url, ReceiptHandle=message["ReceiptHandle"])
        found += [json.loads(message["Body"])["detail"]["object"]["key"] for message in answer]
    return found


def metrics(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]


def test_run_only_reports_by_default(
    function: Function, resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    assert function() == {"images": 6, "found": {"missing": 6}, "repaired": {}, "finished": True}
    assert sent(resources) == []
    all_kinds, missing = metrics(capsys.readouterr().out)
    assert (all_kinds["ImagesCompared"], all_kinds["DifferencesFound"], all_kinds["DifferencesLeft"]) == (6, 6, 6)
    assert (missing["kind"], missing["DifferencesFound"], missing["DifferencesRepaired"]) == ("missing", 6, 0)


def test_metrics_have_the_embedded_format(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html."""
    function(repair=True)
    for line, dimensions in zip(metrics(capsys.readouterr().out), (["service"], ["service", "kind"]), strict=True):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "unit"
        assert directive["Dimensions"] == [dimensions]
        assert line["service"] == "reconcile"
        assert all(isinstance(line[name], str) for name in dimensions)
        assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
        assert line["DifferencesLeft"] == 0


@pytest.mark.parametrize(("level", "logged"), [("INFO", 7), ("WARN", 0)])
def test_log_level_keeps_every_metric(
    level: str,
    logged: int,
    function: Function,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lines about repairs and the end of a run have the level INFO."""
    function(repair=True, level=level)
    assert len([record for record in caplog.records if record.name == "reconcile.job"]) == logged
    assert len(metrics(capsys.readouterr().out)) == 2


def test_metrics_match_the_catalogue(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    """Alarms and dashboards are checked against the catalogue."""
    function(repair=True)
    written = {
        (frozenset(dimensions), metric["Name"])
        for line in metrics(capsys.readouterr().out)
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }
    assert written == written_by("reconcile")


def test_run_repairs_if_requested(function: Function, resources: Resources) -> None:
    assert function(repair=True) == {"images": 6, "found": {"missing": 6}, "repaired": {"missing": 6}, "finished": True}
    assert sorted(sent(resources)) == IMAGES


def test_next_call_continues_after_the_time_limit(
    function: Function, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "IMAGES_AT_ONCE", 2)
    monkeypatch.setattr(walk, "ITEMS_AT_ONCE", 2)
    first = function(left=[900_000] * 12 + [29_999], repair=True)
    assert not first["finished"]
    assert 0 < first["images"] < 6
    assert progress.load(resources.s3, resources.processed) != BEGINNING
    found = sent(resources)
    second = function(repair=True)
    assert second["finished"]
    assert second["images"] < 6, "it continued"
    assert sorted({*found, *sent(resources)}) == IMAGES
    assert progress.load(resources.s3, resources.processed) == BEGINNING, "the third run compares all of them again"


def test_run_with_prefix_ignores_progress(function: Function, resources: Resources) -> None:
    place = Place(Walk.BUCKETS, {"original": "5.jpg", "derivative": ""})
    progress.save(resources.s3, resources.processed, place)
    assert function(prefix="0")["images"] == 1
    assert progress.load(resources.s3, resources.processed) == place


def test_progress_keeps_any_key(resources: Resources) -> None:
    for place in (
        Place(Walk.BUCKETS, {"original": "ü {{x}}\n東京", "derivative": "a/v1/b.jpg"}),
        Place(Walk.TABLE, {"image_id": "a", "record": "version#v1"}),
        Place(Walk.DIGESTS, {}),
    ):
        progress.save(resources.s3, resources.processed, place)
        assert progress.load(resources.s3, resources.processed) == place


def test_unknown_input_is_an_error(function: Function) -> None:
    with pytest.raises(TypeError, match="repiar"):
        function(repiar=True)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_variable_is_named(name: str) -> None:
    assert Settings.from_environment(ENVIRONMENT).table == "images"
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: ""})


def test_unknown_log_level_is_named() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL is malformed: TRACE is not a level of Python's logging"):
        Settings.from_environment({**ENVIRONMENT, "LOG_LEVEL": "TRACE"})
