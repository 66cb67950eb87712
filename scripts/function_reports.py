"""Lambda's reports of finished invocations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_TEXT = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<duration>[0-9.]+) ms"
    r"(?:.*?\sInit Duration: (?P<init>[0-9.]+) ms)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Report:
    """An invocation's report.

    Attributes:
        request_id: Its request.
        duration: Milliseconds in the handler.
        init: Milliseconds that its environment took to start; none if it was there, or where this is not said.
    """

    request_id: str
    duration: float
    init: float | None = None


def read_report(line: str) -> Report | None:
    """Return the report in a line of a function's log, in either of Lambda's formats; None for any other line."""
    if found := _TEXT.search(line):
        return Report(found["id"], float(found["duration"]), float(found["init"]) if found["init"] else None)
    if "platform.report" not in line:
        return None
    try:
        record = json.loads(line)["record"]
        metrics = record["metrics"]
        return Report(record["requestId"], float(metrics["durationMs"]), metrics.get("initDurationMs"))
    except (ValueError, KeyError, TypeError):
        return None
