"""All images of a pipeline, a page at a time: each with its originals, its derivatives and its records.

Three walks, one after the other. The first goes through both buckets side by side, in the order of their keys, and
meets every image that has an original, a delete marker or derivatives. The second goes through the table and meets
what is recorded and in neither bucket. The third looks for derivatives under a digest that is no known image's.

Where a page ends the next run can begin. It holds what one page needs, however many images there are.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from reconcile.differences import Image
from reconcile.records import Version, read_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from reconcile.pipeline import Check, Pipeline

IMAGES_AT_ONCE = 200
ITEMS_AT_ONCE = 500
REQUESTS_AT_ONCE = 16

# As process_image names derivatives (docs/decisions/0005-long-keys.md).
DIGEST = "sha256-"
LONGEST_IMAGE_ID = 800  # bytes

_AFTER_SLASH = "0"  # the character after /: an image's derivatives come before its id and this

T = TypeVar("T")


class Walk(StrEnum):
    """A walk; they follow each other in this order."""

    BUCKETS = "buckets"
    TABLE = "table"
    DIGESTS = "digests"


class Place(NamedTuple):
    """Where a walk goes on.

    Attributes:
        after: What has been looked at last: of each bucket a key, of the table the key of an item; empty where the walk
            begins.
    """

    walk: Walk
    after: Mapping[str, str]


class Page(NamedTuple):
    """Some images, and where to go on once they are done: nowhere after the last of them."""

    images: list[Image]
    next: Place | None


BEGINNING = Place(Walk.BUCKETS, {})


def folder_of(image_id: str) -> str:
    """What the keys of an image's derivatives begin with: its id, or its digest."""
    return f"{DIGEST}{hashlib.sha256(image_id.encode()).hexdigest()}" if has_digest(image_id) else image_id


def has_digest(image_id: str) -> bool:
    """Whether an image's derivatives lie under a digest of its id."""
    return len(image_id.encode()) > LONGEST_IMAGE_ID or image_id.startswith(DIGEST)


