"""The API: every route, with real photographs, for two owners who cannot reach each other's images."""

from __future__ import annotations

import io
import json
import re
import urllib.error
import urllib.request
import uuid
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from PIL import Image
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts import ROOT
from tests.e2e.conftest import ORIGINS
from tests.e2e.engines import Capability, engine
from tests.e2e.pipeline import wait_for
from tests.e2e.serve import Answer, Caller, caller
from tests.support.hostile_names import HOSTILE, NAMES
from tests.support.photographs import draw, encode, from_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.needs(Capability.API_SERVICE_INTEGRATIONS)

CONTRACT = ROOT / "terraform" / "api" / "openapi.json"
ID = "[A-Za-z0-9_-]{8,64}={0,2}"
UNKNOWN = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f"
PICTURE = encode(draw((64, 48)))


@pytest.fixture(scope="module")
def alice(pipeline: Pipeline) -> Caller:
    return caller(pipeline, "alice")


@pytest.fixture(scope="module")
def bob(pipeline: Pipeline) -> Caller:
    return caller(pipeline, "bob")


@pytest.fixture(scope="module")
def image(alice: Caller) -> dict[str, Any]:
    """Return the record of an image of Alice."""
    return alice.record(alice.upload(PICTURE))


def variant_path(variant: dict[str, Any]) -> list[str]:
    """Return the parts of a variant's URL, without the stage."""
    url: str = variant["url"]
    stage, *parts = url.removeprefix("/").split("/")
    assert stage == "v1"
    return parts


def test_uploaded_photographs_have_variants(alice: Caller, pipeline: Pipeline) -> None:
    photographs = {alice.upload(photograph.data): photograph for photograph in from_cameras()}
    for identity, photograph in photographs.items():
        record = alice.record(identity)
        assert record["original"]["bytes"] == len(photograph.data)
        assert (record["original"]["width"], record["original"]["height"]) == photograph.size
        assert record["variants"]
        for variant in record["variants"]:
            answer = alice.get(*variant_path(variant), Accept=variant["content_type"])
            assert answer.status == 200
            assert len(answer.body) == variant["bytes"]
            assert Image.open(io.BytesIO(answer.body)).size == (variant["width"], variant["height"])
            assert answer.headers["Content-Type"] == variant["content_type"]
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        stored = pipeline.s3.get_object(Bucket=pipeline.outputs["originals_bucket"], Key=f"{alice.id}/{identity}")
        assert stored["Body"].read() == photograph.data


def test_upload_returns_status_url(alice: Caller, pipeline: Pipeline) -> None:
    answer = alice.call("POST", "/images", PICTURE, Content_Type="image/jpeg", X_Image_Name="a b's (1).jpg")
    identity = answer.json["id"]
    assert answer.json["status_url"] == answer.headers["Location"] == f"/v1/images/{identity}"
    head = pipeline.s3.head_object(Bucket=pipeline.outputs["originals_bucket"], Key=f"{alice.id}/{identity}")
    assert head["ContentType"] == "image/jpeg"
    assert head["Metadata"] == {"original-name": "a b's (1).jpg", "owner": alice.id}
    alice.record(identity)


@pytest.mark.parametrize(
    "kind",
    [
        "image/jpg",
        "image/x-unheard-of",
        "binary/octet-stream",
        *(
            pytest.param(kind, marks=pytest.mark.needs(Capability.EVERY_BODY_BINARY))
            for kind in ("IMAGE/JPEG", "application/x-www-form-urlencoded", "application/json", "text/plain")
        ),
    ],
)
def test_image_keeps_bytes_with_any_content_type(alice: Caller, pipeline: Pipeline, kind: str) -> None:
    identity = alice.upload(PICTURE, Content_Type=kind)
    stored = pipeline.s3.get_object(Bucket=pipeline.outputs["originals_bucket"], Key=f"{alice.id}/{identity}")
    assert (stored["Body"].read(), stored["ContentType"]) == (PICTURE, kind)
    alice.record(identity)


@pytest.mark.needs(Capability.IAM)
def test_empty_body_is_refused(alice: Caller) -> None:
    answer = alice.call("POST", "/images", b"", Content_Type="image/jpeg")
    assert (answer.status, answer.error) == (400, "empty_body")


