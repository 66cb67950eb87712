"""A function's process does what Lambda's does: as far as docs/localstack.md says so, and without LocalStack."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from localstack_without_docker.environment import Environment, InitError, Outcome, Python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[..., Environment]

PYTHON = Python.at(sys.executable)
VARIABLES = {
    "_HANDLER": "app.handler",
    "AWS_LAMBDA_FUNCTION_NAME": "tested",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_TIMEOUT": "3",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
    "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
    "LOCALSTACK_RUNTIME_ID": "internal",
}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Yield a function that starts an environment from a function's source."""
    made = []

    def make(source: str, *, timeout: int = 30, start: bool = True, **variables: str) -> Environment:
        (tmp_path / "app.py").write_text(dedent(source))
        environment = Environment(
            python=PYTHON, code=tmp_path, variables={**VARIABLES, **variables}, timeout=timeout, memory=256
        )
        made.append(environment)
        if start:
            environment.start()
        return environment

    yield make
    for environment in made:
        environment.stop()


def invoke(environment: Environment, event: object = None, request_id: str = "request-1") -> Outcome:
    return environment.invoke(json.dumps(event), request_id=request_id, arn="arn:tested", trace_id="Root=1")


def answer(environment: Environment, event: object = None) -> Any:
    outcome = invoke(environment, event)
    assert not outcome.failed, outcome
    return json.loads(outcome.payload)


def error(environment: Environment, event: object = None) -> dict[str, Any]:
    outcome = invoke(environment, event)
    assert outcome.failed, outcome
    content: dict[str, Any] = json.loads(outcome.payload)
    return content


def test_event_in_answer_out(make: Make) -> None:
    environment = make("def handler(event, context): return {'got': event}")
    events: list[object] = [{"a": [1, None, "ä🙂"]}, "x" * 3_000_000, None, []]
    for event in events:
        assert answer(environment, event) == {"got": event}


def test_the_module_is_loaded_once(make: Make) -> None:
    environment = make("""
        count = 0
        def handler(event, context):
            global count
            count += 1
            return count
        """)
    assert [answer(environment) for _ in range(3)] == [1, 2, 3]


