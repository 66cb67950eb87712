"""The smoke test's requests to the API, against a server that answers as the contract says, or with one fault."""

from __future__ import annotations

import io
import json
import re
import threading
import uuid
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

import pytest
from PIL import Image

from scripts import ROOT
from scripts.smoke import api as smoke_api
from scripts.smoke import checks as smoke_checks
from scripts.smoke.api import ORIGINS, Answer, Api, check, checks, request
from scripts.smoke.checks import Smoke
from scripts.smoke.facts import SmokeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OWNER = "k3y1d"
KEY = "secret"


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


PICTURE = jpeg()


class Pipeline:
    """API and buckets, of which one thing may be wrong."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.originals: dict[str, list[bytes]] = {}  # versions, the oldest first
        self.port = 0
        self.asked = 0

    def put(self, key: str, data: bytes) -> None:
        self.originals.setdefault(key, []).append(data)

    def original(self, key: str) -> bytes:
        return self.originals[key][-1]

    def derivative(self, key: str) -> bytes:
        assert key.endswith("/thumbnail.jpg")
        return self.originals[key.rsplit("/", 2)[0]][0][:50]

    def record(self, image_id: str, version: int = -1) -> dict[str, Any]:
        found = self.originals[f"{OWNER}/{image_id}"]
        number = version % len(found)
        url = f"/v1/images/{image_id}/v-{number}/thumbnail.jpg"
        variants = [{"url": url, "content_type": "image/jpeg", "bytes": 50}]
        return {"id": image_id, "status": "Processed", "version": f"v-{number}", "variants": variants}


class Handler(BaseHTTPRequestHandler):
    """The routes of the API, and S3's answer to a form."""

    protocol_version = "HTTP/1.1"
    pipeline: Pipeline

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) or body is None else {"Content-Type": "application/json"}
        exposed = smoke_api.EXPOSED - ({"Retry-After"} if self.pipeline.fault == "exposed" else set())
        usual = {**kind, "Access-Control-Expose-Headers": ",".join(exposed), "Content-Length": str(len(data))}
        self.send_response(status)
        for name, value in {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
            if status != 204 or name != "Content-Length":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, code: str) -> None:
        self.answer(status, {"error": {"code": code, "message": "why"}})

    def do_OPTIONS(self) -> None:
        origin, fault = self.headers["Origin"], self.pipeline.fault
        admitted = {"any-origin": (*ORIGINS, origin), "one-origin": ORIGINS[:1]}.get(fault, ORIGINS)
        if fault == "spelling-of-origin" and "origin" in self.headers.keys():  # noqa: SIM118 - as it is written
            admitted = ()
        allowed = {"Access_Control_Allow_Origin": origin} if origin in admitted else {}
        self.answer(204, None, Access_Control_Allow_Methods="DELETE,GET,OPTIONS", **allowed)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/s3":
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts: dict[Any, Any] = {
                part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True)
                for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
            }
            self.pipeline.put(parts["key"].decode(), parts["file"])
            self.answer(403 if self.pipeline.fault == "form" else 204)
            return
        assert self.headers["X-Api-Key"] == KEY
        if self.path == "/v1/uploads":
            assert json.loads(body)["content_type"] == "image/jpeg"
            image_id = str(uuid.uuid4())
            host = "127.0.0.1" if self.pipeline.fault == "global-host" else "localhost"
            form = {"key": f"{OWNER}/{image_id}", "policy": "p"}
            self.answer(201, {"id": image_id, "url": f"http://{host}:{self.pipeline.port}/s3", "fields": form})
            return
        self.upload(body)

    def upload(self, body: bytes) -> None:
        assert self.path.rstrip("/") == "/v1/images"
        kind, fault = self.headers["Content-Type"], self.pipeline.fault
        if not body and fault != "empty":
            self.error(400, "empty_body")
            return
        if kind is None and fault != "typeless":
            self.error(400, "invalid_parameters")
            return
        if (kind, fault) in {("text/plain", "text"), ("IMAGE/JPEG", "spelling")}:
            body = body.decode(errors="replace").encode()
        if kind is None:
            body = b""
        image_id = f"{uuid.uuid4().hex[:15]}=" if fault != "id" else "short"
        if fault == "chosen-id":
            image_id = self.headers["X-Amzn-RequestId"] or image_id
        self.pipeline.put(f"{OWNER}/{image_id}", body)
        path = self.path if fault == "slash" else self.path.rstrip("/")
        place = f"{path}/{image_id}"
        self.answer(202, {"id": image_id, "status_url": place}, Location=place, x_amz_apigw_id=image_id)

    def do_GET(self) -> None:
        assert self.headers["X-Api-Key"] == KEY
        self.pipeline.asked += 1
        if self.pipeline.fault == "throttled" or (self.pipeline.fault == "busy" and self.pipeline.asked % 2):
            self.error(429, "too_many_requests")
            return
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.pipeline.fault == "header-limit" and "limit" in self.headers:
            query["limit"] = self.headers["limit"]
        path = parts.path if self.pipeline.fault == "encoded" else unquote(parts.path)
        match path.removeprefix("/v1/images").split("/")[1:]:
            case []:
                self.list(query)
            case [image_id]:
                self.known(image_id, lambda: self.answer(200, self.pipeline.record(image_id)))
            case [image_id, "versions"]:
                self.known(image_id, lambda: self.versions(image_id, query), bool(query.get("next")))
            case [*key, variant]:
                data = self.pipeline.derivative("/".join([OWNER, *key, variant]))
                as_text = self.pipeline.fault == "derivative" and self.headers["Accept"] == "application/json"
                self.answer(200, data.hex().encode() if as_text else data, Content_Type="image/jpeg")

    def known(self, image_id: str, show: Callable[[], None], has_token: bool = False) -> None:
        if f"{OWNER}/{image_id}" in self.pipeline.originals:
            show()
        elif self.pipeline.fault == "unknown" and has_token:
            self.answer(200, {"versions": []})
        else:
            self.error(404, "not_found")

    def list(self, query: dict[str, str]) -> None:
        keys = list(reversed(self.pipeline.originals))
        after = unquote(query.get("next", "").partition("_")[2].replace("+", " "))
        start = keys.index(after) + 1 if after in keys else 0
        page = keys[start : start + int(query.get("limit", "20"))]
        named = [key.removeprefix(f"{OWNER}/") for key in page]
        images = [self.pipeline.record(name) for name in named if re.fullmatch(smoke_api.ID.pattern, name)]
        last = page[-1] if page else ""
        token = quote_plus(last.encode().decode("latin-1") if self.pipeline.fault == "utf-8" else last)
        data = {"images": images, **({"next": f"2026_{token}"} if start + len(page) < len(keys) else {})}
        if self.pipeline.fault == "list":
            self.answer(200, json.dumps(data).encode(), Content_Type="application/octet-stream")
        else:
            self.answer(200, data)

    def versions(self, image_id: str, query: dict[str, str]) -> None:
        numbers = [*reversed(range(len(self.pipeline.originals[f"{OWNER}/{image_id}"])))]
        start = numbers.index(int(query["next"])) + 1 if "next" in query else 0
        limit = 20 if self.pipeline.fault == "versions" else int(query.get("limit", "20"))
        page = numbers[start : start + limit]
        more = {"next": str(numbers[0])} if numbers[start + limit :] or self.pipeline.fault == "versions" else {}
        self.answer(200, {"versions": [self.pipeline.record(image_id, number) for number in page], **more})


