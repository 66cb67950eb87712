"""How originals, derivatives and records differ, of one image at a time: from what was listed, without asking AWS.

What is repaired is repaired by the pipeline itself: it gets the event that was lost, or gets it again. An event has a
sequencer, which S3 does not tell afterwards. An event that comes again has the one that was recorded; one that was
lost gets the one after the newest that was recorded, which is before any that S3 can still send, or zero, if it is
about a version that others have followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reconcile.records import (
    Item,
    Version,
    current_of,
    is_told,
    names_by_sequencer,
    speaks_of,
    uploaded_at,
    versions_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCER_DIGITS = 32
_FIRST = "0" * _SEQUENCER_DIGITS


class Kind(StrEnum):
    """What can be different."""

    MISSING = "missing"  # an original without a record
    STUCK = "stuck"  # a record that was begun and not finished
    INCOMPLETE = "incomplete"  # a record of derivatives that are not there
    GONE = "gone"  # a record of an original that is not there
    ORPHANED = "orphaned"  # derivatives that no record knows


@dataclass
class Image:
    """What there is of one image.

    Attributes:
        versions: The originals, the newest first.
        marker: The delete marker that hides them.
        items: The table's.
        derivatives: When each was written, by version and key.
    """

    id: str
    versions: list[Version] = field(default_factory=list)
    marker: Version | None = None
    items: list[Item] = field(default_factory=list)
    derivatives: dict[str, dict[str, datetime]] = field(default_factory=dict)

    @property
    def latest(self) -> Version | None:
        """What a reader of the original gets."""
        return self.versions[0] if self.versions and self.marker is None else None

    @property
    def next_sequencer(self) -> str:
        """The one after the newest that was recorded."""
        known = [str(item.get("sequencer") or item["current_sequencer"]) for item in self.items]
        return _after(max(known, default=_FIRST))


@dataclass(frozen=True)
class Event:
    """An event of S3's that the pipeline is to get.

    Attributes:
        kind: Its type.
        about: What it says of the object, besides the key.
        time: When that happened, RFC 3339.
        more: What else its detail says.
    """

    kind: str
    about: dict[str, Any]
    time: str
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """Something that does not fit, and what repairs it: an event, or the removal of objects."""

    kind: Kind
    image: str
    version: str
    why: str
    event: Event | None = None
    remove: tuple[str, ...] = ()


def differences(image: Image, settled: datetime) -> Iterator[Difference]:
    """What does not fit of an image, at most once for each version; what is younger than `settled` may be under way."""
    found = list(_of_living(image, settled) if image.latest else _of_deleted(image, settled))
    yield from found
    # What is made again, or deleted, by the events above may take care of derivatives that nobody knows now.
    if not found:
        yield from _orphans(image, settled)


def _of_living(image: Image, settled: datetime) -> Iterator[Difference]:
    current = current_of(image.items)
    # Items that name their versions by sequencer cannot be told from each other by what S3 lists.
    by_sequencer = any(names_by_sequencer(item) for item in image.items)
    judged = set()
    for version in image.versions[:1] if by_sequencer else image.versions:
        item = _item_of(image, version)
        if difference := _judge(image, version, item, current, settled):
            judged.add(difference.version if item is None else item["version"])
            yield difference
    items = [item for item in versions_of(image.items) if item["version"] not in judged]
    yield from _untold(image, [item for item in items if item["status"] == "Deleted"], settled)
    if by_sequencer:
        return
    there = {version.id for version in image.versions}
    for item in items:
        if item["version"] not in there and item["status"] != "Deleted" and _is_settled(item, settled):
            yield _version_gone(image, item)


def _item_of(image: Image, version: Version) -> Item | None:
    """The item of a version; of several that may be, as they have no ids, the newest."""
    items = [item for item in versions_of(image.items) if speaks_of(item, version)]
    return max(items, key=lambda item: str(item["sequencer"]), default=None)


def _judge(
    image: Image, version: Version, item: Item | None, current: Item | None, settled: datetime
) -> Difference | None:
    """What is wrong with a version of an original that can be read."""
    is_latest = version is image.latest
    if max(version.time, datetime.fromisoformat(item["recorded_at"]) if item else version.time) > settled:
        return None
    if item is None or (item["status"] == "Deleted" and is_latest):
        why = "no record of this version" if item is None else "recorded as deleted, but the original is there"
        event = _upload(version, version.id, image.next_sequencer if is_latest else _FIRST, _rfc3339(version.time))
        return Difference(Kind.MISSING, image.id, str(version.id), why, event)
    name = item["version"]
    again = _upload(version, _own_id(item), item["sequencer"], uploaded_at(item))
    there = {key for keys in image.derivatives.values() for key in keys}
    lost = [variant["name"] for variant in item.get("variants") or () if variant["key"] not in there]
    if item["status"] == "Deleted":
        return None
    if not is_told(item):
        return Difference(Kind.STUCK, image.id, name, "recorded, but not announced", again)
    if is_latest and (current is None or current["version"] != name):
        why = f"the current record shows {current['version'] if current else 'nothing'} instead"
        if current and current["current_sequencer"] > item["sequencer"]:
            again = _upload(version, _own_id(item), image.next_sequencer, uploaded_at(item))
        return Difference(Kind.STUCK, image.id, name, why, again)
    return Difference(Kind.INCOMPLETE, image.id, name, f"no object for {', '.join(lost)}", again) if lost else None


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
    yield from _untold(image, [item for item in items if item["status"] != "Processed"], settled)
    for item in items:
        if item["status"] == "Processed" and _is_settled(item, settled):
            yield _version_gone(image, item)


def _untold(image: Image, items: list[Item], settled: datetime) -> Iterator[Difference]:
    """What was deleted, and recorded, and not announced."""
    for item in items:
        if is_told(item) or not _is_settled(item, settled):
            continue
        about = {"sequencer": item["sequencer"]}
        if not names_by_sequencer(item):
            about["version-id"] = item["version"]
        when = _rfc3339(datetime.fromisoformat(item.get("deleted_at") or item["recorded_at"]))
        event = _deletion(when, about, marker=image.marker is not None)
        yield Difference(Kind.STUCK, image.id, item["version"], "recorded, but not announced", event)


def _version_gone(image: Image, item: Item) -> Difference:
    """A version that is recorded as if it could be had. The event names it, also where S3's events name none."""
    why = f"recorded as {item['status']}, but this version of the original is not there"
    about = {
        "version-id": item["version"],
        "sequencer": item["sequencer"] if names_by_sequencer(item) else _after(item["sequencer"]),
    }
    when = _rfc3339(datetime.fromisoformat(item["recorded_at"]))  # S3's events end in Z, whatever the workflow writes
    return Difference(Kind.GONE, image.id, item["version"], why, _deletion(when, about, marker=False))


