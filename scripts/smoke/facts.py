"""What a smoke test found out: its checks, and the facts that only the engine that it ran on can tell."""

from __future__ import annotations

import re
import statistics
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from darkroom.hops import Hop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from darkroom.pricing import Prices
    from scripts.demo.journey import Journey

HOURS_A_MONTH = 730

AWS = "AWS"  # the engine that decides


class SmokeError(Exception):
    """Something is not as it must be; the message says what is there instead."""


class Outcome(StrEnum):
    """Outcome of a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_HERE = "not on this engine"


@dataclass(frozen=True)
class Check:
    """Step of the test, with its outcome and finding."""

    name: str
    outcome: Outcome
    said: str


@dataclass
class Facts:
    """What is known after a run.

    Attributes:
        engine: What it ran against: AWS, or the address of something else.
        region: Its region.
        date: When it began, RFC 3339.
        checks: What was checked, in order.
        keys: Each key as it was sent and as it came in S3's event; none where no event came.
        events: The shape of what S3's events hold.
        flowed_after: Seconds from the end of the apply to the upload whose event was the first to come.
        encryption: Deliveries to encrypted queues, and whether they came.
        cold: Seconds from the beginning of an upload to each hop, of a function that was just started.
        warm: The same as medians, of functions that ran already; and of how many images.
        plan: What a second plan would have changed: addresses; none if it was not looked at.
        more: Further facts that steps found, by name.
    """

    engine: str
    region: str
    date: str
    checks: list[Check] = field(default_factory=list)
    keys: list[dict[str, str | None]] = field(default_factory=list)
    events: dict[str, Any] = field(default_factory=dict)
    flowed_after: float | None = None
    encryption: dict[str, bool] = field(default_factory=dict)
    cold: dict[str, float] = field(default_factory=dict)
    warm: dict[str, float] = field(default_factory=dict)
    warm_images: int = 0
    plan: list[str] | None = None
    more: dict[str, str] = field(default_factory=dict)

    @property
    def on_aws(self) -> bool:
        """True if it ran on AWS."""
        return self.engine == AWS

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return asdict(self)

    def as_markdown(self) -> str:
        """Return a table of the facts and one of the steps."""
        facts = {
            "engine, region": f"{self.engine}, {self.region}",
            "S3's events come": f"{self.flowed_after:.0f} s after the apply"
            if self.flowed_after is not None
            else "never",
            **{f"key `{_code(key['sent'])}` in S3's event": _told(key) for key in self.keys},
            **{f"S3's event: {name}": str(value) for name, value in self.events.items()},
            **{f"encrypted: {way}": "delivered" if came else "not delivered" for way, came in self.encryption.items()},
            "upload to notification, cold": _way(self.cold),
            f"upload to notification, warm, median of {self.warm_images}": _way(self.warm),
            "a second plan": _plan(self.plan),
            **self.more,
        }
        lines = [f"Of {self.date}.", "", "| fact | found |", "|---|---|"]
        lines += [f"| {name} | {_cell(found)} |" for name, found in facts.items()]
        lines += ["", "| step | outcome | found |", "|---|---|---|"]
        lines += [
            f"| `{check.name}` | {f'**{check.outcome}**' if check.outcome is Outcome.FAILED else check.outcome} "
            f"| {_cell(check.said)} |"
            for check in self.checks
        ]
        return "\n".join(lines) + "\n"


def _code(text: str | None) -> str:
    return (text or "").replace("`", "'").replace("|", "\\|")


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def _told(key: Mapping[str, str | None]) -> str:
    if key["in_event"] is None:
        return "no event"
    return "as it is" if key["in_event"] == key["sent"] else f"`{_code(key['in_event'])}`"


def _plan(addresses: Sequence[str] | None) -> str:
    if addresses is None:
        return "not looked at"
    return f"changes {', '.join(f'`{address}`' for address in addresses)}" if addresses else "empty"


def _way(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{hop} {value:.2f} s" for hop, value in seconds.items()) or "not seen"


def shape(text: str | None) -> str:
    """What a token looks like, without telling it."""
    if text is None:
        return "missing"
    kind = "hexadecimal digits" if re.fullmatch(r"[0-9A-Fa-f]+", text) else "characters"
    return f"{len(text)} {kind}"


def event_facts(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The shape of what S3's events tell of objects: details of `Object Created`, the older ones first."""
    objects = [event["object"] for event in events]
    by_key: dict[str, list[str]] = {}
    for about in objects:
        by_key.setdefault(about["key"], []).append(about["sequencer"])
    repeated = [_padded(sequencers) for sequencers in by_key.values() if len(sequencers) > 1]
    return {
        "version-id": _all(shape(about.get("version-id")) for about in objects),
        "sequencer": _all(shape(about["sequencer"]) for about in objects),
        "sequencer rises with an overwrite": _all(
            "yes" if sequencers == sorted(set(sequencers)) else "no" for sequencers in repeated
        ),
    }


def _padded(sequencers: Sequence[str]) -> list[str]:
    """Sequencers as they are compared: the shorter ones right-padded with zeros."""
    width = max(map(len, sequencers))
    return [sequencer.ljust(width, "0") for sequencer in sequencers]


def _all(found: Iterable[str]) -> str:
    return ", ".join(sorted(set(found))) or "not seen"


def timings(journeys: Iterable[Journey]) -> dict[str, float]:
    """Seconds from the beginning of an upload to each hop that is known, as medians."""
    known: dict[Hop, list[float]] = {}
    for journey in journeys:
        for hop in Hop:
            if (seconds := journey.seconds(hop)) is not None:
                known.setdefault(hop, []).append(seconds)
    return {hop.value: round(statistics.median(known[hop]), 3) for hop in Hop if hop in known}


def changed(plan: Mapping[str, Any]) -> list[str]:
    """The addresses of what a plan would change, those of a map as one."""
    found = {
        re.sub(r'\["[^"]*"\]$', "[*]", change["address"])
        for change in plan.get("resource_changes", ())
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }
    return sorted(found)


def estimate(plan: Mapping[str, Any], prices: Prices, images: int) -> list[tuple[str, float]]:
    """What a run costs, in US dollars: an hour of what is billed by time, and what the images take.

    Args:
        plan: Terraform's plan of what will be made, in its JSON form.
        prices: Those of AWS.
        images: How many images go through.
    """
    made = [change["type"] for change in plan["resource_changes"] if change["change"]["actions"] == ["create"]]
    hourly = {
        "key": ("aws_kms_key", prices.usd("kms", "key_month")),
        "alarms": ("aws_cloudwatch_metric_alarm", prices.usd("cloudwatch", "alarm_month")),
        "dashboard": ("aws_cloudwatch_dashboard", prices.usd("cloudwatch", "dashboard_month")),
    }
    lines = [
        (f"{made.count(kind)} {name}, an hour", made.count(kind) * month / HOURS_A_MONTH)
        for name, (kind, month) in hourly.items()
    ]
    metrics = 20  # at most that many of the function's own
    lines.append(
        (
            f"{metrics} custom metrics, an hour",
            metrics * prices.usd("cloudwatch", "custom_metric_month") / HOURS_A_MONTH,
        )
    )
    # Many times what an image takes in service (docs/cost.md): queues are polled, logs are read.
    lines.append((f"{images} images", images * 0.0005))
    return lines
