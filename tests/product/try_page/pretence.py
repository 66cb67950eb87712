"""An API that pretends: answers the page's requests in the browser, at once or as a test wants them answered."""

from __future__ import annotations

import json
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from scripts.generated.try_page import PAGE
from tests.support.photographs import draw, encode

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FilePayload, Request, Route

SITE = "https://try.example.com"
BUCKET = "https://bucket.example.com"
KEY = "k" * 36 + "good"
CORS = {"Access-Control-Allow-Origin": SITE}  # the bucket's
CONFIG = {"api": "v1", "credentials": ["key"], "max_bytes": 20_000_000, "origins": [BUCKET]}

VARIANTS = {"thumbnail": (256, 192), "web": (640, 480)}
PICTURES = {name: encode(draw(size)) for name, size in VARIANTS.items()}
WHEN = "2026-03-04T05:06:07Z"


@dataclass
class Call:
    """A request that the page has made."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Pretence:
    """The page's site, with an API below it.

    Attributes:
        config: Content of config.json.
        records: Record of each image, newest first; None until it is processed.
        calls: Requests to the API and the bucket.
        answers: Statuses and error codes to give, before the real ones, to requests that begin so.
        prompt: Whether images are processed as soon as they are stored.
    """

    config: dict[str, Any] = field(default_factory=lambda: dict(CONFIG))
    records: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, deque[tuple[int, str]]] = field(default_factory=dict)
    prompt: bool = True

    def install(self, context: BrowserContext) -> None:
        """Answer for the site and the bucket in a browser's context."""
        context.route(f"{SITE}/**", self._handle)
        context.route(f"{BUCKET}/**", self._handle)

    def called(self, what: str) -> list[Call]:
        """Return the requests so far that begin with a method and a path."""
        return [call for call in self.calls if f"{call.method} {call.path}".startswith(what)]

    def answer(self, what: str, *answers: tuple[int, str]) -> None:
        """Give these answers to the next requests that begin with a method and a path."""
        self.answers[what] = deque(answers)

    def processed(self, identity: str) -> None:
        """Let an image be processed."""
        self.records[identity] = record(identity)

    def _handle(self, route: Route) -> None:
        request = route.request
        url = urlsplit(request.url)
        if request.url.startswith(f"{SITE}/v1/") or request.url.startswith(BUCKET):
            path = url.path.removeprefix("/v1") + (f"?{url.query}" if url.query else "")
            call = Call(request.method, path, request.headers, request.post_data_buffer or b"")
            self.calls.append(call)
            status, headers, body = self._answer(call, request)
            route.fulfill(status=status, headers=headers, body=body)
        elif url.path == "/index.html":
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body=PAGE.read_text())
        elif url.path == "/config.json":
            route.fulfill(status=200, json=self.config)
        else:
            route.fulfill(status=404, body="")

    def _answer(self, call: Call, request: Request) -> tuple[int, dict[str, str], bytes]:
        for what, answers in self.answers.items():
            if answers and f"{call.method} {call.path}".startswith(what):
                status, code = answers.popleft()
                status, headers, body = said(status, {"error": {"code": code, "message": "as the test wants it"}})
                return status, {**headers, **CORS}, body
        if request.url.startswith(BUCKET):
            self._store(next(iter(self.records)))  # the last that a form was asked for
            return 204, CORS, b""
        if KEY not in (call.headers.get("x-api-key"), call.headers.get("authorization", "").removeprefix("Bearer ")):
            return said(403, {"message": "Forbidden"})
        return self._route(call)

    def _route(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        match call.method, call.path.strip("/").partition("?")[0].split("/"):
            case "POST", ["images"]:
                identity = str(uuid.uuid4())
                self._store(identity)
                return said(202, {"id": identity, "status_url": f"/v1/images/{identity}"})
            case "POST", ["uploads"]:
                identity = str(uuid.uuid4())
                self.records = {identity: None, **self.records}
                form = {"url": f"{BUCKET}/owner", "fields": {"key": f"owner/{identity}", "policy": "signed"}}
                return said(
                    201, {"id": identity, "status_url": f"/v1/images/{identity}", "expires_in_seconds": 300, **form}
                )
            case "GET", ["images"]:
                return said(200, self._page(**{name: value[0] for name, value in parse_qs(call.path[8:]).items()}))
            case "GET", ["images", identity]:
                found = self.records.get(identity)
                return said(200, found) if found else said(404, {"error": {"code": "not_found", "message": "None."}})
            case "DELETE", ["images", identity]:
                self.records[identity] = record(identity, "Deleted")
                return said(202, {"id": identity, "status": "Deleting"})
            case "GET", ["images", _, _, file]:
                return 200, {"Content-Type": "image/jpeg"}, PICTURES[file.removesuffix(".jpg")]
        raise AssertionError(call)

    def _store(self, identity: str) -> None:
        self.records = {identity: None, **self.records}
        if self.prompt:
            self.processed(identity)

    def _page(self, limit: str = "20", next: str = "0") -> dict[str, Any]:  # noqa: A002 - the API's own name
        shown = [one for one in self.records.values() if one and one["status"] != "Deleted"]
        first, last = int(next), int(next) + int(limit)
        return {"images": shown[first:last], **({"next": str(last)} if last < len(shown) else {})}


def record(identity: str, status: str = "Processed") -> dict[str, Any]:
    """Return a record as the API returns it."""
    return {
        "id": identity,
        "status": status,
        "version": "v",
        "uploaded_at": WHEN,
        "recorded_at": WHEN,
        "original": {"bytes": 400_000, "width": 1600, "height": 1200, "format": "jpeg"},
        "variants": [
            {
                "name": name,
                "url": f"/somewhere/v1/images/{identity}/v/{name}.jpg",
                "width": width,
                "height": height,
                "bytes": len(PICTURES[name]),
                "content_type": "image/jpeg",
            }
            for name, (width, height) in VARIANTS.items()
            if status == "Processed"
        ],
        **({"reason": {"code": "unreadable_image", "message": "the file is torn"}} if status == "Rejected" else {}),
    }


def said(status: int, body: object) -> tuple[int, dict[str, str], bytes]:
    """Return an answer in JSON."""
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def picture_file(name: str = "dunes.jpg", size: int | None = None) -> FilePayload:
    """Return a file for the page to upload; with a size, filled to it."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": PICTURES["web"].ljust(size or 0, b"\0")}
