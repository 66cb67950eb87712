"""Forms: their policies limit key, content type, size and time."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import hcl2
import jsonschema_rs
import pytest

from darkroom_shared.settings import SettingsError
from presign_upload.clients import signing_client
from presign_upload.composition import compose
from presign_upload.forms import Form, InvalidRequestError, Request, presign
from presign_upload.settings import Settings
from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

ENVIRONMENT = {"ORIGINALS_BUCKET": "originals", "MAX_BYTES": "1000", "EXPIRY_SECONDS": "60", "LOG_LEVEL": "INFO"}
SETTINGS = Settings.from_environment(ENVIRONMENT)


ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide the environment of a function on AWS."""
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def s3() -> S3Client:
    """Provide a client that signs. No test sends a request."""
    return signing_client({})


def policy(form: Form) -> dict[str, Any]:
    """Return the signed policy."""
    decoded: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return decoded


def test_form_has_a_new_key_of_the_owner(s3: S3Client) -> None:
    one, other = (presign(s3, SETTINGS, Request(owner="alice", content_type="image/png")) for _ in range(2))
    assert one.id != other.id
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one.id)
    assert one.fields["key"] == f"alice/{one.id}"
    assert {"key": f"alice/{one.id}"} in policy(one)["conditions"]
    assert {"bucket": "originals"} in policy(one)["conditions"]


def test_form_fixes_size_and_content_type(s3: S3Client) -> None:
    conditions = policy(presign(s3, SETTINGS, Request(owner="alice", content_type="image/png")))["conditions"]
    assert ["content-length-range", 1, 1000] in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert not [condition for condition in conditions if "starts-with" in condition]


def test_form_keeps_the_name_as_metadata(s3: S3Client) -> None:
    form = presign(s3, SETTINGS, Request(owner="alice", content_type="image/png", name='it\'s "mine".png'))
    assert form.fields["x-amz-meta-original-name"] == 'it\'s "mine".png'
    assert {"x-amz-meta-original-name": 'it\'s "mine".png'} in policy(form)["conditions"]


def test_form_expires(s3: S3Client) -> None:
    form = presign(s3, SETTINGS, Request(owner="alice", content_type="image/png"))
    expires = datetime.fromisoformat(policy(form)["expiration"])
    assert 50 < (expires - datetime.now(UTC)).total_seconds() <= 61
    assert form.expires_in_seconds == 60


@pytest.mark.parametrize("owner", ["", ".", "..", "a/b", "/", "a b", "a\n", "é", "a+b", "auth0|a", "a" * 129, None, 5])
def test_invalid_owner_is_refused(owner: Any) -> None:
    with pytest.raises(InvalidRequestError, match="owner"):
        Request(owner=owner, content_type="image/png")


@pytest.mark.parametrize(
    "content_type", ["", "image", "image/png\r\nX: y", "text/html", "text/html; charset=x", "IMAGE/PNG", None]
)
def test_invalid_content_type_is_refused(content_type: Any) -> None:
    with pytest.raises(InvalidRequestError, match="content_type"):
        Request(owner="alice", content_type=content_type)


@pytest.mark.parametrize("name", ["", " ", "a\r\nb", "é", "a" * 201, "\x7f", 5])
def test_invalid_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequestError, match="name"):
        Request(owner="alice", content_type="image/png", name=name)


# Bodies

SCHEMA = json.loads((ROOT / "terraform" / "api" / "openapi.json").read_text())["components"]["schemas"]["Upload"]

VALID = [
    {"content_type": "image/png"},
    {"content_type": "image/png", "name": "a.png"},
    {"content_type": "application/octet-stream", "name": " a b "},
    {"content_type": "image/webp", "name": "~" * 200},
]
INVALID = [
    None, True, 5, "x", [], {}, [{"content_type": "image/png"}], {"name": "a.png"}, {"content_type": None},
    {"content_type": ["image/png"]}, {"content_type": "text/html"}, {"content_type": "image/png\n"},
    {"content_type": "image/png", "name": None}, {"content_type": "image/png", "name": ""},
    {"content_type": "image/png", "name": "  "}, {"content_type": "image/png", "name": "a\n"},
    {"content_type": "image/png", "name": "x" * 201}, {"content_type": "image/png", "owner": "bob"},
]  # fmt: skip


