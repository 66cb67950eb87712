"""Results of a smoke test: its checks, and facts that only a real engine can show."""

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
    """A fact differs from the expectation; the message has the actual value."""


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
    """Facts after a run.

    Attributes:
        engine: AWS, or the address of an emulator.
        region: Its region.
        date: Start of the run, RFC 3339.
        checks: Checks in their order.
        keys: Each key as sent and as in S3's event; None without an event.
        events: Form of the values in S3's events.
        flowed_after: Seconds from the end of the apply to the upload of the first event.
        encryption: Deliveries to encrypted queues, and whether they arrived.
        cold: Seconds from the start of an upload to each hop, with a cold start.
        warm: Medians of the same without a cold start, and the number of images.
        plan: Addresses that a second plan would change; None if it was not checked.
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
        """Return all facts, for a file."""
        return asdict(self)

    def as_markdown(self) -> str:
        """Return a table of the facts and one of the steps."""
        facts = {
            "engine, region": f"{self.engine}, {self.region}",
            "S3's events arrive": f"{self.flowed_after:.0f} s after the apply"
            if self.flowed_after is not None
            else "never",
            **{f"key `{_code(key['sent'])}` in S3's event": _arrived(key) for key in self.keys},
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


def _arrived(key: Mapping[str, str | None]) -> str:
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
    """Return length and characters of a token, without its value."""
    if text is None:
        return "missing"
    kind = "hexadecimal digits" if re.fullmatch(r"[0-9A-Fa-f]+", text) else "characters"
    return f"{len(text)} {kind}"


def event_facts(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the form of the object data in S3's events: details of `Object Created`, oldest first."""
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
    """Return sequencers in the form in which they are compared: right-padded with zeros."""
    width = max(map(len, sequencers))
    return [sequencer.ljust(width, "0") for sequencer in sequencers]


def _all(found: Iterable[str]) -> str:
    return ", ".join(sorted(set(found))) or "not seen"


def timings(journeys: Iterable[Journey]) -> dict[str, float]:
    """Return the medians of the seconds from the start of an upload to each known hop."""
    known: dict[Hop, list[float]] = {}
    for journey in journeys:
        for hop in Hop:
            if (seconds := journey.seconds(hop)) is not None:
                known.setdefault(hop, []).append(seconds)
    return {hop.value: round(statistics.median(known[hop]), 3) for hop in Hop if hop in known}


def changed(plan: Mapping[str, Any]) -> list[str]:
    """Return the addresses that a plan would change, with one entry for a map."""
    found = {
        re.sub(r'\["[^"]*"\]$', "[*]", change["address"])
        for change in plan.get("resource_changes", ())
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }
    return sorted(found)


def estimate(plan: Mapping[str, Any], prices: Prices, images: int) -> list[tuple[str, float]]:
    """Return the cost of a run in US dollars: an hour of resources billed by time, and the images.

    Args:
        plan: Terraform's plan in its JSON form.
        prices: Prices of AWS.
        images: Number of images.
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
    # A multiple of an image's requests in operation (docs/cost.md), because the test polls queues and reads logs.
    lines.append((f"{images} images", images * 0.0005))
    return lines
