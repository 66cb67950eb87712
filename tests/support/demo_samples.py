"""Data of the services about one image: messages, log lines, items and listings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from darkroom.sources import Source
from scripts.demo.journey import FunctionLog, Journey, read_message

BEGAN = datetime(2026, 11, 21, 19, 33, 8, tzinfo=UTC)


class Sample:
    """Data of the services about one image; times are seconds after the start of the upload."""

    def __init__(self, name: str = "dunes at dusk.jpg", *, status: str = "Processed") -> None:
        self.image_id = f"20261121-193308/{name}"
        self.version = "00000660CE6E27F21800000000000000"
        self.status = status
        self.variants = [
            {
                "name": variant,
                "key": f"{self.image_id}/{self.version}/{variant}.jpg",
                "width": width,
                "height": width * 3 // 4,
                "bytes": width * 100,
                "content_type": "image/jpeg",
            }
            for variant, width in (("thumbnail", 256), ("web", 1024))
        ]

    @property
    def detail(self) -> dict[str, Any]:
        detail = {
            "schema_version": 1,
            "status": self.status,
            "image_id": self.image_id,
            "version": self.version,
            "uploaded_at": stamp(0.05),
            "dedup_id": "ab" * 32,
        }
        if self.status == "Processed":
            return detail | {"variants": self.variants}
        return detail | {"reason": {"code": "unreadable_image", "message": "it is damaged"}}

    def uploaded(self, *, at: float = 0.05, delivered: float = 0.06) -> dict[str, Any]:
        event = {
            "version": "0",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "time": stamp(at),
            "detail": {"bucket": {"name": "demo-originals"}, "object": {"key": self.image_id, "size": 1}},
        }
        return message(event, delivered)

    def announced(self, *, delivered: float = 0.8) -> dict[str, Any]:
        kind = f"Image {self.status}"
        return message({"source": "darkroom", "detail-type": kind, "time": stamp(0), "detail": self.detail}, delivered)

    def notified(self, *, delivered: float = 1.0) -> dict[str, Any]:
        envelope = {"Type": "Notification", "Subject": "Image", "Message": json.dumps(self.detail), "MessageId": "1"}
        return message(envelope, delivered)

    def log(self, *, began: float = 0.1, ended: float = 0.9, cold: bool = True, request: str = "r-1") -> list[Any]:
        """Return the lines of its invocation, all with the time of its end."""
        line = {
            "level": "INFO",
            "message": "Image dunes: processed, 2 variants",
            "cold_start": cold,
            "function_request_id": request,
            "image_id": self.image_id,
        }
        lines = [
            f"START RequestId: {request} Version: $LATEST",
            json.dumps(line),
            json.dumps({"_aws": {"Timestamp": 1}, "ColdStart": [1.0]}),
            f"END RequestId: {request}",
            f"REPORT RequestId: {request}\tDuration: {(ended - began) * 1000:.0f} ms\tBilled Duration: 800 ms",
        ]
        return [log_event(text, ended) for text in lines]

    def items(self, *, recorded: float = 0.9, announced: bool = True) -> list[dict[str, Any]]:
        common = {
            "image_id": self.image_id,
            "version": self.version,
            "status": self.status,
            "uploaded_at": stamp(0.05),
            "recorded_at": stamp(recorded),
            "original": {"bytes": 400_000, "width": 3000, "height": 2000, "format": "jpeg"},
            "variants": self.variants if self.status == "Processed" else [],
            "reason": self.detail.get("reason"),
        }
        version = {**common, "record": f"version#{self.version}", "dedup_id": "ab" * 32}
        if announced:
            version |= {"notified_dedup_id": "ab" * 32, "notified_at": stamp(0.95)}
        return [{**common, "record": "current"}, version]

    def listing(self, *, written: float = 0.7) -> list[dict[str, Any]]:
        times = [written - 0.1, written]
        return [
            {"Key": variant["key"], "LastModified": BEGAN + timedelta(seconds=time)}
            for variant, time in zip(self.variants, times, strict=True)
        ]


def stamp(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(body: dict[str, Any], sent: float) -> dict[str, Any]:
    milliseconds = round((BEGAN.timestamp() + sent) * 1000)
    return {"Body": json.dumps(body), "Attributes": {"SentTimestamp": str(milliseconds)}}


def log_event(text: str, at: float) -> dict[str, Any]:
    return {"message": text, "timestamp": round((BEGAN.timestamp() + at) * 1000)}


def journey_of(sample: Sample, path: Path | None = None) -> Journey:
    """Return a journey with a started upload."""
    name = sample.image_id.partition("/")[2]
    size = path.stat().st_size if path else 400_000
    return Journey(Source(path or Path("/pictures", name), name, size), sample.image_id, started=BEGAN)


def finish(journey: Journey, sample: Sample) -> Journey:
    """Add all data to a journey."""
    journeys = {journey.image_id: journey}
    for message in (sample.uploaded(), sample.announced(), sample.notified()):
        read_message(message, journeys)
    FunctionLog().read(sample.log(), journeys)
    journey.read_items(sample.items())
    journey.read_listing(sample.listing())
    return journey