@pytest.mark.parametrize("value", [*VALID, *INVALID], ids=repr)
@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode()], ids=["text", "base64"])
def test_body_is_valid_as_in_the_contract(value: Any, encode: Callable[[str], str]) -> None:
    assert jsonschema_rs.is_valid(SCHEMA, value) == (value in VALID)
    body = encode(json.dumps(value))
    if value in VALID:
        assert Request.from_body("alice", body) == Request(owner="alice", **value)
    else:
        with pytest.raises(InvalidRequestError):
            Request.from_body("alice", body)


@pytest.mark.parametrize("kind", SCHEMA["properties"]["content_type"]["enum"])
def test_every_content_type_of_the_contract_is_valid(kind: str) -> None:
    assert Request.from_body("alice", json.dumps({"content_type": kind})).content_type == kind


@pytest.mark.parametrize(
    "body",
    ["", "{", "{}}", "x", "====", "eyJ", "\ufffd", '{"a":' * 800, base64.b64encode(b"[" * 3000).decode(), "/w=="],
)
def test_body_without_json_is_refused(body: str) -> None:
    with pytest.raises(InvalidRequestError, match="not JSON"):
        Request.from_body("alice", body)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize("name", ["MAX_BYTES", "EXPIRY_SECONDS"])
@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5"])
def test_malformed_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: value})


def test_unknown_log_level_is_named() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL is malformed: TRACE is not a level of Python's logging"):
        Settings.from_environment({**ENVIRONMENT, "LOG_LEVEL": "TRACE"})


@pytest.mark.parametrize(("level", "logged"), [("INFO", 1), ("WARN", 0)])
def test_log_level_filters_lines(level: str, logged: int, caplog: pytest.LogCaptureFixture) -> None:
    handler = compose({**ENVIRONMENT, "LOG_LEVEL": level})
    handler({"owner": "alice", "body": json.dumps({"content_type": "image/jpeg"})}, None)
    assert len([record for record in caplog.records if record.name == "presign_upload.handler"]) == logged


def test_terraform_sets_what_the_function_reads() -> None:
    parsed = hcl2.loads((ROOT / "terraform" / "7_serve.tf").read_text())
    call = next(m['"presign_upload"'] for m in parsed["module"] if '"presign_upload"' in m)
    value = {name.strip('"').lower() for name in call["environment"] if not name.startswith("__")}
    assert value == {field.name for field in dataclasses.fields(Settings)}


def regions() -> list[tuple[str, str]]:
    """Return each region of S3 that botocore knows, with the domain of its partition."""
    session = boto3.Session()
    resolver = botocore.session.get_session().get_component("endpoint_resolver")
    return [
        (region, resolver.get_partition_dns_suffix(partition))
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition_name=partition)
    ]


def test_regions_cover_every_partition() -> None:
    known = regions()
    assert len(known) >= 40
    assert {domain for _, domain in known} >= {
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
    }


@pytest.mark.parametrize(("region", "domain"), regions())
def test_form_url_is_regional(monkeypatch: pytest.MonkeyPatch, region: str, domain: str) -> None:
    """The try page's policy allows this host (`try_page_upload_url` in try_page.tf), and it does not redirect."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    form = presign(signing_client({}), SETTINGS, Request(owner="alice", content_type="image/png"))
    assert form.url == f"https://originals.s3.{region}.{domain}/"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_form_url_uses_a_set_endpoint(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://localhost:4566")
    form = presign(
        signing_client({name: "http://localhost:4566"}), SETTINGS, Request(owner="alice", content_type="image/png")
    )
    assert form.url == "http://localhost:4566/originals"


def test_handler_returns_the_form() -> None:
    handler: Callable[..., dict[str, Any]] = compose(ENVIRONMENT)
    body = json.dumps({"content_type": "image/jpeg", "name": "x.jpg"})
    answer = handler({"owner": "alice", "body": body}, None)
    json.dumps(answer)
    assert set(answer) == {"id", "url", "fields", "expires_in_seconds"}
    assert answer["url"] == "https://originals.s3.eu-central-1.amazonaws.com/"
    for owner, refused in (("", body), ("alice", "{}")):
        assert handler({"owner": owner, "body": refused}, None) == {"error": "invalid_body"}
    with pytest.raises(TypeError):
        handler({"body": body}, None)
