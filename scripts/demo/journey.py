"""The journey of one image through the pipeline: the time of each hop, from the data of the services.

Every time comes from an event, a log, a listing or a record. An unknown hop has no time.
"""

# ruff: noqa: RUF001 - a dash and a multiplication sign are meant

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.filesize import decimal

from darkroom.hops import Hop
from darkroom.logs import entry, read_report
from reconcile.records import current_of, is_notified, versions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from darkroom.sources import Source
    from reconcile.records import Item


SOURCES = {
    Hop.UPLOADED: "the time that S3 gives in its event",
    Hop.ROUTED: "EventBridge delivered S3's event: to the demo's queue, in parallel to the function's queue",
    Hop.PICKED_UP: "the function's log: the invocation that got this image began",
    Hop.STORED: "the processed bucket's listing: its last derivative was written",
    Hop.ANNOUNCED: "the bus delivered the outcome: to the demo's queue, in parallel to the workflow",
    Hop.RECORDED: "recorded_at in the version's item",
    Hop.NOTIFIED: "SNS delivered the notification to its subscriber, the demo's queue",
}
NOTHING = "–"  # for an unknown time


@dataclass
class Journey:
    """State of one image.

    Attributes:
        source: Uploaded file.
        image_id: Key in the originals bucket.
        started: Start of the upload, from which all hops are measured.
        times: First time of each known hop.
        event: Detail of the outcome event.
        record: Current item of the image, once its outcome is marked as announced.
        notification: Notification as received.
        cold_start: True if the function's process was started for this image's invocation.
        trouble: Last error of this image.
        upload_failed: True if the image was not uploaded.
    """

    source: Source
    image_id: str
    started: datetime | None = None
    times: dict[Hop, datetime] = field(default_factory=dict)
    event: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None
    notification: Mapping[str, Any] | None = None
    cold_start: bool = False
    trouble: str | None = None
    upload_failed: bool = False

    @property
    def complete(self) -> bool:
        """True if the image is recorded and its subscribers are notified."""
        return self.record is not None and self.notification is not None

    @property
    def over(self) -> bool:
        """True if no further hop is expected."""
        return self.complete or self.upload_failed

    @property
    def status(self) -> str:
        """Outcome in the record, or what is missing."""
        if self.record and self.complete:
            return str(self.record["status"])
        return "Not uploaded" if self.upload_failed else "Not recorded"

    @property
    def reason(self) -> Mapping[str, str] | None:
        """Reason of a rejection: code and message."""
        return self.record.get("reason") if self.record else None

    @property
    def variants(self) -> Sequence[Mapping[str, Any]]:
        """The derivatives, as the record lists them."""
        return (self.record or {}).get("variants") or ()

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Hops of its journey: a rejected image has none for storing."""
        rejected = self.event is not None and self.event["status"] != "Processed"
        return tuple(hop for hop in Hop if not (rejected and hop is Hop.STORED))

    def seconds(self, hop: Hop) -> float | None:
        """Return the seconds from the start of the upload to a hop; None if unknown."""
        if self.started is None or hop not in self.times:
            return None
        return (self.times[hop] - self.started).total_seconds()

    @property
    def total(self) -> float | None:
        """Seconds from the start of the upload to the notification."""
        return self.seconds(Hop.NOTIFIED)

    def read_items(self, items: list[Item]) -> None:
        """Take the times of the newest version from the table, and the record once the version is announced."""
        current = current_of(items)
        version = next((item for item in versions_of(items) if current and item["version"] == current["version"]), None)
        if version is None:
            return
        if "uploaded_at" in version:
            self.times.setdefault(Hop.UPLOADED, datetime.fromisoformat(version["uploaded_at"]))
        self.times.setdefault(Hop.RECORDED, datetime.fromisoformat(version["recorded_at"]))
        if is_notified(version):
            self.record = current

    def read_listing(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Take the time of the last derivative, if the listing contains all of them with fractions of a second.

        Amazon S3 lists whole seconds, which are not precise enough.
        """
        keys = {variant["key"] for variant in (self.event or {}).get("variants", ())}
        written = [item["LastModified"] for item in objects if item["Key"] in keys]
        if written and len(written) == len(keys) and any(time.microsecond for time in written):
            self.times.setdefault(Hop.STORED, max(written))


