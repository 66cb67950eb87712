"""Metrics of a run: one line in CloudWatch's embedded metric format for each set of dimensions."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconcile.run import Report

SERVICE = "reconcile"


def lines(report: Report, namespace: str) -> Iterator[str]:
    """Return the lines of a run: one for all kinds of differences, and one for each kind that was found."""
    found, repaired = report.found.total(), report.repaired.total()
    yield _line(namespace, {}, {"ImagesCompared": report.images} | _counts(found, repaired))
    for kind, count in sorted(report.found.items()):
        yield _line(namespace, {"kind": kind}, _counts(count, report.repaired[kind]))


def _counts(found: int, repaired: int) -> dict[str, int]:
    return {"DifferencesFound": found, "DifferencesRepaired": repaired, "DifferencesLeft": found - repaired}


def _line(namespace: str, more: Mapping[str, str], counts: Mapping[str, int]) -> str:
    dimensions = {"service": SERVICE, **more}
    about = {
        "Namespace": namespace,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    line = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}, **dimensions, **counts}
    return json.dumps(line)
