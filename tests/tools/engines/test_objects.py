"""S3's conditional deletes, which LocalStack learns at its start."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def s3(clients: Any) -> Any:
    return clients("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """Yield a versioned bucket."""
    name = f"tested-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield name
    listed = s3.list_object_versions(Bucket=name)
    for one in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=name)


def markers(s3: Any, bucket: str) -> int:
    return len(s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []))


def test_existing_object_is_deleted_once(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    assert s3.delete_object(Bucket=bucket, Key="a/b", IfMatch="*")["DeleteMarker"]
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key="a/b", IfMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert markers(s3, bucket) == 1


def test_missing_object_gets_no_delete_marker(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key="a/b", IfMatch="*")
    assert refused.value.response["Error"]["Code"] == "NoSuchKey"
    assert markers(s3, bucket) == 0


def test_a_deletion_without_a_condition_is_as_it_was(s3: Any, bucket: str) -> None:
    assert s3.delete_object(Bucket=bucket, Key="a/b")["DeleteMarker"]
    assert markers(s3, bucket) == 1