def read_message(message: Mapping[str, Any], journeys: Mapping[str, Journey]) -> None:
    """Add an SQS message to its image's journey: an event of either bus, or a notification.

    Messages about other images are ignored: they are of an interrupted run.
    """
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    body = json.loads(message["Body"])
    if body.get("Type") == "Notification":
        if journey := journeys.get(json.loads(body["Message"])["image_id"]):
            journey.notification = journey.notification or body
            journey.times.setdefault(Hop.NOTIFIED, sent)
    elif body.get("source") == "aws.s3" and body["detail-type"] == "Object Created":
        if journey := journeys.get(body["detail"]["object"]["key"]):
            journey.times.setdefault(Hop.UPLOADED, datetime.fromisoformat(body["time"]))
            journey.times.setdefault(Hop.ROUTED, sent)
    elif body.get("source") == "darkroom" and (journey := journeys.get(body["detail"]["image_id"])):
        journey.event = journey.event or body["detail"]
        journey.times.setdefault(Hop.ANNOUNCED, sent)


class FunctionLog:
    """Reader of the function's log, in pieces of any size.

    Attributes:
        errors: Distinct errors: the last line of an exception, or the message.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._began: dict[str, datetime] = {}  # by request
        self._picked_up: dict[str, list[Journey]] = defaultdict(list)  # by request, until its start is known

    def read(self, events: Iterable[Mapping[str, Any]], journeys: Mapping[str, Journey]) -> None:
        """Add log events to the journeys: errors, cold starts, and the start of each image's invocation.

        The start is computed from the report's time and duration, because engines date other lines differently.
        """
        for event in events:
            if report := read_report(event["message"]):
                ended = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                self._began[report.request_id] = ended - timedelta(milliseconds=report.duration)
            else:
                self._read_line(entry(event["message"]), journeys)
        for request in self._began.keys() & self._picked_up.keys():
            for journey in self._picked_up.pop(request):
                journey.times.setdefault(Hop.PICKED_UP, self._began[request])

    def _read_line(self, line: Mapping[str, Any], journeys: Mapping[str, Journey]) -> None:
        error = None
        if line.get("level") in ("ERROR", "CRITICAL"):
            error = str(line.get("exception") or line.get("message")).strip().rpartition("\n")[2]
            if error not in self.errors:
                self.errors.append(error)
        journey, request = journeys.get(line.get("image_id", "")), line.get("function_request_id")
        if journey and request:
            journey.cold_start |= bool(line.get("cold_start"))
            journey.trouble = error or journey.trouble
            self._picked_up[request].append(journey)


# Texts about an image, for the terminal and the report


def seconds(value: float | None) -> str:
    """Return a time for a table; a dash if it is unknown."""
    return NOTHING if value is None else f"{value:.2f}"


def describe_original(journey: Journey) -> str:
    """Return pixels and format of the original, if they are recorded, and its size."""
    original = (journey.record or {}).get("original") or {}
    pixels = f"{original['width']}×{original['height']} {original['format']} " if "width" in original else ""
    return pixels + decimal(journey.source.size)


def describe_variant(journey: Journey, variant: Mapping[str, Any]) -> str:
    """Return name, pixels and size of a derivative, and the size compared with the original's."""
    change = variant["bytes"] / journey.source.size - 1
    return f"{variant['name']} {variant['width']}×{variant['height']} {decimal(variant['bytes'])} {change:+.1%}"


def describe_outcome(journey: Journey) -> str:
    """Return the outcome in a line, or the last known hop."""
    if journey.complete and journey.reason:
        return f"{journey.reason['code']}: {journey.reason['message']}"
    if journey.complete:
        return f"{len(journey.variants)} derivatives"
    if journey.trouble:
        return journey.trouble
    last = [hop for hop in Hop if hop in journey.times]
    return f"last known hop: {last[-1].value}" if last else "no known hop"