def test_caller_cannot_choose_id(alice: Caller) -> None:
    answer = alice.call("POST", "/images", PICTURE, Content_Type="image/jpeg", X_Amzn_RequestId=UNKNOWN)
    assert answer.json["id"] != UNKNOWN
    assert re.fullmatch(ID, answer.json["id"])
    alice.record(answer.json["id"])


def test_urls_have_no_trailing_slash(alice: Caller) -> None:
    answer = alice.call("POST", "/images/", PICTURE, Content_Type="image/jpeg")
    identity = answer.json["id"]
    assert answer.json["status_url"] == answer.headers["Location"] == f"/v1/images/{identity}"
    record = alice.record(identity)
    for path in (f"/images/{identity}/", f"/images/{identity}/versions/", "/images/"):
        found = alice.call("GET", path).json
        shown = (found.get("versions") or found.get("images") or [found])[0]
        assert shown["variants"] == record["variants"]
    form = alice.call("POST", "/uploads/", b'{"content_type": "image/png"}', Content_Type="application/json").json
    assert form["status_url"] == f"/v1/images/{form['id']}"


def test_headers_are_not_parameters(alice: Caller, image: dict[str, Any]) -> None:
    alice.record(alice.upload(PICTURE))
    whole = alice.get("images").json["images"]
    assert len(whole) > 1
    assert alice.get("images", limit="1").json["images"] == whole
    assert alice.get("images", next="x").status == 200


def test_text_is_rejected_with_reason(alice: Caller) -> None:
    record = alice.record(alice.upload(b"no image", Content_Type="application/octet-stream"), "Rejected")
    assert record["reason"]["code"] == "unsupported_format"
    assert record["variants"] == []


def test_versions_are_newest_first_and_paged(alice: Caller, pipeline: Pipeline) -> None:
    identity = alice.upload(PICTURE)
    first = alice.record(identity)["version"]
    pipeline.upload(encode(draw((80, 60))), f"{alice.id}/{identity}", ContentType="image/jpeg")

    def both() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = alice.get("images", identity, "versions").json["versions"]
        return found if len(found) == 2 else None

    versions = wait_for("two versions", both)
    assert {version["version"] for version in versions} > {first}
    page = alice.call("GET", f"/images/{identity}/versions?limit=1").json
    rest = alice.call("GET", f"/images/{identity}/versions?limit=1&next={page['next']}").json
    assert page["versions"] + rest["versions"] == versions
    assert "next" not in rest
    answer = alice.call("GET", f"/images/{UNKNOWN}/versions?next={page['next']}")
    assert (answer.status, answer.error) == (404, "not_found")


def test_list_has_own_images_newest_first_and_paged(alice: Caller, bob: Caller) -> None:
    mine = [bob.upload(PICTURE) for _ in range(3)]
    for identity in mine:
        bob.record(identity)
    theirs = alice.record(alice.upload(PICTURE))["id"]

    whole = [found["id"] for found in bob.get("images").json["images"]]
    assert set(mine) <= set(whole)
    assert theirs not in whole
    uploaded = [found["uploaded_at"] for found in bob.get("images").json["images"]]
    assert uploaded == sorted(uploaded, reverse=True)

    seen, following = [], ""
    for _ in range(len(whole) + 1):
        page = bob.call("GET", f"/images?limit=2{following}").json
        seen += [found["id"] for found in page["images"]]
        if "next" not in page:
            break
        following = f"&next={page['next']}"
    assert seen == whole


def test_page_token_of_another_owner_reads_nothing(alice: Caller, bob: Caller, image: dict[str, Any]) -> None:
    alice.record(alice.upload(PICTURE))
    token = alice.call("GET", "/images?limit=1").json["next"]
    answer = bob.call("GET", f"/images?next={token}")
    assert answer.status in (200, 400)
    if answer.status == 200:
        theirs = {found["id"] for found in alice.get("images").json["images"]}
        assert not theirs & {found["id"] for found in answer.json["images"]}


