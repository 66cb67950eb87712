"""Engines and Terraform run correctly in any environment of the user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.prerequisites import terraform_problem
from scripts.process.environment import direct_loopback, engine_environment, engine_settings, environment, prepare
from scripts.terraform.stack import Terraform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

CONFIGURATION = """
variable "size" {
  type    = number
  default = 1
}

resource "terraform_data" "this" {
  input = var.size
}

output "size" {
  value = terraform_data.this.output
}
"""

# Creates a function, calls it, and has it call the emulator.
CALL = """
import base64, io, json, sys, time, zipfile
import boto3

code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("handler.py", '''
import os, ssl, urllib.request

def handler(event, context):
    trusting = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_ministack/health", context=trusting) as answer:
        return answer.status
''')
role = boto3.client("iam").create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps({
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    ],
}))["Role"]["Arn"]
functions = boto3.client("lambda")
functions.create_function(
    FunctionName="caller", Role=role, Runtime="python3.13", Handler="handler.handler", Code={"ZipFile": code.getvalue()}
)
answer = functions.invoke(FunctionName="caller")
print(answer["Payload"].read().decode(), answer.get("FunctionError", ""), flush=True)
"""


class Proxy(ThreadingHTTPServer):
    """A proxy that refuses every request and records it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refuse)
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Refuse(BaseHTTPRequestHandler):
    server: Proxy

    def _refuse(self) -> None:
        self.server.requests.append(self.requestline)
        self.send_error(403)

    do_CONNECT = do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _refuse  # noqa: N815

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - its name where it is declared


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxy_running() as running:
        yield running


@contextmanager
def proxy_running() -> Iterator[Proxy]:
    server = Proxy()
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def proxied(proxy: Proxy) -> dict[str, str]:
    """Return the variables that send everything through a proxy, in both spellings."""
    return {spelling: proxy.url for name in PROXIES for spelling in (name, name.lower())}


def test_emulator_runs_in_any_environment(proxy: Proxy, tmp_path: Path) -> None:
    """No call to loopback is proxied, no file is left, and no setting of Python or AWS has an effect."""
    temporary = tmp_path / "temporary files"
    temporary.mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ministack.py").write_text("raise SystemExit('not this one')")
    arguments = ("--directory", str(tmp_path / "ministack"), "--", sys.executable, "-c", CALL)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "run_ministack.py"), *arguments],
        env={
            **os.environ,
            **proxied(proxy),
            "NO_PROXY": "",
            "no_proxy": "example.com",
            "TMPDIR": str(temporary),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(broken), os.environ.get("PYTHONPATH")])),
            "PYTHONWARNINGS": "default",
            "AWS_PROFILE": "missing",
            "AWS_SESSION_TOKEN": "other",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "LC_ALL": "C",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "200 \n"), done.stderr
    assert proxy.requests == []
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "ministack").iterdir()) == [
        "authority.pem",
        "certificate.pem",
        "ministack.log",
    ]


def test_recorder_sees_what_is_proxied(proxy: Proxy) -> None:
    """The tests above and below would notice a proxied request."""
    program = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/path')"
    clean = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    subprocess.run(
        [sys.executable, "-c", program], env={**clean, **proxied(proxy)}, stderr=subprocess.DEVNULL, check=False
    )
    assert proxy.requests == ["GET http://127.0.0.1:9/path HTTP/1.1"]


@pytest.mark.parametrize(
    ("lower", "upper", "wanted"),
    [
        (None, None, "127.0.0.1,localhost,::1"),
        ("a.example", None, "a.example,127.0.0.1,localhost,::1"),
        ("a.example, localhost", ".b.example,a.example", "a.example,localhost,.b.example,127.0.0.1,::1"),
        (None, "*", "*"),
    ],
)
def test_exceptions_from_proxies_are_extended(
    lower: str | None, upper: str | None, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("no_proxy", lower), ("NO_PROXY", upper)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert direct_loopback() == {"NO_PROXY": wanted, "no_proxy": wanted}
    monkeypatch.setattr(os, "environ", dict(os.environ))
    prepare()
    assert direct_loopback() == {"NO_PROXY": wanted, "no_proxy": wanted}


def test_settings_of_an_engine_replace_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("no_proxy", "example.com")
    before = dict(os.environ)
    with environment(engine_settings("https://127.0.0.1:1")):
        assert dict(os.environ) == engine_environment(engine_settings("https://127.0.0.1:1"))
        assert "mine" not in os.environ.values()
        assert os.environ["AWS_CONFIG_FILE"] == os.devnull
        assert os.environ["no_proxy"] == "example.com,127.0.0.1,localhost,::1"
    assert dict(os.environ) == before


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an applied configuration without a provider."""
    folder = tmp_path_factory.mktemp("applied")
    (folder / "main.tf").write_text(CONFIGURATION)
    terraform = Terraform(folder, {})
    terraform.init()
    terraform.apply()
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        {"TF_LOG": "INFO", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"},
        {"TF_LOG": "JSON", "TF_LOG_CORE": "trace", "TF_LOG_PATH": "/", "TF_IGNORE": "trace"},
        {"TF_WORKSPACE": "other", "LC_ALL": "C", "COLUMNS": "10", "NO_COLOR": "1"},
        {"TF_DATA_DIR": "/missing/data", "TF_VAR_size": "2", "TF_INPUT": "1"},
        {"TF_CLI_CONFIG_FILE": "/missing/terraform.rc", "TERRAFORM_CONFIG": "/missing/terraform.rc"},
        {"TF_CLI_ARGS": "-unknown", "TF_PLUGIN_CACHE_DIR": "/missing/cache"},
        {"TF_CLI_ARGS_init": "-from-module=x", "TF_CLI_ARGS_plan": "-destroy", "TF_CLI_ARGS_output": "-raw"},
        {"TF_REATTACH_PROVIDERS": "no JSON", "TMPDIR": "with spaces"},
    ],
    ids=",".join,
)
def test_terraform_ignores_the_users_settings(
    settings: dict[str, str], applied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        if name == "TMPDIR":
            (tmp_path / value).mkdir()
        monkeypatch.setenv(name, str(tmp_path / value) if name == "TMPDIR" else value)
    assert terraform_problem() is None
    terraform = Terraform(applied, {})
    terraform.init()
    assert terraform.outputs() == {"size": 1}
    assert "No changes." in terraform.run("plan")
    assert terraform.state()["values"]["outputs"]["size"]["value"] == 1
    assert not list(tmp_path.glob("with spaces/*"))


def test_users_configuration_of_providers_is_kept(
    applied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths mean the folder of the user, not the one that Terraform runs in."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "own.rc").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "own.rc")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "cache")
    monkeypatch.setenv("TF_TOKEN_example_com", "secret")
    terraform = Terraform(applied, {})
    terraform.init()
    used = terraform._process_environment  # noqa: SLF001 - no command shows it
    assert {name: value for name, value in used.items() if name.startswith("TF_")} == {
        "TF_CLI_CONFIG_FILE": str(tmp_path / "own.rc"),
        "TF_PLUGIN_CACHE_DIR": str(tmp_path / "cache"),
        "TF_TOKEN_example_com": "secret",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def test_users_own_terraform_keeps_its_settings(tmp_path: Path) -> None:
    """`scripts/run_terraform.py` runs Terraform for the user."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "run_terraform.py"), "version"],
        env={**os.environ, "TF_CLI_ARGS_version": "-json", "TF_CLI_CONFIG_FILE": str(tmp_path / "missing")},
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout[done.stdout.index("{") :]
    assert "terraform_version" in json.loads(said)
    assert "Warning" not in done.stdout + done.stderr
