"""One execution environment of a function: a process that keeps the function loaded between invocations.

It does not depend on LocalStack. `runtime.py` is the other end of the channel.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

RUNTIME = Path(__file__).with_name("runtime.py")

PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""Packages of Lambda's Python runtime. The function sees no other package of this environment."""

INTERNAL = ("AWS_LAMBDA_FUNCTION_TIMEOUT", "EDGE_PORT", "LOCALSTACK_")
"""Prefixes of variables that LocalStack sets for the init process of a container, not for the function."""

GRACE_SECONDS = 2
"""Time for a process that closed its channel to end, so that its exit status can be reported."""


@dataclass(frozen=True)
class Python:
    """The interpreter that functions run on: its path, and Lambda's name of its version, as `python3.13`."""

    path: str
    runtime: str

    @classmethod
    def at(cls, path: str) -> Python:
        """Return the interpreter at a path."""
        program = "import sys; print(f'python{sys.version_info.major}.{sys.version_info.minor}')"
        run = subprocess.run([path, "-S", "-c", program], capture_output=True, text=True, check=True)
        return cls(path, run.stdout.strip())


class InitError(Exception):
    """The function could not be loaded.

    Attributes:
        payload: Lambda's answer to the caller: JSON with `errorType` and `errorMessage`.
    """

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode())
        self.payload = payload


@dataclass(frozen=True)
class Outcome:
    """Outcome of an invocation: the function's answer or error as JSON, and its output."""

    payload: bytes
    failed: bool
    logs: str


class Environment:
    """A function's process, and a folder for this process only."""

    def __init__(self, *, python: Python, code: Path, variables: Mapping[str, str], timeout: int, memory: int) -> None:
        """Describe the environment without starting it.

        Args:
            python: Interpreter of the function.
            code: The unpacked zip.
            variables: The function's environment variables, including `_HANDLER`.
            timeout: Seconds for an invocation.
            memory: Memory of the function in MB, reported but not enforced.
        """
        self._python, self._code, self._timeout, self._memory = python, code, timeout, memory
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._log = folder / "log"
        self._packages = folder / "packages"
        self._variables = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            **{name: value for name, value in variables.items() if not name.startswith(INTERNAL)},
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{python.runtime}",
            "LAMBDA_TASK_ROOT": str(code),
            "LAMBDA_RUNTIME_DIR": str(self._packages),
            "TMPDIR": str(folder / "tmp"),
        }
        self._version = variables.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection[bytes, bytes] | None = None
        self._stopped = False
        self._read = 0

    def start(self) -> None:
        """Start the process and load the function.

        Raises:
            InitError: The function cannot be loaded.
        """
        (Path(self._folder.name) / "tmp").mkdir()
        self._packages.mkdir()
        for name in PACKAGES:
            spec = importlib.util.find_spec(name)
            if spec and spec.origin:
                found = Path(spec.origin)
                found = found.parent if spec.submodule_search_locations else found
                (self._packages / found.name).symlink_to(found)
        self._launch(None)  # LocalStack has its own timeout for the start

    def invoke(self, payload: str, *, request_id: str, arn: str, trace_id: str = "") -> Outcome:
        """Invoke the function with an event as JSON. One invocation at a time."""
        began = time.monotonic()
        memory = 0
        try:
            if self._channel is None:  # the previous process ended in its last invocation
                self._launch(self._timeout)
            answer = self._ask(
                {
                    "payload": payload,
                    "request_id": request_id,
                    "arn": arn,
                    "trace_id": trace_id,
                    "deadline": time.time() + self._timeout,
                }
            )
            result, failed, memory = answer["payload"].encode(), answer["failed"], answer["memory"]
        except InitError as error:
            result, failed = error.payload, True
        except TimeoutError:
            self._end()
            result, failed = _error("Sandbox.Timedout", f"Task timed out after {self._timeout}.00 seconds", request_id)
        except (EOFError, OSError):
            result, failed = _error(
                "Runtime.ExitError", f"Runtime exited with error: {self._end(GRACE_SECONDS)}", request_id
            )
        milliseconds = (time.monotonic() - began) * 1000
        logs = (
            f"START RequestId: {request_id} Version: {self._version}\n"
            f"{self._news()}"
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {milliseconds + 1:.0f} ms\tMemory Size: {self._memory} MB\t"
            f"Max Memory Used: {memory} MB\t\n"
        )
        return Outcome(result, failed, logs)

    def stop(self) -> None:
        """End the process, even during an invocation, and remove its folder."""
        self._stopped = True
        self._end()
        self._folder.cleanup()

    def logs(self) -> str:
        """Return the output of the function."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _launch(self, patience: float | None) -> None:
        ours, theirs = Pipe()
        with self._log.open("ab") as log, theirs:
            # Unbuffered, for the log of an invocation that is aborted. With its own session, so that child processes of
            # the function end with it.
            self._process = subprocess.Popen(
                [self._python.path, "-S", "-P", "-u", str(RUNTIME), str(theirs.fileno())],
                cwd=self._code,
                env=self._variables,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._channel = ours
        if self._stopped:  # by another thread, before the process existed
            self._end()
        if not ours.poll(patience):
            raise TimeoutError
        try:
            answer = json.loads(ours.recv_bytes())
        except (EOFError, OSError):
            payload, _ = _error("Runtime.ExitError", f"Runtime exited with error: {self._end(GRACE_SECONDS)}")
            raise InitError(payload) from None
        if answer["failed"]:
            self._end()
            raise InitError(answer["payload"].encode())

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel
        if channel is None:
            raise EOFError
        channel.send_bytes(json.dumps(message).encode())
        if not channel.poll(self._timeout):
            raise TimeoutError
        answer: dict[str, Any] = json.loads(channel.recv_bytes())
        return answer

    def _end(self, grace: float = 0) -> str:
        """End the process and return how it ended; another thread may be waiting for its answer."""
        process, self._process, self._channel = self._process, None, None
        if process is None:
            return "killed"
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        status = process.returncode
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if status is None:
            return "killed"
        return f"exit status {status}" if status >= 0 else f"signal: {signal.strsignal(-status)}".lower()

    def _news(self) -> str:
        """Return the output of the function since the last invocation, as whole lines."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read().decode(errors="replace")
            self._read = log.tell()
        return text if not text or text.endswith("\n") else f"{text}\n"


def _error(kind: str, message: str, request_id: str = "") -> tuple[bytes, bool]:
    text = f"RequestId: {request_id} Error: {message}" if request_id else f"Error: {message}"
    return json.dumps({"errorType": kind, "errorMessage": text}).encode(), True
