"""The journey of one image through the pipeline: the time of each hop, from the data of the services.

Every time comes from an event, a log, a listing or a record. An unknown hop has no time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from darkroom.hops import Hop
from darkroom.logs import read_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from darkroom.sources import Source


SOURCES = {
    Hop.UPLOADED: "the time that S3 gives in its event",
    Hop.ROUTED: "EventBridge delivered S3's event: to the demo's queue, in parallel to the function's queue",
    Hop.PICKED_UP: "the function's log: the invocation that got this image began",
    Hop.STORED: "the processed bucket's listing: its last derivative was written",
    Hop.ANNOUNCED: "the bus delivered the outcome: to the demo's queue, in parallel to the workflow",
    Hop.RECORDED: "recorded_at in the version's item",
    Hop.NOTIFIED: "SNS delivered the notification to its subscriber, the demo's queue",
}


@dataclass
class Journey:
    """State of one image.

    Attributes:
        source: Uploaded file.
        image_id: Key in the originals bucket.
        started: Start of the upload, from which all hops are measured.
        times: Time of each known hop.
        event: Detail of the outcome event.
        item: Item of the version, once its outcome is marked as announced.
        record: Current item of the image.
        notification: Notification as received.
        cold_start: True if the function's process was started for this image's invocation.
        trouble: Last error of this image.
    """

    source: Source
    image_id: str
    started: datetime | None = None
    times: dict[Hop, datetime] = field(default_factory=dict)
    event: Mapping[str, Any] | None = None
    item: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None
    notification: Mapping[str, Any] | None = None
    cold_start: bool = False
    trouble: str | None = None
    upload_failed: bool = False

    @property
    def complete(self) -> bool:
        """True if the image is recorded and its subscribers are notified."""
        return self.record is not None and self.item is not None and self.notification is not None

    @property
    def over(self) -> bool:
        """True if no further hop is expected."""
        return self.complete or self.upload_failed

    @property
    def status(self) -> str:
        """Outcome in the record, or the last known hop."""
        if self.complete and self.record:
            return str(self.record["status"])
        if self.upload_failed:
            return "Not uploaded"
        return "Not recorded"

    @property
    def reason(self) -> Mapping[str, str] | None:
        """Reason of a rejection: code and message."""
        return self.record.get("reason") if self.record else None

    @property
    def original(self) -> Mapping[str, Any]:
        """The original in the record; empty without a record."""
        return (self.record or {}).get("original") or {}

    @property
    def variants(self) -> Sequence[Mapping[str, Any]]:
        """The derivatives, as the record lists them."""
        return (self.record or {}).get("variants") or ()

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Hops of its journey: a rejected image has none for storing."""
        rejected = self.event is not None and self.event["status"] != "Processed"
        return tuple(hop for hop in Hop if not (rejected and hop is Hop.STORED))

    @property
    def next_hop(self) -> Hop | None:
        """The hop after the last one that is known."""
        hops = self.hops
        last = max((index for index, hop in enumerate(hops) if hop in self.times), default=-1)
        return hops[last + 1] if last + 1 < len(hops) else None

    def seconds(self, hop: Hop) -> float | None:
        """Return the seconds from the start of the upload to a hop; None if unknown."""
        if self.started is None or hop not in self.times:
            return None
        return (self.times[hop] - self.started).total_seconds()

    @property
    def total(self) -> float | None:
        """Seconds from the beginning of the upload to the notification."""
        return self.seconds(Hop.NOTIFIED)

    def note(self, hop: Hop, when: datetime) -> bool:
        """Store the first time of a hop, and return True if it was unknown."""
        if hop in self.times:
            return False
        self.times[hop] = when
        return True


@dataclass(frozen=True)
class Observation:
    """Data about an image from a message or a log line."""

    image_id: str
    hop: Hop | None = None
    when: datetime | None = None
    event: Mapping[str, Any] | None = None
    notification: Mapping[str, Any] | None = None
    cold_start: bool = False
    trouble: str | None = None


def learn(journey: Journey, observed: Observation) -> bool:
    """Add an observation to a journey, and return True if it contained something new."""
    news = False
    if observed.hop and observed.when:
        news = journey.note(observed.hop, observed.when)
    if observed.event and journey.event is None:
        journey.event, news = observed.event, True
    if observed.notification and journey.notification is None:
        journey.notification, news = observed.notification, True
    if observed.cold_start and not journey.cold_start:
        journey.cold_start = news = True
    if observed.trouble and observed.trouble != journey.trouble:
        journey.trouble, news = observed.trouble, True
    return news


