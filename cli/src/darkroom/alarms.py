"""The pipeline's alarms, by name: names of other pipelines may have the same prefix.

An end-to-end test compares the names with the alarms that Terraform creates.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from darkroom.resources import Dlq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

    from darkroom.resources import Resources

_EVENTS = (
    "object-created",
    "object-deleted",
    "image-processed",
    "image-rejected",
    "image-deleted",
    "version-deleted",
)

ALWAYS = (
    *(f"dlq-{dlq}" for dlq in Dlq),
    "age-uploads",
    *(f"{what}-process_image" for what in ("errors", "throttles", "slow")),
    *(f"{what}-record_image" for what in ("failed", "timed-out")),
    "throttled-starts",
    *(f"{what}-{event}" for what, event in product(("rule", "lost"), _EVENTS)),
    "unnotified-notifications",
    *(f"table-images{index}" for index in ("", "-by_owner", "-by_sequencer")),
    "bad-share",
    "failing",
)
WITH_AN_API = ("api-api", *(f"{what}-presign_upload" for what in ("errors", "throttles", "slow")))
WITH_A_SCHEDULE = (
    "dlq-reconcile",
    "found-differences",
    *(f"{what}-reconcile" for what in ("errors", "throttles", "slow")),
)
WITH_FINDINGS = (
    "dlq-findings",
    *(f"{what}-{source}" for what, source in product(("rule", "lost"), ("security-hub", "config"))),
)
WITH_A_STANDARD_WORKFLOW = ("throttled-record_image",)
WHERE_IMAGES_ARE_EXPECTED = ("silence",)


def alarm_name(resources: Resources, key: str) -> str:
    """Return the name of an alarm."""
    return f"{resources.name}-{key}"


def alarms(resources: Resources) -> dict[str, MetricAlarmTypeDef]:
    """Return the alarms that exist, by the part of their names after the pipeline's."""
    keys = (
        *ALWAYS,
        *WITH_AN_API,
        *WITH_A_SCHEDULE,
        *WITH_FINDINGS,
        *WITH_A_STANDARD_WORKFLOW,
        *WHERE_IMAGES_ARE_EXPECTED,
    )
    found = {alarm["AlarmName"]: alarm for alarm in _named(resources, [alarm_name(resources, key) for key in keys])}
    return {key: found[name] for key in keys if (name := alarm_name(resources, key)) in found}


def _named(resources: Resources, names: list[str]) -> Iterator[MetricAlarmTypeDef]:
    for page in resources.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=names):
        yield from page.get("MetricAlarms", [])
