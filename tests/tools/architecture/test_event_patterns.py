"""Overlap of event patterns."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.contracts.patterns import overlap

BUCKET = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["originals"]}}}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, BUCKET, True),
        (BUCKET, {"source": ["aws.s3"], "detail-type": ["Object Created"]}, True),
        (BUCKET, {"source": ["shop", "aws.s3"]}, True),
        (BUCKET, {"source": ["shop"]}, False),
        (BUCKET, {"detail": {"bucket": {"name": ["processed"]}}}, False),
        (BUCKET, {"detail": {"bucket": {"name": [{"prefix": "orig"}]}}}, True),
        (BUCKET, {"detail": {"bucket": {"name": [{"prefix": "proc"}]}}}, False),
        (BUCKET, {"detail": {"bucket": {"name": [{"anything-but": ["processed"]}]}}}, True),
        (BUCKET, {"$or": [{"source": ["shop"]}]}, True),
        ({"source": [{"prefix": "shop."}]}, {"source": [{"prefix": "shop.orders"}]}, True),
        ({"source": []}, {"source": ["shop"]}, False),
    ],
)
def test_patterns_overlap(one: dict[str, Any], other: dict[str, Any], expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected
