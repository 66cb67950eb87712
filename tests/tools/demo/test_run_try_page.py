"""`make try` without LocalStack: its server, the page's settings, and its errors."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT, run_try_page
from scripts.engines.localstack import HOST, LocalStack, Way
from scripts.process.entry_point import FAILED, INTERRUPTED
from scripts.run_try_page import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "run_try_page.py"


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer(0) as server, server.running():
        yield server


def test_help_shows_options_and_exit_status() -> None:
    answer = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    for text in ("--port", "--open", "LOCALSTACK=pip", "exit status"):
        assert text in answer.stdout


@pytest.mark.parametrize("path", ["/", "/index.html", "/?from=somewhere"])
def test_the_page_is_served_as_it_is(server: PageServer, path: str) -> None:
    with urllib.request.urlopen(server.origin + path, timeout=10) as answer:  # noqa: S310
        assert answer.read() == run_try_page.PAGE.read_bytes()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_configuration_is_the_servers(server: PageServer) -> None:
    server.config = {"api": "http://127.0.0.1:1/v1"}
    with urllib.request.urlopen(f"{server.origin}/config.json", timeout=10) as answer:  # noqa: S310
        assert json.load(answer) == server.config


@pytest.mark.parametrize("path", ["/run_try_page.py", "/../stack.py", "//etc/passwd", "/index.html/x"])
def test_other_paths_are_not_served(server: PageServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(server.origin + path, timeout=10)  # noqa: S310
    with refused.value:
        assert refused.value.code == 404


def test_server_listens_on_loopback_only(server: PageServer) -> None:
    assert server.server_address[0] == HOST


def test_settings_have_local_addresses() -> None:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"api": ".", "credentials": ["key"], "max_bytes": 5, "origins": ["https://bucket.aws"]})

        def do_POST(self) -> None:
            assert self.headers["X-Api-Key"] == "secret"
            self._answer({"url": "http://172.20.0.2:4566/originals", "fields": {}})

        def _answer(self, body: object) -> None:
            assert self.path.startswith("/_aws/execute-api/abc/v1/")
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it is declared
            pass

    with ThreadingHTTPServer((HOST, 0), Api) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        endpoint = f"http://{HOST}:{api.server_port}"
        settings = run_try_page.configuration(LocalStack(Way.PIP, endpoint, "4.14.0"), "abc", "secret")
        api.shutdown()
    assert settings == {
        "api": f"{endpoint}/_aws/execute-api/abc/v1",
        "credentials": ["key"],
        "max_bytes": 5,
        "origins": ["http://172.20.0.2:4566"],
    }


def test_a_port_in_use_fails_before_anything_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as taken:
        assert run_try_page.main(["--port", str(taken.getsockname()[1])]) == FAILED
    assert "Address already in use" in capsys.readouterr().err


def test_a_missing_terraform_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_try_page.main([]) == FAILED
    assert "terraform is not on the PATH" in capsys.readouterr().err


def test_an_interruption_has_its_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(run_try_page, "check_terraform", interrupted)
    assert run_try_page.main([]) == INTERRUPTED
    assert "all processes have ended" in capsys.readouterr().err
