"""A form is for one key, one content type, so many bytes, so long: read from the policy that S3 will read."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import hcl2
import pytest
from botocore.config import Config

from presign_upload.forms import Form, InvalidRequestError, Request, presign
from presign_upload.settings import Settings, SettingsError
from stack import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENVIRONMENT = {"ORIGINALS_BUCKET": "originals", "MAX_BYTES": "1000", "EXPIRY_SECONDS": "60", "LOG_LEVEL": "INFO"}
SETTINGS = Settings.from_environment(ENVIRONMENT)


@pytest.fixture
def s3() -> S3Client:
    """A client that signs; nothing here makes a request."""
    return boto3.client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",  # noqa: S106 - it opens nothing
        config=Config(signature_version="s3v4"),
    )


def policy(form: Form) -> dict[str, Any]:
    """What was signed."""
    decoded: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return decoded


def test_a_form_is_for_a_new_key_of_the_owner_alone(s3: S3Client) -> None:
    one, other = (presign(s3, SETTINGS, Request(owner="alice", content_type="image/png")) for _ in range(2))
    assert one.id != other.id
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one.id)
    assert one.fields["key"] == f"alice/{one.id}"
    assert {"key": f"alice/{one.id}"} in policy(one)["conditions"]
    assert {"bucket": "originals"} in policy(one)["conditions"]


def test_a_form_fixes_size_and_content_type(s3: S3Client) -> None:
    conditions = policy(presign(s3, SETTINGS, Request(owner="alice", content_type="image/png")))["conditions"]
    assert ["content-length-range", 1, 1000] in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert not [condition for condition in conditions if "starts-with" in condition]


def test_a_form_keeps_the_name_as_metadata(s3: S3Client) -> None:
    form = presign(s3, SETTINGS, Request(owner="alice", content_type="image/png", name='it\'s "mine".png'))
    assert form.fields["x-amz-meta-original-name"] == 'it\'s "mine".png'
    assert {"x-amz-meta-original-name": 'it\'s "mine".png'} in policy(form)["conditions"]


def test_a_form_expires(s3: S3Client) -> None:
    form = presign(s3, SETTINGS, Request(owner="alice", content_type="image/png"))
    expires = datetime.fromisoformat(policy(form)["expiration"])
    assert 50 < (expires - datetime.now(UTC)).total_seconds() <= 61
    assert form.expires_in == 60


@pytest.mark.parametrize("owner", ["", ".", "..", "a/b", "/", "a b", "a\n", "é", "a" * 129, None, 5])
def test_no_form_for_what_is_no_owner(owner: Any) -> None:
    with pytest.raises(InvalidRequestError, match="owner"):
        Request(owner=owner, content_type="image/png")


@pytest.mark.parametrize("content_type", ["", "image", "image/png\r\nX: y", "text/html; charset=x", "IMAGE/PNG", None])
def test_no_form_for_what_is_no_content_type(content_type: Any) -> None:
    with pytest.raises(InvalidRequestError, match="content_type"):
        Request(owner="alice", content_type=content_type)


@pytest.mark.parametrize("name", ["a\r\nb", "é", "a" * 201, "\x7f", None])
def test_no_form_for_a_name_that_metadata_cannot_hold(name: Any) -> None:
    with pytest.raises(InvalidRequestError, match="name"):
        Request(owner="alice", content_type="image/png", name=name)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize("name", ["MAX_BYTES", "EXPIRY_SECONDS"])
@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5"])
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: value})


def test_a_log_level_that_logging_does_not_know_is_named() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL is malformed: TRACE is no level of Python's logging"):
        Settings.from_environment({**ENVIRONMENT, "LOG_LEVEL": "TRACE"})


@pytest.mark.parametrize(("level", "logged"), [("INFO", 1), ("WARN", 0)])
def test_log_level_is_that_of_the_function(
    level: str, logged: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in {**ENVIRONMENT, **keys, "LOG_LEVEL": level}.items():
        monkeypatch.setenv(name, value)
    module = importlib.reload(importlib.import_module("presign_upload.handler"))
    module.handler({"owner": "alice", "content_type": "image/jpeg"}, None)
    assert len([record for record in caplog.records if record.name == "presign_upload.handler"]) == logged


def test_terraform_sets_what_the_function_reads() -> None:
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    call = next(m['"presign_upload"'] for m in parsed["module"] if '"presign_upload"' in m)
    told = {name.strip('"').lower() for name in call["environment"] if not name.startswith("__")}
    assert told == {field.name for field in dataclasses.fields(Settings)}


def test_the_handler_answers_with_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in {**ENVIRONMENT, **keys}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    module = importlib.import_module("presign_upload.handler")
    answer = module.handler({"owner": "alice", "content_type": "image/jpeg", "name": "x.jpg"}, None)
    json.dumps(answer)
    assert set(answer) == {"id", "url", "fields", "expires_in"}
    assert answer["url"].startswith("https://")
    with pytest.raises(InvalidRequestError):
        module.handler({"owner": "", "content_type": "image/jpeg"}, None)
    with pytest.raises(TypeError):
        module.handler({"content_type": "image/jpeg"}, None)