def wait(what: str, look: Callable[[], Any]) -> Any:
    """Look twice, not for minutes."""
    for _ in range(2):
        if found := look():
            return found
    raise SmokeError(f"no {what}")


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """Yield the API, with the fault in the test's parameter."""
    pipeline = Pipeline(getattr(request, "param", ""))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Faulty", (Handler,), {"pipeline": pipeline}))
    pipeline.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Api(
            f"http://127.0.0.1:{server.server_port}/v1", KEY, OWNER, "localhost:",
            pipeline.original, pipeline.derivative, pipeline.put, wait,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_right_answers_pass_every_check(api: Api) -> None:
    said = check(api, PICTURE)
    assert said.startswith(f"{len(checks(api, {'id': 'x'}, PICTURE))} checks; ")
    assert "a body without a type is refused" in said
    assert "ids have 16 characters, 1 of them `=`" in said


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ("any-origin", "preflight from https://app.example.com.evil.example: `Origin: "),
        ("chosen-id", "id: the caller has chosen the id "),
        ("derivative", "derivative: /images/"),
        ("empty", "empty body: 400 with JSON was expected, not 202"),
        ("encoded", "id in a path: 200 with JSON was expected, not 404"),
        ("exposed", "exposed headers: Retry-After are not among the exposed headers"),
        ("form", "form: the form is answered with 403"),
        ("global-host", "form: the form is for 127.0.0.1:"),
        ("header-limit", "limit as a header: the header `limit: 1` is obeyed: 1 images"),
        ("list", "list: 200 with JSON was expected, not 200 application/octet-stream"),
        ("one-origin", "preflight from https://www.example.org: `Origin: https://www.example.org` is answered with"),
        ("slash", "trailing slash: Location and status_url are ('/v1/images//"),
        (
            "spelling-of-origin",
            "preflight from https://app.example.com: `origin: https://app.example.com` is answered with",
        ),
        ("spelling", "body as IMAGE/JPEG: "),
        ("text", "body as text/plain: "),
        ("typeless", "body without a type: "),
        ("unknown", "versions: 404 with JSON was expected, not 200"),
        ("utf-8", "UTF-8: no token of the page that ends at k3y1d/Müsli 東京 🦊.jpg; the last tokens: "),
        ("versions", "versions: pages of one version hold"),
    ],
    indirect=["api"],
)
def test_a_fault_is_reported_by_its_check(api: Api, said: str) -> None:
    with pytest.raises(SmokeError) as raised:
        check(api, PICTURE)
    assert said in str(raised.value)
    reported = {name for name in checks(api, {"id": "x"}, PICTURE) if f"{name}: " in str(raised.value)}
    equivalent = {
        "list": {"limit as a header", "UTF-8", "list"},
        "preflight from https://app.example.com": {f"preflight from {origin}" for origin in ORIGINS},
    }
    name = next(name for name in sorted(reported, key=len, reverse=True) if said.startswith(f"{name}: "))
    assert reported <= equivalent.get(name, {name}), "the other checks find nothing"


