"""What fails is tried again, and rests at last in a dead-letter queue, as it came; its neighbours do not notice."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

from tests.e2e.engines import Capability
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.pipeline import Pipeline

PHOTOGRAPH = encode(draw((400, 300)))


@pytest.mark.usefixtures("impatient_queue")
def test_a_poison_message_rests_in_the_dead_letter_queue(pipeline: Pipeline) -> None:
    poison = json.dumps({"detail-type": "Object Created", "detail": {"what": "is this?"}, "id": str(uuid.uuid4())})
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


@pytest.fixture
def without_permission(pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[str]:
    """The function's role lacks one permission, until the test is done."""
    iam, role = pipeline.client("iam"), pipeline.outputs["process_image"]["role"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="pipeline")["PolicyDocument"]
    without = {**policy, "Statement": [s for s in policy["Statement"] if s["Sid"] != request.param]}
    assert len(without["Statement"]) == len(policy["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName="pipeline", PolicyDocument=json.dumps(without))
    yield request.param
    iam.put_role_policy(RoleName=role, PolicyName="pipeline", PolicyDocument=json.dumps(policy))


@pytest.mark.needs(Capability.IAM)
@pytest.mark.usefixtures("impatient_queue")
@pytest.mark.parametrize("without_permission", ["ReadOriginals", "KeepDerivatives", "Announce"], indirect=True)
def test_without_one_permission_nothing_is_recorded_and_the_event_is_kept(
    pipeline: Pipeline, without_permission: str
) -> None:
    image_id = pipeline.upload(PHOTOGRAPH)
    (letter,) = pipeline.dead_letters("uploads")
    assert json.loads(letter["Body"])["detail"]["object"]["key"] == image_id
    assert pipeline.item(image_id) is None, without_permission
    # The permission comes back after this test; the event can then be redriven as it is.
    pipeline.redrivable[image_id] = letter["Body"]


@pytest.mark.needs(Capability.IAM)  # the events are those that the test before kept
def test_kept_events_can_be_redriven_as_they_are(pipeline: Pipeline) -> None:
    assert pipeline.redrivable
    for image_id, body in pipeline.redrivable.items():
        pipeline.send(body)
        pipeline.record(image_id)
        pipeline.notification(image_id, "Processed")


@pytest.mark.needs(Capability.IAM)
def test_the_function_cannot_write_to_originals_or_watermarks(pipeline: Pipeline) -> None:
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


def announce_what_cannot_be_recorded(pipeline: Pipeline) -> dict[str, Any]:
    """Put an event on the bus whose version id is longer than a key of the table may be; returns its detail."""
    image_id = pipeline.upload(PHOTOGRAPH)
    pipeline.record(image_id)
    detail = json.loads(pipeline.notification(image_id, "Processed")["Message"])
    broken: dict[str, Any] = detail | {"image_id": f"tests/{uuid.uuid4()}", "version": "v" * 2000}
    entry = {
        "EventBusName": pipeline.outputs["bus"]["name"],
        "Source": "darkroom",
        "DetailType": "Image Processed",
        "Detail": json.dumps(broken),
    }
    pipeline.client("events").put_events(Entries=[entry])
    return broken


def test_a_failed_workflow_keeps_the_event(pipeline: Pipeline) -> None:
    broken = announce_what_cannot_be_recorded(pipeline)
    (letter,) = pipeline.dead_letters("record_image")
    kept = json.loads(letter["Body"])
    assert kept["detail"] == broken
    assert kept["detail-type"] == "Image Processed"
    assert letter["MessageAttributes"]["error"]["StringValue"]
    assert pipeline.notifications(broken["image_id"]) == []


def test_a_failed_workflow_names_the_image_and_nothing_else_of_the_event(pipeline: Pipeline) -> None:
    """In its cause, which its log gets too."""
    broken = announce_what_cannot_be_recorded(pipeline)
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
