"""A failed message is retried and finally kept in a DLQ, unchanged; other messages are processed."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config

from tests.e2e.engines import Capability
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.pipeline import Pipeline

PHOTOGRAPH = encode(draw((400, 300)))


@contextmanager
def short_visibility_timeout(pipeline: Pipeline) -> Iterator[None]:
    """Let the uploads queue deliver a failed message again after four seconds instead of minutes."""
    url = pipeline.outputs["uploads_queue_url"]
    usual = pipeline.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    pipeline.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "4"})
    try:
        yield
    finally:
        pipeline.sqs.set_queue_attributes(QueueUrl=url, Attributes=usual)


def test_poison_message_does_not_stop_neighbours(pipeline: Pipeline) -> None:
    poison = json.dumps({"detail-type": "Object Created", "detail": {"what": "is this?"}, "id": str(uuid.uuid4())})
    with short_visibility_timeout(pipeline):
        neighbours = [pipeline.upload(PHOTOGRAPH) for _ in range(4)]
        pipeline.send(poison)
        neighbours += [pipeline.upload(PHOTOGRAPH) for _ in range(4)]
        for neighbour in neighbours:
            pipeline.record(neighbour)
        (letter,) = pipeline.dead_letters("uploads")
    assert letter["Body"] == poison
    for neighbour in neighbours:
        assert len(pipeline.notifications(neighbour)) <= 1
        pipeline.notification(neighbour, "Processed")


@contextmanager
def without_permission(pipeline: Pipeline, name: str) -> Iterator[None]:
    """Take one statement out of the policy of the function's role, until the block ends."""
    iam, role = pipeline.client("iam"), pipeline.outputs["process_image"]["role"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="pipeline")["PolicyDocument"]
    without = {**policy, "Statement": [s for s in policy["Statement"] if s["Sid"] != name]}
    assert len(without["Statement"]) == len(policy["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName="pipeline", PolicyDocument=json.dumps(without))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="pipeline", PolicyDocument=json.dumps(policy))


@pytest.mark.needs(Capability.IAM)
@pytest.mark.parametrize("permission", ["ReadOriginals", "KeepDerivatives", "Announce"])
def test_missing_permission_keeps_event_for_redrive(pipeline: Pipeline, permission: str) -> None:
    with short_visibility_timeout(pipeline), without_permission(pipeline, permission):
        image_id = pipeline.upload(PHOTOGRAPH)
        (letter,) = pipeline.dead_letters("uploads")
        assert json.loads(letter["Body"])["detail"]["object"]["key"] == image_id
        assert pipeline.item(image_id) is None
    pipeline.send(letter["Body"])
    pipeline.record(image_id)
    pipeline.notification(image_id, "Processed")


@pytest.mark.needs(Capability.IAM)
def test_function_cannot_write_originals_or_watermarks(pipeline: Pipeline) -> None:
    iam, role = pipeline.client("iam"), pipeline.outputs["process_image"]["role"]
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    originals = f"arn:aws:s3:::{pipeline.outputs['originals_bucket']}/x/version/thumbnail.jpg"
    processed = f"arn:aws:s3:::{pipeline.outputs['processed_bucket']}/x/version/thumbnail.jpg"
    watermark = f"arn:aws:s3:::{pipeline.outputs['processed_bucket']}/watermarks/{'0' * 64}"

    def decision(action: str, resource: str) -> str:
        answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource])
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    assert decision("s3:PutObject", processed) == "allowed"
    assert decision("s3:PutObject", originals) == "implicitDeny"
    assert decision("s3:DeleteObject", originals) == "implicitDeny"
    assert decision("s3:GetObject", watermark) == "allowed"
    assert decision("s3:PutObject", watermark) == "implicitDeny"


def test_failed_workflow_keeps_event(pipeline: Pipeline) -> None:
    broken = pipeline.announce_unrecordable()
    (letter,) = pipeline.dead_letters("record_image")
    kept = json.loads(letter["Body"])
    assert kept["detail"] == broken
    assert kept["detail-type"] == "Image Processed"
    assert letter["MessageAttributes"]["error"]["StringValue"]
    assert pipeline.notifications(broken["image_id"]) == []


def test_failed_workflow_reports_only_image_id(pipeline: Pipeline) -> None:
    """The cause of the failure is logged too."""
    broken = pipeline.announce_unrecordable()
    (letter,) = pipeline.dead_letters("record_image")
    # Its own host, `sync-states…`, is AWS's; an engine has one for all.
    config = Config(inject_host_prefix="AWS_ENDPOINT_URL" not in os.environ)
    failed = pipeline.session.client("stepfunctions", config=config).start_sync_execution(
        stateMachineArn=pipeline.outputs["record_image_arn"], input=letter["Body"]
    )
    assert (failed["status"], failed["error"]) == ("FAILED", "RecordImageFailed")
    error = letter["MessageAttributes"]["error"]["StringValue"]
    assert failed["cause"].startswith(f"image_id {broken['image_id']} failed with {error};")
    pipeline.dead_letters("record_image")
