"""The layout of keys in the processed bucket: `{folder}/{version}/{variant}.{extension}`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_IMAGE_ID = 800  # bytes; S3 allows 1,024 for image id, version and variant together
DIGEST = "sha256-"
DELETE_AT_ONCE = 1000  # keys, the limit of S3's DeleteObjects


def has_digest(image_id: str) -> bool:
    """Return True if the folder of an image is a digest of its id (docs/decisions/0005-long-keys.md).

    An image id that looks like a digest gets one too. Otherwise it could name another image's folder.
    """
    return len(image_id.encode()) > LONGEST_IMAGE_ID or image_id.startswith(DIGEST)


def folder_of(image_id: str) -> str:
    """Return the first part of the keys of an image's derivatives: its id, or its digest."""
    return f"{DIGEST}{hashlib.sha256(image_id.encode()).hexdigest()}" if has_digest(image_id) else image_id


def batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split keys into batches that one DeleteObjects request can delete."""
    for start in range(0, len(keys), DELETE_AT_ONCE):
        yield keys[start : start + DELETE_AT_ONCE]
