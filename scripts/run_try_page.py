"""The page to try the API with, on this machine: LocalStack, Terraform's root with the API applied to it, and the page.

Upload images by dropping, choosing or pasting them, watch each one go through, look at its variants, delete it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import urllib.request
import webbrowser
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scripts import ROOT, package_lambdas
from scripts.demo.deployment import Progress, exclusive, local_variables
from scripts.demo.terminal import Steps
from scripts.engines.localstack import HOST, packaging_options, target
from scripts.process.entry_point import entry_point
from scripts.process.environment import environment
from scripts.run_localstack import choose, localstack
from scripts.terraform.stack import Stack, check_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.engines.localstack import LocalStack, Way

DONE = 0

NAME = "page"
CALLER = "you"
PAGE = ROOT / "terraform" / "try_page" / "index.html"
DIRECTORY = ROOT / "build" / "try"
ANSWER_SECONDS = 60

EPILOG = """\
LocalStack runs by docker compose if a Docker engine is available, otherwise from PyPI; LOCALSTACK=docker or
LOCALSTACK=pip overrides this (docs/localstack.md). Terraform needs about two minutes at each start; no state is kept.

exit status: 0 it ran until Ctrl-C, 1 something failed, 2 wrong usage, 130 interrupted before it was ready
"""


class PageServer(ThreadingHTTPServer):
    """Server of only the page and its configuration, on the loopback address.

    Attributes:
        config: Content of config.json.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        """Listen.

        Args:
            port: 0 takes a free one.
        """
        super().__init__((HOST, port), _Handler)
        self.config: Mapping[str, Any] = {}

    @property
    def origin(self) -> str:
        """Origin of the page for browsers."""
        return f"http://{HOST}:{self.server_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer until the block ends."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        """Answer with one of the two files."""
        path = urlsplit(self.path).path
        if path in ("/", "/index.html"):
            self._answer("text/html; charset=utf-8", PAGE.read_bytes())
        elif path == "/config.json":
            self._answer("application/json", json.dumps(self.server.config).encode())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it is declared
        """Print nothing: the terminal is for the tool's messages."""

    def _answer(self, content_type: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the page until Ctrl-C and return the exit status."""
    options = _parse(arguments)
    try:
        _run(options, Steps())
    except KeyboardInterrupt as interruption:
        raise KeyboardInterrupt("all processes have ended.") from interruption
    return DONE


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run_try_page.py", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="of the page, on the loopback address; default: a free one")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, steps: Steps) -> None:
    check_terraform()
    way, reason = choose(os.environ)
    with ExitStack() as on_exit:
        server = on_exit.enter_context(PageServer(options.port))  # first of all: a port in use should not cost a minute
        on_exit.enter_context(exclusive(DIRECTORY))
        _forget()
        on_exit.callback(_forget)
        package_lambdas.package(packaging_options(way))
        with steps.step(lambda: f"{way.meaning} ({reason}), starts") as done:
            running = on_exit.enter_context(localstack(way))
            done.append(f"LocalStack {running.version} runs at {running.endpoint}: {way.meaning} ({reason})")
        on_exit.enter_context(environment(running.environment))
        outputs = _apply(server.origin, way, steps)
        key = outputs["api_keys"][CALLER]["value"]
        server.config = configuration(running, outputs["api"]["id"], key)
        on_exit.enter_context(server.running())
        address = f"{server.origin}/#key={key}"
        steps.say(f"\nThe page: {address}", "bold")
        steps.say("It runs until Ctrl-C; then all of this goes, with the images.")
        if options.open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            signal.pause()
        steps.say("")
    steps.say("LocalStack and the page are stopped.")


def _forget() -> None:
    """Remove Terraform's state, which belongs to a LocalStack that no longer exists."""
    for state in (DIRECTORY / "terraform").glob("terraform.tfstate*"):
        state.unlink()


def _apply(origin: str, way: Way, steps: Steps) -> Mapping[str, Any]:
    """Apply the root with the API, for a page of that origin; gives its outputs."""
    variables = {
        **local_variables(NAME, target(way)),
        "api": {"authorization": {"type": "API_KEY"}, "api_keys": [CALLER], "cors_origins": [origin], "try_page": True},
        "originals": {"cors_origins": [origin]},
    }
    progress = Progress()
    with steps.step(progress.describe) as done:
        stack = Stack(DIRECTORY, {}, variables, report=lambda sentence: done.append(f"({sentence})"))
        stack.init()
        stack.apply(on_line=progress.read)
        done[:] = [f"Terraform's root is applied: {progress.done} resources", *done]
        return stack.outputs()


def configuration(running: LocalStack, api: str, key: str) -> dict[str, Any]:
    """Return the settings of a page served from another origin: the API's config.json with local addresses."""
    base = f"{running.endpoint}/_aws/execute-api/{api}/v1"
    deployed: dict[str, Any] = _ask(f"{base}/config.json")
    # A form leads where LocalStack's functions see S3, which from containers is another address.
    form = _ask(f"{base}/uploads", json.dumps({"content_type": "image/jpeg"}).encode(), key)
    return {**deployed, "api": base, "origins": ["{0.scheme}://{0.netloc}".format(urlsplit(form["url"]))]}


def _ask(url: str, data: bytes | None = None, key: str = "") -> Any:  # noqa: ANN401 - JSON
    headers = {"Accept": "application/json", "Content-Type": "application/json", "X-Api-Key": key}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - LocalStack's address
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - LocalStack's address
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
