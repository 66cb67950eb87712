from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

import boto3
import pytest
from moto import mock_aws

from darkroom import dead_letters
from darkroom.resources import Dlq, Resources

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "unit"
REGION: Literal["eu-central-1"] = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS account in this process."""
    for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("DARKROOM_NAME", NAME)
    # moto's API Gateway validates documents with it, and cannot be loaded without; no test here imports a document.
    exceptions = SimpleNamespace(OpenAPIValidationError=ValueError)
    monkeypatch.setitem(sys.modules, "openapi_spec_validator", SimpleNamespace(validate=None))
    monkeypatch.setitem(sys.modules, "openapi_spec_validator.validation", SimpleNamespace(exceptions=exceptions))
    monkeypatch.setitem(sys.modules, "openapi_spec_validator.validation.exceptions", exceptions)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One for all clients: it keeps what botocore has read of the services' descriptions."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106


@pytest.fixture(autouse=True)
def _no_long_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of moto's one server is asked at once."""
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)


@pytest.fixture
def resources(aws: None, session: boto3.Session) -> Resources:
    """What a pipeline stores things in, empty; named as Terraform names it."""
    session.client("sqs").create_queue(QueueName=f"{NAME}-uploads")
    resources = Resources(NAME, session)
    for dlq in Dlq:
        resources.sqs.create_queue(QueueName=resources.dlq_name(dlq))
    for bucket in (resources.originals, resources.processed):
        resources.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    resources.s3.put_bucket_versioning(Bucket=resources.originals, VersioningConfiguration={"Status": "Enabled"})
    resources.sns.create_topic(Name=f"{NAME}-notifications")
    resources.dynamodb.create_table(
        TableName=resources.table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "image_id", "KeyType": "HASH"},
            {"AttributeName": "record", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "image_id", "AttributeType": "S"},
            {"AttributeName": "record", "AttributeType": "S"},
        ],
    )
    return resources
