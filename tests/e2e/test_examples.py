"""The examples of the modules apply unchanged, have no drift, work, and can be destroyed."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from scripts import ROOT
from scripts.terraform.stack import Terraform
from tests.e2e.conftest import DIRECTORY
from tests.e2e.engines import EXAMPLES as NEEDS
from tests.e2e.engines import Capability, drifts, engine, session
from tests.e2e.pipeline import wait_for
from tests.e2e.serve import base_url

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = ROOT / "terraform" / "modules"
EXAMPLES = sorted(MODULES.glob("*/examples/*"))
QUEUE_WORKER = MODULES / "function" / "examples" / "queue_worker"
CUSTOM_BUS = MODULES / "event_bus" / "examples" / "custom_bus"
ORDERS_API = MODULES / "service_api" / "examples" / "orders_without_lambda"

PARTNER = "111122223333"  # the account that the example of a bus admits


@dataclass(frozen=True)
class Example:
    """A deployed example: its outputs, and what a second plan would change in it."""

    outputs: dict[str, Any]
    changed: set[tuple[str, str]]


Examples = dict[Path, Example]


def needs(example: Path) -> frozenset[Capability]:
    """Return what an engine must be able to do so that an example applies there."""
    return NEEDS.get(example.relative_to(MODULES).as_posix(), frozenset())


@pytest.fixture(scope="module")
def examples(endpoint: str) -> Iterator[Examples]:
    """Apply all examples, each as a module of one configuration, and destroy them in the end."""
    folder = DIRECTORY / "examples"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(MODULES, folder / "modules")
    chosen = {f"{path.parents[1].name}_{path.name}": path for path in EXAMPLES if engine().can(*needs(path))}
    configuration = {
        "module": {name: {"source": f"./modules/{path.relative_to(MODULES)}"} for name, path in chosen.items()},
        "output": {name: {"value": f"${{module.{name}}}", "sensitive": True} for name in chosen},
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration))
    terraform = Terraform(folder, {})
    terraform.init()
    terraform.apply()
    outputs, changes = terraform.outputs(), drifts(terraform.plan())
    yield {
        path: Example(
            outputs[name],
            {(at.removeprefix(f"module.{name}."), what) for at, what in changes if at.startswith(f"module.{name}.")},
        )
        for name, path in chosen.items()
    }
    terraform.destroy()


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(
            example,
            id=f"{example.parent.parent.name}-{example.name}",
            marks=pytest.mark.needs(*needs(example)),
        )
        for example in EXAMPLES
    ],
)
def test_example_applies_without_drift(examples: Examples, example: Path) -> None:
    assert examples[example].changed - engine().example_drifts == set()


def test_known_drifts_of_examples_are_exact(examples: Examples) -> None:
    assert set().union(*(example.changed for example in examples.values())) == engine().example_drifts


def receive(queue: str, count: int) -> list[dict[str, Any]]:
    """Wait for messages in a queue, and delete them from it."""
    sqs = session().client("sqs")
    found: list[dict[str, Any]] = []

    def look() -> bool:
        answer = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
        return len(found) >= count

    wait_for(f"{count} messages in {queue}", look)
    return found


def nothing_left(queue: str) -> bool:
    """Return True if a queue has no messages, neither waiting nor being processed."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return set(
        session().client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values()
    ) == {"0"}


# A queue with a dead-letter queue and a function


def test_jobs_are_answered_and_poison_is_kept(examples: Examples) -> None:
    outputs = examples[QUEUE_WORKER].outputs
    sqs, jobs = session().client("sqs"), outputs["jobs_url"]
    sqs.set_queue_attributes(QueueUrl=jobs, Attributes={"VisibilityTimeout": "4"})  # so that five tries take seconds
    poison = {'{"text": ', '{"sentence": "without a text"}', "[]", '{"text": 5}', "naïve ✓ \t&<>"}
    texts = [" ".join(["word"] * count) for count in range(1, 6)]
    bodies = [body for pair in zip(sorted(poison), map(job, texts), strict=True) for body in pair]
    sent = sqs.send_message_batch(
        QueueUrl=jobs,
        Entries=[
            {
                "Id": str(number),
                "MessageBody": body,
                "MessageAttributes": {"sender": {"DataType": "String", "StringValue": str(number)}},
            }
            for number, body in enumerate(bodies)
        ],
    )
    assert len(sent["Successful"]) == len(bodies)

    answers = receive(outputs["results_url"], len(texts))
    assert sorted(json.loads(answer["Body"])["words"] for answer in answers) == [1, 2, 3, 4, 5]
    dead = receive(outputs["dlq_url"], len(poison))
    assert {message["Body"]: message["MessageAttributes"]["sender"]["StringValue"] for message in dead} == {
        body: str(number) for number, body in enumerate(bodies) if body in poison
    }
    assert len(dead) == len(poison)

    sqs.send_message(QueueUrl=jobs, MessageBody=job("it still works"))
    assert [answer["Body"] for answer in receive(outputs["results_url"], 1)] == ['{"words": 3}']
    wait_for("end of all jobs", lambda: nothing_left(jobs))


def job(text: str) -> str:
    return json.dumps({"text": text})


# A bus with publishers in another account and an archive


def put_order(bus: str, source: str, client: Any = None) -> str:
    """Put an order on a bus; return its id."""
    order = uuid.uuid4().hex
    entry = {
        "EventBusName": bus,
        "Source": source,
        "DetailType": "Order Placed",
        "Detail": json.dumps({"order": order, "note": 'déjà "vu" & <co>'}),
    }
    answer = (client or session().client("events")).put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0, answer
    return order


