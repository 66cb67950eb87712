"""A file that is no image is rejected: the result is announced, not retried, and reaches no DLQ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from tests.e2e.pipeline import Pipeline

PHOTOGRAPH = encode(draw((400, 300)))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"this is a text with a misleading name", "unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "unsupported_format"),
        (PHOTOGRAPH[: len(PHOTOGRAPH) // 2], "unreadable_image"),
        (encode(draw((64, 64)).resize((6000, 5000)), quality=30), "too_many_pixels"),
        (PHOTOGRAPH + b"\0" * 26 * 1024 * 1024, "too_many_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_image_is_rejected_and_announced(pipeline: Pipeline, data: bytes, code: str) -> None:
    image_id = pipeline.upload(data, ContentType="image/jpeg", Metadata={"owner": "someone"})
    record = pipeline.record(image_id, "Rejected")
    assert record["reason"]["code"] == code
    assert record["reason"]["message"]
    assert record["original"]["bytes"] == len(data)
    assert record["owner"] == "someone"
    assert record["variants"] == []
    message = json.loads(pipeline.notification(image_id, "Rejected")["Message"])
    assert message["reason"] == record["reason"]
    assert pipeline.derivative_keys(image_id) == []
    pipeline.announced(image_id, record["version"])


def test_rejected_image_can_be_replaced(pipeline: Pipeline) -> None:
    image_id = pipeline.upload(b"not yet an image")
    pipeline.record(image_id, "Rejected")
    pipeline.upload(PHOTOGRAPH, image_id)
    assert pipeline.record(image_id)["reason"] is None
    assert {version["status"] for version in pipeline.versions(image_id)} == {"Processed", "Rejected"}
