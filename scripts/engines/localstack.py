"""What LocalStack's two ways of running have in common: what runs, and whether it answers."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from localstack_client.session import Session  # type: ignore[import-untyped]

from scripts.artifacts.targets import DEFAULT_PYTHON, lambda_target, local_target
from scripts.process.entry_point import ToolError
from scripts.process.environment import engine_settings

if TYPE_CHECKING:
    from scripts.artifacts.targets import Target

HOST = "127.0.0.1"
ANSWER_SECONDS = 10


class Way(Enum):
    """How LocalStack runs."""

    DOCKER = "docker"
    PIP = "pip"

    @property
    def meaning(self) -> str:
        """What that is, for people."""
        if self is Way.DOCKER:
            return "LocalStack by docker compose, Lambda functions in containers"
        return "LocalStack from PyPI, Lambda functions as processes, DynamoDB by moto"


@dataclass(frozen=True)
class LocalStack:
    """A running LocalStack.

    Attributes:
        way: How it runs.
        endpoint: Its URL.
        version: As it says itself.
    """

    way: Way
    endpoint: str
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which a process takes LocalStack for AWS."""
        return engine_settings(self.endpoint)

    def session(self) -> Any:  # noqa: ANN401 - it makes clients of every kind
        """A session whose clients talk to it."""
        return Session("test", "test", localstack_host=self.endpoint.removeprefix("http://"))


def url(port: int) -> str:
    """The address of a LocalStack on this machine."""
    return f"http://{HOST}:{port}"


def ask(endpoint: str, page: str) -> dict[str, Any] | None:
    """One of LocalStack's own pages, `health` or `info`; none where nobody answers."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_localstack/{page}", timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, ValueError):
        return None


def functions_target(endpoint: str) -> Target:
    """What functions are packaged for that are to run on a LocalStack.

    In a container itself, it runs them in Lambda's image, for this machine's CPU; else by this machine's Python.
    """
    told = ask(endpoint, "info")
    if told is None:
        raise ToolError(f"no LocalStack answers at {endpoint}")
    return target(Way.DOCKER if told["is_docker"] else Way.PIP)


def target(way: Way) -> Target:
    """What functions are packaged for that are to run on LocalStack in this way."""
    local = local_target()
    return lambda_target(local.architecture, DEFAULT_PYTHON) if way is Way.DOCKER else local


def packaging_options(way: Way) -> tuple[str, ...]:
    """What scripts/package_lambdas.py is told, so that its functions run on LocalStack in this way."""
    wanted = target(way)
    return ("--local",) if way is Way.PIP else ("--arch", wanted.architecture, "--python", wanted.python)
