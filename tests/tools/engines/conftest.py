"""Fixtures for tests with a running LocalStack, which `make localstack-test` starts."""

from __future__ import annotations

import io
import os
import uuid
import zipfile
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from scripts.engines.localstack import Way, ask, functions_target
from tests.e2e.engines import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeFunction = Callable[..., str]


@pytest.fixture(scope="session")
def endpoint() -> str:
    """Return the address of LocalStack."""
    address = os.environ.get("AWS_ENDPOINT_URL")
    if address is None:
        pytest.skip("no LocalStack: `make localstack-test` starts one")
    return address


@pytest.fixture(scope="session")
def way(endpoint: str) -> Way:
    """Return the way LocalStack runs."""
    info = ask(endpoint, "info")
    assert info is not None
    return Way.DOCKER if info["is_docker"] else Way.PIP


@pytest.fixture(scope="session")
def clients(endpoint: str) -> Any:
    """Return a function that creates clients."""
    return session().client


@pytest.fixture(scope="session")
def role(clients: Any) -> Iterator[str]:
    """Yield the ARN of a role for functions."""
    name = f"tested-{uuid.uuid4()}"
    yield clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    clients("iam").delete_role(RoleName=name)


@pytest.fixture
def make_function(clients: Any, role: str, endpoint: str) -> Iterator[MakeFunction]:
    """Yield a function that creates a Lambda function from its source and returns its name."""
    functions, made = clients("lambda"), []

    def make(source: str, *, timeout: int = 30, runtime: str | None = None, **variables: str) -> str:
        target = functions_target(endpoint)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", dedent(source))
        name = f"tested-{uuid.uuid4()}"
        if runtime is None:  # a function that cannot run cannot be deleted either: LocalStack answers with 500
            made.append(name)
        functions.create_function(
            FunctionName=name,
            Runtime=runtime or target.runtime,
            Architectures=[target.architecture],
            Handler="app.handler",
            Role=role,
            Code={"ZipFile": packed.getvalue()},
            Timeout=timeout,
            MemorySize=256,
            Environment={"Variables": variables},
        )
        if runtime is None:
            functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    yield make
    for name in made:
        functions.delete_function(FunctionName=name)