@pytest.mark.parametrize("api", ["busy"], indirect=True)
def test_requests_that_are_too_many_are_repeated(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_api, "REFILL_SECONDS", 0)
    assert check(api, PICTURE).startswith(f"{len(checks(api, {'id': 'x'}, PICTURE))} checks; ")


@pytest.mark.parametrize("api", ["throttled"], indirect=True)
def test_requests_that_stay_too_many_are_reported(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_api, "REFILL_SECONDS", 0)
    with pytest.raises(SmokeError, match="200 with JSON was expected, not 429"):
        check(api, PICTURE)


@pytest.mark.parametrize("api", ["id"], indirect=True)
def test_id_outside_the_contract_is_reported(api: Api) -> None:
    with pytest.raises(SmokeError, match="the id short does not match the contract's"):
        check(api, PICTURE)


def test_a_server_that_is_not_there_is_reported() -> None:
    with pytest.raises(SmokeError, match=r"GET http://127\.0\.0\.1:9/v1/images was not answered"):
        request("GET", "http://127.0.0.1:9/v1/images", b"", {})


def test_an_error_without_its_code_is_reported(api: Api) -> None:
    headers = api.call("GET", "/images").headers
    for body in (b'{"error": "not_found"}', b'{"error": {"code": "other"}}', b'{"message": null}'):
        with pytest.raises(SmokeError, match="the error not_found was expected"):
            Answer(404, headers, body).refuses(404, "not_found")
    with pytest.raises(SmokeError, match="the body is not JSON"):
        Answer(200, headers, b"eyJ9").json()