def billed(queue: str, order: str) -> dict[str, Any]:
    """Wait for an order's event in the queue."""
    while True:
        for message in receive(queue, 1):
            event: dict[str, Any] = json.loads(message["Body"])
            if event["detail"]["order"] == order:
                return event


@pytest.mark.needs(Capability.EVENTS_ACROSS_ACCOUNTS)
def test_bus_admits_one_account_and_source(examples: Examples) -> None:
    bus = examples[CUSTOM_BUS].outputs["bus_arn"]
    described = session().client("events").describe_event_bus(Name=bus.split("/")[-1])
    (statement,) = json.loads(described["Policy"])["Statement"]
    assert statement.pop("Sid")
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
        "Action": "events:PutEvents",
        "Resource": bus,
        "Condition": {"StringEquals": {"events:source": "shop.partner"}},
    }


def test_only_orders_of_the_shop_arrive(examples: Examples) -> None:
    outputs = examples[CUSTOM_BUS].outputs
    put_order(outputs["bus_arn"], "warehouse")
    order = put_order(outputs["bus_arn"], "shop")
    (message,) = receive(outputs["billing_url"], 1)
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("shop", "Order Placed")
    assert event["detail"] == {"order": order, "note": 'déjà "vu" & <co>'}
    assert nothing_left(outputs["billing_url"])


@pytest.mark.needs(Capability.EVENTS_ACROSS_ACCOUNTS)
def test_orders_of_another_account_arrive(examples: Examples) -> None:
    outputs = examples[CUSTOM_BUS].outputs
    client = boto3.client(
        "events",
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=PARTNER,  # which the emulator takes for the account
        aws_secret_access_key="test",  # noqa: S106 - an emulator's
    )
    order = put_order(outputs["bus_arn"], "shop.partner", client)
    event = billed(outputs["billing_url"], order)
    assert event["source"] == "shop.partner"


@pytest.mark.needs(Capability.REPLAY)
def test_archived_orders_are_delivered_again(examples: Examples) -> None:
    outputs = examples[CUSTOM_BUS].outputs
    begun = datetime.now(UTC) - timedelta(seconds=2)
    order = put_order(outputs["bus_arn"], "shop")
    first = billed(outputs["billing_url"], order)
    session().client("events").start_replay(
        ReplayName=f"orders-{order}",
        EventSourceArn=outputs["archive_arn"],
        EventStartTime=begun,
        EventEndTime=datetime.now(UTC) + timedelta(seconds=2),
        Destination={"Arn": outputs["bus_arn"]},
    )
    again = billed(outputs["billing_url"], order)
    assert again["replay-name"] == f"orders-{order}"
    assert again["detail"] == first["detail"]


# An API without a function


def call(outputs: dict[str, Any], path: str, data: bytes | None = None) -> tuple[int, Any]:
    """Call the API with a signature, as AWS requires; return the status and the JSON of the response."""
    base = base_url(outputs["url"])
    request = AWSRequest("POST" if data else "GET", base + path, {"Content-Type": "application/json"}, data)
    credentials = boto3.Session().get_credentials()
    assert credentials
    SigV4Auth(credentials, "execute-api", os.environ["AWS_REGION"]).add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(base + path, data, dict(prepared.headers), method=prepared.method)  # noqa: S310
    try:
        with urllib.request.urlopen(sent, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


NOTES = [
    "as soon as possible",
    "&MessageBody=other&Action=DeleteQueue&DelaySeconds=900",
    'quote " and \\" backslash \\\\ slash / apostrophe \' brace } $input.body #set($x = 1)',
    "100 % + 1 = 100 %2B 1; <b>bold</b>\r\nsecond line\ttab",
    "größer 写真 🖼",
    "",
]


@pytest.mark.needs(Capability.API_SERVICE_INTEGRATIONS)
@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "raw"])
def test_order_becomes_message_byte_for_byte(examples: Examples, note: str, ascii_only: bool) -> None:
    outputs = examples[ORDERS_API].outputs
    body = json.dumps({"article": "camera", "count": 2, "note": note}, ensure_ascii=ascii_only, indent=1)
    status, answer = call(outputs, "/orders", body.encode())
    assert status == 202, answer
    assert answer["order"]
    (message,) = receive(outputs["orders_url"], 1)
    assert message["Body"] == body
    assert message["MessageAttributes"]["customer"]["StringValue"].startswith("customer:")


@pytest.mark.needs(Capability.API_SERVICE_INTEGRATIONS)
@pytest.mark.parametrize(
    "order",
    [
        {"article": "camera"},
        {"article": "camera", "count": 0},
        {"article": "camera", "count": 1, "price": 0},
        {"article": "../camera", "count": 1},
        {"article": "camera", "count": 1, "note": "x" * 501},
        [],
    ],
    ids=str,
)
def test_invalid_order_is_refused_and_not_sent(examples: Examples, order: Any) -> None:
    outputs = examples[ORDERS_API].outputs
    status, answer = call(outputs, "/orders", json.dumps(order).encode())
    assert status == 400, answer
    assert nothing_left(outputs["orders_url"])


@pytest.mark.needs(Capability.API_SERVICE_INTEGRATIONS)
def test_price_is_answer_of_workflow(examples: Examples) -> None:
    outputs = examples[ORDERS_API].outputs
    assert call(outputs, "/articles/camera/price") == (200, {"price": 499})
    for unknown in ("lens", "%22%7D", "camera%22%2C%20%22article%22%3A%20%22lens"):
        status, answer = call(outputs, f"/articles/{unknown}/price")
        assert (status, answer["error"]["code"]) == (404, "not_found")
