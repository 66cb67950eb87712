"""An AWS account that moto emulates, and a pipeline in it."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

import boto3
import pytest
from moto import mock_aws

from darkroom.resources import Dlq, Resources

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "unit"
REGION: Literal["eu-central-1"] = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Emulate an AWS account in this process."""
    for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("DARKROOM_NAME", NAME)
    # moto's API Gateway imports this validator of documents, which no test here uses.
    exceptions = SimpleNamespace(OpenAPIValidationError=ValueError)
    monkeypatch.setitem(sys.modules, "openapi_spec_validator", SimpleNamespace(validate=None))
    monkeypatch.setitem(sys.modules, "openapi_spec_validator.validation", SimpleNamespace(exceptions=exceptions))
    monkeypatch.setitem(sys.modules, "openapi_spec_validator.validation.exceptions", exceptions)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Return one session for all clients: it caches botocore's descriptions of the services."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106


@pytest.fixture
def resources(aws: None, session: boto3.Session) -> Resources:
    """Create the empty queues, buckets, topic and table of a pipeline."""
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


def upload_of(image_id: str) -> str:
    """Return S3's event of an upload."""
    return json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": image_id}}})


def put_letter(resources: Resources, dlq: Dlq, body: str, **attributes: str) -> None:
    """Send a message to a DLQ."""
    resources.sqs.send_message(
        QueueUrl=resources.dlq_url(dlq),
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
