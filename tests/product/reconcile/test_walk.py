"""The walk meets every image, whole, wherever pages end and wherever it begins again."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from darkroom_shared.keys import folder_of
from reconcile import walk
from reconcile.differences import Image
from reconcile.pipeline import Check, StoppedError
from reconcile.records import Version, plain
from reconcile.walk import BEGINNING, Place, Walk, Walker

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkroom.resources import Resources

LONG = "x" * 900
# Ids that are folders of others, that sort between an id and its folder, or that look like something else.
IDS = [
    "a", "a!", "a/b", "a/b/c", "a0", "a/", "b", "watermarks", "watermarks/a.jpg", "sha256-abc", "ü/東京🦊.jpg", LONG,
]  # fmt: skip


def never() -> bool:
    return False


def put(resources: Resources, bucket: str, key: str) -> None:
    resources.s3.put_object(Bucket=bucket, Key=key, Body=b"data")


def record(resources: Resources, image_id: str, name: str) -> None:
    resources.dynamodb.put_item(TableName=resources.table, Item={"image_id": {"S": image_id}, "record": {"S": name}})


@pytest.fixture
def everything(resources: Resources) -> dict[str, Image]:
    """Fill a pipeline with all kinds of images; return each image as plain listings show it."""
    chance = random.Random(7)
    for image_id in IDS:
        for version in range(chance.choice([0, 1, 1, 2])):
            put(resources, resources.originals, image_id)
            for variant in ("web.webp", "small.jpg")[: chance.choice([0, 1, 2])]:
                put(resources, resources.processed, f"{folder_of(image_id)}/v{version}/{variant}")
        if chance.random() < 0.3:
            resources.s3.delete_object(Bucket=resources.originals, Key=image_id)
        for name in ("current", "version#v0", "version#v1")[: chance.choice([0, 1, 3])]:
            record(resources, image_id, name)
    for stranger in ("a/only-derivatives", "sha256-" + "0" * 64):
        put(resources, resources.processed, f"{stranger}/v0/web.webp")
    for stranger in ("only-records", "y" * 900):
        record(resources, stranger, "current")
    for watermark in ("watermarks/abc", "reconcile/progress.json"):
        put(resources, resources.processed, watermark)
    return gathered(resources)


def gathered(resources: Resources) -> dict[str, Image]:
    """Return the images that a walk must yield, from complete listings in memory."""
    images: dict[str, Image] = {}

    def image(image_id: str) -> Image:
        return images.setdefault(image_id, Image(image_id))

    listed = resources.s3.list_object_versions(Bucket=resources.originals)
    for one in listed["Versions"]:
        version = Version(one["VersionId"], one["LastModified"], one["Size"], one["ETag"].strip('"'))
        image(one["Key"]).versions.append(version)
    for marker in listed["DeleteMarkers"]:
        image(marker["Key"]).marker = Version(marker["VersionId"], marker["LastModified"])
    for item in map(plain, resources.dynamodb.scan(TableName=resources.table)["Items"]):
        image(item["image_id"]).items.append(item)
    digests = {f"sha256-{hashlib.sha256(image_id.encode()).hexdigest()}": image_id for image_id in images}
    for derivative in resources.s3.list_objects_v2(Bucket=resources.processed)["Contents"]:
        if derivative["Key"].count("/") > 1:
            folder, name, _ = derivative["Key"].rsplit("/", 2)
            written = image(digests.get(folder, folder)).derivatives.setdefault(name, {})
            written[derivative["Key"]] = derivative["LastModified"]
    return images


def comparable(image: Image) -> Any:
    items = sorted(json.dumps(item, sort_keys=True) for item in image.items)
    return image.id, image.versions, image.marker, items, image.derivatives


def walked(resources: Resources, start: Place = BEGINNING, prefix: str = "") -> list[Image]:
    return [image for page in Walker(resources, prefix, Check(never)).pages(start) for image in page.images]


def smaller(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(walk, "IMAGES_AT_ONCE", size)
    monkeypatch.setattr(walk, "ITEMS_AT_ONCE", size)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 200])
def test_every_image_is_listed_once(
    resources: Resources, everything: dict[str, Image], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    smaller(monkeypatch, size)
    met = walked(resources)
    assert {image.id for image in met} == everything.keys()
    for image in met:
        assert comparable(image) == comparable(everything[image.id])
    if size == 200:  # an image at the border of two pages is in both, completely
        assert len(met) == len(everything)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_walk_continues_after_any_page(
    resources: Resources, everything: dict[str, Image], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    smaller(monkeypatch, size)
    met: dict[str, Image] = {}
    place: Place | None = BEGINNING
    walks = []
    while place:
        page = next(iter(Walker(resources, "", Check(never)).pages(Place(*json.loads(json.dumps(place))))))
        met.update({image.id: image for image in page.images})
        assert page.next != place
        place = page.next
        walks.append(place.walk if place else None)
    assert met.keys() == everything.keys()
    assert all(comparable(image) == comparable(everything[image.id]) for image in met.values())
    assert set(walks) == {*Walk, None}


@pytest.mark.parametrize("prefix", ["a", "a/", "a/b", "watermarks/", "sha256-", "x", "ü", "only", "nothing"])
def test_prefix_selects_images(
    resources: Resources, everything: dict[str, Image], monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    smaller(monkeypatch, 2)
    expected = {image_id for image_id in everything if image_id.startswith(prefix)} - {"sha256-" + "0" * 64}
    met = walked(resources, prefix=prefix)
    assert {image.id for image in met} == expected
    assert all(comparable(image) == comparable(everything[image.id]) for image in met)


def test_empty_pipeline_has_no_images(resources: Resources) -> None:
    assert walked(resources) == []


def counting(allowed: int) -> Callable[[], bool]:
    asked = iter(range(allowed))
    return lambda: next(asked, None) is None


def test_walk_stops_before_any_request(resources: Resources, everything: dict[str, Image]) -> None:
    stopped = 0
    for allowed in range(1000):
        try:
            list(Walker(resources, "", Check(counting(allowed))).pages())
        except StoppedError:
            stopped += 1
        else:
            break
    assert stopped > len(everything), "asked at least once for each image"
