"""Common parts of the two ways to run LocalStack: the version, and requests for its state."""

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
    """Way to run LocalStack."""

    DOCKER = "docker"
    PIP = "pip"

    @property
    def meaning(self) -> str:
        """Description of the way, for people."""
        if self is Way.DOCKER:
            return "LocalStack by docker compose, Lambda functions in containers"
        return "LocalStack from PyPI, Lambda functions as processes, DynamoDB by moto"


@dataclass(frozen=True)
class LocalStack:
    """A running LocalStack.

    Attributes:
        way: Way to run it.
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
        """Return a session whose clients use this LocalStack."""
        return Session("test", "test", localstack_host=self.endpoint.removeprefix("http://"))


def url(port: int) -> str:
    """Return the address of a LocalStack on this machine."""
    return f"http://{HOST}:{port}"


def ask(endpoint: str, page: str) -> dict[str, Any] | None:
    """Return one of LocalStack's own pages, `health` or `info`; None if there is no answer."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_localstack/{page}", timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
            return content
    except (OSError, ValueError):
        return None


def functions_target(endpoint: str) -> Target:
    """Return the target for which functions must be packaged to run on a LocalStack.

    In a container, it runs them in Lambda's image for this machine's CPU; otherwise by this machine's Python.
    """
    info = ask(endpoint, "info")
    if info is None:
        raise ToolError(f"no LocalStack answers at {endpoint}")
    return target(Way.DOCKER if info["is_docker"] else Way.PIP)


def target(way: Way) -> Target:
    """Return the target for which functions must be packaged to run on LocalStack in this way."""
    local = local_target()
    return lambda_target(local.architecture, DEFAULT_PYTHON) if way is Way.DOCKER else local


def packaging_options(way: Way) -> tuple[str, ...]:
    """Return the options of scripts/package_lambdas.py for functions on LocalStack in this way."""
    wanted = target(way)
    return ("--local",) if way is Way.PIP else ("--arch", wanted.architecture, "--python", wanted.python)
