"""AWS as the command meets it from a process of its own, as slow as a test wants: moto behind a loopback address."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60  # seconds after which a test that waits in vain fails

_SCOPE = re.compile(r"Credential=\w+/\d+/(?P<region>[\w-]+)/(?P<service>\w+)/")


@dataclass
class Held:
    """A request that is held before it is answered.

    Attributes:
        operation: Which one, as AWS calls it.
        taken: It is held once it is done, before its answer is sent; else before it is done.
    """

    operation: str
    taken: bool = False
    _arrived: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    _lost: bool = False

    def wait(self) -> None:
        """Wait until the request is held."""
        assert self._arrived.wait(PATIENCE), f"no {self.operation}"

    def release(self, *, lost: bool = False) -> None:
        """Let it go on; a lost one is neither done nor answered."""
        self._lost = lost
        self._released.set()

    def pause(self) -> bool:
        """For the server: hold the request; tells whether it is to go on."""
        self._arrived.set()
        assert self._released.wait(PATIENCE)
        return not self._lost


class SlowAws:
    """Answers what moto answers.

    Attributes:
        endpoint: Its address.
        calls: The operations it was asked for.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.endpoint = f"http://127.0.0.1:{server.server_port}"
        self.calls: list[str] = []
        self._holds: list[Held] = []
        self._lock = threading.Lock()

    def hold(self, operation: str, *, taken: bool = False) -> Held:
        """Hold the next request of an operation."""
        held = Held(operation, taken)
        with self._lock:
            self._holds.append(held)
        return held

    def note(self, operation: str) -> Held | None:
        """For the server: a request has come; whether it is to be held."""
        with self._lock:
            self.calls.append(operation)
            held = next((held for held in self._holds if held.operation == operation), None)
            if held:
                self._holds.remove(held)
            return held

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "darkroom", *arguments],
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": self.endpoint,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command; returns its exit code, its output and what it said beside it."""
        return end(self.start(*arguments))


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait until the command ends; returns its exit code, its output and what it said beside it."""
    with process:
        output, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said
    return process.returncode, output, said


def interrupt(process: subprocess.Popen[str]) -> str:
    """Interrupt the command as Ctrl-C would, and wait until it says that it heard; returns all that it has said."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = b""
    while not said.endswith(b"once more to stop at once\n"):  # and no byte more: the rest is for `end`
        said += (byte := os.read(process.stderr.fileno(), 1))
        assert byte, said.decode()
    return said.decode()


@contextmanager
def slow_aws() -> Iterator[SlowAws]:
    """A server for as long as a `with` block; moto must be active."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    aws = SlowAws(server)
    server.aws = aws  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Answer what comes by a connection, until it is closed, or its other end is gone."""
        with suppress(OSError):
            super().handle()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scope = _SCOPE.search(self.headers["Authorization"])
        assert scope
        held = self.server.aws.note(self._operation(scope["service"], body))  # type: ignore[attr-defined]
        if held and not held.taken and not held.pause():
            self.close_connection = True
            return
        headers = HTTPHeaders()
        for name, value in self.headers.items():
            headers[name] = value
        host = f"https://{scope['service']}.{scope['region']}.amazonaws.com"
        request = AWSPreparedRequest(self.command, host + self.path, headers, body, stream_output=False)
        answer: Any = BotocoreStubber().process_request(request)
        if held and held.taken and not held.pause():
            self.close_connection = True
            return
        self._send(*answer)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 - as http.server calls them

    def _send(self, status: int, headers: dict[str, str], body: str | bytes) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, str(value))
        told = {name.lower(): value for name, value in headers.items()}.get("content-length")
        self.send_header("Content-Length", str(told if self.command == "HEAD" and told else len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _operation(self, service: str, body: bytes) -> str:
        if target := self.headers.get("X-Amz-Target"):
            return str(target.rpartition(".")[2])
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if service == "s3":
            part = "UploadPart" if "partNumber" in query else "PutObject"
            begun = "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
            return {"HEAD": "HeadObject", "PUT": part, "POST": begun}.get(self.command, self.command)
        return parse_qs(body.decode()).get("Action", [self.path])[0]

    def log_message(self, *_: object) -> None:
        """Say nothing."""