def test_image_of_another_owner_is_not_found(alice: Caller, bob: Caller, image: dict[str, Any]) -> None:
    for parts in (["images", image["id"]], ["images", image["id"], "versions"], variant_path(image["variants"][0])):
        kind = "image/jpeg" if parts[-1].endswith(".jpg") else "application/json"
        assert alice.get(*parts, Accept=kind).status == 200
        answer = bob.get(*parts)
        assert (answer.status, answer.error) == (404, "not_found")
        assert answer.body == bob.get("images", UNKNOWN, *parts[2:]).body


def test_image_of_another_owner_cannot_be_deleted(alice: Caller, bob: Caller, image: dict[str, Any]) -> None:
    answer = bob.call("DELETE", f"/images/{image['id']}")
    assert (answer.status, answer.error) == (404, "not_found")
    assert alice.get("images", image["id"]).json["status"] == "Processed"
    assert alice.get(*variant_path(image["variants"][0]), Accept="image/jpeg").status == 200


def test_unknown_image_is_not_deleted(alice: Caller, bob: Caller, pipeline: Pipeline, image: dict[str, Any]) -> None:
    for one, identity in ((alice, UNKNOWN), (bob, UNKNOWN), (bob, image["id"])):
        answer = one.call("DELETE", f"/images/{identity}")
        assert (answer.status, answer.error) == (404, "not_found")
        # No marker, so no event, so no record.
        listed = pipeline.s3.list_object_versions(
            Bucket=pipeline.outputs["originals_bucket"], Prefix=f"{one.id}/{identity}"
        )
        assert "DeleteMarkers" not in listed


def test_deleted_image_and_its_derivatives_are_gone(alice: Caller) -> None:
    identity = alice.upload(PICTURE)
    record = alice.record(identity)
    answer = alice.call("DELETE", f"/images/{identity}")
    assert (answer.status, answer.json) == (202, {"id": identity, "status": "Deleting"})
    assert alice.record(identity, "Deleted")["variants"] == []
    assert identity not in [found["id"] for found in alice.get("images").json["images"]]

    def gone() -> bool:
        return alice.get(*variant_path(record["variants"][0])).status == 404

    wait_for("end of the derivatives", gone)
    answer = alice.call("DELETE", f"/images/{identity}")
    assert (answer.status, answer.error) == (404, "not_found")


def test_large_image_is_uploaded_by_form(alice: Caller) -> None:
    answer = ask_for_form(alice, name="it's.jpg")
    assert answer.status == 201
    form = answer.json
    assert post_form(form, PICTURE) in (200, 204)
    record = alice.record(form["id"])
    assert record["original"]["bytes"] == len(PICTURE)
    assert form["status_url"] == f"/v1/images/{form['id']}"


def test_form_accepts_only_what_it_was_signed_for(alice: Caller, bob: Caller) -> None:
    form = ask_for_form(alice).json
    for change in ({"key": f"{bob.id}/{form['id']}"}, {"Content-Type": "text/html"}):
        assert post_form({**form, "fields": {**form["fields"], **change}}, PICTURE) in (400, 403)
    assert bob.get("images", form["id"]).status == 404


def ask_for_form(caller: Caller, **more: str) -> Answer:
    asked = {"content_type": "image/jpeg", **more}
    return caller.call("POST", "/uploads", json.dumps(asked).encode(), Content_Type="application/json")


