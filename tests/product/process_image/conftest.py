from __future__ import annotations

import faulthandler
import logging
import os
import uuid
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.product.process_image.calls import Function, Subscriber
from tests.product.process_image.originals import PROCESSED, Bus, OriginalsBucket, journal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client


# Some tests crash the child process. pytest's reports of these crashes are disabled.
os.register_at_fork(after_in_child=faulthandler.disable)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide an AWS account in this process."""
    for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        boto3.setup_default_session()
        yield
    boto3.DEFAULT_SESSION = None


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Provide one session for all clients, which caches botocore's models."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")  # noqa: S106


@pytest.fixture
def s3(aws: None, session: boto3.Session) -> S3Client:
    client = session.client("s3")
    client.create_bucket(Bucket=PROCESSED, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client


@pytest.fixture
def originals(s3: S3Client) -> OriginalsBucket:
    """Provide the bucket of originals, with versions as in Terraform."""
    return OriginalsBucket(s3, versioned=True)


@pytest.fixture
def unversioned(s3: S3Client) -> OriginalsBucket:
    """Provide a bucket of originals without versions."""
    return OriginalsBucket(s3, versioned=False)


@pytest.fixture
def journal(s3: S3Client, originals: OriginalsBucket) -> list[str]:
    """Provide the names of S3's operations and of announced events, in order."""
    return journal_of(s3)


@pytest.fixture
def bus(journal: list[str]) -> Bus:
    return Bus(journal)


@pytest.fixture
def function(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    service = f"process_image-{uuid.uuid4()}"  # loggers outlive a test by their name
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "darkroom")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service)
    yield Function(service)
    logging.getLogger(service).handlers.clear()


@pytest.fixture
def services(aws: None) -> boto3.Session:
    """Provide the session from which the function makes its clients."""
    assert boto3.DEFAULT_SESSION is not None
    return boto3.DEFAULT_SESSION


@pytest.fixture
def subscriber(aws: None) -> Subscriber:
    return Subscriber()