def test_a_handler_in_a_package(make: Make, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("def f(event, context): return __name__")
    assert answer(make("", _HANDLER="package.module.f")) == "package.module"


def test_the_context_is_lambdas(make: Make) -> None:
    environment = make(
        """
        import os
        def handler(event, context):
            return {
                "name": context.function_name, "version": context.function_version,
                "memory": context.memory_limit_in_mb, "request": context.aws_request_id,
                "arn": context.invoked_function_arn, "trace": os.environ["_X_AMZN_TRACE_ID"],
                "group": context.log_group_name, "stream": context.log_stream_name,
                "left": context.get_remaining_time_in_millis(),
            }
        """,
        timeout=20,
    )
    content = answer(environment)
    assert 15_000 < content.pop("left") <= 20_000
    assert content == {
        "name": "tested",
        "version": "$LATEST",
        "memory": "256",
        "request": "request-1",
        "arn": "arn:tested",
        "trace": "Root=1",
        "group": "/aws/lambda/tested",
        "stream": "stream",
    }


def test_the_environment_is_the_functions_alone(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = make(
        """
        import os
        def handler(event, context): return dict(os.environ) | {"cwd": os.getcwd()}
        """,
        MINE="yes",
    )
    variables = answer(environment)
    assert variables["MINE"] == "yes"
    assert variables["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{PYTHON.runtime}"
    assert variables["cwd"] == variables["LAMBDA_TASK_ROOT"] == str(tmp_path)
    assert not {"SECRET_OF_THE_DEVELOPER", "AWS_PROFILE", "LOCALSTACK_RUNTIME_ID"} & set(variables)


def test_only_lambdas_packages_are_visible(make: Make) -> None:
    environment = make("""
        import importlib, sys
        def handler(event, context):
            found = []
            for name in event:
                try:
                    found.append(importlib.import_module(name).__name__)
                except ImportError:
                    pass
            return found
        """)
    there = ["json", "app", "boto3", "botocore.config"]
    assert answer(environment, [*there, "pytest", "PIL", "rich", "localstack_without_docker", "runtime"]) == there


def test_output_is_the_log_of_the_invocation(make: Make) -> None:
    environment = make("""
        import logging, subprocess, sys
        print("while loading")
        def handler(event, context):
            print("said", event)
            print("complained", file=sys.stderr)
            logging.getLogger().warning("warned")
            subprocess.run(["echo", "by a child"])
            sys.stdout.write("no newline")
        """)
    first, second = invoke(environment, 1).logs, invoke(environment, 2).logs
    lines = first.splitlines()
    assert lines[0] == "START RequestId: request-1 Version: $LATEST"
    assert lines[-2] == "END RequestId: request-1"
    assert re.fullmatch(
        r"REPORT RequestId: request-1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 256 MB\tMax Memory Used: [1-9]\d* MB\t",
        lines[-1],
    )
    assert set(lines[1:-2]) == {"while loading", "said 1", "complained", "warned", "by a child", "no newline"}
    assert "said 2" in second
    assert "said 1" not in second
    assert "said 1" in environment.logs()


def test_exception_has_type_and_stack(make: Make) -> None:
    environment = make("""
        class Bad(Exception): pass
        def deeper(): raise Bad("no")
        def handler(event, context): deeper()
        """)
    failure = error(environment)
    assert (failure["errorType"], failure["errorMessage"], failure["requestId"]) == ("Bad", "no", "request-1")
    assert ["handler" in failure["stackTrace"][0], "deeper" in failure["stackTrace"][1]] == [True, True]
    assert "[ERROR] Bad: no" in environment.logs()


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        ("import missing", "app.handler", "Runtime.ImportModuleError", "No module named 'missing'"),
        ("", "absent.handler", "Runtime.ImportModuleError", "Unable to import module 'absent'"),
        ("", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def (", "app.handler", "Runtime.UserCodeSyntaxError", "app"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise ValueError('setting missing')", "app.handler", "ValueError", "setting missing"),
        ("import os; os._exit(7)", "app.handler", "Runtime.ExitError", "exit status 7"),
    ],
)
def test_load_error_has_lambdas_format(make: Make, source: str, handler: str, kind: str, message: str) -> None:
    environment = make(source, start=False, _HANDLER=handler)
    with pytest.raises(InitError) as raised:
        environment.start()
    failure = json.loads(raised.value.payload)
    assert failure["errorType"] == kind
    assert message in failure["errorMessage"]


def test_an_answer_that_is_no_json(make: Make) -> None:
    environment = make("""
        from decimal import Decimal
        def handler(event, context): return object() if event else Decimal("1.5")
        """)
    assert error(environment, True)["errorType"] == "Runtime.MarshalError"
    assert answer(environment) == 1.5


def test_timeout_does_not_affect_the_next_invocation(make: Make) -> None:
    environment = make(
        """
        import time
        def handler(event, context):
            if event == "sleep":
                print("going to sleep")
                time.sleep(60)
            return "awake"
        """,
        timeout=1,
    )
    started = time.monotonic()
    outcome = invoke(environment, "sleep")
    assert 1 <= time.monotonic() - started < 10
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: request-1 Error: Task timed out after 1.00 seconds",
    }
    assert "going to sleep" in outcome.logs
    assert answer(environment) == "awake"


@pytest.mark.parametrize(
    ("deed", "how"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.system('sleep 60 &') or os._exit(3)", "exit status 3"),
        ("sys.exit(4)", "exit status 4"),
        ("os.kill(os.getpid(), 11)", "signal: segmentation fault"),
    ],
)
def test_ended_process_is_reported_and_replaced(make: Make, deed: str, how: str) -> None:
    environment = make(f"""
        import os, sys
        def handler(event, context):
            if event: {deed}
            return os.getpid()
        """)
    before = answer(environment)
    failure = error(environment, True)
    assert failure["errorType"] == "Runtime.ExitError"
    assert failure["errorMessage"] == f"RequestId: request-1 Error: Runtime exited with error: {how}"
    assert answer(environment) != before


def test_stop_ends_processes_and_removes_files(make: Make, tmp_path: Path) -> None:
    environment = make("""
        import os, pathlib, subprocess, tempfile, time
        def handler(event, context):
            child = subprocess.Popen(["sleep", "60"])
            folder = tempfile.mkdtemp()
            part = pathlib.Path("pids.part")
            part.write_text(f"{os.getpid()} {child.pid} {folder}")
            part.rename("pids")
            time.sleep(60)
        """)
    outcomes: list[Outcome] = []
    caller = threading.Thread(target=lambda: outcomes.append(invoke(environment)))
    caller.start()
    while not (tmp_path / "pids").exists():
        time.sleep(0.05)
    *pids, folder = (tmp_path / "pids").read_text().split()
    environment.stop()
    caller.join(10)
    assert outcomes[0].failed
    assert not os.path.exists(folder)  # noqa: PTH110
    for pid in pids:
        assert has_ended(int(pid)), f"process {pid} has outlived its environment"


def has_ended(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_stop_while_the_function_is_loading(make: Make, tmp_path: Path) -> None:
    environment = make("import pathlib, time; pathlib.Path('loading').touch(); time.sleep(60)", start=False)
    failures: list[InitError] = []

    def start() -> None:
        try:
            environment.start()
        except InitError as error:
            failures.append(error)

    starter = threading.Thread(target=start)
    starter.start()
    while not (tmp_path / "loading").exists():
        time.sleep(0.05)
    environment.stop()
    starter.join(10)
    assert "exited with error: killed" in str(failures[0])


def test_a_stop_at_the_very_moment_of_the_start(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make("import time; time.sleep(60)", start=False)
    start = subprocess.Popen

    def start_and_be_stopped(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start(*arguments, **options)
        environment.stop()  # by another thread, which sees no process yet
        return process

    monkeypatch.setattr(subprocess, "Popen", start_and_be_stopped)
    with pytest.raises(InitError, match="exited with error: killed"):
        environment.start()


def test_the_process_ends_when_its_owner_does(make: Make) -> None:
    environment = make("""
        import os
        def handler(event, context): return os.getpid()
        """)
    pid = answer(environment)
    channel = environment._channel  # noqa: SLF001 - what the kernel does when LocalStack is killed
    assert channel is not None
    channel.close()
    os.waitpid(pid, 0)
    environment._channel = None  # noqa: SLF001
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    assert "Traceback" not in environment.logs()