def _is_settled(item: Item, settled: datetime) -> bool:
    return datetime.fromisoformat(item["recorded_at"]) <= settled


def _orphans(image: Image, settled: datetime) -> Iterator[Difference]:
    known = {item["version"] for item in versions_of(image.items) if item["status"] == "Processed"}
    living = {version.id for version in image.versions} if image.latest else set()
    for version, objects in image.derivatives.items():
        old = tuple(sorted(key for key, time in objects.items() if time <= settled))
        if version not in known and version not in living and old:
            why = f"{len(old)} derivatives of a version that has no record"
            yield Difference(Kind.ORPHANED, image.id, version, why, remove=old)


def _upload(version: Version, version_id: str | None, sequencer: str, time: str) -> Event:
    about: dict[str, Any] = {"size": version.size, "etag": version.etag, "sequencer": sequencer}
    if version_id:
        about["version-id"] = version_id
    return Event("Object Created", about, time, {"reason": "reconcile"})


def _deletion(time: str, about: dict[str, Any], *, marker: bool) -> Event:
    kind = "Delete Marker Created" if marker else "Permanently Deleted"
    return Event("Object Deleted", about, time, {"reason": "reconcile", "deletion-type": kind})


def _own_id(item: Item) -> str | None:
    return None if names_by_sequencer(item) else str(item["version"])


def _after(sequencer: str) -> str:
    return f"{int(sequencer, 16) + 1:0{_SEQUENCER_DIGITS}X}"


def _rfc3339(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