# Messages of the queue that listens on both buses and is subscribed to the notifications


def read_message(message: Mapping[str, Any]) -> Iterator[Observation]:
    """Yield the observations in one SQS message; none for unknown contents."""
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    body = json.loads(message["Body"])
    if body.get("Type") == "Notification":
        yield Observation(json.loads(body["Message"])["image_id"], Hop.NOTIFIED, sent, notification=body)
    elif body.get("source") == "aws.s3" and body["detail-type"] == "Object Created":
        key = body["detail"]["object"]["key"]
        yield Observation(key, Hop.UPLOADED, read_time(body["time"]))
        yield Observation(key, Hop.ROUTED, sent)
    elif body.get("source") == "darkroom":
        yield Observation(body["detail"]["image_id"], Hop.ANNOUNCED, sent, event=body["detail"])


def read_time(text: str) -> datetime:
    """Return a time of events and records, which is in RFC 3339."""
    return datetime.fromisoformat(text)


# The function's log


@dataclass
class FunctionLog:
    """Parser of the function's log, in pieces of any size.

    Attributes:
        errors: Distinct errors: the last line of an exception, or the message.
    """

    errors: list[str] = field(default_factory=list)
    _began: dict[str, datetime] = field(default_factory=dict)
    _waiting: dict[str, list[str]] = field(default_factory=dict)

    def read(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Observation]:
        """Yield the observations in log events: the start of an image's invocation, and errors.

        The start is computed from the report's time and duration, because engines date other lines differently.
        """
        for event in events:
            line: str = event["message"]
            if report := read_report(line):
                ended = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                began = ended - timedelta(milliseconds=report.duration)
                self._began[report.request_id] = began
                for image_id in self._waiting.pop(report.request_id, ()):
                    yield Observation(image_id, Hop.PICKED_UP, began)
            elif line.startswith("{"):
                yield from self._read_line(line)

    def _read_line(self, line: str) -> Iterator[Observation]:
        try:
            entry = json.loads(line)
        except ValueError:  # cut off, or printed by something else
            return
        error = _error(entry)
        if error and error not in self.errors:
            self.errors.append(error)
        image_id, request = entry.get("image_id"), entry.get("function_request_id")
        if not image_id or not request:
            return
        began = self._began.get(request)
        cold = bool(entry.get("cold_start"))
        yield Observation(image_id, Hop.PICKED_UP if began else None, began, cold_start=cold, trouble=error)
        if began is None:
            self._waiting.setdefault(request, []).append(image_id)


def _error(entry: Mapping[str, Any]) -> str | None:
    if entry.get("level") not in ("ERROR", "CRITICAL"):
        return None
    lines = str(entry.get("exception") or entry.get("message") or "").strip().splitlines()
    return lines[-1] if lines else None


# The record


def learn_record(journey: Journey, items: Sequence[Mapping[str, Any]]) -> bool:
    """Add the data of an image's items in the table; complete once its version is marked as announced."""
    current = next((item for item in items if item["record"] == "current"), None)
    if current is None:
        return False
    version = next((item for item in items if item["record"] == f"version#{current['version']}"), None)
    if version is None:
        return False
    news = "uploaded_at" in version and journey.note(Hop.UPLOADED, read_time(version["uploaded_at"]))
    news |= journey.note(Hop.RECORDED, read_time(version["recorded_at"]))
    if version.get("notified_dedup_id") == version["dedup_id"] and journey.item is None:
        journey.item, journey.record, news = version, current, True
    return news


def learn_listing(journey: Journey, objects: Iterable[Mapping[str, Any]]) -> bool:
    """Add the time of the last derivative, if the listing contains all of them with fractions of a second.

    Amazon S3 lists whole seconds, which are not precise enough.
    """
    written = {item["Key"]: item["LastModified"] for item in objects}
    times = [written.get(variant["key"]) for variant in (journey.event or {}).get("variants", ())]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times) or all(time.microsecond == 0 for time in known):
        return False
    return journey.note(Hop.STORED, max(known))
