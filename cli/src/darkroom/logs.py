"""Log groups, and the lines that Lambda writes into them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom.errors import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from darkroom.resources import Resources

_REPORT = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<duration>[0-9.]+) ms"
    r"(?:.*?\sInit Duration: (?P<init>[0-9.]+) ms)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Report:
    """Lambda's report about an invocation.

    Attributes:
        request_id: The invocation's request id.
        duration: Milliseconds in the handler.
        init: Milliseconds of the environment's start; None without a start, or if the engine does not report it.
    """

    request_id: str
    duration: float
    init: float | None = None


def read_log(
    resources: Resources, group: str, start: datetime, end: datetime, pattern: str = ""
) -> Iterator[Mapping[str, Any]]:
    """Yield the events between two times that match a filter pattern; none if there is no such log group."""
    pages = resources.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern=pattern,
        startTime=int(start.timestamp() * 1000),
        endTime=int(end.timestamp() * 1000),
    )
    try:
        for page in pages:
            yield from page["events"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise


def entry(text: str) -> dict[str, Any]:
    """Return the JSON object in a line or a message; an empty one if the text is anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def read_report(line: str) -> Report | None:
    """Return the report in a line, in either of Lambda's formats; None if the line is no report."""
    if found := _REPORT.search(line):
        return Report(found["id"], float(found["duration"]), float(found["init"]) if found["init"] else None)
    if "platform.report" not in line:
        return None
    try:
        record = json.loads(line)["record"]
        metrics = record["metrics"]
        return Report(record["requestId"], float(metrics["durationMs"]), metrics.get("initDurationMs"))
    except (ValueError, KeyError, TypeError):
        return None