class Walker:
    """Goes through a pipeline's images, or those whose ids begin with a prefix."""

    def __init__(self, pipeline: Pipeline, prefix: str, check: Check) -> None:
        self._pipeline = pipeline
        self._prefix = prefix
        self._check = check
        self._met: set[str] = set()  # since this walker began, so that an image is met once
        self._pool = ThreadPoolExecutor(REQUESTS_AT_ONCE)

    def pages(self, start: Place = BEGINNING) -> Iterator[Page]:
        """All images from a place on.

        Raises:
            StoppedError: It is time to stop.
        """
        place: Place | None = start
        with self._pool:
            while place:
                for page in self._walk(place):
                    yield page
                    place = page.next

    def _walk(self, place: Place) -> Iterator[Page]:
        match place.walk:
            case Walk.BUCKETS:
                return self._buckets(place.after)
            case Walk.TABLE:
                return self._table(place.after)
            case Walk.DIGESTS:
                return self._digests()

    def _map(self, complete: Callable[[Image], Image | None], images: Iterable[Image]) -> list[Image]:
        """Complete images, several at once; none stands for one that is not to be looked at here."""
        completed = [image for image in self._pool.map(complete, images) if image]
        self._met.update(image.id for image in completed)
        return completed

    # The buckets

    def _buckets(self, after: Mapping[str, str]) -> Iterator[Page]:
        last = {"original": "", "derivative": "", **after}
        originals = _Ahead(self._originals(self._prefix, last["original"]))
        derivatives = _Ahead(self._derivatives(self._prefix, last["derivative"]))
        until: str | None = ""
        while until is not None:
            images: dict[str, Image] = {}
            begin = max(last.values())
            while until is not None and len(images) < IMAGES_AT_ONCE:
                if originals.next and (not derivatives.next or originals.next.id <= derivatives.next.key):
                    original = originals.take()
                    last["original"], image = original.id, images.setdefault(original.id, original)
                    image.versions, image.marker = original.versions, original.marker
                elif derivatives.next:
                    derivative = derivatives.take()
                    last["derivative"], folder = derivative.key, derivative.folder
                    if folder.startswith(self._prefix) and not folder.startswith(DIGEST):
                        _add(images.setdefault(folder, Image(folder)), derivative)
                ahead = [originals.next.id] if originals.next else []
                ahead += [derivatives.next.key] if derivatives.next else []
                until = min(ahead, default=None)
            complete = partial(self._complete, begin=begin, until=until)
            going_on = Place(Walk.TABLE, {}) if until is None else Place(Walk.BUCKETS, dict(last))
            yield Page(self._map(complete, [images[image_id] for image_id in sorted(images)]), going_on)

    def _complete(self, image: Image, *, begin: str, until: str | None) -> Image:
        """An image with its records, and with all that the buckets have of it.

        Args:
            image: What was met of it.
            begin: The key after which everything was met.
            until: The key before which everything was met; all if there is none.
        """
        self._check()
        if begin < image.id and (until is None or image.id + _AFTER_SLASH <= until) and not has_digest(image.id):
            image.items = read_items(self._pipeline, image.id)
            return image
        return self._look(image.id)

    def _look(self, image_id: str) -> Image:
        """All that there is of one image."""
        image = self._listed(image_id) or Image(image_id)
        image.items = read_items(self._pipeline, image_id)
        folder = folder_of(image_id)
        for derivative in self._derivatives(f"{folder}/"):
            if derivative.folder == folder:
                _add(image, derivative)
        return image

    def _listed(self, image_id: str) -> Image | None:
        """An image's originals. Its key is the first of all that begin with it."""
        image = next(self._originals(image_id), None)
        return image if image and image.id == image_id else None

    def _originals(self, prefix: str, after: str = "") -> Iterator[Image]:
        """Images as the bucket of originals lists them: by key, the newest version first."""
        pages = self._pipeline.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._pipeline.originals, Prefix=prefix, **_unless_empty(KeyMarker=after)
        )
        for key, listed in groupby(self._versions(pages), key=lambda one: one[0]):
            if key <= after:  # whoever goes on after a key has had all of its versions
                continue
            image = Image(key)
            for _, version, is_marker in listed:
                if is_marker:
                    image.marker = version
                else:
                    image.versions.append(version)
            yield image

    def _versions(self, pages: Iterable[Any]) -> Iterator[tuple[str, Version, bool]]:
        """Key, version, and whether that is the delete marker that hides all others."""
        for page in pages:
            self._check()
            found = [
                (one["Key"], Version(_id(one), one["LastModified"], one["Size"], one["ETag"].strip('"')), False)
                for one in page.get("Versions", ())
            ]
            found += [
                (one["Key"], Version(_id(one), one["LastModified"]), True)
                for one in page.get("DeleteMarkers", ())
                if one["IsLatest"]
            ]
            yield from sorted(found, key=lambda one: one[0])

    def _derivatives(self, prefix: str, after: str = "") -> Iterator[Derivative]:
        pages = self._pipeline.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._pipeline.processed, Prefix=prefix, **_unless_empty(StartAfter=after)
        )
        for page in pages:
            self._check()
            for one in page.get("Contents", ()):
                folder, _, version = one["Key"].rpartition("/")[0].rpartition("/")
                if folder and version:  # otherwise it is a watermark, whose key has two parts
                    yield Derivative(one["Key"], folder, version, one["LastModified"])

    # The table

    def _table(self, after: Mapping[str, str]) -> Iterator[Page]:
        condition = "begins_with(image_id, :prefix)" if self._prefix else ""
        for ids, last in self._scan(after, condition, {":prefix": self._prefix}):
            images = [Image(image_id) for image_id in dict.fromkeys(ids) if image_id not in self._met]
            going_on = Place(Walk.TABLE, last) if last else None if self._prefix else Place(Walk.DIGESTS, {})
            yield Page(self._map(self._unless_in_buckets, images), going_on)

    def _unless_in_buckets(self, image: Image) -> Image | None:
        """An image that the first walk has not met, perhaps in a run before this."""
        self._check()
        if self._listed(image.id):
            return None
        image = self._look(image.id)
        return None if image.derivatives and not has_digest(image.id) else image

    def _scan(
        self, after: Mapping[str, str], condition: str, values: Mapping[str, str]
    ) -> Iterator[tuple[list[str], dict[str, str]]]:
        """The image ids of items that meet a condition, if there is one, and where the table goes on after them."""
        query: dict[str, Any] = {"Limit": ITEMS_AT_ONCE, "ConsistentRead": True, "ProjectionExpression": "image_id"}
        if condition:
            query |= {"FilterExpression": condition, "ExpressionAttributeValues": _typed(values)}
        if after:
            query["ExclusiveStartKey"] = _typed(after)
        pages = self._pipeline.dynamodb.get_paginator("scan").paginate(TableName=self._pipeline.table, **query)
        for page in pages:
            self._check()
            last = {name: value["S"] for name, value in page.get("LastEvaluatedKey", {}).items()}
            yield [item["image_id"]["S"] for item in page["Items"]], last

    # Digests

    def _digests(self) -> Iterator[Page]:
        """What lies under digests that are no known image's, each as an image of its own."""
        strangers: dict[str, Image] = {}
        for derivative in self._derivatives(DIGEST):
            _add(strangers.setdefault(derivative.folder, Image(derivative.folder)), derivative)
        if strangers:
            for image_id in self._ids_with_digest():
                strangers.pop(folder_of(image_id), None)
        yield Page(list(strangers.values()), None)

    def _ids_with_digest(self) -> Iterator[str]:
        yield from (image.id for image in self._originals("") if has_digest(image.id))
        for ids, _ in self._scan({}, "", {}):
            yield from filter(has_digest, ids)


class Derivative(NamedTuple):
    """An object beside others that were made of one version: its key, and when it was written."""

    key: str
    folder: str
    version: str
    written: datetime


class _Ahead(Generic[T]):
    """An iterator whose next value can be seen before it is taken."""

    def __init__(self, values: Iterator[T]) -> None:
        self._values = values
        self.next = next(values, None)

    def take(self) -> T:
        taken = self.next
        assert taken is not None  # noqa: S101 - whoever takes has seen it
        self.next = next(self._values, None)
        return taken


def _add(image: Image, derivative: Derivative) -> None:
    image.derivatives.setdefault(derivative.version, {})[derivative.key] = derivative.written


def _id(listed: Mapping[str, Any]) -> str | None:
    return None if listed["VersionId"] == "null" else str(listed["VersionId"])


def _typed(values: Mapping[str, str]) -> dict[str, Any]:
    """As DynamoDB takes texts."""
    return {name: {"S": value} for name, value in values.items()}


def _unless_empty(**parameter: str) -> dict[str, Any]:
    return {name: value for name, value in parameter.items() if value}
