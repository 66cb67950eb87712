"""Differences between originals, derivatives and records of one image, found in listings without requests to AWS.

The pipeline itself repairs: it gets the lost event, or the same event again. S3 does not list sequencers of events, so
a repeated event has the recorded sequencer. A lost event gets the sequencer after the newest recorded one, which
precedes all that S3 can still send. If newer versions exist, it gets zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from darkroom_shared.object_events import FIRST_SEQUENCER, RECONCILE, sequencer_after
from reconcile.records import (
    Item,
    Version,
    current_of,
    is_notified,
    names_by_sequencer,
    speaks_of,
    uploaded_at,
    versions_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(StrEnum):
    """Kind of a difference."""

    MISSING = "missing"  # an original without a record
    STUCK = "stuck"  # a record whose notification or current item is missing
    INCOMPLETE = "incomplete"  # a record of missing derivatives
    GONE = "gone"  # a record of a missing original
    ORPHANED = "orphaned"  # derivatives without a record


@dataclass
class Image:
    """Objects and records of one image.

    Attributes:
        versions: Versions of the original, the newest first.
        marker: The delete marker that hides them.
        items: Items of the table.
        derivatives: Time of each derivative, by version and key.
    """

    id: str
    versions: list[Version] = field(default_factory=list)
    marker: Version | None = None
    items: list[Item] = field(default_factory=list)
    derivatives: dict[str, dict[str, datetime]] = field(default_factory=dict)

    @property
    def latest(self) -> Version | None:
        """The current version of the original, unless the image is deleted."""
        return self.versions[0] if self.versions and self.marker is None else None

    @property
    def next_sequencer(self) -> str:
        """The sequencer after the newest recorded one."""
        known = [str(item.get("sequencer") or item["current_sequencer"]) for item in self.items]
        return sequencer_after(max(known, default=FIRST_SEQUENCER))


@dataclass(frozen=True)
class Event:
    """An object event to send to the pipeline.

    Attributes:
        kind: Type of the event.
        about: Fields of the object, except for the key.
        time: Time of the event, RFC 3339.
        more: Other fields of the detail.
    """

    kind: str
    about: dict[str, Any]
    time: str
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A difference and its repair: an event, or keys of objects to delete."""

    kind: Kind
    image: str
    version: str
    why: str
    event: Event | None = None
    remove: tuple[str, ...] = ()


def differences(image: Image, settled: datetime) -> Iterator[Difference]:
    """Return the differences of an image, at most one for each version. Those younger than `settled` are ignored."""
    found = list(_of_existing(image, settled) if image.latest else _of_deleted(image, settled))
    yield from found
    # The events above may give orphaned derivatives a record, or delete them.
    if not found:
        yield from _orphans(image, settled)


def _of_existing(image: Image, settled: datetime) -> Iterator[Difference]:
    current = current_of(image.items)
    # Items that name their versions by sequencer cannot be matched with listed versions, except for the latest.
    by_sequencer = any(names_by_sequencer(item) for item in image.items)
    judged = set()
    for version in image.versions[:1] if by_sequencer else image.versions:
        item = _item_of(image, version)
        if difference := _judge(image, version, item, current, settled):
            judged.add(difference.version if item is None else item["version"])
            yield difference
    items = [item for item in versions_of(image.items) if item["version"] not in judged]
    yield from _unnotified(image, [item for item in items if item["status"] == "Deleted"], settled)
    if by_sequencer:
        return
    present = {version.id for version in image.versions}
    for item in items:
        if item["version"] not in present and item["status"] != "Deleted" and _is_settled(item, settled):
            yield _version_gone(image, item)


def _item_of(image: Image, version: Version) -> Item | None:
    """Return the item of a version: the newest one if several match."""
    items = [item for item in versions_of(image.items) if speaks_of(item, version)]
    return max(items, key=lambda item: str(item["sequencer"]), default=None)


