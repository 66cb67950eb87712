"""An executor of LocalStack's Lambda functions that starts processes instead of containers.

Enable it with LAMBDA_RUNTIME_EXECUTOR=process. LAMBDA_PROCESS_PYTHON adds an interpreter to LocalStack's own.
LocalStack starts, invokes and stops the environments.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from localstack.config import GATEWAY_LISTEN  # type: ignore[import-not-found]
from localstack.services.lambda_.invocation.executor_endpoint import (  # type: ignore[import-not-found]
    StatusErrorException,
)
from localstack.services.lambda_.invocation.lambda_models import InvocationResult  # type: ignore[import-not-found]
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin  # type: ignore[import-not-found]
from localstack.services.lambda_.invocation.runtime_executor import (  # type: ignore[import-not-found]
    LambdaRuntimeException,
    RuntimeExecutor,
)

from localstack_without_docker.environment import Environment, InitError, Python

if TYPE_CHECKING:
    from localstack.services.lambda_.invocation.lambda_models import FunctionVersion

LOG = logging.getLogger(__name__)

# The project's Python, for which its functions are packaged, and LocalStack's own.
PYTHONS = tuple(Python.at(path) for path in (os.environ.get("LAMBDA_PROCESS_PYTHON", sys.executable), sys.executable))
HOST = "127.0.0.1"


def python_for(runtime: str) -> Python:
    """Return the interpreter for a runtime such as `python3.13`: of that version if there is one."""
    return next((python for python in PYTHONS if python.runtime == runtime), PYTHONS[0])


class ProcessExecutor(RuntimeExecutor):  # type: ignore[misc]
    """One execution environment, controlled by LocalStack."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - LocalStack's name
        super().__init__(id=id, function_version=function_version)
        self._environment: Environment | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the process and load the function.

        Raises:
            StatusErrorException: The function's module cannot be loaded; LocalStack reports that to the caller.
        """
        settings = self.function_version.config
        self._environment = Environment(
            python=python_for(settings.runtime),
            code=settings.code.get_unzipped_code_location(),
            variables={name: str(value) for name, value in env_vars.items()},
            timeout=settings.timeout,
            memory=settings.memory_size,
        )
        try:
            self._environment.start()
        except InitError as error:
            raise StatusErrorException("the function cannot be loaded", payload=error.payload) from error

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Invoke the function."""
        if self._environment is None:
            raise LambdaRuntimeException("this environment was not started")
        request_id = payload["invoke-id"]
        outcome = self._environment.invoke(
            payload["payload"],
            request_id=request_id,
            arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
        )
        return InvocationResult(request_id, outcome.payload, is_error=outcome.failed, logs=outcome.logs)

    def stop(self) -> None:
        """End the process, including a running invocation."""
        if self._environment is not None:
            self._environment.stop()

    def get_logs(self) -> str:
        """Return the output of the function."""
        return self._environment.logs() if self._environment is not None else ""

    def get_address(self) -> str:
        """Return the host of the environment, from LocalStack's view."""
        return HOST

    def get_endpoint_from_executor(self) -> str:
        """Return the host of LocalStack, from the environment's view."""
        return HOST

    def get_runtime_endpoint(self) -> str:
        """Return the URL that a container would report to; a process has its own channel."""
        return f"http://{HOST}:{GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the function's code.

        Raises:
            LambdaRuntimeException: The function needs a container; LocalStack sets its state to failed.
        """
        settings = function_version.config
        if not settings.code or not str(settings.runtime).startswith("python"):
            raise LambdaRuntimeException(
                f"{settings.runtime or 'a container image'}: without Docker only functions in Python can run"
            )
        if python_for(settings.runtime).runtime != settings.runtime:
            LOG.warning(
                "%s is for %s but runs on %s, because that version is not installed",
                function_version.qualified_arn,
                settings.runtime,
                PYTHONS[0].runtime,
            )
        settings.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Do nothing: LocalStack removes the code."""


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]
    """Plugin that registers the executor in LocalStack as `process`."""

    name = "process"

    def load(self, *_: object, **__: object) -> type[ProcessExecutor]:
        """Return the executor's class."""
        return ProcessExecutor
