"""The way of one image through the pipeline: which hop happened when, read from what the services themselves tell.

No time is made up: every one comes out of an event, a log, a listing or a record, and a hop of which nothing is
known has none.
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
    Hop.ROUTED: "EventBridge delivered S3's event: to the demo's queue, beside that of the function",
    Hop.PICKED_UP: "the function's log: the invocation that got this image began",
    Hop.STORED: "the processed bucket's listing: its last derivative was written",
    Hop.ANNOUNCED: "the bus delivered the outcome: to the demo's queue, beside the workflow",
    Hop.RECORDED: "recorded_at in the version's item",
    Hop.NOTIFIED: "SNS delivered the notification to its subscriber, the demo's queue",
}


@dataclass
class Journey:
    """What is known of one image.

    Attributes:
        source: The file that was uploaded.
        image_id: Its key in the originals bucket.
        started: When its upload began: the time that all hops are counted from.
        times: When each hop happened, as far as known.
        event: The detail of the event that announced the outcome.
        item: The item of the version, as soon as it says that the outcome was announced.
        record: The image's current item.
        notification: What the subscriber got, as it came.
        cold_start: The function's process was started for the invocation that got this image.
        trouble: What went wrong on the way: the last error that was heard of.
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
        """Recorded, and announced to whoever subscribed."""
        return self.record is not None and self.item is not None and self.notification is not None

    @property
    def over(self) -> bool:
        """Nothing more is to be expected."""
        return self.complete or self.upload_failed

    @property
    def status(self) -> str:
        """The outcome: of the record where there is one, else how far it has come."""
        if self.complete and self.record:
            return str(self.record["status"])
        if self.upload_failed:
            return "Not uploaded"
        return "Not recorded"

    @property
    def reason(self) -> Mapping[str, str] | None:
        """Why it was rejected: code and message."""
        return self.record.get("reason") if self.record else None

    @property
    def original(self) -> Mapping[str, Any]:
        """What the record says of the original; nothing while there is none."""
        return (self.record or {}).get("original") or {}

    @property
    def variants(self) -> Sequence[Mapping[str, Any]]:
        """The derivatives, as the record lists them."""
        return (self.record or {}).get("variants") or ()

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The hops of its way: what is rejected stores nothing."""
        rejected = self.event is not None and self.event["status"] != "Processed"
        return tuple(hop for hop in Hop if not (rejected and hop is Hop.STORED))

    @property
    def next_hop(self) -> Hop | None:
        """The hop after the last one that is known."""
        hops = self.hops
        last = max((index for index, hop in enumerate(hops) if hop in self.times), default=-1)
        return hops[last + 1] if last + 1 < len(hops) else None

    def seconds(self, hop: Hop) -> float | None:
        """Seconds from the beginning of the upload to a hop; none if either is unknown."""
        if self.started is None or hop not in self.times:
            return None
        return (self.times[hop] - self.started).total_seconds()

    @property
    def total(self) -> float | None:
        """Seconds from the beginning of the upload to the notification."""
        return self.seconds(Hop.NOTIFIED)

    def note(self, hop: Hop, when: datetime) -> bool:
        """Keep when a hop happened, the first time that it did; tells whether this is news."""
        if hop in self.times:
            return False
        self.times[hop] = when
        return True


@dataclass(frozen=True)
class Heard:
    """Something that a message or a line of a log tells of an image."""

    image_id: str
    hop: Hop | None = None
    when: datetime | None = None
    event: Mapping[str, Any] | None = None
    notification: Mapping[str, Any] | None = None
    cold_start: bool = False
    trouble: str | None = None


def learn(journey: Journey, heard: Heard) -> bool:
    """Add to a journey what was heard of it; tells whether there was news in it."""
    news = False
    if heard.hop and heard.when:
        news = journey.note(heard.hop, heard.when)
    if heard.event and journey.event is None:
        journey.event, news = heard.event, True
    if heard.notification and journey.notification is None:
        journey.notification, news = heard.notification, True
    if heard.cold_start and not journey.cold_start:
        journey.cold_start = news = True
    if heard.trouble and heard.trouble != journey.trouble:
        journey.trouble, news = heard.trouble, True
    return news


# Messages of the queue that listens on both buses and is subscribed to the notifications


def read_message(message: Mapping[str, Any]) -> Iterator[Heard]:
    """What one SQS message tells; nothing if it is about nothing that we know."""
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    body = json.loads(message["Body"])
    if body.get("Type") == "Notification":
        yield Heard(json.loads(body["Message"])["image_id"], Hop.NOTIFIED, sent, notification=body)
    elif body.get("source") == "aws.s3" and body["detail-type"] == "Object Created":
        key = body["detail"]["object"]["key"]
        yield Heard(key, Hop.UPLOADED, read_time(body["time"]))
        yield Heard(key, Hop.ROUTED, sent)
    elif body.get("source") == "darkroom":
        yield Heard(body["detail"]["image_id"], Hop.ANNOUNCED, sent, event=body["detail"])


def read_time(text: str) -> datetime:
    """A time as events and records hold it, RFC 3339."""
    return datetime.fromisoformat(text)


# The function's log


@dataclass
class FunctionLog:
    """Reads the function's log, in whatever pieces it comes.

    Attributes:
        errors: The errors in it, each once: the last line of an exception, or the message.
    """

    errors: list[str] = field(default_factory=list)
    _began: dict[str, datetime] = field(default_factory=dict)
    _waiting: dict[str, list[str]] = field(default_factory=dict)

    def read(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Heard]:
        """What log events tell: when the invocation that an image was in began, and what failed.

        An invocation begins its duration before its report: engines differ in how they date the lines between.
        """
        for event in events:
            line: str = event["message"]
            if report := read_report(line):
                ended = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                began = ended - timedelta(milliseconds=report.duration)
                self._began[report.request_id] = began
                for image_id in self._waiting.pop(report.request_id, ()):
                    yield Heard(image_id, Hop.PICKED_UP, began)
            elif line.startswith("{"):
                yield from self._read_line(line)

    def _read_line(self, line: str) -> Iterator[Heard]:
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
        yield Heard(image_id, Hop.PICKED_UP if began else None, began, cold_start=cold, trouble=error)
        if began is None:
            self._waiting.setdefault(request, []).append(image_id)


def _error(entry: Mapping[str, Any]) -> str | None:
    if entry.get("level") not in ("ERROR", "CRITICAL"):
        return None
    lines = str(entry.get("exception") or entry.get("message") or "").strip().splitlines()
    return lines[-1] if lines else None


# The record


def learn_record(journey: Journey, items: Sequence[Mapping[str, Any]]) -> bool:
    """Add what the table's items of an image tell: complete once its version is marked as announced."""
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
    """Add when the last derivative was written, if the listing holds all of them and tells fractions of seconds.

    Amazon S3 lists whole seconds, which are too coarse to be placed among the other hops.
    """
    written = {item["Key"]: item["LastModified"] for item in objects}
    times = [written.get(variant["key"]) for variant in (journey.event or {}).get("variants", ())]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times) or all(time.microsecond == 0 for time in known):
        return False
    return journey.note(Hop.STORED, max(known))
