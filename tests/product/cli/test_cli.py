from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import boto3
import pytest
import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from darkroom.cli import app, main
from darkroom.errors import explain
from darkroom.interrupt import graceful

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from darkroom.resources import Resources


def commands(group: typer.core.TyperGroup, *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, *before, name)


GROUP = typer.main.get_command(app)
assert isinstance(GROUP, typer.core.TyperGroup)
COMMANDS = list(commands(GROUP))


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--help"]) == 0
    assert f"Usage: {' '.join(('darkroom', *command))} " in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stauts"]) == 2
    assert "stauts" in capsys.readouterr().err


def test_a_missing_name_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DARKROOM_NAME", raising=False)
    assert main(["list"]) == 2
    assert "--name" in capsys.readouterr().err


def test_a_missing_pipeline_is_an_error_with_advice(aws: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no pipeline 'unit' in eu-central-1" in said.err
    assert "DARKROOM_NAME" in said.err


def test_another_region_is_another_pipeline(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """AWS_REGION takes precedence over AWS_DEFAULT_REGION, as in Terraform and the AWS CLI."""
    assert main(["list"]) == 0
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert main(["list"]) == 1
    assert "no pipeline 'unit' in eu-west-1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("AWS_ACCESS_KEY_ID", None, "set AWS_PROFILE, or log in"),
        ("AWS_DEFAULT_REGION", None, "set AWS_REGION"),
        ("AWS_PROFILE", "unknown", "aws configure list-profiles"),
        ("AWS_SECRET_ACCESS_KEY", None, "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("AWS_REGION", "no region!", "set AWS_REGION to the region"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "check AWS_ENDPOINT_URL"),
    ],
)
def test_a_wrong_environment_is_an_error_with_advice(
    setting: str,
    value: str | None,
    advice: str,
    aws: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if value is None:
        monkeypatch.delenv(setting)
    else:
        monkeypatch.setenv(setting, value)
    if setting == "AWS_ACCESS_KEY_ID":
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["list"]) == 1
    said = capsys.readouterr().err
    assert advice in said
    assert said.count("\n") == 1, "one line"


AT_WORK = [
    ["status", "a.jpg"],
    ["list"],
    ["list", "--owner", "alice"],
    ["dlq", "ls"],
    ["dlq", "show"],
    ["dlq", "redrive"],
    ["dlq", "purge", "uploads", "--yes"],
    ["replay", "uploads", "--since", "1h"],
    ["reconcile"],
    ["cost"],
]
REFUSED = {
    "AccessDenied": "have it allowed",
    "AccessDeniedException": "have it allowed",
    "403": "have it allowed",
    "ExpiredTokenException": "log in again",
    "RequestTimeTooSkewed": "clock",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID",
}


@pytest.mark.parametrize("command", AT_WORK, ids=" ".join)
def test_refusals_are_one_line_with_advice(
    resources: Resources, command: list[str], refusing: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for code, advice in REFUSED.items():
        refusing[:] = [code]
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert advice in said.err
        assert said.err.count("\n") == 1


def test_a_refused_upload_is_reported_with_advice(
    resources: Resources, refusing: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    refusing[:] = ["AccessDenied"]
    assert main(["upload", str(tmp_path)]) == 1
    assert "have it allowed" in capsys.readouterr().out


@pytest.fixture
def refusing(aws: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of the error, at most one, that AWS answers after the pipeline was found."""
    session, codes = boto3.Session(), list[str]()

    def refuse(event_name: str, **_: object) -> None:
        operation = event_name.rpartition(".")[2]
        if codes and operation not in {"GetCallerIdentity", "GetQueueUrl"}:
            raise ClientError({"Error": {"Code": codes[0], "Message": "no"}}, operation)

    session.events.register("before-call", refuse)
    monkeypatch.setattr(boto3, "Session", lambda **_: session)
    return codes


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://sqs"),
        ReadTimeoutError(endpoint_url="https://sqs"),
        ProxyConnectionError(proxy_url="http://proxy"),
        ConnectionClosedError(endpoint_url="https://sqs"),
        EndpointConnectionError(endpoint_url="https://sqs.eu-unknown-1.amazonaws.com"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_names_what_to_check(error: BotoCoreError) -> None:
    said = explain(error)
    for place in ("AWS_REGION", "AWS_ENDPOINT_URL", "network"):
        assert place in said


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (UnauthorizedSSOTokenError(), "aws sso login"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "aws sso login"),
        (SSLError(endpoint_url="https://sqs", error=OSError("self-signed certificate")), "AWS_CA_BUNDLE"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tokens_and_certificates_have_advice(error: BotoCoreError, advice: str) -> None:
    assert advice in explain(error)


def test_an_endpoint_without_answer_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["list", "--name", "unit"]) == 1
    assert "AWS_ENDPOINT_URL" in capsys.readouterr().err


def test_an_unknown_image_is_an_error(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "holiday.jpg"]) == 1
    assert "no image 'holiday.jpg'" in capsys.readouterr().err


def test_the_first_interrupt_requests_a_stop(capfd: pytest.CaptureFixture[str]) -> None:
    with graceful("the current work is finished") as stop:
        assert not stop
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert "the current work is finished" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_breaks_off_reads() -> None:
    never = threading.Event()

    def read() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        never.wait()

    with graceful("nothing") as stop:
        assert stop.breakable(read) is None
        assert stop
        assert stop.breakable(lambda: "not called") is None


ENDLESS = """
import os, signal, threading
from concurrent.futures import ThreadPoolExecutor
from darkroom.interrupt import graceful

with graceful("never"), ThreadPoolExecutor() as pool:
    pool.submit(threading.Event().wait)
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
"""


def test_the_second_interrupt_ends_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 130
    assert "run the command again to go on" in ended.stderr
