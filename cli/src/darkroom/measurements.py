"""Measurements of a deployed pipeline, read from its logs, its records and its settings.

A value that an engine does not report is replaced, and `Measurements.notes` says by what.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import ceil
from statistics import fmean, median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from darkroom.alarms import alarms
from darkroom.errors import OperatorError
from darkroom.files import read_json
from darkroom.logs import Report, entry, read_log, read_report
from darkroom.pricing import Measurements, load_prices, processor_share
from darkroom.replay import Archive, archive_name
from darkroom.workflow import DefinitionError, Walk, walk
from reconcile.records import CURRENT, read_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from darkroom.resources import Resources
    from reconcile.records import Item

RECORDS = 100  # maximum number of images whose items are read
FUNCTION_MEMORY = 256  # MB that the function needs without images (terraform/variables.tf)
KB = 1024

_AROUND = ("Fetch", "Render", "Store")  # stages outside the child process
_UPDATE = ":::dynamodb:updateItem"


@dataclass
class FunctionRun:
    """Content of the function's log in a time window.

    Attributes:
        images: Measures of each processed image, by request.
        others: Requests that did something else, or failed.
        cold: Requests for which an environment was started.
        reports: Reports by request.
        metrics: Distinct metrics in the embedded metric format.
        outcomes: Number of lines about an outcome of any kind.
        size: Bytes of all lines.
    """

    images: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    others: set[str] = field(default_factory=set)
    cold: set[str] = field(default_factory=set)
    reports: dict[str, Report] = field(default_factory=dict)
    metrics: set[tuple[str, ...]] = field(default_factory=set)
    outcomes: int = 0
    size: int = 0

    @property
    def counted(self) -> list[str]:
        """Requests that have ended and did nothing but process images."""
        return [request for request in self.images if request in self.reports and request not in self.others]


def read_run(events: Iterable[Mapping[str, Any]]) -> FunctionRun:
    """Return the content of a function's log."""
    run = FunctionRun()
    for event in events:
        line: str = event["message"]
        run.size += len(line.encode())
        if report := read_report(line):
            run.reports[report.request_id] = report
            continue
        values = entry(line)
        if "_aws" in values:
            run.metrics |= set(_metrics(values["_aws"], values))
        request = values.get("function_request_id")
        if not request:
            continue
        if values.get("cold_start"):
            run.cold.add(request)
        if "dedup_id" in values:
            run.outcomes += 1
            if all(stage in values for stage in _AROUND):
                run.images[request].append(values)
            else:
                run.others.add(request)
        elif values.get("level") in {"ERROR", "CRITICAL"}:
            run.others.add(request)
    return run


