"""End-to-end tests against deployed pipelines.

With AWS_ENDPOINT_URL set, the tests run against the engine that answers there, else each process starts MiniStack.

The tests of a group of files run in one process, in order, and share what they deploy. Terraform mostly waits, so all
groups run side by side: `pytest tests/e2e -n auto`.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from xdist.workermanage import NodeManager  # type: ignore[import-untyped]

from scripts import ROOT
from scripts.engines.localstack import functions_target
from scripts.engines.ministack import ministack
from scripts.process.entry_point import end_in_order
from scripts.process.environment import environment
from scripts.terraform.stack import Stack, emulator_variables
from tests.e2e.engines import LOCALSTACK, Capability, engine, missing, session
from tests.e2e.pipeline import Pipeline
from tests.e2e.skipping import pytest_make_collect_report, pytest_runtest_makereport, skip
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]  # pytest finds them here

# Each process has a pipeline of its own, by name and folder; runs against two engines do not share folders either.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
NAME = f"e2e{WORKER}"
DIRECTORY = ROOT / "build" / ("e2e-elsewhere" if "AWS_ENDPOINT_URL" in os.environ else "e2e") / NAME

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


# Files of this folder that share a pipeline; any other file is a group of its own, and so is any other folder.
GROUPS = {
    "uploads": ("upload", "event_order", "rejection", "failure", "deletion"),
    "operate": ("operate", "observe"),
    "api": ("serve", "try_page"),
}


def group(file: Path) -> str:
    """Return the group of a file."""
    if file.parent.name != Path(__file__).parent.name:
        return str(file.parent)
    name = file.stem.removeprefix("test_")
    return next((group for group, files in GROUPS.items() if name in files), name)


NodeManager.EXIT_TIMEOUT = 300  # seconds in which an interrupted process destroys what it made, and ends its engine


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Run the tests of a group in one process, in order."""

    def _split_scope(self, nodeid: str) -> str:
        return group(Path(nodeid.partition("::")[0]))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Distribute groups, not single tests."""
    return GroupScheduling(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Run all groups side by side, however few processors there are."""
    return len({group(file) for file in Path(__file__).parent.glob("test_*.py")})


@pytest.fixture(scope="session", autouse=True)
def endpoint() -> Iterator[str]:
    """Start the engine unless one is given; return its address."""
    end_in_order()
    with ExitStack() as on_exit:
        if "AWS_ENDPOINT_URL" not in os.environ:
            shutil.rmtree(DIRECTORY, ignore_errors=True)
            emulator = on_exit.enter_context(ministack(DIRECTORY))
            on_exit.enter_context(environment(emulator.environment))
        elif not session().client("sqs").list_queues(QueueNamePrefix=NAME).get("QueueUrls"):
            shutil.rmtree(DIRECTORY, ignore_errors=True)  # Terraform's state of an engine that has ended
        yield os.environ["AWS_ENDPOINT_URL"]


def subscriber_queue(name: str) -> tuple[str, str]:
    """Create a queue that the notifications of the pipeline with this name may be sent to; return its URL and ARN."""
    clients = session()
    sqs, account = clients.client("sqs"), clients.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:sqs:{os.environ['AWS_REGION']}:{account}:{name}-subscriber"
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{account}:{name}-notifications"}},
        },
    }
    url = sqs.create_queue(QueueName=f"{name}-subscriber", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    return url, arn


def deploy(name: str, directory: Path, queue: str, topic: str) -> Stack:
    """Apply Terraform's root.

    Args:
        name: Name of the pipeline.
        directory: Folder for Terraform's files.
        queue: ARN of a queue that subscribes to notifications.
        topic: ARN of a topic that alarms are sent to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    logo = directory / "logo.png"
    logo.write_bytes(encode(draw((64, 64)), "PNG"))
    target = functions_target(os.environ["AWS_ENDPOINT_URL"]) if engine() is LOCALSTACK else None
    emulators = emulator_variables(name, target)
    variants = [*VARIANTS, {"name": "branded", "width": 320, "watermark": {"image": str(logo)}}]
    stack = Stack(
        directory,
        {},
        {
            **emulators,
            "variants": variants,
            "notifications": {"test": {"protocol": "sqs", "endpoint": queue}},
            "api": API if engine().can(Capability.API_SERVICE_INTEGRATIONS) else None,
            "observe": {
                **emulators["observe"],
                "alarm_topic_arns": [topic],
                "budget": {"usd": 50} if engine().can(Capability.BUDGETS) else None,
                "findings": True,
                "schemas": engine().can(Capability.SCHEMAS),
            },
            "reconcile": {"schedule": "rate(365 days)", "repair": True},
            "originals": {"cors_origins": ORIGINS},
        },
        report=print,
    )
    stack.init()
    stack.apply()
    return stack


@pytest.fixture(scope="session")
def operators(endpoint: str) -> str:
    """Create the topic that alarms are sent to; return its ARN."""
    arn: str = session().client("sns").create_topic(Name=f"operators-of-{NAME}")["TopicArn"]
    return arn


@pytest.fixture(scope="session")
def pipeline(operators: str) -> Iterator[Pipeline]:
    """Deploy the pipeline that all tests of this process share; in the end, no DLQ has a message.

    It is not destroyed: its engine ends, or the next run against the same engine finds it in place.
    """
    url, arn = subscriber_queue(NAME)
    deployed = Pipeline({**deploy(NAME, DIRECTORY, arn, operators).outputs(), "test_queue_url": url}, session())
    yield deployed
    deployed.assert_no_dead_letters()


@pytest.fixture(scope="module", autouse=True)
def _skip_modules_that_the_engine_cannot_run(request: pytest.FixtureRequest, endpoint: str) -> None:
    """Skip modules before their own fixtures use something that the engine does not have."""
    skip_what_the_engine_cannot_do(request)


@pytest.fixture(autouse=True)
def _skip_tests_that_the_engine_cannot_run(request: pytest.FixtureRequest) -> None:
    skip_what_the_engine_cannot_do(request)


def skip_what_the_engine_cannot_do(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs something that the engine or this machine does not have."""
    for marker in request.node.iter_markers("needs"):
        for need in marker.args:
            if reason := missing(need):
                skip(reason)


@pytest.fixture(autouse=True)
def _log_on_failure(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print where the emulator's log is when a test fails."""
    failures = request.session.testsfailed
    yield
    log = Path(DIRECTORY / "ministack.log")
    if request.session.testsfailed > failures and log.exists():
        print(f"the emulator's log: {log}")  # noqa: T201
