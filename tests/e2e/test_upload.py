"""An upload becomes derivatives, a record and a notification."""

from __future__ import annotations

import io
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.e2e.conftest import VARIANTS
from tests.e2e.engines import Capability
from tests.support.photographs import ORIENTATIONS, draw, encode, from_cameras, in_each_format, oriented

if TYPE_CHECKING:
    from tests.e2e.pipeline import Pipeline
    from tests.support.photographs import Photograph

NAMES = [variant["name"] for variant in VARIANTS] + ["branded"]
SAME_SIZE_TURNS = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)
RAW = pytest.mark.needs(Capability.RAW_KEYS)
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/avif": "AVIF"}


def check(pipeline: Pipeline, image_id: str, photograph: Photograph) -> dict[str, Image.Image]:
    """Check record, derivatives and notification of an image, and return the derivatives, decoded."""
    record = pipeline.record(image_id)
    assert record["original"] == {
        "bytes": len(photograph.data),
        "width": photograph.size[0],
        "height": photograph.size[1],
        "format": photograph.format,
    }
    assert [variant["name"] for variant in record["variants"]] == NAMES
    assert record["reason"] is None
    pictures = {}
    for variant in record["variants"]:
        assert variant["key"].startswith(f"{image_id}/{record['version']}/{variant['name']}.")
        stored = pipeline.derivative(variant)
        data = stored["Body"].read()
        assert stored["ContentType"] == variant["content_type"]
        assert "immutable" in stored["CacheControl"]
        assert len(data) == variant["bytes"]
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert picture.format == FORMATS[variant["content_type"]]
        assert picture.size == (variant["width"], variant["height"])
        assert not picture.getexif()
        assert "icc_profile" not in picture.info
        pictures[variant["name"]] = picture.convert("RGB")
    version = pipeline.announced(image_id, record["version"])
    assert version["variants"] == record["variants"]
    notified = pipeline.notification(image_id, "Processed")
    message = json.loads(notified["Message"])
    assert message["image_id"] == image_id
    assert message["variants"] == record["variants"]
    assert message["original"]["width"] == photograph.size[0]
    assert notified["Subject"] == message["summary"]
    assert message["dedup_id"] == version["notified_dedup_id"]
    return pictures


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_orientation(pipeline: Pipeline, orientation: int) -> None:
    photograph = oriented(orientation)
    upright = Image.open(io.BytesIO(oriented(1).data)).convert("RGB")
    image_id = pipeline.upload(photograph.data)
    thumbnail = check(pipeline, image_id, photograph)["thumbnail"]
    expected = upright.resize((256, 192), Image.Resampling.LANCZOS)
    wrong = [expected.transpose(turn) for turn in SAME_SIZE_TURNS]
    assert distance(thumbnail, expected) < min(distance(thumbnail, other) for other in wrong) / 3


def distance(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of the pixels of two pictures, 0 to 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@pytest.mark.parametrize("photograph", in_each_format(), ids=lambda p: p.format)
def test_each_format_with_misleading_name(pipeline: Pipeline, photograph: Photograph) -> None:
    image_id = pipeline.upload(
        photograph.data, f"tests/{uuid.uuid4()}/not-a.txt", ContentType="application/octet-stream"
    )
    check(pipeline, image_id, photograph)


def test_real_photographs(pipeline: Pipeline) -> None:
    photographs = {pipeline.upload(photograph.data): photograph for photograph in from_cameras()}
    for image_id, photograph in photographs.items():
        check(pipeline, image_id, photograph)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with spaces and  two", marks=RAW),
        pytest.param("a+b%2Bc%20d", marks=RAW),
        pytest.param("päivää/日本語/🙂", marks=RAW),
        pytest.param("quotes\"and'braces{}$[0]", marks=RAW),
        pytest.param("ü" * ((1024 - 40) // 2), marks=RAW),
        "deep/" * 20 + "end",
        "x" * (1024 - 40),
    ],
    ids=lambda name: name[:12],
)
def test_keys_are_taken_raw(pipeline: Pipeline, name: str) -> None:
    key = f"{uuid.uuid4()}/{name}".ljust(1024, "x") if len(name) > 900 else f"{uuid.uuid4()}/{name}"
    image_id = pipeline.upload(encode(draw((64, 48))), key)
    record = pipeline.record(image_id)
    assert len(record["variants"]) == len(NAMES)
    for variant in record["variants"]:
        assert len(variant["key"].encode()) <= 1024
        assert pipeline.derivative(variant)["ContentLength"] == variant["bytes"]
    assert pipeline.notification(image_id, "Processed")["Subject"].isascii()
    # Terraform's provider never finishes deleting a key with `%2B` when it empties a bucket.
    pipeline.remove(image_id)


@pytest.mark.needs(Capability.VERSION_IDS)
def test_version_is_s3_version_id(pipeline: Pipeline) -> None:
    key = f"tests/{uuid.uuid4()}"
    stored = pipeline.s3.put_object(Bucket=pipeline.outputs["originals_bucket"], Key=key, Body=encode(draw((64, 48))))
    assert pipeline.record(key)["version"] == stored["VersionId"]


def test_owner_comes_from_minted_key(pipeline: Pipeline) -> None:
    owner = f"owner-{uuid.uuid4()}"
    first = pipeline.upload(encode(draw((64, 48))), f"{owner}/{uuid.uuid4()}", Metadata={"owner": "someone-else"})
    assert pipeline.record(first)["owner"] == owner
    time.sleep(1)  # EventBridge reports the time of an upload in whole seconds
    second = pipeline.upload(encode(draw((64, 48))), f"{owner}/{uuid.uuid4()}")
    pipeline.record(second)
    assert [item["image_id"] for item in pipeline.owned_by(owner)] == [second, first]


def test_owner_comes_from_metadata_or_is_missing(pipeline: Pipeline) -> None:
    owner = f"owner-{uuid.uuid4()}"
    owned = pipeline.upload(encode(draw((64, 48))), Metadata={"owner": owner})
    ownerless = pipeline.upload(encode(draw((64, 48))))
    assert pipeline.record(owned)["owner"] == owner
    assert pipeline.record(ownerless)["owner"] is None
    assert [item["image_id"] for item in pipeline.owned_by(owner)] == [owned]


@pytest.mark.needs(Capability.MESSAGE_ATTRIBUTES_FROM_WORKFLOWS)
def test_subscribers_can_filter_by_attributes(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(encode(draw((64, 48))))
    notified = pipeline.notification(image_id, "Processed")
    attributes = {name: value["Value"] for name, value in notified["MessageAttributes"].items()}
    message = json.loads(notified["Message"])
    assert attributes == {"status": "Processed", "image_id": image_id, "dedup_id": message["dedup_id"]}


def test_fifty_uploads_at_once(pipeline: Pipeline) -> None:
    files = [encode(draw((320, 240), hue=index * 5), quality=90) for index in range(50)]
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(pipeline.upload, files))
    records = [pipeline.record(image_id) for image_id in ids]
    assert len({record["variants"][0]["key"] for record in records}) == 50
    for image_id in ids:
        pipeline.notification(image_id, "Processed")
        assert len(pipeline.notifications(image_id)) == 1
        assert len(pipeline.versions(image_id)) == 1
