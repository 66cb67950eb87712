"""Functions on LocalStack: their environment and the answers to callers, the same in a process and in a container."""

from __future__ import annotations

import base64
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from scripts.engines.localstack import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., str]
    Call = Callable[..., Any]


@pytest.fixture
def call(clients: Any) -> Call:
    """Return a function that invokes a function and returns its answer, or with `fails` its error."""

    def call(name: str, event: object = None, *, fails: bool = False) -> Any:
        answer = clients("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        content = json.loads(answer["Payload"].read())
        assert ("FunctionError" in answer) == fails, content
        return content

    return call


def test_a_function_knows_who_it_is(make_function: Make, call: Call) -> None:
    name = make_function(
        """
        import os, sys
        def handler(event, context):
            return {
                "event": event, "name": context.function_name, "memory": str(context.memory_limit_in_mb),
                "arn": context.invoked_function_arn, "in_time": context.get_remaining_time_in_millis() > 5000,
                "request": bool(context.aws_request_id), "setting": os.environ["SETTING"],
                "runtime": os.environ["AWS_EXECUTION_ENV"], "root": os.environ["LAMBDA_TASK_ROOT"] in sys.path,
                "python": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            }
        """,
        SETTING="värde",
    )
    content = call(name, {"ä": [1, "🙂"]})
    assert content.pop("runtime") == content.pop("python")
    assert content == {
        "event": {"ä": [1, "🙂"]},
        "name": name,
        "memory": "256",
        "arn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "in_time": True,
        "request": True,
        "setting": "värde",
        "root": True,
    }


def test_a_function_reaches_localstack_as_its_role(make_function: Make, call: Call, role: str) -> None:
    name = make_function("""
        import boto3
        def handler(event, context):
            return boto3.client("sts").get_caller_identity()["Arn"]
        """)
    assert role.rsplit("/", 1)[1] in call(name)


def test_a_function_imports_only_what_it_brings(make_function: Make, call: Call) -> None:
    name = make_function("import moto\ndef handler(event, context): pass")
    failure = call(name, fails=True)
    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'moto'" in failure["errorMessage"]


def test_failure_is_reported_and_not_lasting(make_function: Make, call: Call) -> None:
    name = make_function(
        """
        import os, time
        class Bad(Exception): pass
        def handler(event, context):
            if event == "raise": raise Bad("no")
            if event == "sleep": time.sleep(30)
            if event == "exit": os._exit(3)
            return "well"
        """,
        timeout=2,
    )
    failure = call(name, "raise", fails=True)
    assert (failure["errorType"], failure["errorMessage"]) == ("Bad", "no")
    assert call(name) == "well"
    assert "Task timed out after 2.00 seconds" in call(name, "sleep", fails=True)["errorMessage"]
    assert call(name) == "well"
    failure = call(name, "exit", fails=True)
    assert failure["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 3" in failure["errorMessage"]
    assert call(name) == "well"


def test_output_of_a_function_is_in_its_log(make_function: Make, clients: Any) -> None:
    name = make_function("def handler(event, context): print('hello', event)")
    answer = clients("lambda").invoke(FunctionName=name, Payload='"you"', LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert tail.startswith("START RequestId: ")
    assert "hello you\n" in tail
    assert "REPORT RequestId: " in tail
    logged: list[str] = []
    deadline = time.monotonic() + 20
    while "hello you\n" not in logged and time.monotonic() < deadline:
        time.sleep(0.5)
        found = clients("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
        if found:
            events = clients("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
            logged = [event["message"] for event in events]
    assert "hello you\n" in logged
    clients("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


def test_calls_at_once_have_an_environment_each(make_function: Make, call: Call) -> None:
    name = make_function("""
        import time, uuid
        environment = str(uuid.uuid4())
        def handler(event, context):
            time.sleep(2)
            return environment
        """)
    with ThreadPoolExecutor(3) as pool:
        at_once = set(pool.map(lambda _: call(name), range(3)))
    assert len(at_once) == 3
    assert call(name) in at_once


def test_function_that_needs_a_container_is_refused(way: Way, make_function: Make, clients: Any) -> None:
    if way is Way.DOCKER:
        pytest.skip("a container runs it")
    name = make_function("exports.handler = async () => 1", runtime="nodejs22.x")
    while (settings := clients("lambda").get_function(FunctionName=name)["Configuration"])["State"] == "Pending":
        time.sleep(0.2)
    assert settings["State"] == "Failed"
    assert "nodejs22.x: without Docker only functions in Python can run" in settings["StateReason"]


def test_localstack_listens_on_one_address(endpoint: str) -> None:
    """127.0.0.2 is also this machine, but not the address on which LocalStack listens."""
    port = urlsplit(endpoint).port
    assert port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=10).close()
