"""One deployed pipeline for all end-to-end tests: applied before the first, destroyed by the last.

With AWS_ENDPOINT_URL set, the tests run against what answers there; else against an embedded emulator of their own.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.engines.localstack import functions_target
from scripts.engines.ministack import ministack
from scripts.process.entry_point import end_in_order
from scripts.terraform.stack import Stack, emulator_variables
from tests.e2e.engines import LOCALSTACK, Capability, engine, missing, session
from tests.e2e.pipeline import Pipeline
from tests.e2e.skipping import pytest_make_collect_report, pytest_runtest_makereport, skip
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]  # pytest finds them here

# So that the tests can run against two engines at a time.
DIRECTORY = ROOT / "build" / ("e2e-elsewhere" if "AWS_ENDPOINT_URL" in os.environ else "e2e")
NAME = "e2e"

VARIANTS = [
    {"name": "thumbnail", "width": 256, "height": 256, "quality": 80},
    {"name": "square", "width": 128, "height": 128, "fit": "cover", "format": "png"},
    {
        "name": "web",
        "width": 640,
        "height": 640,
        "format": "webp",
        "quality": 80,
        "watermark": {"text": "Test"},
    },
    {"name": "modern", "width": 640, "format": "avif"},
]

# Origins of pages that may call the API and upload.
ORIGINS = ["https://app.example.com", "https://other.example.com"]

# Keys, as every engine with an API knows them: three owners.
API = {
    "authorization": {"type": "API_KEY"},
    "api_keys": ["alice", "bob", "carol"],
    "cors_origins": ORIGINS,
    "logs": True,
    "try_page": True,
}


@pytest.fixture(scope="session", autouse=True)
def endpoint() -> Iterator[str]:
    """The address of the engine."""
    end_in_order()
    with ExitStack() as on_exit, pytest.MonkeyPatch.context() as environment:
        if "AWS_ENDPOINT_URL" not in os.environ:
            shutil.rmtree(DIRECTORY, ignore_errors=True)
            emulator = on_exit.enter_context(ministack(DIRECTORY))
            for name, value in emulator.environment.items():
                environment.setenv(name, value)
        elif not session().client("sqs").list_queues(QueueNamePrefix=NAME).get("QueueUrls"):
            shutil.rmtree(DIRECTORY, ignore_errors=True)  # the state of an engine that is no more
        yield os.environ["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def test_queue(endpoint: str) -> tuple[str, str]:
    """A subscriber's queue: URL and ARN. Its owner lets the topic send, as subscribers must."""
    clients = session()
    sqs, account = clients.client("sqs"), clients.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:sqs:{os.environ['AWS_REGION']}:{account}:{NAME}-subscriber"
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{account}:{NAME}-notifications"}},
        },
    }
    url = sqs.create_queue(QueueName=f"{NAME}-subscriber", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    return url, arn


@pytest.fixture(scope="session")
def operators(endpoint: str) -> str:
    """The ARN of the topic that operators are told by."""
    arn: str = session().client("sns").create_topic(Name=f"operators-of-{NAME}")["TopicArn"]
    return arn


@pytest.fixture(scope="session")
def stack(endpoint: str, test_queue: tuple[str, str], operators: str) -> Stack:
    """Terraform's root, applied."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    logo = DIRECTORY / "logo.png"
    logo.write_bytes(encode(draw((64, 64)), "PNG"))
    emulators = emulator_variables(NAME, functions_target(endpoint) if engine() is LOCALSTACK else None)
    variants = [*VARIANTS, {"name": "branded", "width": 320, "watermark": {"image": str(logo)}}]
    stack = Stack(
        DIRECTORY,
        {},
        {
            **emulators,
            "variants": variants,
            "notifications": {"test": {"protocol": "sqs", "endpoint": test_queue[1]}},
            "api": API if engine().can(Capability.API_SERVICE_INTEGRATIONS) else None,
            "observe": {
                **emulators["observe"],
                "alarm_topic_arns": [operators],
                "budget": {"usd": 50} if engine().can(Capability.BUDGETS) else None,
                "findings": True,
                "schemas": engine().can(Capability.SCHEMAS),
            },
            "reconcile": {"schedule": "rate(365 days)", "repair": True},
            "originals": {"cors_origins": ORIGINS},
        },
        tell=print,
    )
    stack.init()
    stack.apply()
    return stack


@pytest.fixture(scope="session")
def pipeline(stack: Stack, test_queue: tuple[str, str]) -> Pipeline:
    """The deployed pipeline."""
    return Pipeline({**stack.outputs(), "test_queue_url": test_queue[0]}, session())


@pytest.fixture(scope="module", autouse=True)
def _skip_modules_that_the_engine_cannot_run(request: pytest.FixtureRequest, endpoint: str) -> None:
    """Before their own fixtures ask for what there is not."""
    skip_what_the_engine_cannot_do(request)


@pytest.fixture(autouse=True)
def _skip_tests_that_the_engine_cannot_run(request: pytest.FixtureRequest) -> None:
    skip_what_the_engine_cannot_do(request)


def skip_what_the_engine_cannot_do(request: pytest.FixtureRequest) -> None:
    """Skip what is marked as needing something that the engine, or this machine, lacks."""
    for marker in request.node.iter_markers("needs"):
        for need in marker.args:
            if reason := missing(need):
                skip(reason)


@pytest.fixture
def impatient_queue(pipeline: Pipeline) -> Iterator[None]:
    """The queue of uploads delivers a failed message again after two seconds instead of minutes."""
    url = pipeline.outputs["uploads_queue_url"]
    usual = pipeline.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    pipeline.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
    yield
    pipeline.sqs.set_queue_attributes(QueueUrl=url, Attributes=usual)


@pytest.fixture(autouse=True)
def _log_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell where the emulator's log is when a test fails."""
    failures = request.session.testsfailed
    yield
    log = Path(DIRECTORY / "ministack.log")
    if request.session.testsfailed > failures and log.exists():
        print(f"the emulator's log: {log}")  # noqa: T201
