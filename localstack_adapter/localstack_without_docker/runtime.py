"""The program of a function's process: load the handler, then answer invocations until the channel closes.

It does the same as Lambda's runtime client, without HTTP. It imports only Python's standard library.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import traceback
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True)
class Context:
    """Second argument of a handler, with the names that Lambda documents."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    client_context: None = None
    identity: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the timeout."""
        return max(0, int((self.deadline - time.time()) * 1000))


class NamedError(Exception):
    """An error that Lambda reports under its own name, `kind`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def load(name: str) -> Handler:
    """Return the handler `module.path.function`.

    Raises:
        NamedError: The handler does not exist, or its module cannot be imported.
    """
    module_name, dot, function_name = name.replace("/", ".").rpartition(".")
    if not dot:
        raise NamedError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise NamedError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise NamedError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError:
        raise NamedError(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from None
    return handler


def call(handler: Handler, request: dict[str, Any]) -> str:
    """Return the handler's answer to one request, as JSON."""
    os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
    context = Context(
        aws_request_id=request["request_id"],
        invoked_function_arn=request["arn"],
        deadline=request["deadline"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
    )
    answer = handler(json.loads(request["payload"] or "null"), context)
    try:
        return json.dumps(answer, default=_number)
    except (TypeError, ValueError) as error:
        raise NamedError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def describe(error: Exception, request_id: str = "") -> str:
    """Print an error, and return it as JSON in Lambda's format."""
    kind = error.kind if isinstance(error, NamedError) else type(error).__name__
    stack = [] if isinstance(error, NamedError) else traceback.format_tb(error.__traceback__)[1:]
    print(f"[ERROR] {kind}: {error}", *stack, sep="\n")  # noqa: T201
    answer: dict[str, Any] = {
        "errorMessage": str(error),
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": stack,
    }
    return json.dumps(answer)


def serve(channel: Connection[bytes, bytes]) -> None:
    """Load the handler, report the result, then answer one request after the other."""

    def answer(payload: str, *, failed: bool) -> None:
        channel.send_bytes(json.dumps({"payload": payload, "failed": failed, "memory": _memory()}).encode())

    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - the function's module may raise anything
        answer(describe(error), failed=True)
        return
    answer("", failed=False)
    while True:
        try:
            request = json.loads(channel.recv_bytes())
        except EOFError:
            return
        try:
            answer(call(handler, request), failed=False)
        except Exception as error:  # noqa: BLE001 - the function may raise anything
            answer(describe(error, request["request_id"]), failed=True)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _memory() -> int:
    """Return the peak memory of this process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
    serve(Connection(descriptor))