def _metrics(about: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for directive in about.get("CloudWatchMetrics", ()):
        for metric in directive["Metrics"]:
            for dimensions in directive["Dimensions"]:
                named = (f"{name}={values.get(name)}" for name in dimensions)
                yield directive["Namespace"], metric["Name"], *named


@dataclass(frozen=True)
class Times:
    """Times of the function, as in `Measurements`."""

    handler: float
    render: float
    init: float
    cold_starts: float
    batch: float


def times(run: FunctionRun, notes: list[str]) -> Times:
    """Return the times in reports and stages. Without INIT in reports: how much longer first calls took than others."""
    requests = run.counted
    images = sum(len(run.images[request]) for request in requests)
    cold = [request for request in requests if request in run.cold or run.reports[request].init is not None]
    reported = [init for request in cold if (init := run.reports[request].init) is not None]
    in_handler = 0.0  # INIT that an engine counts as time of the handler
    if reported:
        init = fmean(reported)
    else:
        around = {request: run.reports[request].duration - _staged(run.images[request]) for request in requests}
        first = [around[request] for request in cold]
        later = [around[request] for request in requests if request not in cold]
        init = max(0.0, median(first) - median(later)) if first and later else 0.0
        in_handler = init * len(cold)
        notes.append(
            "INIT: the log has no Init Duration. Used instead: how much longer first calls took than others"
            if init
            else "INIT: the log has no Init Duration, and no first call to compare with others. It is not in the bill"
        )
    handled = sum(run.reports[request].duration for request in requests) - in_handler
    rendered = sum(image["Render"] for request in requests for image in run.images[request])
    return Times(handled / images, rendered / images, init, len(cold) / images, images / len(requests))


def _staged(images: Sequence[Mapping[str, Any]]) -> float:
    return sum(float(image[stage]) for image in images for stage in _AROUND)


def measure(resources: Resources, since: datetime, until: datetime) -> Measurements:
    """Return the measurements of a pipeline, from the images that it processed between two times.

    Raises:
        OperatorError: It processed none.
    """
    notes: list[str] = []
    run = read_run(read_log(resources, resources.log_group, since, until))
    images = [image for request in run.counted for image in run.images[request]]
    if not images:
        raise OperatorError(
            f"no image in the log {resources.log_group} was processed from {since:%Y-%m-%d %H:%M} to "
            f"{until:%Y-%m-%d %H:%M} UTC: upload some (`darkroom upload`), or set an earlier --since"
        )
    took = times(run, notes)
    function = resources.functions.get_function_configuration(FunctionName=resources.function)
    memory = function["MemorySize"]
    variables = function.get("Environment", {}).get("Variables", {})
    endpoint = urlsplit(resources.functions.meta.endpoint_url).netloc
    on_aws = endpoint.split(":")[0].endswith(f".{resources.domain}")
    if not on_aws:
        notes.append("processor: this engine gives the function one processor of this machine, with any memory")
    records = _records(resources, images, until, notes)
    workflow_log = sum(_sizes(resources, resources.workflow_log_group, since, until))
    return Measurements(
        images=len(images),
        engine="AWS" if on_aws else endpoint,
        architecture=function.get("Architectures", ["x86_64"])[0],
        memory=memory,
        needed_memory=int(variables.get("MAX_MEMORY", 0)) + FUNCTION_MEMORY,
        share=processor_share(memory) if on_aws else 1.0,
        batch=took.batch,
        handler=took.handler,
        render=took.render,
        init=took.init,
        cold_starts=took.cold_starts,
        variants=fmean(image["Variants"] for image in images),
        bytes_in=fmean(image["BytesIn"] for image in images),
        bytes_out=fmean(image["BytesOut"] for image in images),
        derivative_events=_sends_events(resources, resources.processed),
        upload_event=_event_size(resources, Archive.UPLOADS, "object_created", notes),
        outcome_event=_event_size(resources, Archive.OUTCOMES, "image_processed", notes),
        record=records.size,
        write_units=records.write_units,
        transitions=records.transitions,
        workflow=_workflow_time(resources, since, until, records, notes),
        definition=records.definition,
        fan_out=records.fan_out,
        log=(run.size + workflow_log) / run.outcomes,
        api_log=_api_log(resources, since, until, notes),
        deliveries=deliveries(resources, notes),
        custom_metrics=len(run.metrics),
        alarms=len(alarms(resources)),
        dashboards=_dashboards(resources),
        traced=function.get("TracingConfig", {}).get("Mode") != "PassThrough",
        notes=notes,
    )


# Records and the workflow


@dataclass(frozen=True)
class Records:
    """Means of the items of some images, as in `Measurements`, and the seconds from the first write to the last."""

    size: float
    write_units: float
    transitions: float
    fan_out: float
    definition: int
    seconds: float


def _records(resources: Resources, images: Sequence[Mapping[str, Any]], until: datetime, notes: list[str]) -> Records:
    machine = resources.workflows.describe_state_machine(stateMachineArn=resources.workflow_arn)
    definition = json.loads(machine["definition"])
    table = resources.dynamodb.describe_table(TableName=resources.table)["Table"]
    indexes = [
        [key["AttributeName"] for key in index["KeySchema"]] for index in table.get("GlobalSecondaryIndexes", ())
    ]
    found = []
    seen: set[str] = set()
    for image in islice(reversed(images), RECORDS):
        if image["image_id"] in seen:
            continue
        seen.add(image["image_id"])
        items = {item["record"]: item for item in read_items(resources, image["image_id"])}
        version, current = items.get(f"version#{image['version']}"), items.get(CURRENT)
        if version and current and version.get("status") == "Processed" and "notified_at" in version:
            found.append((version, current, _way(definition, version)))
    if not found:
        raise OperatorError(
            f"none of the {len(images)} images in the log until {until:%Y-%m-%d %H:%M} UTC is recorded and announced: "
            "wait for the workflow, or check it (`darkroom doctor`)"
        )
    if any(way.ended == "Fail" for _, _, way in found):
        notes.append("workflow: by its definition, a processed image fails. Transitions are counted until the failure")
    return Records(
        size=fmean(item_size(version) + item_size(current) for version, current, _ in found),
        write_units=fmean(write_units(way.tasks, version, current, indexes) for version, current, way in found),
        transitions=fmean(len(way.entered) for _, _, way in found),
        fan_out=fmean(way.fan_out for _, _, way in found),
        definition=len(machine["definition"].encode()),
        seconds=fmean(
            (
                datetime.fromisoformat(version["notified_at"]) - datetime.fromisoformat(version["recorded_at"])
            ).total_seconds()
            for version, _, _ in found
        ),
    )


def _way(definition: Mapping[str, Any], version: Item) -> Walk:
    """Return the walk through the workflow with the event of a version's item."""
    try:
        return walk(definition, {"detail": version})
    except DefinitionError as error:
        raise OperatorError(f"the workflow's definition is not supported: {error}") from error


def write_units(
    tasks: Sequence[Mapping[str, Any]], version: Item, current: Item, indexes: Sequence[Sequence[str]]
) -> int:
    """Return the write units of the workflow's writes, and of the indexes' copies.

    An index has a full copy of each item that has all of the index's keys. Sizes are those of the final items.
    """
    units = 0
    for task in tasks:
        if not task["Resource"].endswith(_UPDATE):
            continue
        item = current if task["Parameters"]["Key"]["record"] == {"S": CURRENT} else version
        copies = 1 + sum(all(item.get(key) is not None for key in keys) for keys in indexes)
        units += copies * ceil(item_size(item) / KB)
    return units


def item_size(value: Any) -> int:  # noqa: ANN401 - any value in an item
    """Return the bytes that DynamoDB counts for an item or a value: names included, numbers by two digits."""
    if isinstance(value, str):
        return len(value.encode())
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, dict):
        return sum(len(name.encode()) + _nested(inner) for name, inner in value.items())
    if isinstance(value, (list, set, tuple)):
        return sum(map(_nested, value))
    digits = len(str(value).lstrip("-").replace(".", "").strip("0")) or 1
    return ceil(digits / 2) + 1 + (1 if str(value).startswith("-") else 0)