def test_step_is_skipped_without_an_api(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Smoke.__new__(Smoke)
    monkeypatch.setattr(made, "_outputs", {"api": None}, raising=False)
    with pytest.raises(SmokeError, match="there is no API, as the variable `api` is null"):
        made.api()


def test_step_uses_the_keys_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = io.BytesIO()
    Image.effect_noise((2400, 1800), 100).convert("RGB").save(noise, "BMP")
    objects = {("originals", "key"): b"original", ("processed", "key"): b"derivative"}
    bodies = {place: {"Body": io.BytesIO(data)} for place, data in objects.items()}
    puts: list[dict[str, Any]] = []
    s3 = SimpleNamespace(
        get_object=lambda Bucket, Key: bodies[Bucket, Key],  # noqa: N803 - boto3's
        put_object=lambda **request: puts.append(request),
    )
    made = Smoke.__new__(Smoke)
    for name, part in {
        "clients": SimpleNamespace(s3=s3),
        "outputs": {
            "api": {"url": "https://id.execute-api.eu-central-1.amazonaws.com/v1"},
            "api_keys": {"smoke": {"id": OWNER, "value": KEY}},
            "originals_bucket": "originals",
            "processed_bucket": "processed",
        },
        "picture": noise.getvalue(),
        "resources": SimpleNamespace(region="eu-central-1"),
    }.items():
        monkeypatch.setattr(made, f"_{name}", part, raising=False)

    def checked(api: Api, picture: bytes) -> str:
        assert (api.base, api.key, api.owner) == (made._outputs["api"]["url"], KEY, OWNER)  # noqa: SLF001
        assert api.form_host == "originals.s3.eu-central-1."
        assert (api.original("key"), api.derivative("key")) == (b"original", b"derivative")
        api.put("other key", b"more")
        listed = {"owner": OWNER}  # else the list has no image under a key that is not one of the API's
        assert puts == [{"Bucket": "originals", "Key": "other key", "Body": b"more", "Metadata": listed}]
        with Image.open(io.BytesIO(picture)) as found:
            assert (found.format, found.size) == ("JPEG", (1600, 1200))
        assert len(picture) < 10_000_000 < len(noise.getvalue())
        return "all is well"

    monkeypatch.setattr(smoke_checks, "check_api", checked)
    assert made.api() == "all is well"


def test_the_pipeline_gets_what_the_step_asks_for() -> None:
    contract = json.loads((ROOT / "terraform" / "api" / "openapi.json").read_text())
    assert smoke_api.VARIABLES["cors_origins"] == list(ORIGINS)
    assert smoke_api.FOREIGN not in ORIGINS
    assert smoke_api.ID.pattern == contract["paths"]["/images/{id}"]["get"]["parameters"][0]["schema"]["pattern"]


def test_expected_errors_are_those_in_terraform() -> None:
    expected = set(re.findall(r"refuses\((\d+), \"(\w+)\"\)", Path(smoke_api.__file__).read_text()))
    routes = (ROOT / "terraform" / "7_serve.tf").read_text()
    gateway = (ROOT / "terraform" / "modules" / "service_api" / "body.tf").read_text()
    defined = {(status, code) for code, status in re.findall(r"(\w+) += \{ status = (\d+), message", routes)}
    defined |= set(re.findall(r"status = (\d+), code = \"(\w+)\"", gateway))
    assert len(expected) == 3
    assert expected <= defined
