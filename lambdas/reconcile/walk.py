"""All images of a pipeline, in pages: each image with its originals, derivatives and records.

There are three walks, one after the other. The first lists both buckets in parallel, in the order of their keys, and
finds every image that has an original, a delete marker or derivatives. The second scans the table and finds images
that are recorded, but in neither bucket. The third finds derivatives under digests that belong to no known image.

The next run can continue after any page. Only the data of one page is in memory, for any number of images.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from darkroom_shared.keys import DIGEST, folder_of, has_digest
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

_AFTER_SLASH = "0"  # the character after /: an image's derivatives come before its id and this

T = TypeVar("T")


class Walk(StrEnum):
    """A walk, in the order of the walks."""

    BUCKETS = "buckets"
    TABLE = "table"
    DIGESTS = "digests"


class Place(NamedTuple):
    """A place from which a walk continues.

    Attributes:
        after: End of the previous page: a key of each bucket, or the key of an item; empty at the beginning of a
            walk.
    """

    walk: Walk
    after: Mapping[str, str]


class Page(NamedTuple):
    """Some images, and the place after them; None after the last page."""

    images: list[Image]
    next: Place | None


BEGINNING = Place(Walk.BUCKETS, {})


class Walker:
    """Lists a pipeline's images, or those whose ids begin with a prefix."""

    def __init__(self, pipeline: Pipeline, prefix: str, check: Check) -> None:
        self._pipeline = pipeline
        self._prefix = prefix
        self._check = check
        self._met: set[str] = set()  # so that an image is listed once by this walker
        self._pool = ThreadPoolExecutor(REQUESTS_AT_ONCE)

    def pages(self, start: Place = BEGINNING) -> Iterator[Page]:
        """Yield all images from a place on.

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
        """Complete images in parallel. `complete` returns None for images to skip."""
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
        """Return an image with its records and with all of its objects.

        Args:
            image: The image with the objects that were listed in this page.
            begin: The key after which everything was listed.
            until: The key before which everything was listed; None at the end.
        """
        self._check()
        if begin < image.id and (until is None or image.id + _AFTER_SLASH <= until) and not has_digest(image.id):
            image.items = read_items(self._pipeline, image.id)
            return image
        return self._look(image.id)

    def _look(self, image_id: str) -> Image:
        """Return an image with all of its objects and records, from requests for this image alone."""
        image = self._listed(image_id) or Image(image_id)
        image.items = read_items(self._pipeline, image_id)
        folder = folder_of(image_id)
        for derivative in self._derivatives(f"{folder}/"):
            if derivative.folder == folder:
                _add(image, derivative)
        return image

    def _listed(self, image_id: str) -> Image | None:
        """Return an image with its originals, or None. Its key is the first of all that begin with it."""
        image = next(self._originals(image_id), None)
        return image if image and image.id == image_id else None

    def _originals(self, prefix: str, after: str = "") -> Iterator[Image]:
        """Yield images in the order of the bucket of originals: by key, the newest version first."""
        pages = self._pipeline.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._pipeline.originals, Prefix=prefix, **_unless_empty(KeyMarker=after)
        )
        for key, listed in groupby(self._versions(pages), key=lambda one: one[0]):
            if key <= after:  # the previous page had all of its versions
                continue
            image = Image(key)
            for _, version, is_marker in listed:
                if is_marker:
                    image.marker = version
                else:
                    image.versions.append(version)
            yield image

    def _versions(self, pages: Iterable[Any]) -> Iterator[tuple[str, Version, bool]]:
        """Yield key, version, and True for the delete marker that hides all other versions."""
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
                if folder and version:  # watermarks have keys of two parts
                    yield Derivative(one["Key"], folder, version, one["LastModified"])

    # The table

    def _table(self, after: Mapping[str, str]) -> Iterator[Page]:
        condition = "begins_with(image_id, :prefix)" if self._prefix else ""
        for ids, last in self._scan(after, condition, {":prefix": self._prefix}):
            images = [Image(image_id) for image_id in dict.fromkeys(ids) if image_id not in self._met]
            going_on = Place(Walk.TABLE, last) if last else None if self._prefix else Place(Walk.DIGESTS, {})
            yield Page(self._map(self._unless_in_buckets, images), going_on)

    def _unless_in_buckets(self, image: Image) -> Image | None:
        """Complete an image that the first walk did not find, in this run or an earlier one."""
        self._check()
        if self._listed(image.id):
            return None
        image = self._look(image.id)
        return None if image.derivatives and not has_digest(image.id) else image

    def _scan(
        self, after: Mapping[str, str], condition: str, values: Mapping[str, str]
    ) -> Iterator[tuple[list[str], dict[str, str]]]:
        """Yield image ids of items that meet a condition, and the key from which the scan continues."""
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
        """Yield one page: the derivatives under each digest that belongs to no known image, as one image."""
        unknown: dict[str, Image] = {}
        for derivative in self._derivatives(DIGEST):
            _add(unknown.setdefault(derivative.folder, Image(derivative.folder)), derivative)
        if unknown:
            for image_id in self._ids_with_digest():
                unknown.pop(folder_of(image_id), None)
        yield Page(list(unknown.values()), None)

    def _ids_with_digest(self) -> Iterator[str]:
        yield from (image.id for image in self._originals("") if has_digest(image.id))
        for ids, _ in self._scan({}, "", {}):
            yield from filter(has_digest, ids)


class Derivative(NamedTuple):
    """A derivative: its key, the parts of the key, and its time."""

    key: str
    folder: str
    version: str
    written: datetime


class _Ahead(Generic[T]):
    """An iterator with access to the next value before it is taken."""

    def __init__(self, values: Iterator[T]) -> None:
        self._values = values
        self.next = next(values, None)

    def take(self) -> T:
        taken = self.next
        assert taken is not None  # noqa: S101 - callers check `next` first
        self.next = next(self._values, None)
        return taken


def _add(image: Image, derivative: Derivative) -> None:
    image.derivatives.setdefault(derivative.version, {})[derivative.key] = derivative.written


def _id(listed: Mapping[str, Any]) -> str | None:
    return None if listed["VersionId"] == "null" else str(listed["VersionId"])


def _typed(values: Mapping[str, str]) -> dict[str, Any]:
    """Return texts in DynamoDB's format."""
    return {name: {"S": value} for name, value in values.items()}


def _unless_empty(**parameter: str) -> dict[str, Any]:
    return {name: value for name, value in parameter.items() if value}