def _nested(value: Any) -> int:  # noqa: ANN401 - any value in an item
    """Return the bytes of a value within an item: a list or a map has three more, and one for each member."""
    if isinstance(value, (dict, list, set, tuple)):
        return 3 + len(value) + item_size(value)
    return item_size(value)


def _workflow_time(resources: Resources, since: datetime, until: datetime, records: Records, notes: list[str]) -> float:
    """Return the milliseconds of an execution: from CloudWatch, otherwise from the first write to the last."""
    span = timedelta(seconds=max(60, ceil((until - since).total_seconds() / 60) * 60))
    points = resources.cloudwatch.get_metric_statistics(
        Namespace="AWS/States",
        MetricName="ExecutionTime",
        Dimensions=[{"Name": "StateMachineArn", "Value": resources.workflow_arn}],
        StartTime=until - span,
        EndTime=until,
        Period=int(span.total_seconds()),
        Statistics=["Average"],
    )["Datapoints"]
    if points:
        return fmean(point["Average"] for point in points)
    notes.append(
        "workflow: CloudWatch has no times of executions. Used instead: the time from the first write to the last"
    )
    return records.seconds * 1000


# Events, logs, settings


def _event_size(resources: Resources, archive: Archive, contract: str, notes: list[str]) -> float:
    """Return the mean size of an archive's events; the size of the contract's example if AWS does not report it."""
    kept = resources.events.describe_archive(ArchiveName=archive_name(resources, archive))
    if kept.get("EventCount") and kept.get("SizeBytes"):
        return kept["SizeBytes"] / kept["EventCount"]
    notes.append(f"events: the archive of {archive} has no size. Used instead: the example in events/{contract}")
    example = read_json(f"events/{contract}/example.json")
    return len(json.dumps(example, separators=(",", ":")).encode())


def _api_log(resources: Resources, since: datetime, until: datetime, notes: list[str]) -> float:
    """Return the bytes in the API's log per request."""
    sizes = _sizes(resources, resources.api_log_group, since, until)
    if not sizes:
        notes.append("API: no request in its log. The log is not in the bill")
        return 0
    return fmean(sizes)


def _sizes(resources: Resources, group: str, since: datetime, until: datetime) -> list[int]:
    """Return the bytes of each line of a log group between two times."""
    return [len(event["message"].encode()) for event in read_log(resources, group, since, until)]


def _sends_events(resources: Resources, bucket: str) -> bool:
    # The stubs say that the key is always there. It is missing without notifications to EventBridge.
    notifies: Mapping[str, Any] = resources.s3.get_bucket_notification_configuration(Bucket=bucket)
    return "EventBridgeConfiguration" in notifies


def deliveries(resources: Resources, notes: list[str]) -> dict[str, int]:
    """Return the number of subscriptions by protocol, without protocols whose deliveries have no price."""
    found = Counter(subscription["Protocol"] for subscription in resources.subscriptions(resources.topic_arn))
    priced = {protocol: count for protocol, count in found.items() if load_prices().has("sns", f"delivery_{protocol}")}
    notes += [f"SNS: deliveries by {protocol} have no price here" for protocol in found.keys() - priced.keys()]
    return priced


def _dashboards(resources: Resources) -> int:
    """Return the number of the pipeline's dashboards: one or none."""
    found = resources.cloudwatch.list_dashboards(DashboardNamePrefix=resources.dashboard)["DashboardEntries"]
    return sum(dashboard["DashboardName"] == resources.dashboard for dashboard in found)