def _judge(
    image: Image, version: Version, item: Item | None, current: Item | None, settled: datetime
) -> Difference | None:
    """Return the difference of a version whose original is present, or None."""
    is_latest = version is image.latest
    if max(version.time, datetime.fromisoformat(item["recorded_at"]) if item else version.time) > settled:
        return None
    if item is None or (item["status"] == "Deleted" and is_latest):
        why = "no record of this version" if item is None else "recorded as deleted, but the original is present"
        event = _upload(
            version, version.id, image.next_sequencer if is_latest else FIRST_SEQUENCER, _rfc3339(version.time)
        )
        return Difference(Kind.MISSING, image.id, str(version.id), why, event)
    name = item["version"]
    again = _upload(version, _own_id(item), item["sequencer"], uploaded_at(item))
    present = {key for keys in image.derivatives.values() for key in keys}
    lost = [variant["name"] for variant in item.get("variants") or () if variant["key"] not in present]
    if item["status"] == "Deleted":
        return None
    if not is_notified(item):
        return Difference(Kind.STUCK, image.id, name, "recorded, but not notified", again)
    if is_latest and (current is None or current["version"] != name):
        why = f"the current record shows {current['version'] if current else 'nothing'} instead"
        if current and current["current_sequencer"] > item["sequencer"]:
            again = _upload(version, _own_id(item), image.next_sequencer, uploaded_at(item))
        return Difference(Kind.STUCK, image.id, name, why, again)
    return Difference(Kind.INCOMPLETE, image.id, name, f"no derivative for {', '.join(lost)}", again) if lost else None


def _of_deleted(image: Image, settled: datetime) -> Iterator[Difference]:
    current = current_of(image.items)
    if image.marker and image.marker.time > settled:
        return
    if current and current["status"] != "Deleted":
        when = image.marker.time if image.marker else datetime.fromisoformat(current["recorded_at"])
        if when > settled:
            return
        about: dict[str, Any] = {"sequencer": image.next_sequencer}
        if image.marker:
            about["version-id"] = image.marker.id
        elif not names_by_sequencer(current):
            about["version-id"] = current["version"]
        event = _deletion(_rfc3339(when), about, marker=image.marker is not None)
        why = f"recorded as {current['status']}, but the original is deleted"
        yield Difference(Kind.GONE, image.id, current["version"], why, event)
        return
    items = versions_of(image.items)
    yield from _unnotified(image, [item for item in items if item["status"] != "Processed"], settled)
    for item in items:
        if item["status"] == "Processed" and _is_settled(item, settled):
            yield _version_gone(image, item)


def _unnotified(image: Image, items: list[Item], settled: datetime) -> Iterator[Difference]:
    """Yield deletions that were recorded, but not notified."""
    for item in items:
        if is_notified(item) or not _is_settled(item, settled):
            continue
        about = {"sequencer": item["sequencer"]}
        if not names_by_sequencer(item):
            about["version-id"] = item["version"]
        when = _rfc3339(datetime.fromisoformat(item.get("deleted_at") or item["recorded_at"]))
        event = _deletion(when, about, marker=image.marker is not None)
        yield Difference(Kind.STUCK, image.id, item["version"], "recorded, but not notified", event)


def _version_gone(image: Image, item: Item) -> Difference:
    """Return the difference of a recorded version whose original is missing. Its event always names the version."""
    why = f"recorded as {item['status']}, but this version of the original is missing"
    about = {
        "version-id": item["version"],
        "sequencer": item["sequencer"] if names_by_sequencer(item) else sequencer_after(item["sequencer"]),
    }
    when = _rfc3339(datetime.fromisoformat(item["recorded_at"]))  # as in S3's events, in UTC with Z
    return Difference(Kind.GONE, image.id, item["version"], why, _deletion(when, about, marker=False))


def _is_settled(item: Item, settled: datetime) -> bool:
    return datetime.fromisoformat(item["recorded_at"]) <= settled


def _orphans(image: Image, settled: datetime) -> Iterator[Difference]:
    known = {item["version"] for item in versions_of(image.items) if item["status"] == "Processed"}
    living = {version.id for version in image.versions} if image.latest else set()
    for version, objects in image.derivatives.items():
        old = tuple(sorted(key for key, time in objects.items() if time <= settled))
        if version not in known and version not in living and old:
            why = f"{len(old)} derivatives of a version without a record"
            yield Difference(Kind.ORPHANED, image.id, version, why, remove=old)


def _upload(version: Version, version_id: str | None, sequencer: str, time: str) -> Event:
    about: dict[str, Any] = {"size": version.size, "etag": version.etag, "sequencer": sequencer}
    if version_id:
        about["version-id"] = version_id
    return Event("Object Created", about, time, {"reason": RECONCILE})


def _deletion(time: str, about: dict[str, Any], *, marker: bool) -> Event:
    kind = "Delete Marker Created" if marker else "Permanently Deleted"
    return Event("Object Deleted", about, time, {"reason": RECONCILE, "deletion-type": kind})


def _own_id(item: Item) -> str | None:
    return None if names_by_sequencer(item) else str(item["version"])


def _rfc3339(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
