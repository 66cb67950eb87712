"""The smoke test's requests to the API, as a caller's program sends them, and the expected answers."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, unquote_plus, urlsplit

from scripts import ROOT
from scripts.smoke.facts import SmokeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from email.message import Message

T = TypeVar("T")

ORIGINS = ("https://app.example.com", "https://www.example.org")
FOREIGN = "https://app.example.com.evil.example"
VARIABLES = {"authorization": {"type": "API_KEY"}, "api_keys": ["smoke"], "cors_origins": list(ORIGINS)}

# Every spelling must leave an image whole (decision 14).
TYPES = (
    "image/jpeg",
    "IMAGE/JPEG",
    "binary/octet-stream",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
)

UNKNOWN = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f"
NAME = "Müsli 東京 🦊.jpg"  # which only a body that stays UTF-8 brings back
EXPOSED = {"ETag", "Location", "Retry-After", "x-amz-apigw-id"}
PAGES = 5
ATTEMPTS = 5
REFILL_SECONDS = 1  # a usage plan admits some more a second
SECONDS = 60

_CONTRACT = json.loads((ROOT / "terraform" / "api" / "openapi.json").read_text())
ID: re.Pattern[str] = re.compile(_CONTRACT["components"]["schemas"]["Accepted"]["properties"]["id"]["pattern"])


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Message
    body: bytes

    def __str__(self) -> str:
        """Return the quoted part of an error message."""
        return f"{self.status} {self.headers['Content-Type']} {self.body[:200]!r}"

    def json(self, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        """Return the body of an answer that has this status and is JSON.

        Raises:
            SmokeError: It has another status, or is not JSON.
        """
        if self.status != status or not (self.headers["Content-Type"] or "").startswith("application/json"):
            raise SmokeError(f"{status} with JSON was expected, not {self}")
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SmokeError(f"the body is not JSON: {self}") from error

    def refuses(self, status: int, code: str) -> None:
        """Raise SmokeError unless it is this error, in the shape that all errors of the API have."""
        found = self.json(status)
        if not isinstance(found.get("error"), dict) or found["error"].get("code") != code:
            raise SmokeError(f"the error {code} was expected, not {self}")


class Wait(Protocol):
    """Retry until there is a result, or raise SmokeError."""

    def __call__(self, what: str, look: Callable[[], T | None]) -> T:
        """Return what `look` found."""


@dataclass(frozen=True)
class Api:
    """The API as one caller sees it, and the buckets behind it.

    Attributes:
        base: URL of the stage.
        key: The caller's API key.
        owner: The key's id, which is the owner of the caller's images.
        form_host: Prefix of the host in a form's URL.
        original: Returns an object of the bucket of originals.
        derivative: Returns an object of the bucket of derivatives.
        put: Puts an object of the owner into the bucket of originals, without the API.
        wait: Function that retries until there is a result.
    """

    base: str
    key: str
    owner: str
    form_host: str
    original: Callable[[str], bytes]
    derivative: Callable[[str], bytes]
    put: Callable[[str, bytes], None]
    wait: Wait

    def call(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Make a request with the caller's key; wait and repeat it while there are too many for the key."""
        for _ in range(ATTEMPTS):
            answer = request(method, self.base + path, body, {"X-Api-Key": self.key, **(headers or {})})
            if answer.status != 429:  # noqa: PLR2004 - too many
                break
            time.sleep(REFILL_SECONDS)
        return answer

    def upload(self, data: bytes, path: str = "/images", **headers: str) -> Answer:
        """Upload a JPEG; names of headers have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, data, {"Content-Type": "image/jpeg", **named})

    def record(self, image_id: str) -> dict[str, Any]:
        """Wait until an image is processed; return its record as the API does."""

        def look() -> dict[str, Any] | None:
            answer = self.call("GET", f"/images/{image_id}")
            if answer.status == 404:  # noqa: PLR2004 - not recorded yet
                return None
            found: dict[str, Any] = answer.json()
            if found["status"] != "Processed":
                raise SmokeError(f"{image_id} is {found['status']}: {found.get('reason')}")
            return found

        return self.wait(f"record of {image_id}", look)


def request(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Make a request over HTTP/1.1 with exactly these headers, without a default content type.

    `urllib.request` adds a content type to a body, and changes the case of names.

    Raises:
        SmokeError: There was no answer.
    """
    parts = urlsplit(url)
    connection = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=SECONDS)
    try:
        connection.putrequest(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        for name, value in headers.items():
            connection.putheader(name, value)
        if method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except (OSError, HTTPException) as error:
        raise SmokeError(f"{method} {url} was not answered: {error!r}") from error
    finally:
        connection.close()


def check(api: Api, picture: bytes) -> str:
    """Make all requests, one check after the other, and return the results.

    Raises:
        SmokeError: At least one answer is not as it must be; the message has all that are not.
    """
    image = api.record(identity(api.upload(picture)))
    taken = checks(api, image, picture)
    notes, wrong = [f"{len(taken)} checks"], []
    for name, take in taken.items():
        try:
            if note := take():
                notes.append(note)
        except SmokeError as error:
            wrong.append(f"{name}: {error}")
        except (LookupError, TypeError, ValueError) as error:  # a body of another shape
            wrong.append(f"{name}: {type(error).__name__}: {error}")
    if wrong:
        raise SmokeError("; ".join(wrong))
    return "; ".join(notes)


def checks(api: Api, image: Mapping[str, Any], picture: bytes) -> dict[str, Callable[[], str | None]]:
    """Return the checks by name, in their order; each returns a fact to note, or raises."""
    return {
        **{f"body as {kind}": partial(whole, api, picture, kind) for kind in TYPES},
        "body without a type": partial(typeless, api, picture),
        "empty body": partial(empty, api),
        "id": partial(chosen, api, picture),
        "id in a path": partial(named, api, image["id"]),
        "trailing slash": partial(slash, api, picture),
        "list": partial(listed, api, image["id"]),
        "limit as a header": partial(header_limit, api),
        "UTF-8": partial(beyond_ascii, api, picture),
        "versions": partial(versions, api, image["id"], picture),
        **{f"preflight from {origin}": partial(preflight, api, origin, admitted=True) for origin in ORIGINS},
        f"preflight from {FOREIGN}": partial(preflight, api, FOREIGN, admitted=False),
        "exposed headers": partial(exposed, api),
        "form": partial(form, api, picture),
        "derivative": partial(derivative, api, image),
    }


def identity(answer: Answer) -> str:
    """Return the id of an upload that was accepted."""
    image_id: str = answer.json(202)["id"]
    if not ID.fullmatch(image_id):
        raise SmokeError(f"the id {image_id} does not match the contract's {ID.pattern}")
    return image_id


def same(found: bytes, sent: bytes) -> None:
    """Raise SmokeError unless the stored bytes are those sent."""
    if found != sent:
        raise SmokeError(f"{len(sent)} bytes were sent, and {len(found)} other bytes are stored: {found[:20]!r}…")


def whole(api: Api, picture: bytes, kind: str) -> None:
    """Upload an image under a content type; the stored bytes must be those sent."""
    image_id = identity(api.upload(picture, Content_Type=kind))
    same(api.original(f"{api.owner}/{image_id}"), picture)


def typeless(api: Api, picture: bytes) -> str:
    """Upload an image without a content type; it must be stored unchanged or refused, according to the contract."""
    answer = api.call("POST", "/images", picture)
    if answer.status == 400:  # noqa: PLR2004 - as the contract says
        answer.refuses(400, "invalid_parameters")
        return "a body without a type is refused"
    same(api.original(f"{api.owner}/{identity(answer)}"), picture)
    return "a body without a type is stored"


def empty(api: Api) -> None:
    """Upload an empty body."""
    api.upload(b"").refuses(400, "empty_body")


def chosen(api: Api, picture: bytes) -> None:
    """Upload with an id of the caller's choice, which must not be the image's."""
    choice = str(uuid.uuid4())
    answer = api.upload(picture, X_Amzn_RequestId=choice)
    image_id = identity(answer)
    if image_id == choice:
        raise SmokeError(f"the caller has chosen the id {image_id}")
    if (header := answer.headers["x-amz-apigw-id"]) != image_id:
        raise SmokeError(f"the id is {image_id}, and the header x-amz-apigw-id {header}")


def named(api: Api, image_id: str) -> str:
    """Get a record by its id, unencoded and percent-encoded."""
    for part in (image_id, quote(image_id, safe="")):
        if (found := api.call("GET", f"/images/{part}").json()["id"]) != image_id:
            raise SmokeError(f"GET /images/{part} returns the record of {found}")
    return f"ids have {len(image_id)} characters, {image_id.count('=')} of them `=`"


def slash(api: Api, picture: bytes) -> None:
    """Upload to a path that ends with a slash."""
    answer = api.upload(picture, "/images/")
    place = f"{urlsplit(api.base).path}/images/{identity(answer)}"
    found = (answer.headers["Location"], answer.json(202)["status_url"])
    if found != (place, place):
        raise SmokeError(f"Location and status_url are {found}, and not {place}")


def listed(api: Api, image_id: str) -> None:
    """List the caller's images."""
    ids = [image["id"] for image in api.call("GET", "/images?limit=100").json()["images"]]
    if image_id not in ids:
        raise SmokeError(f"{image_id} is not in the list: {ids}")


def beyond_ascii(api: Api, picture: bytes) -> None:
    """Put an image under a key beyond ASCII; the token of the page that ends there must hold it."""
    key = f"{api.owner}/{NAME}"
    api.put(key, picture)
    tokens: list[str] = []

    def is_in_a_token() -> bool:
        tokens[:] = tokens_of(api)
        return any(unquote_plus(token.partition("_")[2]) == key for token in tokens)

    try:
        api.wait(f"token of the page that ends at {key}", is_in_a_token)
    except SmokeError as error:
        raise SmokeError(f"{error}; the last tokens: {', '.join(tokens)}") from error


def tokens_of(api: Api) -> list[str]:
    """Return the tokens of the first pages of one image; images of one second have no order."""
    tokens: list[str] = []
    for _ in range(PAGES):
        after = f"&next={quote(tokens[-1], safe='')}" if tokens else ""
        page = api.call("GET", f"/images?limit=1{after}").json()
        if "next" not in page:
            break
        tokens.append(page["next"])
    return tokens


def header_limit(api: Api) -> None:
    """List with a limit in a header, which must not be obeyed."""

    def several() -> Sequence[Any] | None:
        images: Sequence[Any] = api.call("GET", "/images").json()["images"]
        return images if len(images) > 1 else None

    api.wait("list of more than one image", several)
    found = api.call("GET", "/images", headers={"limit": "1"}).json()["images"]
    if len(found) < 2:  # noqa: PLR2004 - more than the header says
        raise SmokeError(f"the header `limit: 1` is obeyed: {len(found)} images")


def versions(api: Api, image_id: str, picture: bytes) -> None:
    """Add a version to an image and page through both; an unknown image must be a 404, with a token too."""
    api.put(f"{api.owner}/{image_id}", picture + b"another version")
    path = f"/images/{image_id}/versions"

    def both() -> list[str] | None:
        found = [version["version"] for version in api.call("GET", path).json()["versions"]]
        return found if len(found) > 1 else None

    known = api.wait(f"second version of {image_id}", both)
    first = api.call("GET", f"{path}?limit=1").json()
    token = quote(first["next"], safe="")
    second = api.call("GET", f"{path}?limit=1&next={token}").json()
    seen = [[version["version"] for version in page["versions"]] for page in (first, second)]
    if seen != [[version] for version in known[:2]]:
        raise SmokeError(f"pages of one version hold {seen}, and the whole list {known}")
    for query in ("", f"?next={token}"):
        api.call("GET", f"/images/{UNKNOWN}/versions{query}").refuses(404, "not_found")
    api.call("GET", f"/images/{UNKNOWN}").refuses(404, "not_found")


def preflight(api: Api, origin: str, *, admitted: bool) -> None:
    """Ask as a browser does before a DELETE, with the header as HTTP/1.1 writes it and as HTTP/2 does."""
    for header in ("Origin", "origin"):
        asked = {header: origin, "Access-Control-Request-Method": "DELETE"}
        answer = request("OPTIONS", f"{api.base}/images/{UNKNOWN}", b"", asked)
        if answer.status != 204:  # noqa: PLR2004 - without a body
            raise SmokeError(f"204 was expected, not {answer}")
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        if allowed != (origin if admitted else None):
            raise SmokeError(f"`{header}: {origin}` is answered with Access-Control-Allow-Origin {allowed}")
        if admitted and "DELETE" not in (answer.headers["Access-Control-Allow-Methods"] or "").split(","):
            raise SmokeError(f"DELETE is not among {answer.headers['Access-Control-Allow-Methods']}")


def exposed(api: Api) -> None:
    """Look which headers a browser's program may read."""
    found = (api.call("GET", "/images").headers["Access-Control-Expose-Headers"] or "").split(",")
    if missing := EXPOSED.difference(found):
        raise SmokeError(f"{', '.join(sorted(missing))} are not among the exposed headers {found}")


def form(api: Api, picture: bytes) -> None:
    """Request a form and send it as a browser does; the stored file must be unchanged."""
    asked = json.dumps({"content_type": "image/jpeg", "name": "a photograph.jpg"}).encode()
    signed = api.call("POST", "/uploads", asked, {"Content-Type": "application/json"}).json(201)
    host = urlsplit(signed["url"]).netloc
    if not host.startswith(api.form_host):
        raise SmokeError(f"the form is for {host}, and not for the regional host {api.form_host}…")
    boundary = uuid.uuid4().hex
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in signed["fields"].items()]
    parts.append(b'name="file"; filename="x"\r\n\r\n' + picture)
    head = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = request("POST", signed["url"], body, kind)
    if answer.status not in (200, 204):
        raise SmokeError(f"the form is answered with {answer}")
    same(api.original(f"{api.owner}/{signed['id']}"), picture)


def derivative(api: Api, image: Mapping[str, Any]) -> None:
    """Fetch each derivative with any Accept header, and compare it with the stored bytes."""
    root = f"{urlsplit(api.base).path}/images/"
    for variant in image["variants"]:
        stored = api.derivative(f"{api.owner}/{variant['url'].removeprefix(root)}")
        for accepted in (variant["content_type"], "application/json", "*/*"):
            path = variant["url"].removeprefix(urlsplit(api.base).path)
            answer = api.call("GET", path, headers={"Accept": accepted})
            found = (answer.status, answer.headers["Content-Type"], answer.body)
            if found != (200, variant["content_type"], stored):
                raise SmokeError(f"{path}, accepting {accepted}, is {answer}, and {len(stored)} bytes are stored")
    if not image["variants"]:
        raise SmokeError(f"{image['id']} has no variants")
