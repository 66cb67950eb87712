"""moto behind a loopback address, for the command in another process, as slow as a test needs."""

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
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60  # seconds after which a waiting test fails

_SCOPE = re.compile(r"Credential=\w+/\d+/(?P<region>[\w-]+)/(?P<service>\w+)/")


@dataclass
class Held:
    """A request whose answer is delayed.

    Attributes:
        operation: AWS's name of the operation.
        taken: Delay the answer of the completed operation; otherwise delay the operation.
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
        """Continue the request. A lost one is neither done nor answered."""
        self._lost = lost
        self._released.set()

    def pause(self) -> bool:
        """Delay the request in the server; return False if it is lost."""
        self._arrived.set()
        assert self._released.wait(PATIENCE)
        return not self._lost


class SlowAws:
    """A server with moto's answers.

    Attributes:
        endpoint: URL of the server.
        calls: Operations of all requests.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.endpoint = f"http://127.0.0.1:{server.server_port}"
        self.calls: list[str] = []
        self._holds: list[Held] = []
        self._lock = threading.Lock()

    def hold(self, operation: str, *, taken: bool = False) -> Held:
        """Delay the next request of an operation."""
        held = Held(operation, taken)
        with self._lock:
            self._holds.append(held)
        return held

    def note(self, operation: str) -> Held | None:
        """Note a request in the server; return the delay that applies to it."""
        with self._lock:
            self.calls.append(operation)
            held = next((held for held in self._holds if held.operation == operation), None)
            if held:
                self._holds.remove(held)
            return held

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the installed command."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("darkroom"), *arguments],
            env={**os.environ, "AWS_ENDPOINT_URL": self.endpoint, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command, and return exit code, standard output and standard error."""
        return end(self.start(*arguments))


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait until the command ends, and return exit code, standard output and standard error."""
    with process:
        output, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said
    return process.returncode, output, said


def interrupt(process: subprocess.Popen[str]) -> str:
    """Send Ctrl-C, wait until the command reports it, and return standard error."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = b""
    while not said.endswith(b"press Ctrl-C again to stop at once\n"):  # and no byte more, which `end` reads
        said += (byte := os.read(process.stderr.fileno(), 1))
        assert byte, said.decode()
    return said.decode()


@contextmanager
def slow_aws() -> Iterator[SlowAws]:
    """Run a server during a `with` block. moto must be active."""
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
        """Answer the requests of a connection until it is closed."""
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

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 - names that http.server calls

    def _send(self, status: int, headers: dict[str, str], body: str | bytes) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "date", "server", "transfer-encoding"}:
                self.send_header(name, str(value))
        length = {name.lower(): value for name, value in headers.items()}.get("content-length")
        self.send_header("Content-Length", str(length if self.command == "HEAD" and length else len(content)))
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
        """Log nothing."""
