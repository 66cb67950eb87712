"""Log groups, read as an operator needs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from darkroom.resources import Resources


def read_log(
    resources: Resources, group: str, start: datetime, end: datetime, pattern: str = ""
) -> Iterator[Mapping[str, Any]]:
    """The events of a log group between two times, those that match a filter pattern."""
    pages = resources.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern=pattern,
        startTime=int(start.timestamp() * 1000),
        endTime=int(end.timestamp() * 1000),
    )
    for page in pages:
        yield from page["events"]


def entry(line: str) -> dict[str, Any]:
    """A line that is a JSON object; of any other, nothing."""
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