def post_form(form: dict[str, Any], data: bytes) -> int:
    """Send a form as a browser does; return S3's status."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode())
    body = b"".join([*parts, data, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], body, headers)  # noqa: S310 - S3's
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            status: int = answer.status
    except urllib.error.HTTPError as error:
        with error:
            status = error.code
    return status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/images"),
        ("POST", "/images"),
        ("GET", f"/images/{UNKNOWN}"),
        ("DELETE", f"/images/{UNKNOWN}"),
        ("GET", f"/images/{UNKNOWN}/versions"),
        ("GET", f"/images/{UNKNOWN}/version/thumbnail.jpg"),
        ("POST", "/uploads"),
    ],
)
@pytest.mark.parametrize("key", [None, "", "x" * 40])
def test_call_without_key_is_forbidden(alice: Caller, method: str, path: str, key: str | None) -> None:
    data = b"{}" if method == "POST" else None
    assert Caller(alice.base, key, "unknown").call(method, path, data, Content_Type="application/json").status == 403


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "next=x", "next=zzzz", "next=%00", "limit=1%0a", f"next={'x' * 4000}"],
)
def test_malformed_page_is_invalid_request(alice: Caller, image: dict[str, Any], query: str) -> None:
    for path in ("/images", f"/images/{image['id']}/versions"):
        answer = alice.call("GET", f"{path}?{query}")
        assert (answer.status, answer.error) == (400, "invalid_request")


BODIES = [
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"content_type": "text/html"}', b'{"content_type": ["image/png"]}',
    b'{"content_type": "image/png", "owner": "bob"}', b'{"content_type": "image/png", "name": ""}',
    b'{"content_type": "image/png", "name": "a\\r\\nb"}', b'{"content_type": "image/png", "name": 5}', b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_malformed_body_is_refused(alice: Caller, body: bytes) -> None:
    answer = alice.call("POST", "/uploads", body, Content_Type="application/json")
    assert (answer.status, answer.error) == (400, "invalid_body")


def preflight(caller: Caller, origin: str) -> Answer:
    """Ask as a browser does before it deletes an image."""
    browser = Caller(caller.base, None, "browser")
    return browser.call("OPTIONS", f"/images/{UNKNOWN}", Origin=origin, Access_Control_Request_Method="DELETE")


@pytest.mark.parametrize("origin", ORIGINS)
def test_admitted_origin_may_call(alice: Caller, origin: str) -> None:
    answer = preflight(alice, origin)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE,GET,OPTIONS"
    assert answer.headers["Vary"] == "Origin"
    assert {"X-Amz-Content-Sha256", "X-Api-Key", "X-Image-Name"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(",")
    )
    listing = alice.get("images").headers
    assert listing["Access-Control-Allow-Origin"] == "*"
    assert {"ETag", "Location", "Retry-After"} <= set(listing["Access-Control-Expose-Headers"].split(","))


def test_other_origin_may_not_call(alice: Caller) -> None:
    answer = preflight(alice, "https://app.example.com.evil.example")
    assert answer.status == 204
    assert "Access-Control-Allow-Origin" not in answer.headers


# Hostile texts


@pytest.fixture(scope="module")
def untouched(pipeline: Pipeline, alice: Caller, bob: Caller, image: dict[str, Any]) -> Iterator[None]:
    """Require that hostile texts change no object and no record of anyone."""
    stored, recorded = keys(pipeline), items(pipeline)
    yield
    now = items(pipeline)
    added = [*(keys(pipeline) - stored), *(image for image, record in now if (image, record) not in recorded)]
    assert [key for key in added if not re.fullmatch(rf"{alice.id}/{ID}(/.*)?", key)] == []
    assert stored <= keys(pipeline)
    assert {place: now.get(place) for place in recorded} == recorded


def keys(pipeline: Pipeline) -> set[str]:
    """Return every key in both buckets."""
    return {
        item["Key"]
        for bucket in ("originals_bucket", "processed_bucket")
        for page in pipeline.s3.get_paginator("list_objects_v2").paginate(Bucket=pipeline.outputs[bucket])
        for item in page.get("Contents", [])
    }


def items(pipeline: Pipeline) -> dict[tuple[str, str], dict[str, Any]]:
    """Return every item in the table by image and record, without the time of its announcement, which is set last."""
    return {
        (item["image_id"]["S"], item["record"]["S"]): {
            name: value for name, value in item.items() if not name.startswith("notified")
        }
        for page in pipeline.dynamodb.get_paginator("scan").paginate(
            TableName=pipeline.outputs["table"], ConsistentRead=True
        )
        for item in page["Items"]
    }


def raw(caller: Caller, method: str, path: str, body: bytes = b"", **headers: bytes) -> Answer:
    """Send a request whose path and headers no library changes."""
    base = urlsplit(caller.base)
    kind = HTTPSConnection if base.scheme == "https" else HTTPConnection
    connection = kind(base.netloc, timeout=60)
    try:
        connection.putrequest(method, base.path + path, skip_accept_encoding=True)
        connection.putheader("x-api-key", caller.key or "")
        for name, value in {**headers, **({"Content_Length": str(len(body)).encode()} if body else {})}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_hostile_text_reaches_nothing(alice: Caller, image: dict[str, Any], text: str) -> None:
    version = image["version"]
    encoded = quote(text, safe="")
    for method, path in (
        ("GET", f"/images/{encoded}"),
        ("DELETE", f"/images/{encoded}"),
        ("GET", f"/images/{encoded}/versions"),
        ("GET", f"/images/{encoded}/{version}/thumbnail.jpg"),
        ("GET", f"/images/{image['id']}/{encoded}/thumbnail.jpg"),
        ("GET", f"/images/{image['id']}/{version}/{encoded}"),
        ("GET", f"/images?next={encoded}"),
        ("GET", f"/images/{image['id']}/versions?next={encoded}"),
    ):
        answer = raw(alice, method, path)
        assert 400 <= answer.status < 500, (method, path, answer)
        for secret in (b"arn:aws", b"Exception", b"Traceback", b"e2e-", image["id"].encode()):
            assert secret not in answer.body
    answer = alice.call(
        "POST", "/uploads", json.dumps({"content_type": text, "name": text}).encode(), Content_Type="application/json"
    )
    assert answer.status == 400
    answer = ask_for_form(alice, name=text)
    assert answer.status == 400 or answer.json["fields"]["x-amz-meta-original-name"] == text


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", NAMES)
def test_hostile_name_stays_a_name(alice: Caller, pipeline: Pipeline, name: str) -> None:
    answer = raw(alice, "POST", "/images", b"no image", Content_Type=b"image/jpeg", X_Image_Name=name.encode())
    if answer.status != 202:
        assert 400 <= answer.status < 500, answer
        return
    identity = answer.json["id"]
    assert re.fullmatch(ID, identity)
    assert answer.headers["Location"] == f"/v1/images/{identity}"
    key = {"Bucket": pipeline.outputs["originals_bucket"], "Key": f"{alice.id}/{identity}"}
    head = pipeline.s3.head_object(**key)
    assert head["ContentType"] == "image/jpeg"
    assert set(head["Metadata"]) <= {"original-name", "owner"}
    assert head["Metadata"]["owner"] == alice.id
    if re.fullmatch("[!-~]([ -~]*[!-~])?", name):
        assert head["Metadata"]["original-name"] == name
    assert pipeline.s3.get_object_tagging(**key)["TagSet"] == []
    alice.record(identity, "Rejected")


# The contract

SCHEMA = schemathesis.openapi.from_dict(json.loads(CONTRACT.read_text()))


@schemathesis.serializer("image/avif", "image/tiff")
def as_bytes(_: Any, value: Any) -> bytes:
    """Return the bytes of a body whose media type schemathesis does not know."""
    return value if isinstance(value, bytes) else str(value).encode()


@SCHEMA.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_contract_holds_for_any_request(case: Any, alice: Caller) -> None:
    assume(engine().can(Capability.EVERY_BODY_BINARY) or is_text(case.body))
    response = case.call(base_url=alice.base, headers={"x-api-key": alice.key})
    checks = [not_a_server_error, status_code_conformance, content_type_conformance]
    if engine().can(Capability.GATEWAY_RESPONSES) or "x-amzn-errortype" not in response.headers:
        checks.append(response_schema_conformance)
    case.validate_response(response, checks=checks)


@pytest.mark.needs(Capability.GATEWAY_RESPONSES)
def test_gateway_errors_have_the_shape_of_the_api(alice: Caller) -> None:
    answer = alice.call("POST", "/uploads", b"{}", Content_Type="text/csv")
    assert (answer.status, answer.error) == (415, "unsupported_media_type")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer = Caller(alice.base, "x" * 40, "unknown").get("images")
    assert (answer.status, answer.error) == (403, "forbidden")


@pytest.mark.needs(Capability.EVERY_BODY_BINARY)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-unheard-of"])
def test_binary_body_is_refused_outside_of_images(alice: Caller, kind: str) -> None:
    answer = alice.call("POST", "/uploads", b"\xff\xd8\xff", Content_Type=kind)
    assert (answer.status, answer.error) == (415, "unsupported_media_type")


def is_text(body: Any) -> bool:
    """Return False if a body is bytes that are not UTF-8."""
    try:
        return not isinstance(body, bytes) or body.decode() is not None
    except UnicodeDecodeError:
        return False
